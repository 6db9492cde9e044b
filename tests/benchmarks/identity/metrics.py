"""How right clusters of records are: precision, recall and F1 of the pairs in them, and B-cubed.

Owns the step from record keys to the measures of services.ops.demo.accuracy, and the closing of scored pairs into
clusters at many thresholds. "Cluster pair F1" is `Accuracy.f1` of closed clusters: every two records of one
cluster are a pair said, whether or not anything compared them. Exact: counted by cells of (cluster, person).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.ops.demo.accuracy import Accuracy, evaluate

Scored = tuple[str, str, float]
"""Two record keys and how sure something is that they are one person, higher is surer."""


@dataclass(frozen=True, slots=True)
class At:
    """The measures of the clusters that pairs scored at least `threshold` close into."""

    threshold: float
    accuracy: Accuracy


def measured(truth: Mapping[str, Hashable], clusters: Mapping[str, Hashable | None]) -> Accuracy:
    """Measures over the records of `truth`; one that `clusters` lacks, or puts to None, is a cluster of its own."""
    persons: dict[Hashable, int] = {}
    numbered = {("record", key): persons.setdefault(person, len(persons)) for key, person in truth.items()}
    return evaluate(numbered, {("record", key): cluster for key, cluster in clusters.items()})


def closed(records: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Record → a record that stands for its cluster: connected components of the pairs."""
    leader = {key: key for key in records}
    for one, other in pairs:
        _join(leader, one, other)
    return {key: _leader(leader, key) for key in leader}


def swept(truth: Mapping[str, Hashable], pairs: Iterable[Scored], thresholds: Sequence[float]) -> list[At]:
    """Measures at each threshold, from the highest down; pairs are joined once, in order of their score."""
    leader = {key: key for key in truth}
    waiting = sorted(pairs, key=lambda pair: pair[2])
    found = []
    for threshold in sorted(set(thresholds), reverse=True):
        while waiting and waiting[-1][2] >= threshold:
            one, other, _ = waiting.pop()
            _join(leader, one, other)
        found.append(At(threshold, measured(truth, {key: _leader(leader, key) for key in leader})))
    return found


def best(sweep: Iterable[At]) -> At:
    """The threshold whose clusters have the highest pair F1: what a tuner who knew the truth would choose."""
    return max(sweep, key=lambda at: at.accuracy.f1)


def _join(leader: dict[str, str], one: str, other: str) -> None:
    first, second = _leader(leader, one), _leader(leader, other)
    if first != second:
        leader[second] = first


def _leader(leader: dict[str, str], key: str) -> str:
    while leader[key] != key:
        leader[key] = leader[leader[key]]
        key = leader[key]
    return key
