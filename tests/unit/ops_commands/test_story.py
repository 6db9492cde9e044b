"""A story's steps become CloudEvents, and what they change is said in words."""

from pathlib import Path
from typing import Any

import pytest

from services.ops.commands.failures import UsageMistake
from services.ops.commands.story import read_story, story_of
from services.ops.commands.telling import changes_between, identifiers_of, regroupings
from services.ops.local.layout import CHECKOUT

STEP = {
    "at": "2026-03-02T10:00:00+01:00",
    "event": {"source": "web", "type": "page.viewed", "identifiers": {"a": "1"}},
}
ANN, BOB = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"


def profile(customer_id: str, **parts: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, **parts}


def test_the_short_form_is_a_cloudevent_with_the_same_id_each_time() -> None:
    told = {"title": "Ann & Bob", "sources": ["web"], "steps": [STEP]}
    event = story_of(told).steps[0].event
    assert event == story_of(told).steps[0].event
    assert (event["specversion"], event["id"], event["time"]) == ("1.0", "ann-bob-1", "2026-03-02T09:00:00Z")
    assert event["data"] == {"identifiers": {"a": "1"}}


def test_a_cloudevent_stays_as_it_stands() -> None:
    event = {"specversion": "1.0", "id": "7", "source": "web", "type": "t", "time": "2020-01-01T00:00:00Z", "x": "y"}
    assert story_of({"sources": ["web"], "steps": [{**STEP, "event": event}]}).steps[0].event == event


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], "title, sources and steps"),
        ({"steps": [{"at": STEP["at"]}]}, "step 1 has no event"),
        ({"steps": [STEP]}, "not in sources"),
        ({"sources": ["web"], "steps": [{**STEP, "at": "noon"}]}, "RFC 3339"),
        ({"sources": ["web"], "steps": [{**STEP, "event": {"source": "web"}}]}, "no type"),
        ({"sources": [{"name": "web", "colour": "red"}], "steps": [STEP]}, "colour"),
    ],
)
def test_a_story_that_cannot_be_told_says_why(told: Any, why: str) -> None:
    with pytest.raises(UsageMistake, match=why):
        story_of(told)


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "story.yaml"
    broken.write_text("title: x\nsteps: [\n")
    with pytest.raises(UsageMistake, match=r"story\.yaml is no YAML, line"):
        read_story(broken)


def test_the_story_that_comes_along_can_be_read_and_leads_to_one_person() -> None:
    told = read_story(CHECKOUT / "deploy" / "demo" / "story.yaml")
    assert all(identifiers_of(step.event) for step in told.steps)
    last = {key for step in told.steps[-2:] for key in identifiers_of(step.event)}
    assert ("phone", "493055504711") in last


def test_two_customers_that_became_one_are_called_merged() -> None:
    before = {("email", "a"): ANN, ("phone", "1"): BOB}
    assert list(regroupings(before, {("email", "a"): ANN, ("phone", "1"): ANN})) == [
        f"merged: {ANN} and {BOB} are one customer now, {ANN}"
    ]


def test_a_customer_that_fell_apart_is_called_split() -> None:
    before = {("email", "a"): ANN, ("phone", "1"): ANN}
    [line] = regroupings(before, {("email", "a"): ANN, ("phone", "1"): BOB})
    assert line.startswith(f"split: {ANN} is now")


def test_nothing_is_said_where_nobody_moved() -> None:
    owners = {("email", "a"): ANN, ("phone", "1"): None}
    assert list(regroupings(owners, {**owners, ("user_id", "7"): ANN})) == []


def test_what_a_profile_newly_shows_is_told_and_the_rest_is_not() -> None:
    before = profile(ANN, contact={"name": None, "phones": ["1"]}, interaction={"count": 1, "by_channel": {"web": 1}})
    after = profile(ANN, contact={"name": "Ann", "phones": ["1"]}, interaction={"count": 2, "by_channel": {"web": 2}})
    assert list(changes_between(before, after)) == ["name: Ann", "events: 2, was 1"]


def test_the_first_profile_is_a_new_customer_and_none_is_said_so() -> None:
    assert list(changes_between(None, profile(ANN))) == [f"customer: {ANN}"]
    assert list(changes_between(profile(ANN), None)) == ["no profile shows it"]
