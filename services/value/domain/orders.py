"""Orders: all entries of one business key folded into one order and the cells it adds to its owner's days.

Owns who has the order, on which day it counts and what is left of it. A function of the set of entries: their
order and copies make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import add
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from services.value.domain.entries import (
    CANCELLED,
    COMPLETED,
    COST,
    ISSUED,
    OF_ORDER,
    PAID,
    REFUNDED,
    RENEWED,
    STARTED,
    UPDATED,
    Entry,
    write,
)
from services.value.domain.parts import Part, Remains, in_time, parts_of
from services.value.domain.reading import ID_CHARS_MAX, business_day

WAITING, OPEN, RETURNED, NEVER = "waiting", "open", "returned", "never"
"""No order yet; some of it is left; nothing is left of it; it counts as if it never had been."""

WHOLE = ""
"""The area of the cell that holds the whole order."""

ITEMS_MAX = 1_000
"""Products of one order that are kept for what its customer needs next."""

_NOTHING = (0, 0, 0)
_TELLING = frozenset({COMPLETED, UPDATED, ISSUED, PAID, STARTED, RENEWED})


class CellKey(NamedTuple):
    """Whose day: the record, days since 1970-01-01, the area (WHOLE: all of them), the currency."""

    record_id: str
    day: int
    area: str
    currency: str


class Amounts(NamedTuple):
    """What a cell holds: the number of orders, else amounts of 10⁻⁴ of the currency's unit.

    `refunds` is net that went back; net less refunds is revenue. `margin` is that of known cost, `unknown_net`
    the revenue whose cost is not known: both 0 in cells of the whole. `paid` and `cost` stand only there.
    """

    orders: int = 0
    net: int = 0
    paid: int = 0
    refunds: int = 0
    margin: int = 0
    unknown_net: int = 0
    cost: int = 0


def added(a: Amounts, b: Amounts) -> Amounts:
    """The sum, part by part; `orders` too."""
    return Amounts._make(map(add, a, b))


class Order(msgspec.Struct):
    """An order as its entries have it.

    `owner` is the record it counts for (None: nobody's yet), `owner_event` the event that decides. `day` is the
    business day of `ordered_us` (µs since 1970). `shadowed` counts other tellings of the same order, `returns`
    the refunds and cancellations that count. An order that never was keeps its owner and day, and has no cells
    but costs. `items` are the products bought, of an order of which anything is left.
    """

    owner: str | None = None
    owner_event: str | None = None
    currency: str | None = None
    ordered_us: int | None = None
    day: int | None = None
    status: str = WAITING
    cells: dict[CellKey, Amounts] = {}
    shadowed: int = 0
    returns: int = 0
    flags: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


def fold(entries: Iterable[Entry], zone: ZoneInfo) -> Order:
    """The order of all entries of one business key."""
    distinct = _distinct([*entries])
    telling = _telling(distinct)
    order = Order(flags=tuple(sorted({OF_ORDER for entry in distinct if OF_ORDER in entry.flags})))
    if order.flags:
        order.status = NEVER
    elif telling:
        owner = min(telling, key=_preference)
        _own(order, owner, telling, zone)
        order.shadowed = sum(entry.kind in _TELLING for entry in distinct) - 1
        _settle(order, owner, [entry for entry in distinct if entry.kind in (CANCELLED, REFUNDED)], zone)
    _add_costs(order, [entry for entry in distinct if entry.kind == COST], zone)
    order.cells = {key: amounts for key, amounts in sorted(order.cells.items()) if any(amounts)}
    return order


def _distinct(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Each event once; of different contents under one id the same one whatever the order."""
    if len(entries) < 2:
        return entries
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        key = (entry.record_id, entry.event_id)
        other = found.setdefault(key, entry)
        if other is not entry and other != entry:
            found[key] = min(other, entry, key=write)
    return list(found.values())


def _telling(entries: Sequence[Entry]) -> list[Entry]:
    """Those that tell the order itself. Of an invoice the issue decides; its payment only without one."""
    telling = [entry for entry in entries if entry.kind in _TELLING]
    return [entry for entry in telling if entry.kind == ISSUED] or telling


def _preference(entry: Entry) -> tuple[int, bool, int, str, str]:
    """The least decides: the strongest record, there the latest update, else the earliest."""
    is_update = entry.kind == UPDATED
    time = -entry.time_us if is_update else entry.time_us
    return entry.rank, not is_update, time, entry.event_id, entry.record_id


def _own(order: Order, owner: Entry, telling: Sequence[Entry], zone: ZoneInfo) -> None:
    order.owner, order.owner_event, order.currency = owner.record_id, owner.event_id, owner.currency
    order.ordered_us = owner.ordered_us
    if order.ordered_us is None:
        completed = [entry.time_us for entry in telling if entry.kind == COMPLETED]
        order.ordered_us = min(completed or [entry.time_us for entry in telling])
    order.day = business_day(order.ordered_us, zone)


def _settle(order: Order, owner: Entry, returns: Sequence[Entry], zone: ZoneInfo) -> None:
    """The order's cells after its refunds and cancellations, each on its own day, none before the order's."""
    remains = Remains(owner, parts_of(owner))
    ordered = order.day or 0
    _place(order, ordered, owner, remains.parts)
    for entry in in_time(returns) if returns else ():
        day = max(business_day(entry.time_us, zone), ordered)
        before = [(part.left, part.unknown, part.margin_left(remains.share)) for part in remains.parts]
        if not remains.take(entry):
            continue
        order.returns += 1
        if remains.is_gone and entry.kind == CANCELLED and day == ordered:
            order.status = NEVER
        for part, (left, unknown, margin) in zip(remains.parts, before, strict=True):
            less = Amounts(
                refunds=left - part.left,
                margin=part.margin_left(remains.share) - margin,
                unknown_net=part.unknown - unknown,
            )
            _add(order, day, part.area, less)
            _add(order, day, WHOLE, Amounts(refunds=less.refunds))
    order.flags = tuple(sorted({*owner.flags, *remains.flags}))
    if order.status == NEVER:
        order.cells = {}
    else:
        order.status = RETURNED if remains.is_gone else OPEN
    if order.status == OPEN:
        order.items = items_of(owner)


def _place(order: Order, day: int, owner: Entry, parts: Sequence[Part]) -> None:
    """The order before anything of it went back."""
    areas: dict[str, tuple[int, int, int]] = {}
    for part in parts:
        net, margin, unknown = areas.get(part.area, _NOTHING)
        areas[part.area] = net + part.net, margin + (part.margin or 0), unknown + part.unknown
    _add(order, day, WHOLE, Amounts(1, owner.net, owner.paid or 0))
    for area, (net, margin, unknown) in areas.items():
        _add(order, day, area, Amounts(1, net, 0, 0, margin, unknown))


def items_of(entry: Entry) -> tuple[str, ...]:
    """The products that were bought, each once, in the order of their ids."""
    bought = {line.product_id or line.sku for line in entry.lines if line.quantity > 0}
    return tuple(sorted(item for item in bought if item is not None and len(item) <= ID_CHARS_MAX)[:ITEMS_MAX])


def _add_costs(order: Order, costs: Sequence[Entry], zone: ZoneInfo) -> None:
    """Costs count whatever became of the order; for its owner, or who they came under while it has none."""
    once: dict[str, Entry] = {}
    for entry in sorted(costs, key=lambda e: (e.rank, e.time_us, e.event_id, e.record_id)):
        once.setdefault(entry.event_id, entry)
    for entry in once.values():
        day, record = business_day(entry.time_us, zone), order.owner or entry.record_id
        _add_to(order, CellKey(record, day, WHOLE, entry.currency or ""), Amounts(cost=entry.cost or 0))


def _add(order: Order, day: int, area: str, amounts: Amounts) -> None:
    _add_to(order, CellKey(order.owner or "", day, area, order.currency or ""), amounts)


def _add_to(order: Order, key: CellKey, amounts: Amounts) -> None:
    if any(amounts):
        known = order.cells.get(key)
        order.cells[key] = amounts if known is None else added(known, amounts)
