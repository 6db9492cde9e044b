"""When a handler is so often wrong that it must be the handler: 20 in a row, or 100 of the last 1,000."""

from __future__ import annotations

import pytest

from services.runtime.parking import IN_ROW_MAX, WINDOW_PARKED_MAX, WINDOW_RECORDS, HandlerBroken, Suspicion


def place(n: int) -> tuple[str, int, int]:
    """The n-th record."""
    return "channel.events", 0, n


def test_nineteen_in_a_row_are_parked_and_the_twentieth_halts() -> None:
    suspicion = Suspicion()
    for n in range(IN_ROW_MAX - 1):
        suspicion.failed(place(n))
    with pytest.raises(HandlerBroken) as halt:
        suspicion.failed(place(IN_ROW_MAX - 1))
    assert halt.value.places == [place(n) for n in range(IN_ROW_MAX)]
    assert IN_ROW_MAX == 20


def test_one_that_passes_begins_the_row_anew() -> None:
    suspicion = Suspicion()
    for _ in range(3):
        for n in range(IN_ROW_MAX - 1):
            suspicion.failed(place(n))
        suspicion.passed(1)
    assert not suspicion.in_row


def test_no_records_do_not_begin_it_anew() -> None:
    suspicion = Suspicion()
    suspicion.failed(place(1))
    suspicion.passed(0)
    assert suspicion.in_row == [place(1)]


def test_the_hundredth_of_a_thousand_halts_and_names_all_hundred() -> None:
    suspicion = Suspicion()
    for n in range(WINDOW_PARKED_MAX - 1):
        suspicion.failed(place(n))
        suspicion.passed(9)
    with pytest.raises(HandlerBroken) as halt:
        suspicion.failed(place(WINDOW_PARKED_MAX - 1))
    assert len(halt.value.places) == WINDOW_PARKED_MAX
    assert (WINDOW_PARKED_MAX, WINDOW_RECORDS) == (100, 1_000)


def test_a_hundred_of_more_than_a_thousand_are_only_parked() -> None:
    suspicion = Suspicion()
    for n in range(3 * WINDOW_PARKED_MAX):
        suspicion.failed(place(n))
        suspicion.passed(10)
    assert sum(p is not None for p in suspicion.window) < WINDOW_PARKED_MAX


def test_a_large_batch_that_passes_empties_the_window() -> None:
    suspicion = Suspicion()
    suspicion.failed(place(1))
    suspicion.passed(10 * WINDOW_RECORDS)
    assert not any(suspicion.window)
    assert len(suspicion.window) == WINDOW_RECORDS


def test_a_copy_is_not_changed_by_what_comes_after() -> None:
    suspicion = Suspicion()
    suspicion.failed(place(1))
    before = suspicion.copy()
    suspicion.failed(place(2))
    suspicion.passed(1)
    assert before.in_row == [place(1)]
    assert list(before.window) == [place(1)]


def test_the_halt_says_where_and_how_many_but_no_content() -> None:
    assert str(HandlerBroken([place(7), place(3)])) == (
        "2 records failed in the handler, the first at ('channel.events', 0, 3)"
    )
