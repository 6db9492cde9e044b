"""What identity decided about a customer, as events: who joined and why, who left, what was refused.

Owns the aggregate. Its state is a function of the evidence; its history is the way there, which depends on the
order in which the evidence came. A customer that never was more than one record has no stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.domain import AggregateCreated, AggregateEvent, BaseAggregate

from schemas.envelope import rfc3339
from services.identity.domain.clustering import Clusters
from services.identity.domain.evidence import ALIAS, NEVER_US, Assertion, Link, standing
from services.identity.domain.joining import DIFFERENT, MILLI
from services.identity.domain.policy import OPERATOR_WEIGHT
from services.identity.domain.similarity.scoring import Score

DECIDED_AT_ONCE_MAX = 1_000
"""Records one decision is about; more are told in several, so that none is larger than a stored event may be."""
_AFTER_LINKS = 2
"""Likeness is told as the reason only where no event named both."""

Because = dict[str, Any] | None
"""The evidence that weighs most: {kind, with, event_id, source}; None where nothing links the record any more."""


@dataclass(slots=True)
class Want:
    """What is true of a customer now: record → why it is here, refused pair "a b" → constraint, generic records."""

    members: dict[str, Because] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    generic: set[str] = field(default_factory=set)

    @property
    def is_told(self) -> bool:
        """Whether there is anything to tell of it beyond that it is one record."""
        return len(self.members) > 1 or bool(self.refused) or bool(self.generic)


class Decisions(BaseAggregate[UUID]):
    """One customer's decisions; the aggregate's id is the customer's."""

    TOPIC = "identity.customer"

    members: set[str]
    refused: dict[str, str]
    generic: set[str]

    class Event(AggregateEvent):
        """A decision, at the log's time of the event that led to it."""

        @staticmethod
        def create_timestamp() -> datetime:
            """Raises TypeError: the clock's time would be another one in a rebuild."""
            raise TypeError("a decision has the time of the log")

    class Founded(Event, AggregateCreated):
        """The customer is more than one record, or something was refused to it."""

        TOPIC = "identity.customer:founded"

        members: list[str]

    class Joined(Event):
        """Records came to the customer: [record, customer it was of or None, because]."""

        TOPIC = "identity.customer:joined"

        records: list[list[Any]]

        def apply(self, aggregate: Decisions) -> None:
            """They are members now."""
            aggregate.members |= {record for record, *_ in self.records}

    class Left(Event):
        """Records went to other customers: [record, customer it is of now, constraint that parts them or None]."""

        TOPIC = "identity.customer:left"

        records: list[list[Any]]

        def apply(self, aggregate: Decisions) -> None:
            """They are no members any more."""
            aggregate.members -= {record for record, *_ in self.records}

    class Refused(Event):
        """Links that do not join, with the constraint; `lifted` are pairs to which it does not apply any more."""

        TOPIC = "identity.customer:refused"

        pairs: dict[str, str]
        lifted: list[str]

        def apply(self, aggregate: Decisions) -> None:
            """As it is now."""
            aggregate.refused |= self.pairs
            for pair in self.lifted:
                del aggregate.refused[pair]

    class Generic(Event):
        """Records that are seen with too many people to say who somebody is; `cleared` are so no more."""

        TOPIC = "identity.customer:generic"

        records: list[str]
        cleared: list[str]

        def apply(self, aggregate: Decisions) -> None:
            """As it is now."""
            aggregate.generic = (aggregate.generic | set(self.records)) - set(self.cleared)

    def __init__(self, members: list[str]) -> None:
        self.members = set(members)
        self.refused = {}
        self.generic = set()

    @classmethod
    def first(cls, customer: str, members: list[str], at: datetime) -> Decisions:
        """A stream's first decision."""
        return cls._create(cls.Founded, id=UUID(customer), timestamp=at, members=members)

    def become(
        self,
        want: Want,
        was: Mapping[str, str | None],
        now: Mapping[str, str],
        apart: Mapping[str, str],
        at: datetime,
    ) -> None:
        """Decide what makes the state as wanted. `was`, `now`: record → customer; `apart`: record → constraint."""
        joined = sorted(want.members.keys() - self.members)
        left = sorted(self.members - want.members.keys())
        for some in _portions(joined):
            rows = [[r, was.get(r), want.members[r]] for r in some]
            self.trigger_event(self.Joined, timestamp=at, records=rows)
        for some in _portions(left):
            rows = [[r, now.get(r), apart.get(r)] for r in some]
            self.trigger_event(self.Left, timestamp=at, records=rows)
        pairs = {p: c for p, c in sorted(want.refused.items()) if self.refused.get(p) != c}
        lifted = sorted(self.refused.keys() - want.refused.keys())
        if pairs or lifted:
            self.trigger_event(self.Refused, timestamp=at, pairs=pairs, lifted=lifted)
        if want.generic != self.generic:
            new, cleared = sorted(want.generic - self.generic), sorted(self.generic - want.generic)
            self.trigger_event(self.Generic, timestamp=at, records=new, cleared=cleared)


def _portions(records: Sequence[str]) -> Iterable[Sequence[str]]:
    return (records[n : n + DECIDED_AT_ONCE_MAX] for n in range(0, len(records), DECIDED_AT_ONCE_MAX))


def told(decision: Any) -> dict[str, Any]:
    """A decision as answers show it."""
    kind = str(decision.TOPIC).partition(":")[2]
    shown: dict[str, Any] = {"decision": kind, "at": rfc3339(decision.timestamp)}
    if isinstance(decision, Decisions.Founded):
        return {**shown, "records": decision.members}
    if isinstance(decision, Decisions.Joined):
        return {**shown, "records": [{"record_id": r, "from": c, "because": b} for r, c, b in decision.records]}
    if isinstance(decision, Decisions.Left):
        return {**shown, "records": [{"record_id": r, "to": c, "constraint": b} for r, c, b in decision.records]}
    if isinstance(decision, Decisions.Refused):
        pairs = [{"records": pair.split(), "constraint": c} for pair, c in decision.pairs.items()]
        return {**shown, "refused": pairs, "lifted": [pair.split() for pair in decision.lifted]}
    return {**shown, "records": decision.records, "cleared": decision.cleared}


def wanted(clusters: Clusters, links: Iterable[Link], assertions: Iterable[Assertion]) -> dict[str, Want]:
    """Customer → what is true of it, for whole components of the evidence."""
    customer_of = {record: binding.customer_id for record, binding in clusters.bindings.items()}
    found = {customer: Want() for customer in customer_of.values()}
    for record, binding in clusters.bindings.items():
        want = found[binding.customer_id]
        want.members[record] = None
        if binding.generic:
            want.generic.add(record)
    for record, because in _reasons(customer_of, links, assertions, clusters.alike).items():
        found[customer_of[record]].members[record] = because
    for one in clusters.refused:
        for customer in {customer_of[one.a], customer_of[one.b]}:
            found[customer].refused[f"{one.a} {one.b}"] = one.constraint
    return found


def _reasons(
    customer_of: Mapping[str, str],
    links: Iterable[Link],
    assertions: Iterable[Assertion],
    alike: Mapping[tuple[str, str], Score],
) -> dict[str, Because]:
    """record → the earliest of what links it most strongly to another record of its customer."""
    best: dict[str, tuple[tuple[int, int, str], str, dict[str, Any]]] = {}

    def weigh(a: str, b: str, rank: tuple[int, int, str], because: dict[str, Any]) -> None:
        for one, other in ((a, b), (b, a)):
            if one not in best or rank < best[one][0]:
                best[one] = rank, other, because

    def are_one(a: str, b: str) -> bool:
        return a in customer_of and customer_of[a] == customer_of.get(b)

    for k in links:
        if are_one(k.a, k.b):
            kind = "alias" if k.kind == ALIAS else "seen_together"
            weigh(k.a, k.b, (k.kind != ALIAS, k.first_us, k.event_id),
                  {"kind": kind, "event_id": k.event_id, "source": k.source})  # fmt: skip
    for s in standing(assertions).values():
        if s.same and are_one(s.a, s.b):
            weigh(s.a, s.b, (-OPERATOR_WEIGHT, s.time_us, s.event_id),
                  {"kind": "same_asserted", "event_id": s.event_id, "source": None})  # fmt: skip
    for (a, b), score in alike.items():
        if are_one(a, b):
            weigh(a, b, (_AFTER_LINKS, NEVER_US - round(score.bits * MILLI), ""),
                  {"kind": "similar", "event_id": None, "source": None, "bits": score.bits})  # fmt: skip
    return {record: {**because, "with": other} for record, (_, other, because) in best.items()}


def apart(clusters: Clusters) -> dict[str, str]:
    """record → a constraint that keeps it from another customer, an operator's word before others."""
    found: dict[str, str] = {}
    for one in sorted(clusters.refused, key=lambda r: (r.constraint != DIFFERENT, r.constraint, r.a, r.b)):
        for record in (one.a, one.b):
            found.setdefault(record, one.constraint)
    return found
