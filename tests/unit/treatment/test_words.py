"""Words on treatments: what an event says, whose treatment it speaks of, and that any order comes to the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event, microseconds
from services.treatment.domain import past, treated, words
from services.treatment.domain.treated import Arm, Tally, counted, fold
from services.treatment.domain.words import Incomplete, Word, word_of
from tests.support.house import NOON, an_event
from tests.unit.treatment.deciding import NOW_US, treatment

OURS = "trt_" + "a" * 32


def said(type_: str, properties: dict[str, Any], **more: Any) -> Event:
    return an_event(more.pop("sent_id", type_), more.pop("who", {"user_id": ["ann"]}), type=type_,
                    properties=properties, **more)  # fmt: skip


def word(type_: str, properties: dict[str, Any], **more: Any) -> Word:
    found = word_of(said(type_, properties, **more))
    assert isinstance(found, Word)
    return found


def test_a_decision_of_ours_says_how_it_came_about_and_nobody_else_can_give_out_its_id() -> None:
    properties = {"treatment_id": OURS, "action_id": "tea", "placement": "home", "seed": "s", "reason": "why",
                  "expires_at": "2024-03-01T13:00:00Z", "note": "x"}  # fmt: skip
    found = word("treatment.decided", properties, source="customer360")
    assert found.told == {"seed": "s", "reason": "why"}
    assert (found.action_id, found.placement, found.channel) == ("tea", "home", "web")
    assert found.expires_us == microseconds(NOON + timedelta(hours=1))
    assert isinstance(word_of(said("treatment.decided", properties, source="web")), Incomplete)
    odd = {**properties, "candidates": [{"action_id": "tea", "weight": "heavy"}]}
    assert word("treatment.decided", odd, source="customer360").told is None
    foreign = word("treatment.decided", {**properties, "treatment_id": "tr-1"}, source="web")
    assert foreign.told is None


@pytest.mark.parametrize(
    ("type_", "properties"),
    [
        ("treatment.shown", {}),
        ("treatment.shown", {"treatment_id": ""}),
        ("treatment.shown", {"treatment_id": "x" * 257}),
        ("treatment.shown", {"treatment_id": ["x"]}),
        ("treatment.outcome", {"treatment_id": "t"}),
        ("treatment.outcome", {"treatment_id": "t", "outcome": "liked"}),
        ("treatment.outcome", {"treatment_id": "t", "outcome": ["accepted"]}),
        ("treatment.decided", {"treatment_id": "t"}),
    ],
)
def test_what_does_not_say_which_treatment_or_what_of_it_has_no_effect(
    type_: str, properties: dict[str, Any]
) -> None:
    assert isinstance(word_of(said(type_, properties)), Incomplete)


def test_a_coupon_of_a_treatment_is_its_conversion_and_another_coupon_says_nothing() -> None:
    assert word("coupon.redeemed", {"coupon": "c", "treatment_id": "t"}).outcome == "converted"
    assert word_of(said("coupon.redeemed", {"coupon": "c"})) is None
    assert word_of(said("page.viewed", {"treatment_id": "t"})) is None


def test_a_treatment_of_ours_is_one_whatever_record_tells_and_a_promotion_of_others_is_one_for_each() -> None:
    ours = {word("treatment.shown", {"treatment_id": OURS}, who={"user_id": [w]}).treatment for w in ("ann", "bob")}
    theirs = {
        word("treatment.shown", {"treatment_id": "sale"}, who={"user_id": [w]}).treatment for w in ("ann", "bob")
    }
    assert (len(ours), len(theirs)) == (1, 2)


def test_a_word_is_read_as_it_was_written() -> None:
    numbers = dict.fromkeys(("score", "propensity", "value", "cost", "weight"), "0.25")
    told = {"treatment_id": OURS, "action_id": "tea",
            "candidates": [{"action_id": "tea", "kind": "offer", "priority": 1, **numbers}]}  # fmt: skip
    found = word("treatment.decided", told, source="customer360")
    assert found.told == {"candidates": told["candidates"]}
    assert words.read(words.write(found)) == found
    folded = fold([found])
    assert folded is not None
    assert treated.read(treated.write(folded)) == folded


def test_an_outcome_says_that_it_was_shown_and_the_strongest_one_counts() -> None:
    decided = word("treatment.decided", {"treatment_id": OURS, "action_id": "tea"}, source="customer360")
    one, two = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    rejected = word("treatment.outcome", {"treatment_id": OURS, "outcome": "rejected"}, time=one)
    accepted = word("treatment.outcome", {"treatment_id": OURS, "outcome": "accepted"}, time=two, sent_id="later")
    found = fold([accepted, rejected, decided])
    assert found is not None
    assert (found.outcome, found.outcome_us, found.shown_us) == ("accepted", accepted.time_us, rejected.time_us)
    assert counted(found) == {Arm("tea", "", ""): Tally(1, 1, 1, 0)}


def test_who_shows_without_asking_may_name_the_action_by_its_treatment() -> None:
    found = fold([word("treatment.shown", {"treatment_id": "tea"})])
    assert found is not None
    assert (found.action_id, found.decided_us, counted(found)) == (
        "tea",
        None,
        {Arm("tea", "", ""): Tally(0, 1, 0, 0)},
    )


WORDS = st.lists(
    st.builds(
        Word,
        event_id=st.uuids().map(str),
        record_id=st.sampled_from(["r1", "r2"]),
        treatment_id=st.just(OURS),
        what=st.sampled_from(["decided", "shown", "outcome"]),
        time_us=st.integers(0, 5),
        channel=st.sampled_from(["web", "app"]),
        action_id=st.sampled_from([None, "tea", "none"]),
        outcome=st.sampled_from(["ignored", "rejected", "accepted", "converted"]),
        experiment=st.sampled_from([None, "x"]),
        variant=st.sampled_from([None, "challenger"]),
    ).map(
        lambda w: (
            w if w.what == "outcome" else Word(**{**{f: getattr(w, f) for f in w.__struct_fields__}, "outcome": None})
        )
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda w: w.event_id,
)


@given(given_words=WORDS, data=st.data())
def test_any_order_of_the_words_comes_to_the_same_treatment(given_words: list[Word], data: st.DataObject) -> None:
    assert fold(data.draw(st.permutations(given_words))) == fold(given_words)


@given(given_words=WORDS)
def test_of_one_treatment_nothing_counts_twice_and_what_is_accepted_was_shown(given_words: list[Word]) -> None:
    ((_, tally),) = counted(fold(given_words)).items()
    assert all(part in (0, 1) for part in tally)
    assert tally.shown >= tally.accepted + tally.rejected
    assert tally.decided == any(one.what == "decided" for one in given_words)


def test_the_documents_part_lists_what_stands_and_leaves_out_decisions_for_nothing() -> None:
    listed = [
        treatment("tea", 1, shown_us=None, expires_us=NOW_US + 1),
        treatment("cake", 2, shown_us=None, expires_us=NOW_US - 1),
        treatment("cup", 3, outcome="accepted", outcome_us=NOW_US),
        treatment("none", 0.5),
    ]
    found = past.section(listed, NOW_US)
    assert [one["action_id"] for one in found["last"]] == ["tea", "cake", "cup"]
    assert [one["action_id"] for one in found["open"]] == ["tea"]
    assert found["outcomes"] == {"accepted": 1}
    assert found["pressure"] == {"shown_1d": 0, "shown_7d": 1, "shown_30d": 1}
