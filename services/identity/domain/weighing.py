"""What became of each piece of evidence: what joined, what only supports, what was refused, what does not count.

Owns that reading of the clusters; who is one customer is clustering.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from services.identity.domain.clustering import Binding, cluster
from services.identity.domain.edges import weight_of
from services.identity.domain.evidence import ALIAS, NEVER_US, Assertion, Link, Record, standing
from services.identity.domain.parts import Parts
from services.identity.domain.policy import OPERATOR_WEIGHT, Policy
from services.identity.domain.similarity.likeness import UNSEEN, Looks
from services.identity.domain.similarity.scoring import Score

Pair = tuple[str, str]


class Kind(StrEnum):
    """What sort of evidence it is."""

    SEEN_TOGETHER = "seen_together"
    ALIAS = "alias"
    SAME_ASSERTED = "same_asserted"
    SIMILAR = "similar"


class State(StrEnum):
    """What became of it: it joined two parts, it supports what is one already, a constraint forbade it, or one of its
    ends is so widely shared that it is no evidence."""

    JOINS = "joins"
    SUPPORTS = "supports"
    REFUSED = "refused"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Tie:
    """A link, an operator's "same", or likeness between two records (a < b).

    `source` is None for an operator's word, `event_id` too for likeness, which has a `score` instead.
    """

    a: str
    b: str
    kind: Kind
    weight: int
    first_us: int
    event_id: str | None
    source: str | None
    score: Score | None = None
    state: State = State.SUPPORTS
    constraint: str | None = None

    @property
    def pair(self) -> Pair:
        """Its ends."""
        return self.a, self.b

    @property
    def order(self) -> tuple[int, float, int, str, str]:
        """In which order ties are taken: the strongest first."""
        return -self.weight, -self.score.bits if self.score else 0.0, self.first_us, self.a, self.b

    @property
    def counts(self) -> bool:
        """Whether it holds two records together."""
        return self.state in (State.JOINS, State.SUPPORTS)

    def other(self, record: str) -> str:
        """Its other end."""
        return self.b if record == self.a else self.a


@dataclass(frozen=True, slots=True)
class Weighed:
    """Whole components of the evidence with what became of each piece; `ties` strongest first."""

    records: Mapping[str, Record]
    bindings: Mapping[str, Binding]
    ties: tuple[Tie, ...]
    words: Mapping[Pair, Assertion]

    def members(self, customer_id: str) -> list[Record]:
        """The records of a customer."""
        return [self.records[r] for r, b in self.bindings.items() if b.customer_id == customer_id]

    def customer_of(self, record: str) -> str:
        """Whose a record is."""
        return self.bindings[record].customer_id


def weigh(
    records: Mapping[str, Record],
    links: Collection[Link],
    assertions: Collection[Assertion],
    policy: Policy,
    known_generic: frozenset[str] = frozenset(),
    looks: Looks = UNSEEN,
) -> Weighed:
    """The clusters of these whole components, and the state of every tie in them; arguments as for `cluster`."""
    clusters = cluster(records, links, assertions, policy, known_generic, looks)
    words = {pair: s for pair, s in standing(assertions).items() if s.a in records and s.b in records}
    ties = [*_links(records, links, policy), *_sames(words.values()), *_alike(clusters.alike, policy)]
    generic = {r for r, b in clusters.bindings.items() if b.generic}
    refused = {(r.a, r.b): r.constraint for r in clusters.refused}
    parts = Parts()
    stated = []
    for tie in sorted(ties, key=lambda t: t.order):
        if tie.kind is not Kind.SAME_ASSERTED and (tie.a in generic or tie.b in generic):
            stated.append(replace(tie, state=State.GENERIC))
        elif tie.pair in refused:
            stated.append(replace(tie, state=State.REFUSED, constraint=refused[tie.pair]))
        else:
            stated.append(replace(tie, state=State.JOINS if parts.join(*tie.pair) else State.SUPPORTS))
    return Weighed(records, clusters.bindings, tuple(stated), words)


def _links(records: Mapping[str, Record], links: Iterable[Link], policy: Policy) -> list[Tie]:
    earliest: dict[tuple[str, str, int], Link] = {}
    for link in links:
        known = earliest.get(link.key)
        if link.a in records and link.b in records and (known is None or link.rank < known.rank):
            earliest[link.key] = link
    return [
        Tie(
            link.a,
            link.b,
            Kind.ALIAS if link.kind == ALIAS else Kind.SEEN_TOGETHER,
            weight_of(link, records, policy),
            link.first_us,
            link.event_id,
            link.source,
        )
        for link in earliest.values()
    ]


def _alike(alike: Mapping[Pair, Score], policy: Policy) -> list[Tie]:
    return [
        Tie(a, b, Kind.SIMILAR, policy.similar_weight, NEVER_US, None, None, score) for (a, b), score in alike.items()
    ]


def _sames(words: Iterable[Assertion]) -> list[Tie]:
    return [Tie(s.a, s.b, Kind.SAME_ASSERTED, OPERATOR_WEIGHT, s.time_us, s.event_id, None) for s in words if s.same]
