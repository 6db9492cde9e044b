"""When the nightly refit is due: once a business day, at its hour, later where nobody was up, and never when off."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from schemas.envelope import microseconds
from services.value.domain.days import day_of
from services.value.domain.refitting import OFF, PROMOTED, REFUSED, due_day, outcome_of

PRAGUE = ZoneInfo("Europe/Prague")
HOUR = 3


def us(text: str) -> int:
    """Local time in Prague."""
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=PRAGUE))


def due(now: str, since: str, hour: int = HOUR) -> str | None:
    """The day that is due, as people write it."""
    day = due_day(us(now), us(since), hour, PRAGUE)
    days = [datetime.fromisoformat(f"2026-03-{n:02}").date() for n in range(1, 32)]
    return next((str(one) for one in days if day == day_of(one)), None)


@pytest.mark.parametrize(
    ("now", "since", "day"),
    [
        ("2026-03-10T03:00:00", "2026-03-09T12:00:00", "2026-03-10"),
        ("2026-03-10T02:59:59", "2026-03-09T12:00:00", None),
        ("2026-03-10T02:59:59", "2026-03-08T12:00:00", "2026-03-09"),
        ("2026-03-12T18:00:00", "2026-03-01T00:00:00", "2026-03-12"),
        ("2026-03-10T18:00:00", "2026-03-10T03:00:00", None),
        ("2026-03-10T18:00:00", "2026-03-10T02:59:59", "2026-03-10"),
    ],
)
def test_it_is_due_when_the_hour_has_struck_since_the_model_was_set(now: str, since: str, day: str | None) -> None:
    assert due(now, since) == day


def test_it_is_never_due_when_it_is_off() -> None:
    assert due("2026-03-10T18:00:00", "2020-01-01T00:00:00", OFF) is None


def test_an_hour_that_summer_time_leaves_out_strikes_all_the_same() -> None:
    assert due("2026-03-29T03:00:00", "2026-03-28T12:00:00", 2) == "2026-03-29"
    assert due("2026-03-29T01:59:59", "2026-03-28T12:00:00", 2) is None


def test_what_anything_speaks_against_is_refused_and_kept() -> None:
    document = {"prediction": {"version": 4}}
    held = outcome_of({"document": document, "refused": []})
    refused = outcome_of({"document": document, "refused": ["31 % would change tier"]})
    assert (held.outcome, held.version, held.reasons) == (PROMOTED, 4, ())
    assert (refused.outcome, refused.reasons, refused.document) == (REFUSED, ("31 % would change tier",), document)
