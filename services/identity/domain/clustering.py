"""customers = f(evidence, assertions, policy): who is one customer, as a pure function.

Not of arrival order, not of what was decided before. Links are taken strongest first (weight, then earliest
evidence, then ids); each joins two clusters unless a constraint forbids it. f of a union of components is the
union of f, so only what an event touches is computed again.

Similarity will add weighted links here; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas.identifiers import class_rank
from services.identity.domain.evidence import ALIAS, Assertion, Link, Record, standing
from services.identity.domain.policy import ALIAS_WEIGHT, OPERATOR_WEIGHT, Policy

RIVALS_MAX = 10


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a record belongs: its customer, whether it is generic, and who else it was seen with.

    `weight` is its strongest link inside; `rivals` are (customer, weight) of links that were refused, but for
    those between records an operator said are different people.
    """

    customer_id: str
    generic: bool = False
    weight: int = 0
    rivals: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A link that did not join, and the constraint: exclusive:<type> or different."""

    a: str
    b: str
    constraint: str


@dataclass(slots=True)
class Clusters:
    """The answer: record → binding, and what was refused."""

    bindings: dict[str, Binding] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Edge:
    a: str
    b: str
    weight: int
    first_us: int

    @property
    def order(self) -> tuple[int, int, str, str]:
        return -self.weight, self.first_us, self.a, self.b


class _Joining:
    """Union-find whose unions keep exclusive values and forbidden pairs apart."""

    def __init__(self, records: Mapping[str, Record], policy: Policy, lifted: set[tuple[str, str]]) -> None:
        self.records = records
        self.lifted = lifted
        self.parent = {r: r for r in records}
        self.members: dict[str, list[str]] = {r: [r] for r in records}
        self.exclusive: dict[str, dict[str, list[str]]] = {
            r: {record.type: [r]} if policy.is_exclusive(record.type) else {} for r, record in records.items()
        }
        self.apart: dict[str, set[str]] = {}

    def forbid(self, a: str, b: str) -> None:
        self.apart.setdefault(a, set()).add(b)
        self.apart.setdefault(b, set()).add(a)

    def root(self, record: str) -> str:
        while self.parent[record] != record:
            self.parent[record] = self.parent[self.parent[record]]
            record = self.parent[record]
        return record

    def join(self, a: str, b: str) -> str | None:
        """Join two records' clusters; the constraint that forbids it, or None when they are one now."""
        one, other = self.root(a), self.root(b)
        if one == other:
            return None
        constraint = self._constraint(one, other)
        if constraint is not None:
            return constraint
        if len(self.members[one]) < len(self.members[other]):
            one, other = other, one
        self.parent[other] = one
        self.members[one] += self.members.pop(other)
        for type_, holders in self.exclusive.pop(other).items():
            self.exclusive[one].setdefault(type_, []).extend(holders)
        return None

    def _constraint(self, one: str, other: str) -> str | None:
        for type_, holders in self.exclusive[one].items():
            for b in self.exclusive[other].get(type_, ()):
                for a in holders:
                    if (min(a, b), max(a, b)) not in self.lifted:
                        return f"exclusive:{type_}"
        small, large = sorted((one, other), key=lambda r: len(self.members[r]))
        for member in self.members[small]:
            for enemy in self.apart.get(member, ()):
                if self.root(enemy) == large:
                    return "different"
        return None


def cluster(
    records: Mapping[str, Record],
    links: Iterable[Link],
    assertions: Iterable[Assertion],
    policy: Policy,
    known_generic: frozenset[str] = frozenset(),
) -> Clusters:
    """Who is one customer, for whole components of the evidence.

    Every record given gets a binding; links and assertions to records not given are left out.
    `known_generic`: records that are generic by links not given here.
    """
    inside = [k for k in links if k.a in records and k.b in records]
    said = [s for s in standing(assertions).values() if s.a in records and s.b in records]
    generic = generic_records(records, inside, policy) | (known_generic & records.keys())
    lifted = {(k.a, k.b) for k in inside if k.kind == ALIAS} | {(s.a, s.b) for s in said if s.same}
    joining = _Joining(records, policy, lifted)
    for s in said:
        if not s.same:
            joining.forbid(s.a, s.b)
    edges = _edges(records, inside, said, generic, policy)
    result = Clusters()
    refused: list[_Edge] = []
    for edge in edges:
        constraint = joining.join(edge.a, edge.b)
        if constraint is not None:
            if edge.b not in joining.apart.get(edge.a, ()):
                refused.append(edge)
            result.refused.append(Refused(edge.a, edge.b, constraint))
    result.bindings = _bindings(records, joining, generic, edges, refused)
    return result


def generic_records(records: Mapping[str, Record], links: Iterable[Link], policy: Policy) -> set[str]:
    """Records seen with more distinct values of one personal type than policy allows."""
    seen: dict[str, dict[str, set[str]]] = {}
    for link in links:
        for one, other in ((link.a, link.b), (link.b, link.a)):
            other_type = records[other].type
            if policy.is_personal(other_type):
                seen.setdefault(one, {}).setdefault(other_type, set()).add(other)
    generic = set()
    for record, by_type in seen.items():
        limit = policy.generic_limit(records[record].type)
        if limit is not None and max(map(len, by_type.values())) > limit:
            generic.add(record)
    return generic


def _edges(
    records: Mapping[str, Record],
    links: list[Link],
    said: list[Assertion],
    generic: set[str],
    policy: Policy,
) -> list[_Edge]:
    best: dict[tuple[str, str], _Edge] = {}
    for link in links:
        if link.a in generic or link.b in generic:
            continue
        _keep(best, _Edge(link.a, link.b, weight_of(link, records, policy), link.first_us))
    for s in said:
        if s.same:
            _keep(best, _Edge(s.a, s.b, OPERATOR_WEIGHT, s.time_us))
    return sorted(best.values(), key=lambda e: e.order)


def weight_of(link: Link, records: Mapping[str, Record], policy: Policy) -> int:
    """What a link weighs: an alias by what it is, the others by their weaker end."""
    if link.kind == ALIAS:
        return ALIAS_WEIGHT
    return min(policy.weight(records[link.a].type), policy.weight(records[link.b].type))


def _keep(best: dict[tuple[str, str], _Edge], edge: _Edge) -> None:
    old = best.get((edge.a, edge.b))
    if old is None or edge.order < old.order:
        best[edge.a, edge.b] = edge


def founder(records: Iterable[Record]) -> str:
    """The record a customer is named after: highest class, then earliest sighting, then smallest id."""
    return min(records, key=lambda r: (class_rank(r.type), r.first_us, r.record_id)).record_id


def _bindings(
    records: Mapping[str, Record],
    joining: _Joining,
    generic: set[str],
    edges: list[_Edge],
    refused: list[_Edge],
) -> dict[str, Binding]:
    customer_of = {}
    for members in joining.members.values():
        name = founder(records[m] for m in members)
        customer_of.update(dict.fromkeys(members, name))
    weight: dict[str, int] = {}
    rivals: dict[str, dict[str, int]] = {}
    for edge in edges:
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
