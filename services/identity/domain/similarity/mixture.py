"""Expectation-maximisation for likeness: how often one person's records agree, from pairs that nobody labelled.

Owns the estimate of shares per level and of how many pairs are matches. Two kinds of pairs, matches and strangers,
would take kin for matches and a person who moved for two. So a pair is of the same person or not, and of the same
home or not: what is personal goes by the person (m or u), what is shared by the home (h or u), and a family's agrees
if either is the same. Within a kind of pair fields agree independently of each other. Pure.

After Winkler (1988), "Using the EM Algorithm for Weight Computation in the Fellegi-Sunter Model of Record Linkage",
and Jaro (1989). A pass tells nothing of the fields it blocks on, and has its own shares of each kind of pair, as in
Splink: twins, who share a birthday, are found to be kin where that is left out. A pair that shares several keys is in
several passes (a composite likelihood).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.identity.domain.similarity.kinds import LEVELS
from services.identity.domain.similarity.model import Evidence, Model
from services.identity.domain.similarity.sampling import Pattern, Sample

ITERATIONS_MAX = 60
CHANGE_MIN = 1e-4
"""The estimate stands when no share of a level moves by more."""
PRIOR_PAIRS = 0.5
"""Pairs of each level taken to be seen beforehand (Dirichlet), so that no level has a share of 0."""
FIRST_EXACT = 0.75
FIRST_DIFFERENT = 0.1

Slot = tuple[str, int]
"""(field, level)."""
Table = dict[Slot, float]
Shares = tuple[float, float, float, float]
"""Of pairs: one person at one home, one person who moved, kin, strangers."""
SHARES_FIRST: Shares = (0.3, 0.05, 0.15, 0.5)
"""In a blocking pass, before anything is known."""
SHARE_MIN = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """`m`, `u`: field → share per level, of one person's pairs and of strangers'.

    `matches`: field → expected matches that m rests on, as often as passes saw them; `shares`: of all pairs;
    `one_source`: type → share of one person's pairs that are both of that type.
    """

    m: Mapping[str, tuple[float, ...]]
    u: Mapping[str, tuple[float, ...]]
    matches: Mapping[str, float]
    shares: Shares
    one_source: Mapping[str, float]
    iterations: int


@dataclass(slots=True)
class _Group:
    """Patterns of one pass in an order of their own, and the shares of each kind of pair among them."""

    patterns: list[tuple[Pattern, float]]
    shares: Shares


def estimate(sample: Sample, model: Model) -> Estimate:
    """The estimate from a sample; fields that no two records both have are left out."""
    groups = [_group(one.patterns, one.left_out, SHARES_FIRST) for one in sample.passes]
    rare = 1.0 / math.sqrt(max(16.0, 2.0 * sample.all_pairs))
    strangers = _group(sample.random, frozenset(), (rare, SHARE_MIN, rare, 1.0 - 2.0 * rare))
    mixture = _Mixture(model)
    mixture.begin(strangers.patterns)
    iterations, change = 0, 1.0
    while change >= CHANGE_MIN and iterations < ITERATIONS_MAX:
        change = mixture.step(groups, strangers)
        iterations += 1
    shares = mixture.shares_among(sorted(sample.blocked.items()), sample.all_pairs)
    matched = mixture.matched(sample.blocked, shares) or 1.0
    present = sorted({name for pattern, _ in strangers.patterns for name, _ in pattern})
    return Estimate(
        {name: mixture.matching(name, shares) for name in present},
        {name: mixture.row(mixture.u, name) for name in present},
        {name: mixture.matches.get(name, 0.0) for name in present},
        shares,
        {source: mixture.matched(those, shares) / matched for source, those in sorted(sample.one_source.items())},
        iterations,
    )


def _group(counts: Mapping[Pattern, float], left_out: frozenset[str], shares: Shares) -> _Group:
    found: dict[Pattern, float] = {}
    for pattern, count in counts.items():
        kept = tuple(slot for slot in pattern if slot[0] not in left_out)
        if kept:
            found[kept] = found.get(kept, 0.0) + count
    return _Group(sorted(found.items()), shares)


class _Mixture:
    """The estimate as it grows. `same`: m of what is personal or a family's, h of what is shared.

    `kin`: how often kin agree in what is a family's.
    """

    def __init__(self, model: Model) -> None:
        self._evidence = {name: field.evidence for name, field in model.fields.items()}
        self._sizes = {name: len(LEVELS[field.kind]) for name, field in model.fields.items()}
        self.same = {(n, i): share for n, size in self._sizes.items() for i, share in enumerate(_first(size))}
        self.kin = dict(self.same)
        self.u: Table = {}
        self.matches: dict[str, float] = {}

    def begin(self, patterns: Iterable[tuple[Pattern, float]]) -> None:
        """Strangers as random pairs are, the few matches among them not yet taken out."""
        seen: Table = {}
        for pattern, count in patterns:
            for slot in pattern:
                seen[slot] = seen.get(slot, 0.0) + count
        self.u = self._smoothed(seen)

    def step(self, groups: Iterable[_Group], strangers: _Group) -> float:
        """One round of expectation and maximisation; the largest change of a share of a level."""
        home: Table = {}
        moved: Table = {}
        kin: Table = {}
        unlike: Table = {}
        for group in groups:
            self._expect(group, (home, moved, kin, {}))
        self._expect(strangers, ({}, {}, {}, unlike))
        before = self.same
        same: Table = {}
        for slot in before:
            shared = self._evidence[slot[0]] is Evidence.SHARED
            same[slot] = home.get(slot, 0.0) + (kin if shared else moved).get(slot, 0.0)
        self.same, self.kin, self.u = self._smoothed(same), self._smoothed(kin), self._smoothed(unlike)
        self.matches = {
            name: sum(home.get((name, i), 0.0) + moved.get((name, i), 0.0) for i in range(size))
            for name, size in self._sizes.items()
        }
        return max((abs(self.same[slot] - before[slot]) for slot in before), default=0.0)

    def kinds(self, pattern: Pattern, shares: Shares) -> Shares:
        """How likely a pair with this pattern is of each kind, where so many are."""
        home, moved, kin, strange = shares
        for slot in pattern:
            chance, evidence = self.u[slot], self._evidence[slot[0]]
            ratio = self.same[slot] / chance
            home *= ratio
            if evidence is Evidence.SHARED:
                kin *= ratio
            else:
                moved *= ratio
                if evidence is Evidence.FAMILY:
                    kin *= self.kin[slot] / chance
        total = home + moved + kin + strange
        return home / total, moved / total, kin / total, strange / total

    def matched(self, patterns: Mapping[Pattern, float], shares: Shares) -> float:
        """How many of these pairs are expected to be one person's."""
        return sum(count * sum(self.kinds(pattern, shares)[:2]) for pattern, count in sorted(patterns.items()))

    def matching(self, name: str, shares: Shares) -> tuple[float, ...]:
        """m of a field, level by level: of one person's pairs, those who moved among them."""
        same, u = self.row(self.same, name), self.row(self.u, name)
        if self._evidence[name] is not Evidence.SHARED:
            return same
        away = shares[1] / (shares[0] + shares[1])
        return tuple((1.0 - away) * one + away * other for one, other in zip(same, u, strict=True))

    def row(self, table: Table, name: str) -> tuple[float, ...]:
        """A field's levels in a table."""
        return tuple(table[name, i] for i in range(self._sizes[name]))

    def shares_among(self, blocked: list[tuple[Pattern, float]], all_pairs: int) -> Shares:
        """Shares of all pairs, where no match lacks a common key: EM of the shares alone."""
        shares: Shares = (1e-6, 1e-7, 1e-6, 1.0)
        for _ in range(ITERATIONS_MAX):
            sums = [0.0, 0.0, 0.0]
            for pattern, count in blocked:
                for number, share in enumerate(self.kinds(pattern, shares)[:3]):
                    sums[number] += share * count
            home, moved, kin = ((s + PRIOR_PAIRS) / (all_pairs + 4 * PRIOR_PAIRS) for s in sums)
            before, shares = shares, (home, moved, kin, max(SHARE_MIN, 1.0 - home - moved - kin))
            if all(abs(math.log2(new / old)) < 0.01 for new, old in zip(shares, before, strict=True)):
                break
        return shares

    def _expect(self, group: _Group, into: tuple[Table, Table, Table, Table]) -> None:
        sums = [0.0] * 4
        for pattern, count in group.patterns:
            for number, share in enumerate(self.kinds(pattern, group.shares)):
                weight, table = share * count, into[number]
                sums[number] += weight
                for slot in pattern:
                    table[slot] = table.get(slot, 0.0) + weight
        total = sum(sums)
        if total > 0:
            home, moved, kin, strange = (max(SHARE_MIN, s / total) for s in sums)
            group.shares = home, moved, kin, strange

    def _smoothed(self, seen: Table) -> Table:
        found = {}
        for name, size in self._sizes.items():
            total = sum(seen.get((name, i), 0.0) for i in range(size)) + PRIOR_PAIRS * size
            found.update({(name, i): (seen.get((name, i), 0.0) + PRIOR_PAIRS) / total for i in range(size)})
        return found


def _first(size: int) -> list[float]:
    """What is taken of levels at first: mostly exact, seldom clearly different."""
    if size < 3:
        return [1.0 - FIRST_DIFFERENT, FIRST_DIFFERENT][:size]
    between = (1.0 - FIRST_EXACT - FIRST_DIFFERENT) / (size - 2)
    return [FIRST_EXACT, *[between] * (size - 2), FIRST_DIFFERENT]
