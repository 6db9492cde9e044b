"""Contacts: which events are a contact that costs us something, and what all of somebody's contacts cost.

Owns the types that count, how one is read, and prices by the policy in force. Counts are kept whether they have a
price or not, so that a table that changes counts for all that ever was. Pure; whole numbers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from schemas.envelope import CHANNELS, INBOUND, OUTBOUND
from schemas.events.fields import money_of
from services.value.domain.money import AMOUNT_MAX, divided
from services.value.domain.orders import WHOLE, Amounts
from services.value.domain.policy import Policy
from services.value.domain.summing import Cell

CONTACT_TYPES: frozenset[str] = frozenset({
    "call.held", "meeting.held", "conversation.message", "message.sent", "message.replied", "ticket.opened",
    "survey.asked",
})  # fmt: skip
"""Events in which somebody of ours, or a channel that is paid for, had to do with a customer.

What he does on pages and in the app costs nothing more; what an order costs is told by cost.incurred.
"""
SECONDS_MAX = 86_400
"""No contact is counted as longer than a day."""
MINUTE_S = 60


class Contact(NamedTuple):
    """Contacts of one business day, channel and direction: how many, and how long all of them were."""

    day: int
    channel: str
    direction: str
    pieces: int
    seconds: int


def read_contact(day: int, channel: Any, direction: Any, duration_s: Any) -> Contact:
    """One contact. What is no channel is `other`; a duration that is none is 0 seconds."""
    seconds = money_of(duration_s)
    return Contact(
        day,
        channel if channel in CHANNELS else "other",
        OUTBOUND if direction == OUTBOUND else INBOUND,
        1,
        min(max(int(seconds), 0), SECONDS_MAX) if seconds is not None else 0,
    )


def cost_cells(contacts: Iterable[Contact], policy: Policy) -> list[Cell]:
    """What they cost, as rows of the reporting currency by day; in any order, of any records, the same."""
    if not policy.prices:
        return []
    sums: dict[tuple[int, str, str], tuple[int, int]] = {}
    for day, channel, direction, pieces, seconds in contacts:
        known = sums.get((day, channel, direction), (0, 0))
        sums[day, channel, direction] = known[0] + pieces, known[1] + seconds
    costs: dict[int, int] = {}
    for (day, channel, direction), (pieces, seconds) in sums.items():
        costs[day] = costs.get(day, 0) + cost_of(channel, direction, pieces, seconds, policy)
    currency = policy.reporting_currency
    return [Cell(day, WHOLE, currency, Amounts(cost=costs[day])) for day in sorted(costs) if costs[day]]


def cost_of(channel: str, direction: str, pieces: int, seconds: int, policy: Policy) -> int:
    """What so many contacts of one kind cost, rounded once, half-even."""
    price = policy.prices.get((channel, direction))
    if price is None:
        return 0
    return min(price.piece * pieces + divided(price.minute * seconds, MINUTE_S), AMOUNT_MAX)


def has_price(contacts: Iterable[Contact], prices: Mapping[tuple[str, str], Any]) -> bool:
    """Whether any of them costs anything."""
    return any((contact.channel, contact.direction) in prices for contact in contacts)
