"""customers = f(evidence, assertions, policy): who is one customer, as a pure function.

Not of arrival order, not of what was decided before. Links and likeness are taken strongest first (weight, then
bits, then earliest evidence, then ids); each joins two clusters unless a constraint forbids it (joining.py). f of a
union of components is the union of f, so only what an event touches is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas.identifiers import class_rank
from services.identity.domain.edges import Edge, edges, generic_records
from services.identity.domain.evidence import ALIAS, Assertion, Link, Record, standing
from services.identity.domain.joining import OVERSIZED, Joining
from services.identity.domain.policy import Policy
from services.identity.domain.similarity.likeness import UNSEEN, Likeness, Looks, Pair
from services.identity.domain.similarity.scoring import Score

RIVALS_MAX = 10


class Binding(msgspec.Struct, frozen=True, gc=False):
    """Where a record belongs: its customer, whether it is generic, and who else it was seen with.

    `weight` is its strongest link inside; `rivals` are (customer, weight) of links that were refused, but for
    those between records an operator said are different people.
    """

    customer_id: str
    generic: bool = False
    weight: int = 0
    rivals: tuple[tuple[str, int], ...] = ()


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A link that did not join, and the constraint: exclusive:<type>, limit:<type>, different, dissimilar or held.

    oversized: the strongest pair of those that were cut because too many records hung together.
    """

    a: str
    b: str
    constraint: str


@dataclass(slots=True)
class Clusters:
    """The answer: record → binding, what was refused, and the pairs alike enough to join."""

    bindings: dict[str, Binding] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    alike: dict[Pair, Score] = field(default_factory=dict)


def cluster(
    records: Mapping[str, Record],
    links: Iterable[Link],
    assertions: Iterable[Assertion],
    policy: Policy,
    known_generic: frozenset[str] = frozenset(),
    looks: Looks = UNSEEN,
) -> Clusters:
    """Who is one customer, for whole components of the evidence.

    Every record given gets a binding; links and assertions to records not given are left out.
    `known_generic`: records that are generic by links not given here.
    """
    inside = [k for k in links if k.a in records and k.b in records]
    said = [s for s in standing(assertions).values() if s.a in records and s.b in records]
    generic = generic_records(records, inside, looks.features, policy) | (known_generic & records.keys())
    lifted = {(k.a, k.b) for k in inside if k.kind == ALIAS} | {(s.a, s.b) for s in said if s.same}
    counting = [k for k in inside if k.a not in generic and k.b not in generic]
    features = {r: values for r, values in looks.features.items() if r not in generic}
    likeness = Likeness(records, counting, features, looks.similar, policy.similarity)
    joining = Joining(records, policy, lifted, likeness)
    for s in said:
        if not s.same:
            joining.forbid(s.a, s.b)
    result = Clusters(alike=likeness.joining())
    refused: list[Edge] = []
    taken = edges(records, counting, said, result.alike, policy)
    for edge in taken:
        constraint = joining.join(edge)
        if constraint is not None:
            if edge.b not in joining.apart.get(edge.a, ()):
                refused.append(edge)
            result.refused.append(Refused(edge.a, edge.b, constraint))
    apart = (pair for pair in likeness.cut if joining.root(pair[0]) != joining.root(pair[1]))
    result.refused += [Refused(*pair, OVERSIZED) for pair in apart]
    result.bindings = _bindings(records, joining, generic, taken, refused)
    return result


def founder(records: Sequence[Record]) -> str:
    """The record a customer is named after: highest class, then earliest sighting, then smallest id."""
    if len(records) == 1:
        return records[0].record_id
    return min(records, key=lambda r: (class_rank(r.type), r.first_us, r.record_id)).record_id


def _bindings(
    records: Mapping[str, Record],
    joining: Joining,
    generic: set[str],
    taken: list[Edge],
    refused: list[Edge],
) -> dict[str, Binding]:
    customer_of = {}
    for part in joining.parts.values():
        name = founder([records[m] for m in part.members])
        customer_of.update(dict.fromkeys(part.members, name))
    weight: dict[str, int] = {}
    rivals: dict[str, dict[str, int]] = {}
    for edge in taken:
        if customer_of[edge.a] == customer_of[edge.b]:
            for end in (edge.a, edge.b):
                weight[end] = max(weight.get(end, 0), edge.weight)
    for edge in refused:
        a_rank, b_rank = class_rank(records[edge.a].type), class_rank(records[edge.b].type)
        if a_rank != b_rank:
            weaker, stronger = (edge.a, edge.b) if a_rank > b_rank else (edge.b, edge.a)
            of = rivals.setdefault(weaker, {})
            of[customer_of[stronger]] = max(of.get(customer_of[stronger], 0), edge.weight)
    return {
        r: Binding(
            customer_of[r],
            r in generic,
            weight.get(r, 0),
            tuple(sorted(rivals.get(r, {}).items(), key=lambda c: (-c[1], c[0]))[:RIVALS_MAX]),
        )
        for r in records
    }
