"""Decisions as the log alone gives them: its events read one by one, in the order in which they were written.

Owns the evidence as it grows and the streams of decisions that follow of it, by identity's pure functions only; knows
nothing of tables, batches or what was answered. Nothing is taken back in what it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas.codec import decode_event
from schemas.envelope import microseconds
from services.identity.domain.clustering import cluster
from services.identity.domain.decisions import Decisions, Want, apart, wanted
from services.identity.domain.evidence import Evidence
from services.identity.domain.observing import observe
from services.identity.domain.similarity.likeness import looks_of
from services.identity.domain.weighing import Weighed, weigh
from services.identity.handlers import shipped_policy
from tests.support.belonging import IDS


@dataclass(slots=True)
class Told:
    """What follows of the log up to an event: who is whose, why, and what was decided until then."""

    weighed: Weighed
    members: Mapping[str, frozenset[str]]
    """Customer → its records."""
    decided: Mapping[str, list[Any]]
    """Stream → its decisions, the first first."""


@dataclass
class Deciding:
    """The evidence so far, and the streams."""

    evidence: Evidence = field(default_factory=Evidence)
    streams: dict[str, Decisions] = field(default_factory=dict)
    customer_of: dict[str, str] = field(default_factory=dict)

    def take(self, record: Any) -> Told:
        """One more record of the log, at its own time. Raises schemas.codec.Unreadable."""
        event = decode_event(record.key, record.value, record.headers)
        self.evidence.take(observe(event, microseconds(event.time), IDS))
        found, policy = self.evidence, shipped_policy()
        looks = looks_of(found.traits.values(), policy.similarity)
        links, words = list(found.links.values()), list(found.assertions.values())
        clusters = cluster(found.records, links, words, policy, looks=looks)
        want = wanted(clusters, links, words)
        now = {r: binding.customer_id for r, binding in clusters.bindings.items()}
        self._decide(want, now, apart(clusters), datetime.fromtimestamp(record.timestamp / 1000, UTC))
        members = {customer: frozenset(one.members) for customer, one in want.items()}
        decided = {customer: list(one.pending_events) for customer, one in self.streams.items()}
        return Told(weigh(found.records, links, words, policy, looks=looks), members, decided)

    def _decide(self, want: Mapping[str, Want], now: dict[str, str], keeps: Mapping[str, str], at: datetime) -> None:
        told = {customer for customer, one in want.items() if one.is_told}
        for customer in sorted(told | self.streams.keys()):
            stream = self.streams.setdefault(customer, Decisions.first(customer, [customer], at))
            stream.become(want.get(customer, Want()), self.customer_of, now, keeps, at)
        self.customer_of = now


def in_time(records: Iterable[Any]) -> Iterator[Any]:
    """The records of all partitions by the log's time."""
    return iter(sorted(records, key=lambda r: (r.timestamp, r.partition, r.offset)))
