"""Follow-ups: opened by the answer, closed, and told to him, in this order."""

from __future__ import annotations

import copy

from services.interaction.domain.feedback import say, told
from services.interaction.domain.policy import read_policy
from tests.unit.interaction.hearing import SHIPPED, event, facts
from tests.unit.interaction.surveying import answer, answered_him, closed, nps, only, shown


def test_a_follow_up_is_opened_closed_and_told() -> None:
    assert only(nps(1, 3))["follow_up"] == "open"
    assert only(nps(1, 3), closed(2))["follow_up"] == "closed"
    assert only(nps(1, 3), closed(2), answered_him(3))["follow_up"] == "told"
    for event_type in ("call.held", "conversation.message"):
        by_chat = closed(2, event_type="conversation.closed"), answered_him(3, event_type=event_type)
        assert only(nps(1, 3), *by_chat)["follow_up"] == "told"


def test_a_step_counts_only_after_the_one_before_it() -> None:
    assert only(closed(1), nps(2, 3))["follow_up"] == "open"
    assert only(nps(1, 3), answered_him(2), closed(3))["follow_up"] == "closed"
    assert only(nps(1, 3), answered_him(2))["follow_up"] == "open"


def test_a_detractor_again_is_followed_up_again_and_one_who_is_content_no_longer() -> None:
    assert only(nps(1, 3), closed(2), answered_him(3), nps(4, 2))["follow_up"] == "open"
    assert only(nps(1, 3), nps(2, 10))["follow_up"] is None


def test_the_customers_own_message_and_a_ticket_of_something_else_are_no_steps() -> None:
    own = event("conversation.message", {"response_id": "r1"}, day=3, direction="inbound")
    assert only(nps(1, 3), closed(2), own)["follow_up"] == "closed"
    assert only(nps(1, 3), closed(2, None), closed(2, "r2"))["follow_up"] == "open"


def test_a_step_names_the_response_in_its_own_namespace_where_only_one_has_the_id() -> None:
    two = nps(1, 3), event("feedback.given", {"score": 1, "scale": "nps", "response_id": "r1"}, day=1, source="app")
    assert {i["follow_up"] for i in shown(*two, closed(2))["surveys"]} == {"open"}
    assert [i["follow_up"] for i in shown(*two, closed(2, source="app"))["surveys"]].count("closed") == 1


def test_a_survey_says_below_which_score_of_its_scale_it_follows_up() -> None:
    changed = copy.deepcopy(SHIPPED)
    questions = [{"question_id": "q", "text": "Are you content?"}]
    survey = {"name": "Content", "version": 1, "scale": "csat", "questions": questions, "follow_up": {"below": 3}}
    changed["surveys"]["content"] = survey
    policy = read_policy(changed)
    said = [answer(n, f"r{n}", score=n, survey_id="content") for n in (1, 2, 3)]
    assert told(facts(say, *said), policy)["open_follow_ups"] == 2
    assert told(facts(say, nps(1, 6, survey_id="content")), policy)["open_follow_ups"] == 1


def test_without_a_surveys_word_only_detractors_are_followed_up() -> None:
    assert only(nps(1, 6))["follow_up"] == "open"
    assert only(nps(1, 7))["follow_up"] is None
    assert only(answer(1, score=1, scale="csat"))["follow_up"] is None
    assert only(answer(1, score=1, scale="csat", survey_id="nps"))["follow_up"] is None
