"""Reading the interaction policy: the first part that is missing or wrong is named by its path."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services.interaction.domain.policy import Limit, read_policy
from services.interaction.domain.pressure import TIMES_MAX
from tests.unit.interaction.hearing import POLICY, SHIPPED


def changed(path: str, value: Any = None, *, gone: bool = False) -> dict[str, Any]:
    """The shipped policy with one part replaced or gone."""
    document = copy.deepcopy(SHIPPED)
    *above, last = path.split(".")
    part = document
    for name in above:
        part = part[name]
    if gone:
        del part[last]
    else:
        part[last] = value
    return document


def test_the_shipped_policy_is_read() -> None:
    assert POLICY.version == 1
    assert POLICY.fatigue_limit("email") == Limit(4, 7)
    assert POLICY.fatigue_limit("partner") == POLICY.fatigue["default"]
    assert POLICY.inferred_responses_min == 3
    assert len(POLICY.taxonomy.needs) >= 10
    assert POLICY.surveys["nps"].questions[0][0] == "nps"


def test_every_limit_stays_below_the_times_that_are_told() -> None:
    assert all(limit.touches < TIMES_MAX for limit in POLICY.fatigue.values())
    with pytest.raises(ValueError, match=r"fatigue\.email\.touches"):
        read_policy(changed("fatigue.email.touches", TIMES_MAX))


def test_words_of_tone_have_weights_in_thousandths() -> None:
    words = POLICY.tone_words
    assert (words["great"], words["schlecht"], words["schön"]) == (500, -500, 500)
    assert min(sum(w > 0 for w in words.values()), sum(w < 0 for w in words.values())) >= 60


@pytest.mark.parametrize("part", sorted(SHIPPED))
def test_a_missing_part_is_named(part: str) -> None:
    with pytest.raises(ValueError, match=part):
        read_policy(changed(part, gone=True))


@pytest.mark.parametrize("part", sorted(SHIPPED))
@pytest.mark.parametrize("value", [None, 1.5, "x", [], [1], True])
def test_a_part_of_another_shape_is_named(part: str, value: Any) -> None:
    with pytest.raises(ValueError, match=part):
        read_policy(changed(part, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 0),
        ("fatigue.email", 4),
        ("fatigue.email.days", 0),
        ("fatigue.email.touches", True),
        ("fatigue.pigeon", {"touches": 1, "days": 1}),
        ("inferred.responses_min", 0),
        ("needs.points.viewed", 1.5),
        ("needs.half_points", 0),
        ("needs.stated_half_life_days", 0),
        ("needs.observed_half_life_days", None),
        ("needs.taxonomy.footwear", None),
        ("needs.taxonomy.footwear.label", ""),
        ("needs.taxonomy.footwear.recurring", 1),
        ("needs.taxonomy.footwear.recurring", "yes"),
        ("needs.taxonomy.footwear.words", "shoes"),
        ("needs.taxonomy.footwear.categories", [7]),
        ("needs.taxonomy.footwear.services", ["?!"]),
        ("needs.taxonomy.!", {"label": "x"}),
        ("tone.positive", [True]),
        ("tone.negative", ["great"]),
        ("tone.negations", None),
        ("topics.delivery", {}),
        ("topics.delivery", [None]),
        ("surveys.nps.scale", "thumbs"),
        ("surveys.nps.name", 5),
        ("surveys.nps.version", "1"),
        ("surveys.nps.questions", []),
        ("surveys.nps.follow_up", 7),
        ("surveys.nps.follow_up.below", 12),
        ("surveys.NPS", {}),
    ],
)
def test_a_wrong_part_is_named_by_its_path(path: str, value: Any) -> None:
    top = path.split(".")[0] if path in ("tone.negative",) else path
    with pytest.raises(ValueError, match=top.replace("!", ".")):
        read_policy(changed(path, value))


def test_a_question_without_its_text_is_named() -> None:
    with pytest.raises(ValueError, match=r"surveys\.nps\.questions\[1\]\.text"):
        read_policy(changed("surveys.nps.questions", [{"question_id": "a", "text": "b"}, {"question_id": "c"}]))


def test_a_word_that_yaml_reads_as_a_flag_is_refused() -> None:
    with pytest.raises(ValueError, match="write words in quotes"):
        read_policy(changed("tone.negations", ["not", False]))


@pytest.mark.parametrize("name", [7, None, True, " "])
def test_names_are_texts(name: Any) -> None:
    document = copy.deepcopy(SHIPPED)
    document["topics"][name] = ["word"]
    with pytest.raises(ValueError, match="topics"):
        read_policy(document)


def test_two_surveys_whose_ids_differ_by_case_only_are_refused() -> None:
    document = copy.deepcopy(SHIPPED)
    document["surveys"]["NPS"] = document["surveys"]["nps"]
    with pytest.raises(ValueError, match="surveys"):
        read_policy(document)


def test_a_need_recurs_never_always_or_from_so_many_days_on() -> None:
    needs = POLICY.taxonomy.needs
    assert (needs["gifts"].recurring, needs["gifts"].recurring_from_days) == (False, None)
    assert (needs["groceries"].recurring, needs["groceries"].recurring_from_days) == (True, None)
    assert (needs["footwear"].recurring, needs["footwear"].recurring_from_days) == (False, 2)
