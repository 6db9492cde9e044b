"""Saying in a line what was bought, returned and spent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from schemas.codec import read_json_exactly, write_json_exactly
from schemas.envelope import Event, microseconds, moment_at
from services.value.domain.entries import Entry
from services.value.domain.orders import Amounts, CellKey, Order, fold
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import business_day, read

PRAGUE = ZoneInfo("Europe/Prague")
NOON_US = microseconds(datetime.fromisoformat("2026-03-02T12:00:00Z"))
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
DAY = business_day(NOON_US, PRAGUE)
SHIPPED: dict[str, Any] = yaml.safe_load((files("services.value") / "policy.yaml").read_text())
POLICY: Policy = read_policy(SHIPPED)
SEGMENTS_AMOUNTS = {
    "currency": "USD", "revenue": "25.00", "discount": "2.50", "subtotal": "22.50", "shipping": "3", "tax": "2",
    "total": "27.50",
}  # fmt: skip
"""Segment's documented example."""


def event(
    kind: str,
    properties: Mapping[str, Any],
    *,
    at: int = NOON_US,
    id: str = "e1",
    record: str = "r1",
    identifier: str = "user_id",
    **data: Any,
) -> Event:
    """An event as it comes from the log, numbers exact."""
    said = {"identifiers": {identifier: ["u1"]}, "business_namespace": "shop", "properties": properties, **data}
    exact = read_json_exactly(write_json_exactly(said))
    return Event(id, "shop", kind, moment_at(at), record, moment_at(at), exact)


def entry(kind: str, properties: Mapping[str, Any], *, at: int = NOON_US, **said: Any) -> Entry:
    """What such an event says; it must say something."""
    found = read(event(kind, properties, at=at, **said), at, PRAGUE)
    assert found is not None
    return found


def order(kind: str = "order.completed", *, at: int = NOON_US, **said: Any) -> Entry:
    """An order of Segment's amounts, unless other properties are said."""
    own = {k: said.pop(k) for k in ("id", "record", "identifier") if k in said}
    properties = said if "currency" in said else {**SEGMENTS_AMOUNTS, **said}
    return entry(kind, {"order_id": "1", **properties}, at=at, **own)


def line(product: str = "P", quantity: Any = 1, price: Any = 10, **more: Any) -> dict[str, Any]:
    """A line."""
    return {"product_id": product, "quantity": quantity, "price": price, **more}


SHOES_AND_BOOKS = [line("s", 2, 10, category="Shoes", cost=4), line("b", 1, 5, category="Books")]


def of_lines(*lines: dict[str, Any], **said: Any) -> Entry:
    """An order that says nothing but its lines."""
    return order(currency="USD", products=list(lines), **said)


def back(kind: str = "order.refunded", *, days: int = 1, at: int | None = None, **said: Any) -> Entry:
    """A refund, or cancellation, some days after noon."""
    own = {k: said.pop(k) for k in ("record", "identifier") if k in said}
    event_id = said.pop("id", "back")
    time_us = NOON_US + days * DAY_US if at is None else at
    return entry(kind, {"order_id": "1", **said}, at=time_us, id=event_id, **own)


def cost(amount: Any, *, id: str = "cost", at: int = NOON_US, **said: Any) -> Entry:
    """A cost of order 1."""
    own = {k: said.pop(k) for k in ("record", "identifier") if k in said}
    return entry("cost.incurred", {"order_id": "1", "amount": amount, "currency": "USD", **said}, at=at, id=id, **own)


def folded(*entries: Entry) -> Order:
    """The order they make."""
    return fold(entries, PRAGUE)


def total(cells: Mapping[CellKey, Amounts] | Iterable[tuple[CellKey, Amounts]], area: str | None = "") -> Amounts:
    """The sum of an order's cells of one area (None: of all but the whole)."""
    pairs = cells.items() if isinstance(cells, Mapping) else cells
    wanted = [a for key, a in pairs if key.area == area or (area is None and key.area != "")]
    return Amounts(*(sum(column) for column in zip(*wanted, strict=True))) if wanted else Amounts()
