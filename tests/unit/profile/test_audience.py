"""Who listens to changes: a bounded number, each with a bounded buffer, told once and in order."""

from __future__ import annotations

import pytest

from services.profile.listening.audience import (
    BUFFER_CHANGES_MAX,
    SLOW,
    STREAMS_MAX,
    STREAMS_PER_KEY_MAX,
    Audience,
    Change,
)
from services.profile.listening.places import REMEMBERED, Cursor, Remembered, read_cursor
from services.runtime.http import Problem

pytestmark = pytest.mark.asyncio


def change(key: str = "ann", number: int = 1) -> Change:
    return Change(key, f"{key}:{number}", "customer.updated", b"{}", str(number))


async def test_everybody_hears_all_and_one_customers_listener_his_own() -> None:
    audience = Audience()
    everybody, of_ann = audience.admit("k", None), audience.admit("k", ["ann"])
    audience.tell(change(number=0))
    for one in (everybody, of_ann):
        audience.seat(one)
    for told in (change(number=1), change("bo", 2), change(number=3)):
        audience.tell(told)
    assert [(await everybody.next(1)).id for _ in range(3)] == ["ann:1", "bo:2", "ann:3"]  # type: ignore[union-attr]
    assert [(await of_ann.next(1)).id for _ in range(2)] == ["ann:1", "ann:3"]  # type: ignore[union-attr]
    assert everybody.is_idle
    assert await everybody.next(0.01) is None


async def test_who_does_not_keep_up_is_ended_and_the_others_hear_on() -> None:
    audience = Audience()
    slow, quick = audience.admit("k", None), audience.admit("k", None)
    audience.seat(slow)
    audience.seat(quick)
    for number in range(BUFFER_CHANGES_MAX + 1):
        audience.tell(change(number=number))
        assert await quick.next(1) is not None
    assert slow.ended == SLOW
    assert await slow.next(1) is None, "what waited for him is told when he comes back"
    assert not quick.is_over()
    audience.leave(slow)
    audience.tell(change(number=9_999))
    assert (await quick.next(1)) == change(number=9_999)


async def test_a_key_has_so_many_streams_and_a_process_so_many() -> None:
    audience = Audience()
    held = [audience.admit("k", None) for _ in range(STREAMS_PER_KEY_MAX)]
    with pytest.raises(Problem) as refused:
        audience.admit("k", None)
    assert refused.value.kind == "too-many-streams"
    audience.leave(held.pop())
    held.append(audience.admit("k", None))
    while len(held) < STREAMS_MAX:
        held.append(audience.admit(f"k{len(held)}", None))
    with pytest.raises(Problem):
        audience.admit("another", None)
    for one in held:
        audience.leave(one)
    assert audience.is_empty


async def test_ending_wakes_who_waits_and_nobody_is_wanted_after_it() -> None:
    audience = Audience()
    listener = audience.admit("k", ["ann", "bo"])
    audience.seat(listener)
    assert audience.wants("bo")
    assert not audience.wants("cy")
    audience.end_all("unavailable")
    assert await listener.next(60) is None
    assert not audience.wants("ann")
    audience.leave(listener)
    assert audience.is_empty


async def test_a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() -> None:
    places = (0, 1, 2, 3, 4, 5, 6, 2**50)
    for cursor in (Cursor(places), Cursor(places, 7, 1), Cursor(places, 0, 9_999)):
        assert read_cursor(str(cursor)) == cursor
    for text in (
        "",
        "0",
        "1-2",
        "a-b-c-d-e-f-g-h",
        "1-2-3-4-5-6-7--8",
        "0" * 300,
        "1-2-3-4-5-6-7-" + "9" * 30,
        "²-1-1-1-1-1-1-1",
        "0-1-2-3-4-5-6-7.1",
        "0-1-2-3-4-5-6-7.8.1",
        "0-1-2-3-4-5-6-7.1.2.3",
    ):
        with pytest.raises(Problem):
            read_cursor(text)


async def test_what_was_told_twice_is_known_for_a_while_by_its_partition() -> None:
    remembered = Remembered()
    assert remembered.is_new(0, "a")
    assert not remembered.is_new(0, "a")
    assert remembered.is_new(1, "a")
    for number in range(REMEMBERED):
        assert remembered.is_new(0, f"n{number}")
    assert remembered.is_new(0, "a")
