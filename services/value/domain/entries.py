"""Entries: what one event says of money, already read, and the form in which it is kept.

Owns the shape of an entry and of its lines. Amounts are whole numbers of 10⁻⁴ of the currency's unit.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

COMPLETED, UPDATED = "order.completed", "order.updated"
CANCELLED, REFUNDED = "order.cancelled", "order.refunded"
ISSUED, PAID = "invoice.issued", "invoice.paid"
COST = "cost.incurred"
STARTED, RENEWED = "subscription.started", "subscription.renewed"

MONEY_TYPES: frozenset[str] = frozenset(
    {COMPLETED, UPDATED, CANCELLED, REFUNDED, ISSUED, PAID, COST, STARTED, RENEWED}
)
"""Event types that can have money meaning."""

AMOUNT_MISMATCH = "amount_mismatch"
"""The fields of an order would give amounts more than one minor unit apart."""
DIRTY_LINE = "dirty_line"
"""A line without a positive quantity and a positive amount."""
NEGATIVE_ORDER = "negative_order"
"""More went back than was bought; it counts as it is."""
OF_ORDER = "of_order"
"""An invoice of an order: the order has the money, none of this invoice's entries count."""


class Line(NamedTuple):
    """A line of an order or refund.

    `amount` is price by quantity before discounts, `cost` and `margin` are the whole line's (None: unknown),
    `quantity` is in 10⁻⁴ of a piece; a quantity of 0 or less is a return.
    """

    area: str
    product_id: str | None
    sku: str | None
    quantity: int
    amount: int
    cost: int | None = None
    margin: int | None = None


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What one event says of the money of one business key.

    `rank` is the class rank of the identifier that led the event (0 is the strongest); `time_us` and
    `ordered_us` are µs since 1970. `net` is after discounts, without shipping and tax. `paid` is what was
    paid, of a refund or cancellation what went back (None: not said). `cost` is what the whole order cost us,
    of cost.incurred the cost itself. `refund_id` tells copies of one refund.
    """

    key: str
    record_id: str
    event_id: str
    rank: int
    time_us: int
    kind: str
    currency: str | None = None
    net: int = 0
    paid: int | None = None
    cost: int | None = None
    lines: tuple[Line, ...] = ()
    ordered_us: int | None = None
    refund_id: str | None = None
    flags: tuple[str, ...] = ()


_STORED = msgspec.json.Decoder(Entry)
_STORING = msgspec.json.Encoder()


def write(entry: Entry) -> str:
    """The stored form, its fields in their order: the same text for the same entry."""
    return _STORING.encode(entry).decode()


def read_stored(text: str) -> Entry:
    """From the stored form."""
    return _STORED.decode(text)
