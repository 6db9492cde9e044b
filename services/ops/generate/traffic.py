"""What a stream of the mix has sent so far: who was seen under which identifiers, and what is still open.

Owns the bookkeeping that makes merges real (two records of one person, seen apart, then joined) and
follow-ups consistent (an opened message was sent, a refunded order was placed). Event types: forms_*.py.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

from services.ops.generate.catalogue import Catalogue
from services.ops.generate.mix import Mix
from services.ops.generate.population import CRM, EMAIL, FIRST_DEVICE, PHONE, USER, Population

OPEN_MAX = 4096
"""Messages and orders a stream remembers for follow-ups; the oldest are forgotten at random."""

OWNED_MASKS = 16

T = TypeVar("T")
Data = dict[str, Any]
Identifiers = dict[str, str | list[str]]


class Message(NamedTuple):
    """A message sent, to be delivered, opened, clicked or bounced later."""

    customer: int
    message_id: str
    campaign_id: str
    channel: str
    address: str


class Order(NamedTuple):
    """An order placed, to be refunded or asked about later; amounts in cents."""

    customer: int
    slot: int
    order_id: str
    paid_cents: int


class Ticket(NamedTuple):
    """A ticket opened, to be closed later."""

    customer: int
    ticket_id: str


class Traffic:
    """State of one stream. `seen` and `trunk` are bit masks of slots per customer number.

    `seen`: identifiers that were in any event. `trunk`: those joined by events to the first one seen. What is
    seen and not in the trunk is *loose*: a record of its own that a merge may join.
    """

    def __init__(self, mix: Mix, seed: int) -> None:
        self.mix = mix
        self.people = Population(mix)
        self.goods = Catalogue(mix)
        self.random: Callable[[], float] = random.Random(seed).random
        self.seen = [0] * mix.customers
        self.trunk = [0] * mix.customers
        self.moves = bytearray(mix.customers)
        self.messages: list[Message] = []
        self.orders: list[Order] = []
        self.tickets: list[Ticket] = []
        self.numbered = 0
        self.prefix = f"{mix.population}-{seed}"
        weights = ((rank + 1) ** -mix.zipf_exponent for rank in range(mix.customers))
        self._cumulated = list(accumulate(weights))
        self._weight = self._cumulated[-1]
        self._with_loose: list[int] = []
        self._listed = bytearray(mix.customers)
        self._preferred: dict[tuple[int, ...], list[int]] = {}

    def customer(self) -> int:
        """A customer number, Zipf-distributed: 0 is the busiest."""
        return bisect_left(self._cumulated, self.random() * self._weight)

    def anybody(self) -> int:
        """A customer number, each equally likely: people sign up once, however much they buy."""
        return int(self.random() * self.mix.customers)

    def number(self, kind: str) -> str:
        """A business key that no other event of this population and seed has."""
        self.numbered += 1
        return f"{kind}-{self.prefix}-{self.numbered}"

    def alone(self, n: int, slot: int) -> Identifiers:
        """An event under one identifier; one never seen before starts a record of its own."""
        bit = 1 << slot
        if not self.seen[n] & bit:
            self.seen[n] |= bit
            if not self.trunk[n]:
                self.trunk[n] = bit
            elif not self._listed[n]:
                self._listed[n] = 1
                self._with_loose.append(n)
        return {self.people.types[slot]: self.people.value(n, slot)}

    def together(self, n: int, slots: tuple[int, ...]) -> Identifiers:
        """An event under several identifiers, which all belong to the trunk from now on."""
        people = self.people
        found: Identifiers = {}
        for slot in slots:
            self.seen[n] |= 1 << slot
            self.trunk[n] |= 1 << slot
            kind, value = people.types[slot], people.value(n, slot)
            others = found.get(kind)
            if others is None:
                found[kind] = value
            else:
                found[kind] = [others, value] if isinstance(others, str) else [*others, value]
        return found

    def with_loose(self) -> int | None:
        """A customer with a record not joined yet, or None while there is none."""
        while self._with_loose:
            at = int(self.random() * len(self._with_loose))
            n = self._with_loose[at]
            if self.seen[n] & ~self.trunk[n]:
                return n
            self._with_loose[at] = self._with_loose[-1]
            self._with_loose.pop()
            self._listed[n] = 0
        return None

    def preferred(self, n: int, order: tuple[int, ...]) -> int:
        """The first slot of `order` that the customer has; a browser when he has none of them."""
        table = self._preferred.get(order)
        if table is None:
            table = [
                next((slot for slot in order if mask >> slot & 1), FIRST_DEVICE)
                for mask in range(OWNED_MASKS)
            ]
            self._preferred[order] = table
        return table[self.people.owned[n]]

    def device(self, n: int, first: int, count: int) -> int:
        """One of `count` browsers (or apps) from slot `first`: mostly the latest, seldom a new one."""
        known = (self.seen[n] >> first & ((1 << count) - 1)).bit_length()
        draw = self.random()
        if known < count and (not known or draw < self.mix.new_device_share):
            return first + known
        return first + known - 1 if draw < 0.8 else first + int((draw - 0.8) * 5 * known)

    def browser(self, n: int) -> int:
        """Slot of the browser used now."""
        return self.device(n, FIRST_DEVICE, self.mix.anonymous_ids_max)

    def app(self, n: int) -> int:
        """Slot of the app used now."""
        return self.device(n, self.people.first_app, self.mix.device_ids_max)

    def unseen(self, n: int, slots: tuple[int, ...]) -> int | None:
        """The first of `slots` that the customer has and no event has shown, or None."""
        hidden = self.people.owned[n] & ~self.seen[n]
        return next((slot for slot in slots if hidden >> slot & 1), None)

    def next_browser(self, n: int) -> int | None:
        """The slot of a browser never seen before, or None when the customer has his maximum."""
        known = (self.seen[n] >> FIRST_DEVICE & ((1 << self.mix.anonymous_ids_max) - 1)).bit_length()
        return FIRST_DEVICE + known if known < self.mix.anonymous_ids_max else None

    def remember(self, kept: list[T], entry: T) -> None:
        """Keeps an entry for follow-ups, in place of a random one when OPEN_MAX are kept."""
        if len(kept) < OPEN_MAX:
            kept.append(entry)
        else:
            kept[int(self.random() * OPEN_MAX)] = entry

    def one_of(self, kept: list[T]) -> T:
        """A random entry of a list that is not empty."""
        return kept[int(self.random() * len(kept))]


STRONG_FIRST = (USER, CRM, EMAIL, PHONE)
"""Slots in the order of identifier classes: the first one leads an event."""


def lowest(mask: int) -> int:
    """The lowest slot of a mask that is not zero: the strongest identifier in it."""
    return (mask & -mask).bit_length() - 1
