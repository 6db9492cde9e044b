"""Every example file is an event intake takes, every type has one, and none belongs to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.events import EVENT_TYPES, summary, title
from schemas.events.titles import SUMMARY_CHARS_MAX, TITLE_CHARS_MAX
from services.intake.domain.mapping import shipped
from services.intake.domain.model import Accepted, Parked
from tests.contracts.examples import EXAMPLES, FILES, SEGMENT, outcomes

OURS = [path for path in FILES if path.parent.name != SEGMENT]
RECIPE = EXAMPLES / "mix.yaml"
"""Not an example: the shares in which generated events are sent."""
SENT_BY_SEGMENT = [path for path in FILES if path.parent.name == SEGMENT]


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", OURS, ids=name)
def test_an_example_is_accepted_as_the_type_of_its_folder(path: Path) -> None:
    (outcome,) = outcomes(path)
    assert isinstance(outcome, Accepted), outcome
    assert outcome.event.type == path.parent.name


@pytest.mark.parametrize("path", OURS, ids=name)
def test_an_example_is_incomplete_exactly_when_its_name_says_so(path: Path) -> None:
    (outcome,) = outcomes(path)
    assert isinstance(outcome, Accepted)
    assert bool(outcome.incomplete) is path.stem.startswith("incomplete-"), outcome.incomplete
    assert outcome.event.data.get("incomplete", []) == list(outcome.incomplete)


@pytest.mark.parametrize("path", OURS, ids=name)
def test_the_properties_of_a_complete_example_are_read_by_the_model(path: Path) -> None:
    (outcome,) = outcomes(path)
    assert isinstance(outcome, Accepted)
    if not outcome.incomplete:
        EVENT_TYPES[outcome.event.type].properties.model_validate(outcome.event.data["properties"])


@pytest.mark.parametrize("path", OURS, ids=name)
def test_an_example_has_a_title_and_a_summary_of_one_line(path: Path) -> None:
    (outcome,) = outcomes(path)
    assert isinstance(outcome, Accepted)
    heading = title(outcome.event.type, outcome.event.data)
    said = summary(outcome.event.type, outcome.event.data)
    assert 0 < len(heading) <= TITLE_CHARS_MAX
    assert len(said) <= SUMMARY_CHARS_MAX
    assert "\n" not in heading + said


def test_every_type_has_an_example() -> None:
    assert {path.parent.name for path in OURS} == set(EVENT_TYPES)


def test_no_example_is_an_orphan() -> None:
    folders = set(EVENT_TYPES) | {SEGMENT}
    files = [path for path in EXAMPLES.rglob("*") if path.is_file() and path != RECIPE]
    assert [path for path in files if path not in FILES or path.parent.name not in folders] == []


@pytest.mark.parametrize("path", SENT_BY_SEGMENT, ids=name)
def test_a_segment_body_gives_events_and_parks_only_what_is_bad(path: Path) -> None:
    parked = [outcome.reason for outcome in outcomes(path) if isinstance(outcome, Parked)]
    assert parked == (["bad_call"] if path.stem == "batch-with-one-bad-message" else [])
    assert any(isinstance(outcome, Accepted) for outcome in outcomes(path))


def test_every_call_of_the_mapping_has_a_segment_example() -> None:
    events = [o.event for path in SENT_BY_SEGMENT for o in outcomes(path) if isinstance(o, Accepted)]
    seen = {event.data.get("original", {}).get("event") for event in events}
    assert set(shipped("segment").calls) <= seen
