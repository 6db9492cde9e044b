"""Joining records one link at a time: union-find whose unions break no constraint.

Owns the constraints: exclusive identifiers, limits per type, pairs an operator parted, large joins that wait for one,
and being unlike. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.identity.domain.edges import Edge
from services.identity.domain.evidence import Record
from services.identity.domain.policy import Policy
from services.identity.domain.similarity.likeness import Likeness

DIFFERENT, DISSIMILAR, EXCLUSIVE, LIMIT = "different", "dissimilar", "exclusive", "limit"
HELD, OVERSIZED = "held", "oversized"
MILLI = 1_000
"""Sums are of whole thousandths of a bit: exact, in whatever order they are added up."""


@dataclass(slots=True)
class Part:
    """Records that are one so far. `known`: those of which there are features; `personal`: how many are identifiers
    of personal types; `exclusive`, `counted`: by type; `sums`: other part's root → what the pairs between come to.
    """

    members: list[str]
    known: list[str]
    personal: int
    exclusive: dict[str, list[str]]
    counted: dict[str, int]
    sums: dict[str, tuple[int, int]]


class Joining:
    """Clusters of `records` as they grow. `lifted`: pairs (a < b) that may be one in spite of exclusive types.

    `parts`: root → its part.
    """

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
        self.parts = {r: self._alone(record) for r, record in records.items()}
        self.apart: dict[str, set[str]] = {}

    def _alone(self, record: Record) -> Part:
        one, of = record.record_id, self.policy.of(record.type)
        return Part(
            [one],
            [one] if one in self.likeness.features else [],
            int(of.personal),
            {record.type: [one]} if of.exclusive else {},
            {record.type: 1} if of.limit is not None else {},
            {},
        )

    def forbid(self, a: str, b: str) -> None:
        """An operator said that these are two people."""
        self.apart.setdefault(a, set()).add(b)
        self.apart.setdefault(b, set()).add(a)

    def root(self, record: str) -> str:
        """The name of the cluster a record is in."""
        parent = self.parent
        while (above := parent[record]) != record:
            parent[record] = parent[above]
            record = above
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
            constraint = self._too_large(self.parts[one], self.parts[other])
        if constraint is None:
            self._unite(one, other)
        return constraint

    def _unite(self, one: str, other: str) -> None:
        if len(self.parts[one].members) < len(self.parts[other].members):
            one, other = other, one
        self._add_sums(one, other)
        self.parent[other] = one
        into, gone = self.parts[one], self.parts.pop(other)
        into.members += gone.members
        into.known += gone.known
        into.personal += gone.personal
        for type_, holders in gone.exclusive.items():
            into.exclusive.setdefault(type_, []).extend(holders)
        for type_, count in gone.counted.items():
            into.counted[type_] = into.counted.get(type_, 0) + count

    def _too_large(self, one: Part, other: Part) -> str | None:
        """More values of a type than a customer may have, or a join of two large ones, which waits for a word."""
        for type_, count in sorted(other.counted.items()) if one.counted else ():
            limit = self.policy.limit(type_)
            if limit is not None and type_ in one.counted and one.counted[type_] + count > limit:
                return f"{LIMIT}:{type_}"
        held = self.policy.held_from
        records = min(len(one.members), len(other.members))
        if records >= held.records and min(one.personal, other.personal) >= held.personal:
            return HELD
        return None

    def _forbidden(self, one: str, other: str) -> str | None:
        ours, theirs = self.parts[one], self.parts[other]
        for type_, holders in ours.exclusive.items():
            for b in theirs.exclusive.get(type_, ()):
                for a in holders:
                    if (min(a, b), max(a, b)) not in self.lifted:
                        return f"{EXCLUSIVE}:{type_}"
        if self.apart:
            small, large = (one, other) if len(ours.members) <= len(theirs.members) else (other, one)
            for member in self.parts[small].members:
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
        ours, theirs = self.parts[one], self.parts[other]
        found = ours.sums.get(other)
        if found is None:
            total, count = 0, 0
            for a in ours.known:
                for b in theirs.known:
                    score = self.likeness.score(a, b)
                    if score.counts:
                        total, count = total + round(score.bits * MILLI), count + 1
            found = ours.sums[other] = theirs.sums[one] = total, count
        return found

    def _add_sums(self, into: str, gone: str) -> None:
        """The sum of a joined cluster with a third one is that of its parts; where one is not known, none is."""
        ours, theirs = self.parts[into].sums, self.parts[gone].sums
        for third in (ours.keys() | theirs.keys()) - {into, gone}:
            beside = self.parts[third].sums
            beside.pop(gone, None)
            if third in ours and third in theirs:
                (a, n), (b, m) = ours[third], theirs[third]
                ours[third] = beside[into] = a + b, n + m
            else:
                ours.pop(third, None)
                beside.pop(into, None)
        ours.pop(gone, None)
