"""A story's steps become CloudEvents or operators' words, and what they change is said in words."""

from pathlib import Path
from typing import Any

import pytest

from services.ops.commands.comparing import changes_between, regroupings, worth
from services.ops.commands.failures import UsageMistake
from services.ops.commands.story import Step, Word, read_story, story_of
from services.ops.commands.telling import broken, sent, summary
from services.ops.local.layout import CHECKOUT

STORY = CHECKOUT / "deploy" / "demo" / "story.yaml"
STEP = {
    "at": "2026-03-02T10:00:00+01:00",
    "event": {"source": "web", "type": "page.viewed", "identifiers": {"a": "1"}},
}
ANN, BOB = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"


WORD = {"kind": "different", "records": ["user_id:1", "crm_id.acme:7"], "reason": "father and son", "actor": "olga"}


def only_step(**step: Any) -> Step:
    """The step of a story that has one."""
    [found] = story_of({"title": "T", "sources": ["web"], "steps": [{"at": STEP["at"], **step}]}).steps
    return found


def profile(customer_id: str, **parts: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, **parts}


def test_the_short_form_is_a_cloudevent_with_the_same_id_each_time() -> None:
    told = {"title": "Ann & Bob", "sources": ["web"], "steps": [STEP]}
    event = story_of(told).steps[0].event
    assert event is not None
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
        ({"steps": [{"at": STEP["at"]}]}, "step 1 has one of event and assert"),
        ({"steps": [{**STEP, "assert": WORD}]}, "step 1 has one of event and assert"),
        (
            {"steps": [{"at": STEP["at"], "assert": {**WORD, "reason": " "}}]},
            "two records as TYPE:VALUE, and a reason",
        ),
        ({"steps": [{"at": STEP["at"], "assert": {**WORD, "records": ["user_id:1"]}}]}, "two records"),
        ({"steps": [{"at": STEP["at"], "assert": {**WORD, "kind": "alike"}}]}, "same or different"),
        ({"sources": ["web"], "steps": [{**STEP, "expect": [{"is": {}}]}]}, "step 1: an expectation asks one of"),
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


def test_an_operators_word_is_a_step_of_its_own() -> None:
    step = only_step(say="They are two.", **{"assert": WORD})
    assert step.event is None
    assert step.word == Word("different", (("user_id", "1"), ("crm_id.acme", "7")), "father and son", "olga")
    assert (step.id, step.source) == ("t-1", "customer360")
    assert step.identifiers == [("user_id", "1"), ("crm_id.acme", "7")]
    assert "father and son" in sent(step)


def test_times_that_yaml_reads_by_itself_stay_texts(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    due = "properties: {due_at: 2026-04-10T19:00:00+02:00, day: 2026-04-10, plain: 2026-04-10T19:00:00}"
    step = f"{{at: 2026-03-02T09:00:00Z, event: {{source: web, type: t, {due}}}}}"
    file.write_text(f"sources: [web]\nsteps: [{step}]\n")
    event = read_story(file).steps[0].event
    assert event is not None
    assert event["data"]["properties"] == {
        "due_at": "2026-04-10T17:00:00Z", "day": "2026-04-10", "plain": "2026-04-10T19:00:00Z"
    }  # fmt: skip


def test_the_story_that_comes_along_says_after_each_step_what_must_be_true() -> None:
    told = read_story(STORY)
    assert all(step.identifiers and step.expect for step in told.steps)
    assert {e.question for s in told.steps for e in s.expect} == {
        "lookup", "customer", "identity", "value", "timeline", "path", "one", "apart"
    }  # fmt: skip


def test_the_readme_tells_nothing_but_this_story() -> None:
    steps = read_story(STORY).steps
    said = {f"{n}. {s.at[:16].replace('T', ' ')}  {s.say}" for n, s in enumerate(steps, 1)}
    said |= {f"     true     {one.say}" for step in steps for one in step.expect}
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    part = readme.partition("## One person's life")[2].partition("\n## ")[0]
    _, yaml_, _, told, _ = part.split("```")
    lines = [line for line in told.splitlines() if line]
    assert len(lines) > 10
    assert set(lines) <= said
    assert yaml_.removeprefix("yaml\n") in STORY.read_text(encoding="utf-8")


def test_what_is_not_as_expected_is_counted_and_the_first_is_said() -> None:
    good, bad = ({"say": word, "holds": word == "good"} for word in ("good", "bad"))
    steps = [{"checks": [good], "told_before": False}, {"checks": [bad, good], "told_before": False}]
    assert broken(steps) == [bad]
    assert summary(steps) == "1 of 3 expectations do not hold: bad"
    assert summary(steps[:1]) == "all 1 expectations hold"
    assert "told before" in summary([{**steps[0], "told_before": True}])


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


def test_what_somebody_is_worth_is_said_in_a_few_words() -> None:
    actual = {"revenue": "480.00", "orders": 1, "refunds": "0.00"}
    assert worth({"currency": "EUR", "actual": actual}) == "480.00 EUR of 1 order"
    returned = {**actual, "orders": 2, "refunds": "20.00"}
    assert worth({"currency": "EUR", "actual": returned}) == "480.00 EUR of 2 orders, 20.00 returned"
    assert worth({}) == ""


def test_a_change_of_value_and_of_tier_is_told() -> None:
    actual = {"revenue": "480.00", "orders": 1, "refunds": "0.00"}
    before = profile(ANN, value=None)
    after = profile(ANN, value={"currency": "EUR", "actual": actual, "tier": {"grade": "C"}})
    assert list(changes_between(before, after)) == ["value: 480.00 EUR of 1 order", "tier: C"]
