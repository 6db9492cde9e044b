"""Events of money to draw: orders, and what befalls them.

Owns what one drawn mention of an order sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from schemas.envelope import Event
from tests.support.house import NOON, an_event

Pair = tuple[str, str]

MONEY = {
    "completed": "order.completed", "updated": "order.updated", "refunded": "order.refunded",
    "cancelled": "order.cancelled", "cost": "cost.incurred",
}  # fmt: skip


def money_event(name: str, said: tuple[Any, ...]) -> Event:
    """An order, or something that befalls it, perhaps on the day after and under somebody else's record."""
    kind, order_id, who, minute, luck = said
    properties: dict[str, Any] = {"order_id": order_id, "currency": "EUR" if luck == 5 else "USD"}
    if kind in ("completed", "updated"):
        lines = [{"sku": "a", "price": 10 + luck, "quantity": 2, "category": "books"}, {"sku": "b", "price": "3.33"}]
        properties |= {"subtotal": f"{23 + luck}.33", "total": f"{25 + luck}", "products": lines}
    elif kind == "refunded" and luck:
        properties |= {"total": luck * 7}
    elif kind == "cancelled" and luck == 1:
        properties |= {"products": [{"sku": "b", "quantity": 1}]}
    elif kind == "cost":
        properties |= {"amount": luck + 1}
    when = NOON + timedelta(minutes=minute, days=luck % 2)
    identifiers = named(who)
    shop: dict[str, Any] = {"source": "s0", "business_namespace": "shop", "properties": properties}
    return an_event(name, identifiers, type=MONEY[kind], time=when, **shop)


def named(identifiers: Sequence[Pair]) -> dict[str, list[str]]:
    """As an event has its identifiers."""
    found: dict[str, list[str]] = {}
    for kind, value in identifiers:
        found.setdefault(kind, []).append(value)
    return found
