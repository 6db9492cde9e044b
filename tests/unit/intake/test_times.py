"""When an event happened: sent, corrected or clamped, and what the sender said is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.envelope import rfc3339
from tests.unit.intake.arriving import ARRIVAL, accepted, raw


def sent(delta: timedelta) -> str:
    return rfc3339(ARRIVAL + delta)


@pytest.mark.parametrize(
    "time",
    [
        "1970-01-01T00:00:00Z",
        "1989-12-31T23:59:59Z",
        "2026-03-02T09:15:00",
        "2026-03-02",
        "soon",
        "",
        2**63,
        1.5,
        {"a": 1},
        True,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        sent(timedelta(days=3650)),
        sent(timedelta(seconds=301)),
    ],
)
def test_an_implausible_time_becomes_arrival_and_is_kept(time: Any) -> None:
    event = accepted(raw(time=time)).event
    assert event.time == ARRIVAL
    assert event.clamped
    assert event.data["original"]["time"] == time


@pytest.mark.parametrize("delta", [timedelta(seconds=300), timedelta(0), -timedelta(days=365 * 20)])
def test_a_plausible_time_stands(delta: timedelta) -> None:
    event = accepted(raw(time=sent(delta))).event
    assert event.time == ARRIVAL + delta
    assert not event.clamped
    assert "original" not in event.data


def test_no_time_is_arrival_and_claims_nothing() -> None:
    event = accepted(raw(time=None)).event
    assert (event.time, event.clamped) == (ARRIVAL, False)
    assert "original" not in event.data


@pytest.mark.parametrize(
    "off", [timedelta(hours=2), -timedelta(hours=2), timedelta(seconds=60), timedelta(days=9999)]
)
def test_a_wrong_clock_is_corrected_by_sent_at(off: timedelta) -> None:
    happened = -timedelta(seconds=10)
    event = accepted(raw(time=sent(happened + off), sent_at=sent(off))).event
    assert event.time == ARRIVAL + happened
    assert not event.clamped
    assert event.data["original"]["time"] == sent(happened + off)
    assert event.data["context"]["sentAt"] == sent(off)


def test_a_slow_network_is_no_wrong_clock() -> None:
    event = accepted(raw(time=sent(-timedelta(seconds=70)), sent_at=sent(-timedelta(seconds=59)))).event
    assert event.time == ARRIVAL - timedelta(seconds=70)


@pytest.mark.parametrize("sent_at", ["never", 5, None, "2026-03-02T05:00:00"])
def test_an_unreadable_sent_at_corrects_nothing(sent_at: Any) -> None:
    assert accepted(raw(time=sent(timedelta(0)), sent_at=sent_at)).event.time == ARRIVAL
