"""A source sends what it may, at once after a silence, and is told when to come again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.intake.pacing import BURST_S, RETRY_AFTER_MAX_S, Pacing


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_source_without_a_limit_never_waits() -> None:
    assert Pacing(_Clock()).wait_s("web", None, 10**9) == 0


def test_a_source_may_send_a_burst_then_waits_until_it_may_again() -> None:
    clock = _Clock()
    pacing = Pacing(clock)
    assert pacing.wait_s("web", 10, 10 * BURST_S) == 0
    assert pacing.wait_s("web", 10, 10) == 1
    assert pacing.wait_s("shop", 10, 10) == 0, "another source has its own"
    clock.now += 1
    assert pacing.wait_s("web", 10, 10) == 0


def test_a_request_larger_than_any_burst_comes_in_once_and_is_paid_off() -> None:
    clock = _Clock()
    pacing = Pacing(clock)
    assert pacing.wait_s("web", 10, 1_000) == 0
    assert 0 < pacing.wait_s("web", 10, 1) <= RETRY_AFTER_MAX_S
    clock.now += 1_000 / 10
    assert pacing.wait_s("web", 10, 1) == 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=40), st.integers(1, 40))
def test_no_more_comes_in_than_the_rate_and_one_burst(asked: list[tuple[float, int]], rate: int) -> None:
    clock = _Clock()
    pacing, began, let_in, largest = Pacing(clock), clock.now, 0, 0
    for pause_s, events in asked:
        clock.now += pause_s
        if pacing.wait_s("web", rate, events) == 0:
            let_in, largest = let_in + events, max(largest, events)
    assert let_in <= rate * (clock.now - began + BURST_S) + largest + 1e-6
