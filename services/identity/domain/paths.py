"""Ways through the ties of one customer: the strongest between two records, and the one tie it hangs on.

Owns the search; pure, and the same for the same ties in any order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

from services.identity.domain.parts import Parts
from services.identity.domain.weighing import Pair, Tie

Around = dict[str, dict[str, Tie]]
"""record → neighbour → the strongest tie between the two."""


def strongest(ties: Collection[Tie], start: str, end: str) -> list[Tie] | None:
    """The way whose weakest tie is strongest, then the shortest, then by ids; None when there is none."""
    floor = _floor(ties, start, end)
    if floor is None:
        return None
    around = _around(t for t in ties if t.weight >= floor)
    left = _distances(around, end)
    way: list[Tie] = []
    at = start
    while at != end:
        nearer = min(n for n in around[at] if left.get(n) == left[at] - 1)
        way.append(around[at][nearer])
        at = nearer
    return way


def cut(ties: Iterable[Tie], way: Sequence[Tie], start: str) -> Tie | None:
    """The weakest tie of the way without which its ends would not be connected; None when no single one is."""
    step_of = {start: 0}
    at = start
    for step, tie in enumerate(way, 1):
        at = tie.other(at)
        step_of[at] = step
    # What hangs together beside the way bridges every step from the first to the last it touches.
    on_the_way = {t.pair: t for t in way}
    beside = Parts()
    doubled: set[Pair] = set()
    for tie in ties:
        if tie.pair not in on_the_way:
            beside.join(tie.a, tie.b)
        elif tie != on_the_way[tie.pair]:
            doubled.add(tie.pair)
    furthest: dict[str, int] = {}
    for record, step in step_of.items():
        furthest[beside.root(record)] = max(step, furthest.get(beside.root(record), 0))
    bridges = []
    reached = 0
    for (record, step), tie in zip(step_of.items(), way, strict=False):
        reached = max(reached, furthest[beside.root(record)])
        if reached <= step and tie.pair not in doubled:
            bridges.append(tie)
    return max(bridges, key=lambda t: t.order, default=None)


def connected(ties: Iterable[Tie], start: str, end: str) -> bool:
    """Whether any way leads from one to the other."""
    parts = Parts()
    for tie in ties:
        parts.join(tie.a, tie.b)
    return parts.root(start) == parts.root(end)


def _floor(ties: Iterable[Tie], start: str, end: str) -> int | None:
    """The weight of the weakest tie on the strongest way."""
    parts = Parts()
    if start == end:
        return 0
    for tie in sorted(ties, key=lambda t: t.order):
        parts.join(tie.a, tie.b)
        if parts.root(start) == parts.root(end):
            return tie.weight
    return None


def _around(ties: Iterable[Tie]) -> Around:
    found: Around = {}
    for tie in ties:
        for one in tie.pair:
            known = found.setdefault(one, {}).get(tie.other(one))
            if known is None or tie.order < known.order:
                found[one][tie.other(one)] = tie
    return found


def _distances(around: Mapping[str, Mapping[str, Tie]], end: str) -> dict[str, int]:
    left = {end: 0}
    queue = deque([end])
    while queue:
        at = queue.popleft()
        for neighbour in around.get(at, ()):
            if neighbour not in left:
                left[neighbour] = left[at] + 1
                queue.append(neighbour)
    return left
