"""Joining records one link at a time: union-find whose unions break no constraint.

Owns the constraints: exclusive identifiers, limits per type, pairs an operator parted, large joins that wait for one,
and being unlike. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from services.identity.domain.edges import Edge
from services.identity.domain.evidence import Record
from services.identity.domain.policy import Policy
from services.identity.domain.similarity.likeness import Likeness

DIFFERENT, DISSIMILAR, EXCLUSIVE, LIMIT = "different", "dissimilar", "exclusive", "limit"
HELD, OVERSIZED = "held", "oversized"
MILLI = 1_000
"""Sums are of whole thousandths of a bit: exact, in whatever order they are added up."""


class Joining:
    """Clusters of `records` as they grow. `lifted`: pairs (a < b) that may be one in spite of exclusive types."""

    def __init__(
        self,
        records: Mapping[str, Record],
        policy: Policy,
        lifted: set[tuple[str, str]],
        likeness: Likeness,
    ) -> None:
        self.policy = policy
        self.lifted = lifted
        self.likeness = likeness
        self.parent = {r: r for r in records}
        self.members: dict[str, list[str]] = {r: [r] for r in records}
        self.exclusive: dict[str, dict[str, list[str]]] = {
            r: {record.type: [r]} if policy.is_exclusive(record.type) else {} for r, record in records.items()
        }
        self.counted: dict[str, dict[str, int]] = {
            r: {record.type: 1} if policy.limit(record.type) is not None else {} for r, record in records.items()
        }
        self.personal = {r: int(policy.is_personal(record.type)) for r, record in records.items()}
        self.known: dict[str, list[str]] = {r: [r] if r in likeness.features else [] for r in records}
        self.apart: dict[str, set[str]] = {}
        self._sums: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)

    def forbid(self, a: str, b: str) -> None:
        """An operator said that these are two people."""
        self.apart.setdefault(a, set()).add(b)
        self.apart.setdefault(b, set()).add(a)

    def root(self, record: str) -> str:
        """The name of the cluster a record is in."""
        while self.parent[record] != record:
            self.parent[record] = self.parent[self.parent[record]]
            record = self.parent[record]
        return record

    def join(self, edge: Edge) -> str | None:
        """Join two records' clusters; the constraint that forbids it, or None when they are one now."""
        one, other = self.root(edge.a), self.root(edge.b)
        if one == other:
            return None
        constraint = self._forbidden(one, other)
        if constraint is None and not edge.firm and self._unlike(one, other):
            constraint = DISSIMILAR
        if constraint is None and not edge.said:
            constraint = self._too_large(one, other)
        if constraint is None:
            self._unite(one, other)
        return constraint

    def _unite(self, one: str, other: str) -> None:
        if len(self.members[one]) < len(self.members[other]):
            one, other = other, one
        self._add_sums(one, other)
        self.parent[other] = one
        self.members[one] += self.members.pop(other)
        self.known[one] += self.known.pop(other)
        self.personal[one] += self.personal.pop(other)
        for type_, holders in self.exclusive.pop(other).items():
            self.exclusive[one].setdefault(type_, []).extend(holders)
        for type_, count in self.counted.pop(other).items():
            self.counted[one][type_] = self.counted[one].get(type_, 0) + count

    def _too_large(self, one: str, other: str) -> str | None:
        """More values of a type than a customer may have, or a join of two large ones, which waits for a word."""
        ours = self.counted[one]
        for type_, count in sorted(self.counted[other].items()):
            limit = self.policy.limit(type_)
            if limit is not None and type_ in ours and ours[type_] + count > limit:
                return f"{LIMIT}:{type_}"
        held = self.policy.held_from
        records = min(len(self.members[one]), len(self.members[other]))
        if records >= held.records and min(self.personal[one], self.personal[other]) >= held.personal:
            return HELD
        return None

    def _forbidden(self, one: str, other: str) -> str | None:
        for type_, holders in self.exclusive[one].items():
            for b in self.exclusive[other].get(type_, ()):
                for a in holders:
                    if (min(a, b), max(a, b)) not in self.lifted:
                        return f"{EXCLUSIVE}:{type_}"
        small, large = sorted((one, other), key=lambda r: len(self.members[r]))
        for member in self.members[small]:
            for enemy in self.apart.get(member, ()):
                if self.root(enemy) == large:
                    return DIFFERENT
        return None

    def _unlike(self, one: str, other: str) -> bool:
        """Whether the average pair between two clusters speaks too little for one person, of pairs that say enough.

        Average linkage, as Sokal and Michener (1958): no chain of strangers, whatever its single links are.
        """
        total, count = self._sum(one, other)
        return total < count * self.likeness.model.average_bits * MILLI

    def _sum(self, one: str, other: str) -> tuple[int, int]:
        """(sum in thousandths of a bit, number) of the pairs between two clusters that say something."""
        found = self._sums[one].get(other)
        if found is None:
            total, count = 0, 0
            for a in self.known[one]:
                for b in self.known[other]:
                    score = self.likeness.score(a, b)
                    if score is not None and score.counts:
                        total, count = total + round(score.bits * MILLI), count + 1
            found = self._sums[one][other] = self._sums[other][one] = total, count
        return found

    def _add_sums(self, into: str, gone: str) -> None:
        """The sum of a joined cluster with a third one is that of its parts; where one is not known, none is."""
        ours, theirs = self._sums[into], self._sums.pop(gone, {})
        for third in (ours.keys() | theirs.keys()) - {into, gone}:
            self._sums[third].pop(gone, None)
            if third in ours and third in theirs:
                (a, n), (b, m) = ours[third], theirs[third]
                ours[third] = self._sums[third][into] = a + b, n + m
            else:
                ours.pop(third, None)
                self._sums[third].pop(into, None)
        ours.pop(gone, None)
