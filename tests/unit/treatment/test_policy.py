"""Reading a treatment policy: all that is wrong at once, each with its path; experiments and their promotion."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from services.treatment.domain.experiments import promoted
from services.treatment.domain.policy import CHALLENGER, CHAMPION
from services.treatment.domain.reading import read_policy
from services.treatment.handlers import shipped_document
from tests.unit.treatment.deciding import action_of, asked, made, policy

TEA = {"kind": "offer", "value": 10}


def test_the_shipped_policy_can_be_read_and_welcomes_who_is_not_known() -> None:
    shipped = read_policy(shipped_document())
    assert action_of(made(shipped)) == "welcome"
    assert set(shipped.actions) >= {"answer_first", "keep_promise", "win_back"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"surprise": 1}, "surprise"),
        ({"currency": "euro"}, "currency"),
        ({"language": 7}, "language"),
        ({"actions": {}}, "actions"),
        ({"actions": []}, "actions"),
        ({"actions": {"none": TEA}}, "actions.none"),
        ({"actions": {"A b": TEA}}, "actions.A b"),
        ({"actions": {"tea": "x"}}, "actions.tea"),
        ({"actions": {"tea": {"value": 1}}}, "actions.tea.kind"),
        ({"actions": {"tea": {**TEA, "kind": "gift"}}}, "actions.tea.kind"),
        ({"actions": {"tea": {**TEA, "valeu": 1}}}, "actions.tea.valeu"),
        ({"actions": {"tea": {**TEA, "value": 1.5}}}, "actions.tea.value"),
        ({"actions": {"tea": {**TEA, "value": "NaN"}}}, "actions.tea.value"),
        ({"actions": {"tea": {**TEA, "cost": -1}}}, "actions.tea.cost"),
        ({"actions": {"tea": {**TEA, "propensity": "1.1"}}}, "actions.tea.propensity"),
        ({"actions": {"tea": {**TEA, "priority": "high"}}}, "actions.tea.priority"),
        ({"actions": {"tea": {**TEA, "channels": ["telepathy"]}}}, "actions.tea.channels"),
        ({"actions": {"tea": {**TEA, "placements": []}}}, "actions.tea.placements"),
        ({"actions": {"tea": {**TEA, "placements": "home"}}}, "actions.tea.placements"),
        ({"actions": {"tea": {**TEA, "when": {"field": "shoes.size", "is": 4}}}}, "actions.tea.when.field"),
        ({"actions": {"tea": {**TEA, "when": {"cel": "value ="}}}}, "actions.tea.when.cel"),
        ({"actions": {"tea": {**TEA, "weights": [{"add": 1}]}}}, "actions.tea.weights[0].when"),
        ({"actions": {"tea": {**TEA, "caps": [{"days": 7}]}}}, "actions.tea.caps[0].at_most"),
        ({"actions": {"tea": {**TEA, "caps": [{"days": 0, "at_most": 1}]}}}, "actions.tea.caps[0].days"),
        ({"actions": {"tea": {**TEA, "rest_days": {"liked": 1}}}}, "actions.tea.rest_days.liked"),
        ({"actions": {"tea": {**TEA, "despite": ["nothing"]}}}, "actions.tea.despite"),
        ({"actions": {"tea": {**TEA, "text": {"English": "x"}}}}, "actions.tea.text.English"),
        ({"actions": {"tea": {**TEA, "text": {"en": ""}}}}, "actions.tea.text.en"),
        (
            {"actions": {"tea": {**TEA, "parameters": {"deep": [{"rate": 0.5}]}}}},
            "actions.tea.parameters.deep[0].rate",
        ),
        ({"actions": {"tea": {**TEA, "expires_minutes": 0}}}, "actions.tea.expires_minutes"),
        ({"actions": {"tea": {**TEA, "reachable": "yes"}}}, "actions.tea.reachable"),
        ({"actions": {"tea": {**TEA, "fill": {"size": "shoes.size"}}}}, "actions.tea.fill.size"),
        ({"suppress": {"angry": {"kinds": ["offer"]}}}, "suppress.angry.when"),
        ({"pressure": [{"at_most": 1, "days": 7, "kinds": ["gift"]}]}, "pressure[0].kinds"),
        ({"learning": {"choose": "luck"}}, "learning.choose"),
        ({"learning": {"prior_weight": 0}}, "learning.prior_weight"),
        ({"experiments": {"x": {"change": {"tea": {"value": 2}}}}}, "experiments.x.share"),
        ({"experiments": {"x": {"share": "0.5"}}}, "experiments.x.change"),
        (
            {"experiments": {"x": {"share": "0.5", "change": {"tea": {"value": 1.5}}}}},
            "experiments.x.change.tea.value",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{path}: ")) as told:
        read_policy({"currency": "EUR", "actions": {"tea": TEA}, **change})
    assert any(one.startswith(f"{path}: ") for one in str(told.value).split("; ")), told.value


@pytest.mark.parametrize("document", [None, [], "x", 7])
def test_what_is_no_object_is_no_policy(document: Any) -> None:
    with pytest.raises(ValueError, match="object"):
        read_policy(document)


def test_all_errors_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="zz") as told:
        read_policy({"currency": "x", "actions": {"tea": {"kind": "x", "value": -1}}, "zz": 1})
    assert len(str(told.value).split("; ")) == 4


EXPERIMENT = {"share": "0.3", "change": {"tea": "off", "cake": {"value": 5}}, "choose": "thompson"}
DOCUMENT = {
    "currency": "EUR",
    "actions": {"tea": TEA, "cake": {**TEA, "value": 1}},
    "experiments": {"x": EXPERIMENT},
}  # fmt: skip


def test_a_share_of_the_customers_is_decided_for_by_the_challenger_always_the_same_ones() -> None:
    by = read_policy(DOCUMENT)
    decisions = {n: made(by, question=asked(subject=str(n))) for n in range(2_000)}
    challenged = [n for n, one in decisions.items() if one.variant == CHALLENGER]
    assert 0.27 < len(challenged) / len(decisions) < 0.33
    for number, one in decisions.items():
        expected = "cake" if number in set(challenged) else "tea"
        assert (action_of(one), one.experiment) == (expected, "x")
    again = [n for n in range(2_000) if made(by, question=asked(subject=str(n))).variant == CHALLENGER]
    assert again == challenged


def test_an_experiment_of_other_places_changes_nothing() -> None:
    by = read_policy({**DOCUMENT, "experiments": {"x": {**EXPERIMENT, "placements": ["cart"]}}})
    found = made(by)
    assert (found.experiment, found.variant, action_of(found)) == (None, None, "tea")


def test_what_won_is_promoted_and_the_experiment_is_over() -> None:
    won = promoted(DOCUMENT, "x")
    assert won == {
        "currency": "EUR", "actions": {"cake": {**TEA, "value": 5}}, "learning": {"choose": "thompson"},
    }  # fmt: skip
    before, after = read_policy(DOCUMENT), read_policy(won)
    (experiment,) = before.experiments
    assert after.actions.keys() == {"cake"}
    assert replace(after, actions={}) == replace(before.as_tried(experiment, CHALLENGER), actions={}, experiments=())
    assert after.actions == before.as_tried(experiment, CHALLENGER).actions
    assert before.as_tried(experiment, CHAMPION) is before


@pytest.mark.parametrize("name", ["y", "at_home"])
def test_what_is_unknown_or_was_tried_in_one_place_only_is_not_promoted(name: str) -> None:
    experiments = {"at_home": {"share": "0.5", "change": {"tea": "off"}, "placements": ["home"]}}
    with pytest.raises(ValueError, match=name):
        promoted({**DOCUMENT, "experiments": experiments}, name)


def test_a_policy_says_only_what_it_says() -> None:
    action = policy({"tea": {}}).actions["tea"]
    assert (action.propensity_ppm, action.cost_micros, action.value_micros) == (1_000_000, 0, 10_000_000)
    assert (action.placements, action.channels, action.when, action.consent) == (None, None, None, None)
