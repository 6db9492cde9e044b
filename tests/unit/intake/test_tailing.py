"""Looks that follow each other show every record once, and none before it is known what became of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import CHANNEL_EVENTS
from services.intake.recent import LOOKED_BACK_MAX
from services.intake.stretch import Stretch
from services.intake.tailing import AHEAD_MAX, Look, bounded

FAR = AHEAD_MAX * 3


@given(st.integers(0, FAR), st.lists(st.tuples(st.integers(0, FAR), st.integers(0, FAR)), max_size=6))
def test_looks_that_follow_leave_no_gap_and_show_nothing_twice_nor_too_early(
    first: int, steps: list[tuple[int, int]]
) -> None:
    end = reached = first
    look = Look(settled=True)
    shown = bounded(Stretch({0: 0}, {0: end}), look, {0: reached})
    assert shown.records <= LOOKED_BACK_MAX
    before = shown.end[0]
    for grown, applied in steps:
        end += grown
        reached = min(end, reached + applied)
        after = Look(settled=True, after={(CHANNEL_EVENTS.name, 0): before})
        shown = bounded(Stretch({0: 0}, {0: end}), after, {0: reached})
        assert shown.begin[0] == before
        assert before <= shown.end[0] <= min(max(reached, before), before + AHEAD_MAX)
        before = shown.end[0]


def test_who_does_not_follow_sees_what_is_not_applied_yet_and_what_retention_has_left() -> None:
    shown = bounded(Stretch({0: 90, 1: 0}, {0: 100, 1: 5_000}), Look(), {0: 0})
    assert (shown.begin, shown.end) == ({0: 90, 1: 3_000}, {0: 100, 1: 5_000})
