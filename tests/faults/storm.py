"""A storm of merges: known customers, and what makes them one, two and one again, all at once.

Owns which events a seed gives; what must be true of them is the oracle's. Events' own times are drawn, so that the
order in which identity takes the links is another one than that in which they come.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from services.ops.generate.stream import SOURCE

CRM = "crm_id.storm"
CHAIN_MAX = 9
"""Customers of most chains: few enough that no policy keeps their records apart for their number alone."""
LONG_SHARE, LONG_MAX = 0.05, 60
"""Some chains are longer: policy may stop them, the same whatever came first."""
SPOKEN_SHARE = 0.1
"""Of all merges: one chain that operators join, link by link. Its customers have nothing that could stop it."""
ACCOUNT_SHARE = 0.1
"""Customers with an account, of which a customer has only one: their merges are refused."""
BOTH_WAYS_SHARE = 0.5
CONTRADICTED_SHARE = 0.05
ORDER_SHARE = 0.2
BEGAN = datetime(2024, 3, 1, tzinfo=UTC)

Event = dict[str, Any]


class Storm:
    """`merges` links between customers who are known by then, in chains, with their events shuffled."""

    def __init__(self, chance: random.Random, merges: int) -> None:
        self.chance = chance
        self.name = f"storm-{chance.randrange(10**9)}"
        self.edges: list[tuple[str, str]] = []
        self.customers: list[str] = []
        self._chain(round(merges * SPOKEN_SHARE) + 1)
        self.spoken = frozenset(self.edges)
        self.bare = frozenset(self.customers)
        while len(self.edges) < merges:
            self._chain(min(self._length(), merges - len(self.edges) + 1))
        self.accounts = {c for c in self.customers if chance.random() < ACCOUNT_SHARE} - self.bare
        self._sent = 0

    def _length(self) -> int:
        most = LONG_MAX if self.chance.random() < LONG_SHARE else CHAIN_MAX
        return self.chance.randint(2, most)

    def _chain(self, length: int) -> None:
        first = len(self.customers)
        members = [f"{self.name}-{first + n}" for n in range(length)]
        self.customers += members
        self.edges += pairwise(members)

    def known(self) -> Iterator[Event]:
        """Every customer as a CRM tells him, most with an order."""
        for customer in self.customers:
            address = {} if customer in self.bare else {"email": mail(customer)}
            account = {"user_id": f"u-{customer}"} if customer in self.accounts else {}
            yield self._event("contact.imported", {CRM: customer, **address, **account})
            yield self._order(customer)

    def blows(self) -> list[list[Event]]:
        """For each merge the events that tell it, perhaps both ways at once, with orders and refunds between."""
        found = [list(self._merge(*edge)) for edge in self.edges]
        self.chance.shuffle(found)
        return found

    def _merge(self, one: str, other: str) -> Iterator[Event]:
        spoken = (one, other) in self.spoken
        ways: tuple[Callable[[str, str], Event], ...] = (self._alias, self._shared, self._same)
        told = self._same if spoken else self.chance.choice(ways)
        if self.chance.random() < 0.5:
            one, other = other, one
        yield told(one, other)
        if self.chance.random() < BOTH_WAYS_SHARE:
            yield told(other, one)
        if not spoken and self.chance.random() < CONTRADICTED_SHARE:
            yield self._said("different", one, other)
        if self.chance.random() < ORDER_SHARE:
            yield self._order(one)
            yield self._refund(one, other)

    def _alias(self, one: str, other: str) -> Event:
        return self._event("alias.asserted", {CRM: one}, {"previous": {"type": CRM, "value": other}})

    def _shared(self, one: str, other: str) -> Event:
        return self._event("contact.identified", {CRM: one, "email": mail(other)})

    def _same(self, one: str, other: str) -> Event:
        return self._said("same", one, other)

    def _said(self, word: str, one: str, other: str) -> Event:
        records = [{"type": CRM, "value": value} for value in (one, other)]
        return self._event(f"identity.{word}_asserted", {CRM: one}, {"records": records, "reason": "storm"})

    def _order(self, customer: str) -> Event:
        properties = {"order_id": f"o-{customer}", "total": self.chance.randint(5, 500), "currency": "EUR"}
        return self._event("order.completed", {CRM: customer}, properties)

    def _refund(self, one: str, other: str) -> Event:
        """Of the first one's order, told of the other one."""
        return self._event("order.refunded", {CRM: other}, {"order_id": f"o-{one}", "total": 3, "currency": "EUR"})

    def _event(self, type_: str, identifiers: dict[str, str], properties: dict[str, Any] | None = None) -> Event:
        self._sent += 1
        time = BEGAN + timedelta(seconds=self.chance.randrange(30 * 24 * 3600))
        return {
            "specversion": "1.0",
            "id": f"{self.name}-{self._sent}",
            "source": SOURCE,
            "type": type_,
            "time": time.isoformat(),
            "data": {"identifiers": {t: [v] for t, v in identifiers.items()}, "properties": properties or {}},
        }


def mail(customer: str) -> str:
    """His e-mail address."""
    return f"{customer}@post.example"
