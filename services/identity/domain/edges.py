"""What may join two records: links through identifiers, operators' words, and likeness; strongest first.

Owns the edges, their order, and which records are generic. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.identity.domain.evidence import ALIAS, NEVER_US, Assertion, Link, Record
from services.identity.domain.policy import ALIAS_WEIGHT, OPERATOR_WEIGHT, Policy
from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.features import VALUES_PER_FIELD_MAX
from services.identity.domain.similarity.kinds import sound
from services.identity.domain.similarity.likeness import SHARED_FROM_RANK
from services.identity.domain.similarity.scoring import Score


class Edge(msgspec.Struct, frozen=True, gc=False):
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
        one, other = policy.of(records[link.a].type), policy.of(records[link.b].type)
        firm = link.kind == ALIAS or max(one.rank, other.rank) < SHARED_FROM_RANK
        _keep(best, Edge(link.a, link.b, weight_of(link, records, policy), link.first_us, firm))
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
    given = policy.similarity.given_names
    generic = {r for r, record in records.items() if policy.is_blocked(record.type, record.value)}
    for record, others in _seen_with(records, links, policy).items():
        own = policy.of(records[record].type)
        if own.generic_above is not None and len(others) > own.generic_above:
            types = Counter(records[other].type for other in others)
            if any(count > own.generic_above for type_, count in types.items() if policy.is_personal(type_)):
                generic.add(record)
        limit, names_max = own.generic_names_above, (1 + len(others)) * VALUES_PER_FIELD_MAX * len(given)
        if limit is not None and names_max > limit and _names(record, others, features, given) > limit:
            generic.add(record)
    return generic


def _seen_with(records: Mapping[str, Record], links: Iterable[Link], policy: Policy) -> dict[str, set[str]]:
    """Record → the records it was seen with, of those that may become generic by them."""
    found: dict[str, set[str]] = {}
    for link in links:
        for one, other in ((link.a, link.b), (link.b, link.a)):
            of = policy.of(records[one].type)
            if of.generic_above is not None or of.generic_names_above is not None:
                found.setdefault(one, set()).add(other)
    return found


def _names(record: str, others: Iterable[str], features: Mapping[str, Values], given: Sequence[str]) -> int:
    """By how many distinct given names, its own included, those are called that the record was seen with."""
    forms = {form for other in others if other in features for n in given for form in features[other].get(n, ())}
    if forms and record in features:
        forms |= {form for n in given for form in features[record].get(n, ())}
    return len({sound(form) for form in forms} - {""})
