"""What the mix sells and shows: order lines, products, pages, made once and then only referred to.

Owns precomputed property tables, so that an event of ten lines costs ten list look-ups. Nobody may change a
table's dicts: all events of a stream share them.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from services.ops.generate.mix import Mix
from services.ops.generate.names import PAGES

AREAS = ("grocery", "produce", "bakery", "meat", "fish", "dairy", "drinks", "drugstore", "home", "garden")
BRANDS_PER_AREA = 12
LINES_TABLE = 8192
"""Order lines to draw from: products by popularity, with quantities of 1 to 4."""


class Line(NamedTuple):
    """An order line as it is sent, and its price times quantity in cents."""

    sent: dict[str, Any]
    cents: int


class Catalogue:
    """Tables to draw from with one random number: `lines`, `products`, `pages`, `screens`."""

    def __init__(self, mix: Mix) -> None:
        draw = random.Random(f"catalogue of {mix.population}").random
        goods: list[tuple[dict[str, Any], int]] = []
        for number in range(mix.products):
            area = AREAS[int(draw() * len(AREAS))]
            brand = f"{area}-{int(draw() * BRANDS_PER_AREA)}"
            cents = 49 + int(draw() ** 3 * 4000)
            goods.append(({"product_id": f"P{number:05d}", "category": area, "brand": brand}, cents))
        self.products = [{**sent, "price": cents / 100, "currency": mix.currency} for sent, cents in goods]
        self.lines: list[Line] = []
        for _ in range(LINES_TABLE):
            sent, cents = goods[int(draw() ** 2 * len(goods))]
            quantity = 1 + int(draw() ** 3 * 4)
            self.lines.append(Line({**sent, "quantity": quantity, "price": cents / 100}, cents * quantity))
        self.pages: list[dict[str, Any]] = [
            {"url": f"https://shop.example/{name.lower()}/{i}", "path": f"/{name.lower()}/{i}", "title": name}
            for name in PAGES
            for i in range(20)
        ]
        self.screens = [{"name": name, "category": "app"} for name in PAGES]
