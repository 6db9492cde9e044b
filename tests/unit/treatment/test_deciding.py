"""What is decided: worth and priority, rules and their reasons, what was done before, nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.treatment.domain.deciding import (
    ALL_LEFT_OUT,
    HIGHEST,
    NOT_WORTH_IT,
    NOTHING_HERE,
    Candidate,
    decide,
    in_order,
    seed_of,
)
from services.treatment.domain.learning import Learnt
from services.treatment.domain.scoring import Stored, again, scored
from services.treatment.domain.telling import By, answer, chosen_again, filled, listed, properties
from services.treatment.domain.treated import Tally
from tests.unit.treatment.deciding import ANN, action_of, asked, made, policy, treatment, why_not

GRADE_A = {"value": {"tier": {"grade": "A"}}}


def test_the_highest_score_is_decided_and_every_candidate_is_told_with_what_it_is_made_of() -> None:
    found = made(policy({"tea": {"propensity": "0.5"}, "cake": {"propensity": "0.4", "value": 20, "cost": 1}}))
    assert (action_of(found), found.reason) == ("cake", HIGHEST)
    assert [(c.action_id, c.score_micros) for c in found.candidates] == [("cake", 7_000_000), ("tea", 5_000_000)]


def test_a_higher_priority_goes_before_a_higher_score() -> None:
    found = made(policy({"tea": {"value": 100}, "promise": {"value": 1, "priority": 1}}))
    assert action_of(found) == "promise"


def test_a_weight_counts_while_its_condition_on_what_was_asked_holds() -> None:
    by = policy({
        "tea": {"value": 9},
        "cake": {"value": 8, "weights": [{"when": {"field": "context.reason", "is": "birthday"}, "add": 2}]},
    })  # fmt: skip
    assert action_of(made(by)) == "tea"
    assert action_of(made(by, question=asked(context={"reason": "birthday"}))) == "cake"


def test_what_is_not_worth_more_than_it_costs_is_not_done() -> None:
    found = made(policy({"tea": {"propensity": "0.1", "cost": 1}}))
    assert (found.action, found.reason) == (None, NOT_WORTH_IT)
    assert [one.score_micros for one in found.candidates] == [0]


def test_a_worthless_action_of_high_priority_does_not_hide_a_good_one() -> None:
    assert action_of(made(policy({"gift": {"value": 0, "priority": 9}, "tea": {}}))) == "tea"


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ({"placements": ["cart"]}, "actions.tea.placements"),
        ({"channels": ["email"]}, "actions.tea.channels"),
    ],
)
def test_an_action_is_decided_only_where_it_may_be(action: dict[str, Any], rule: str) -> None:
    found = made(policy({"tea": action}))
    assert (found.action, found.reason) == (None, NOTHING_HERE)
    assert why_not(found, "tea")[0] == rule


def test_a_condition_that_does_not_hold_leaves_out_with_what_it_found() -> None:
    by = policy({"tea": {"when": {"field": "value.tier.grade", "is": "A"}}})
    assert action_of(made(by, GRADE_A)) == "tea"
    found = made(by, {"value": {"tier": {"grade": "C"}}})
    assert found.reason == ALL_LEFT_OUT
    rule, why = why_not(found, "tea")
    assert (rule, why["actual"], why["holds"]) == ("actions.tea.when", ["C"], False)


def test_reasons_show_what_the_asker_may_see_and_hold_by_what_is_there() -> None:
    by = policy({"tea": {"when": {"field": "contact.name", "is": "Bob"}}})
    full, seen = {"contact": {"name": "Ann Lee"}}, {"contact": {"name": "A•••"}}
    found = decide(by, full, asked(), (), Learnt(), seen)
    assert why_not(found, "tea")[1]["actual"] == ["A•••"]


def test_while_a_suppression_holds_actions_of_its_kinds_are_left_out_unless_they_are_in_spite_of_it() -> None:
    angry = {"angry": {"kinds": ["offer"], "when": {"field": "interaction.tone", "is": "negative"}}}
    by = policy({"tea": {}, "sorry": {"despite": ["angry"]}, "call": {"kind": "next_step"}}, suppress=angry)
    found = made(by, {"interaction": {"tone": "negative"}})
    assert why_not(found, "tea")[0] == "suppress.angry.when"
    assert {one.action_id for one in found.candidates} == {"sorry", "call"}
    assert len(made(by).candidates) == 3


CONSENTS: dict[str, Any] = {
    "consents": {"marketing": {"by_channel": {"email": {"state": "withdrawn"}, "all": {"state": "granted"}}}}
}


@pytest.mark.parametrize(
    ("channel", "document", "state"),
    [("web", CONSENTS, None), ("email", CONSENTS, "withdrawn"), ("web", {}, "unknown")],
)
def test_an_action_that_needs_a_consent_is_left_out_without_it_on_this_channel(
    channel: str, document: dict[str, Any], state: str | None
) -> None:
    found = made(policy({"tea": {"consent": "marketing"}}), document, asked(channel))
    if state is None:
        assert action_of(found) == "tea"
    else:
        assert why_not(found, "tea") == ("actions.tea.consent", {"purpose": "marketing", "state": state})


@pytest.mark.parametrize(
    ("reachable", "why_not_"),
    [({"why_not": []}, None), ({"why_not": ["bounced"]}, ["bounced"]), (None, ["unknown"])],
)
def test_who_is_not_reached_by_a_channel_is_sent_nothing_by_it(reachable: Any, why_not_: list[str] | None) -> None:
    document = {"contact": {"reachable": {"email": reachable} if reachable else {}}}
    found = made(policy({"tea": {"reachable": True}}), document, asked("email"))
    assert (action_of(found) == "tea") is (why_not_ is None)
    if why_not_ is not None:
        assert why_not(found, "tea")[1]["why_not"] == why_not_


def test_after_a_rejection_an_action_rests_for_its_days() -> None:
    by = policy({"tea": {"rest_days": {"rejected": 30}}})
    for days_ago, rests in ((29.5, True), (30.5, False)):
        shown = treatment(days_ago=days_ago)
        past = [treatment(days_ago=days_ago, outcome="rejected", outcome_us=shown.at_us)]
        found = made(by, past=past)
        assert (found.action is None) is rests
        if rests:
            assert why_not(found, "tea") == ("actions.tea.rest_days", {"days_left": 1})
    assert action_of(made(by, past=[treatment(outcome="accepted", outcome_us=0)])) == "tea"


def test_a_cap_bounds_what_was_shown_within_its_days_by_kind_and_by_action() -> None:
    caps = [{"kinds": ["offer"], "at_most": 2, "days": 7}]
    by = policy({"tea": {}, "cake": {"caps": [{"at_most": 1, "days": 30}]}}, pressure=caps)
    assert len(made(by, past=[treatment("tea", 1)]).candidates) == 2
    found = made(by, past=[treatment("tea", 1), treatment("tea", 6)])
    assert why_not(found, "tea") == ("pressure[0]", {"counted": 2, "at_most": 2, "days": 7, "of": "shown"})
    found = made(by, past=[treatment("tea", 8), treatment("cake", 20)])
    assert why_not(found, "cake")[0] == "actions.cake.caps[0]"
    assert action_of(found) == "tea"


def test_what_was_decided_and_not_shown_presses_only_where_decisions_are_counted() -> None:
    past = [treatment("tea", 1, shown_us=None)]
    for of, is_left_out in (("shown", False), ("decided", True)):
        by = policy({"tea": {"caps": [{"at_most": 1, "days": 7, "of": of}]}})
        assert (made(by, past=past).action is None) is is_left_out


def test_what_is_learnt_changes_what_is_decided() -> None:
    by = policy({"tea": {"propensity": "0.5"}, "cake": {"propensity": "0.4"}})
    assert action_of(made(by)) == "tea"
    learnt = Learnt({"tea": Tally(shown=100, accepted=1), "cake": Tally(shown=100, accepted=60)})
    assert action_of(made(by, learnt=learnt)) == "cake"


def test_equals_are_told_apart_by_the_seed_alone() -> None:
    by = policy({name: {} for name in "abcdef"})
    chosen = {seed: action_of(made(by, question=asked(seed=seed))) for seed in map(str, range(60))}
    assert set(chosen.values()) == set("abcdef")
    assert all(action_of(made(by, question=asked(seed=seed))) == one for seed, one in chosen.items())


def test_a_customer_is_decided_for_alike_all_through_a_day() -> None:
    assert seed_of(ANN, "home", 7) == seed_of(ANN, "home", 7)
    assert (
        len({seed_of(ANN, "home", 7), seed_of(ANN, "home", 8), seed_of(ANN, "cart", 7), seed_of("b", "home", 7)}) == 4
    )


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        action_id=st.sampled_from("abcdefgh"),
        kind=st.just("offer"),
        priority=st.integers(0, 2),
        propensity_ppm=st.integers(0, 1_000_000),
        value_micros=st.integers(0, 10**9),
        cost_micros=st.integers(0, 10**8),
        weight_micros=st.integers(-(10**7), 10**7),
    ),
    unique_by=lambda one: one.action_id,
    max_size=8,
)


@given(candidates=CANDIDATES, seed=st.text(max_size=8), data=st.data())
def test_what_is_stored_of_a_decision_gives_it_again_in_whatever_order_it_was_written(
    candidates: list[Candidate], seed: str, data: st.DataObject
) -> None:
    ordered = in_order(candidates, seed)
    best = ordered[0].action_id if ordered and ordered[0].score_micros > 0 else "none"
    stored = data.draw(st.permutations([listed(one) for one in candidates]))
    assert chosen_again(stored, seed) == best
    if best != "none":
        assert not any(
            (c.priority, c.score_micros) > (ordered[0].priority, ordered[0].score_micros)
            for c in candidates
            if c.score_micros > 0
        )


def test_what_the_log_keeps_of_the_reasons_is_rules_and_no_value_of_the_customers() -> None:
    by = policy({"tea": {"when": {"field": "contact.name", "is": "Bob"}}, "cake": {"text": {"en": "Cake"}}})
    question = asked(context={"secret": "Ann's diary"})
    document = {"contact": {"name": "Ann Lee"}}
    told = answer("trt_1", made(by, document, question), question, By(7, "beta-0-0", 3, "p"), document)
    assert told["left_out"][0]["why"]["actual"] == ["Ann Lee"]
    logged = properties(told)
    assert "Ann" not in str(logged)
    assert logged["left_out"] == [{"action_id": "tea", "rule": "actions.tea.when"}]
    assert (logged["action_id"], logged["propensity"], logged["rule_version"]) == ("cake", "1", "7")


@pytest.mark.parametrize(("language", "text"), [("de-AT", "Tee"), ("fr", "Tea"), ("", "Tea")])
def test_the_text_is_in_the_customers_language_where_there_is_one(language: str, text: str) -> None:
    by = policy({"tea": {"text": {"en": "Tea", "de": "Tee"}}})
    document = {"preferences": {"contact": {"language": language}}} if language else {}
    told = answer("trt_1", made(by, document), asked(), By(1, "", 0, None), document)
    assert told["action"]["text"] == text


def test_parameters_are_filled_of_what_the_asker_may_see_when_it_is_answered() -> None:
    by = policy(
        {"ask": {"parameters": {"tone": "kind"}, "fill": {"of": "contact.emails.value", "why": "context.why"}}}
    )
    question = asked(context={"why": ["a", {"no": "list"}, "b"]})
    document = {"contact": {"emails": [{"value": "ann@x.com"}]}}
    told = answer("trt_1", made(by, document, question), question, By(1, "", 0, None), document)
    assert "ann@x.com" not in str(told)
    seen = {"contact": {"emails": [{"value": "a•••@x.com"}]}}
    assert filled(told, seen, question.context)["action"]["parameters"] == {
        "tone": "kind", "of": ["a•••@x.com"], "why": ["a", "b"],
    }  # fmt: skip
    assert "fill" not in filled(told, {}, {})["action"]


def test_a_policy_is_scored_on_candidates_as_they_were_and_what_came_of_agreeing_decisions_is_told() -> None:
    by = policy({"tea": {"value": 5}, "cake": {"value": 4}})
    decision = made(by)
    candidates = tuple(listed(one) for one in decision.candidates)
    accepted = Stored(treatment("tea", outcome="accepted", outcome_us=0), candidates, "a seed")
    ignored = Stored(treatment("tea", shown_us=None), candidates, "a seed")
    assert again(accepted, by, Learnt()) == "tea"
    same = scored([accepted, ignored], by, Learnt())
    assert same["all"] == same["agreeing"] == {"decided": 2, "shown": 1, "accepted": 1}
    assert same["others"] == []
    other = scored([accepted, ignored], policy({"cake": {"value": 4}}), Learnt())
    assert other["agreeing"] == {"decided": 0, "shown": 0, "accepted": 0}
    assert other["others"] == [{"decided": "tea", "would_be": "cake", "decisions": 2}]
    assert again(accepted, policy({"jam": {}}), Learnt()) == "none"
