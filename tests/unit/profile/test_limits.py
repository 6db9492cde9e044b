"""How often a key may ask, and from which pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain import origins
from services.profile.domain.pacing import Pace, let_in, retry_after_s

paces = st.builds(Pace, st.integers(1, 1_000), st.integers(1, 2_000))


@given(paces, st.lists(st.floats(0, 2), max_size=300))
def test_never_more_than_the_burst_and_what_was_earned_since_and_who_waits_as_told_is_let_in(
    pace: Pace, pauses: list[float]
) -> None:
    now_s, due_s, let = 100.0, None, 0
    for pause in pauses:
        now_s += pause
        due_s, wait_s = let_in(due_s, now_s, pace)
        let += wait_s == 0.0
        assert let <= pace.burst + pace.per_s * (now_s - 100.0) + 1e-3
        if wait_s:
            assert let_in(due_s, now_s + wait_s / 2 - 1e-6, pace)[1] > 0
            assert let_in(due_s, now_s + wait_s + 1e-6, pace)[1] == 0
            assert retry_after_s(wait_s) >= wait_s


@given(paces)
def test_after_a_quiet_time_the_whole_burst_is_let_in_and_one_more_is_not(pace: Pace) -> None:
    due_s, let = None, 0
    while let < pace.burst:
        due_s, wait_s = let_in(due_s, 7.0, pace)
        assert wait_s == 0.0
        let += 1
    assert let_in(due_s, 7.0, pace)[1] == pytest.approx(1 / pace.per_s, abs=1e-5)
    assert let_in(due_s, 1e9, pace)[1] == 0.0


def test_a_wait_of_a_moment_is_told_as_a_second() -> None:
    assert [retry_after_s(one) for one in (0.001, 1.0, 1.2)] == [1, 1, 2]


@pytest.mark.parametrize("text", ["https://shop.example", "http://localhost:3000", "https://[::1]:8080", "*"])
def test_an_origin_is_read_as_browsers_send_it(text: str) -> None:
    assert origins.read_origins([text.upper() + ("" if text == "*" else "/")]) == [text]
    assert origins.allows([text], "https://shop.example") == (text in ("*", "https://shop.example"))


@pytest.mark.parametrize(
    "text", ["", "shop.example", "https://shop.example/path", "https://*.example", "ftp://x", "null"]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="origins are"):
        origins.read_origins([text])


def test_a_page_of_another_origin_is_not_allowed_by_likeness() -> None:
    for other in ("https://shop.example.evil.com", "http://shop.example", "https://shop.example:8443", "null"):
        assert not origins.allows(["https://shop.example"], other)
