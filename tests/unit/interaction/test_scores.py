"""Scores on their scales, and the topic and tone of what is written beside them."""

from __future__ import annotations

from typing import Any

import pytest

from services.interaction.domain.feedback import say
from tests.unit.interaction.hearing import facts
from tests.unit.interaction.surveying import answer, asked, nps, only, shown


@pytest.mark.parametrize(
    ("scale", "score", "category"),
    [("nps", 0, "detractor"), ("nps", 6, "detractor"), ("nps", "6.5", "detractor"), ("nps", 7, "passive"),
     ("nps", 8, "passive"), ("nps", "9", "promoter"), ("nps", 10.0, "promoter"), ("csat", 1, "negative"),
     ("csat", 3, "neutral"), ("csat", 4, "positive"), ("ces", 7, "positive"), ("ces", 4, "neutral"),
     ("ces", 3, "negative"), ("stars", "4.5", "positive"), ("STARS ", 2, "negative")],
)  # fmt: skip
def test_a_score_has_a_category_on_its_scale(scale: str, score: Any, category: str) -> None:
    item = only(answer(1, score=score, scale=scale))
    assert (item["category"], item["flags"]) == (category, [])


@pytest.mark.parametrize(
    ("scale", "score", "kept"), [("nps", -1, -1), ("nps", 11, 11), ("csat", 0, 0), ("stars", "5.1", "5.1"),
                                 ("ces", 800_000_000_000_000, 800_000_000_000_000)],
)  # fmt: skip
def test_a_score_outside_its_scale_is_kept_flagged_and_counted_nowhere(scale: str, score: Any, kept: Any) -> None:
    found = shown(answer(1, score=score, scale=scale))
    (item,) = found["surveys"]
    assert (item["score"], item["category"], item["flags"], item["follow_up"]) == (kept, None, ["out_of_scale"], None)
    assert found[scale]["count"] == 0


@pytest.mark.parametrize("scale", [None, "thumbs", {}, 7])
def test_a_score_on_no_scale_we_know_is_flagged_and_counted_nowhere(scale: Any) -> None:
    item = only(answer(1, score=4, scale=scale))
    assert (item["score"], item["category"], item["flags"]) == (4, None, ["unknown_scale"])


@pytest.mark.parametrize("score", ["ten", None, float("nan"), 10**400, [], True, "1e999999999"])
def test_a_score_that_is_no_number_is_none(score: Any) -> None:
    assert facts(say, answer(1, score=score, scale="nps")) == []
    assert only(answer(1, score=score, scale="nps", text="Fine"))["score"] is None


def test_a_score_without_a_scale_is_on_its_surveys() -> None:
    assert only(asked(1), answer(2, score=9))["category"] == "promoter"
    assert only(answer(2, score=9, survey_id="NPS"))["category"] == "promoter"


def test_figures_are_made_of_the_counts() -> None:
    scores = [9, 10, 7, 0, 6]
    found = shown(*(nps(n, score, f"r{n}") for n, score in enumerate(scores)))["nps"]
    assert found == {"promoters": 2, "passives": 1, "detractors": 2, "count": 5, "mean": "6.40", "score": 0}
    stars = shown(answer(1, "a", score="4.5", scale="stars"), answer(2, "b", score=2, scale="stars"))["stars"]
    assert stars == {"positive": 1, "neutral": 0, "negative": 1, "count": 2, "mean": "3.25"}


def test_the_topic_said_beats_the_topic_read() -> None:
    assert only(answer(1, text="The parcel was late", topic=" Courier "))["topic"] == "courier"
    assert only(answer(1, text="The parcel was late, the price fine"))["topic"] == "delivery"
    assert only(answer(1, text="Hm."))["topic"] is None


@pytest.mark.parametrize(
    ("text", "tone"),
    [("Great shoes!", "positive"), ("NOT good", "negative"), ("not very helpful", "negative"), ("Hm.", "neutral"),
     ("Great shoes, late parcel", "mixed"), ("Kein Problem", "positive"), ("Das war nicht gut", "negative"),
     ("Sehr schön, danke", "positive"), ("schon da", "neutral"), ("I don't like it", "negative"),
     ("<b>terrible</b>\x00", "negative")],
)  # fmt: skip
def test_a_text_has_a_tone_by_its_words(text: str, tone: str) -> None:
    assert only(answer(1, text=text))["tone"] == tone
