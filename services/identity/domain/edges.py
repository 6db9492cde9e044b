"""What may join two records: links through identifiers, operators' words, and likeness; strongest first.

Owns the edges, their order, and which records are generic. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from schemas.identifiers import class_rank
from services.identity.domain.evidence import ALIAS, NEVER_US, Assertion, Link, Record
from services.identity.domain.policy import ALIAS_WEIGHT, OPERATOR_WEIGHT, Policy
from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.kinds import sound
from services.identity.domain.similarity.likeness import SHARED_FROM_RANK
from services.identity.domain.similarity.scoring import Score


class Edge(msgspec.Struct, frozen=True):
    """Two records (a < b) that may be one customer. `bits`: how alike they are, of likeness alone.

    `firm`: somebody said so, or one event named both by what is one person's; it joins however unlike they are.
    `said`: an operator's word, which goes beyond limits too.
    """

    a: str
    b: str
    weight: int
    first_us: int
    firm: bool = True
    bits: float = 0.0
    said: bool = False

    @property
    def order(self) -> tuple[int, float, int, str, str]:
        """In which order edges are taken."""
        return -self.weight, -self.bits, self.first_us, self.a, self.b


def edges(
    records: Mapping[str, Record],
    links: Iterable[Link],
    said: Iterable[Assertion],
    alike: Mapping[tuple[str, str], Score],
    policy: Policy,
) -> list[Edge]:
    """One edge per pair, the strongest, in order. `links` are those that count."""
    best: dict[tuple[str, str], Edge] = {}
    for link in links:
        weight = weight_of(link, records, policy)
        shared = max(class_rank(records[link.a].type), class_rank(records[link.b].type)) >= SHARED_FROM_RANK
        _keep(best, Edge(link.a, link.b, weight, link.first_us, link.kind == ALIAS or not shared))
    for (a, b), score in alike.items():
        _keep(best, Edge(a, b, policy.similar_weight, NEVER_US, False, score.bits))
    for s in said:
        if s.same:
            _keep(best, Edge(s.a, s.b, OPERATOR_WEIGHT, s.time_us, said=True))
    return sorted(best.values(), key=lambda e: e.order)


def _keep(best: dict[tuple[str, str], Edge], edge: Edge) -> None:
    old = best.get((edge.a, edge.b))
    if old is None or edge.order < old.order:
        best[edge.a, edge.b] = edge


def weight_of(link: Link, records: Mapping[str, Record], policy: Policy) -> int:
    """What a link weighs: an alias by what it is, the others by their weaker end."""
    if link.kind == ALIAS:
        return ALIAS_WEIGHT
    return min(policy.weight(records[link.a].type), policy.weight(records[link.b].type))


def generic_records(
    records: Mapping[str, Record], links: Iterable[Link], features: Mapping[str, Values], policy: Policy
) -> set[str]:
    """Records that say nothing of who somebody is: blocked ones, and those seen with more distinct values of one
    personal type, or with more distinct given names, than policy allows.
    """
    seen: dict[str, dict[str, set[str]]] = {}
    names: dict[str, set[str]] = {}
    given = policy.similarity.given_names
    sounds = {r: {sound(form) for name in given for form in values.get(name, ())} for r, values in features.items()}
    for link in links:
        for one, other in ((link.a, link.b), (link.b, link.a)):
            other_type = records[other].type
            if policy.is_personal(other_type):
                seen.setdefault(one, {}).setdefault(other_type, set()).add(other)
            if sounds.get(other):
                names.setdefault(one, set(sounds.get(one, ()))).update(sounds[other])
    generic = {r for r, record in records.items() if policy.is_blocked(record.type, record.value)}
    for record, by_type in seen.items():
        limit = policy.generic_limit(records[record].type)
        if limit is not None and max(map(len, by_type.values())) > limit:
            generic.add(record)
    for record, distinct in names.items():
        limit = policy.generic_names_limit(records[record].type)
        if limit is not None and len(distinct - {""}) > limit:
            generic.add(record)
    return generic
