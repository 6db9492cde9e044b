"""Whether somebody is still a customer, since when not, and why: his own word, else what went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from services.value.domain.days import date_of
from services.value.domain.ledger import Cell, Known, Looking, worth
from services.value.domain.policy import Policy
from services.value.domain.statements import Statement, statement_of
from tests.unit.value.foreseen import GRADING, REGULAR, bought
from tests.unit.value.stating import DAY_US, POLICY, PRAGUE, event
from tests.unit.value.test_strategy import DAY, NOON_US, intends, said

LAST = REGULAR[-1] - DAY


def effective(days: int) -> str:
    """Noon, so many days after DAY."""
    return f"{date_of(DAY + days).isoformat()}T12:00:00Z"


def churn(day: int, *statements: Statement, cells: list[Cell] | None = None, policy: Policy = GRADING) -> Any:
    """The section's part of an answer, so many days after DAY."""
    known = Known(bought(*REGULAR) if cells is None else cells, said=statements)
    body = worth(known, policy, Looking(DAY + day, PRAGUE, is_answer=True)).body
    return None if body is None else body["churn"]


def lapsed_on() -> int:
    """Days after DAY on which the regular customer is lapsed."""
    return next(day for day in range(LAST, LAST + 2_000) if churn(day)["state"] == "lapsed")


def test_who_says_that_it_is_over_has_defected_for_the_reason_he_names() -> None:
    ended = said("relationship.ended", LAST + 3, reason="Too expensive", to="Rival")
    found = churn(LAST + 5, ended)
    assert (found["state"], found["cause"], found["risk"]) == ("defected", "price", 1.0)
    assert found["since"] == date_of(DAY + LAST + 3).isoformat()
    assert (found["evidence"]["kind"], found["evidence"]["event_id"]) == ("stated", ended.event_id)


def test_without_a_model_a_word_tells_and_silence_does_not() -> None:
    assert churn(LAST + 2_000, policy=POLICY) is None
    found = churn(LAST + 5, said("relationship.ended", LAST + 3), policy=POLICY)
    assert (found["state"], found["cause"]) == ("defected", None)
    assert churn(5, said("relationship.ended", 3), cells=[], policy=POLICY)["state"] == "defected"


def test_without_a_named_reason_the_last_trouble_before_it_is_the_cause() -> None:
    complaint = said("ticket.opened", LAST - 20, id="t1", ticket_id="1", subject="x", kind="complaint")
    service = said("call.held", LAST - 5, id="t2", resolved=False)
    later = said("payment.failed", LAST + 9, id="t3", invoice_id="1")
    ended = said("relationship.ended", LAST + 3, reason="because")
    found = churn(LAST + 20, complaint, service, later, ended)
    assert (found["cause"], found["evidence"]["kind"], found["evidence"]["event_id"]) == (
        "service", "inferred", service.event_id,
    )  # fmt: skip
    long_ago = said("ticket.opened", LAST - 88, id="t0", ticket_id="1", subject="x", kind="complaint")
    assert churn(LAST + 20, long_ago, ended)["cause"] is None


def test_who_comes_back_has_not_defected() -> None:
    ended = said("relationship.ended", LAST + 3)
    back = churn(LAST + 20, ended, cells=bought(*REGULAR, DAY + LAST + 10))
    same_day = churn(LAST + 20, ended, cells=bought(*REGULAR, DAY + LAST + 3))
    assert (back["state"], same_day["state"]) == ("active", "defected")


def test_a_cancellation_for_later_is_a_risk_until_it_takes_effect() -> None:
    cancelled = said("subscription.cancelled", LAST, subscription_id="s", effective_at=effective(LAST + 30))
    assert [churn(LAST + day, cancelled)["state"] for day in (1, 29, 30)] == ["at_risk", "at_risk", "defected"]
    told = worth(Known(bought(*REGULAR), said=[cancelled]), GRADING, Looking(DAY + LAST, PRAGUE)).mark
    assert told is not None
    assert told.next_look == DAY + LAST + 30


def test_who_means_to_leave_is_at_risk_while_his_word_holds() -> None:
    leaving = intends(LAST, intention="leave", amount=None, probability="0.9")
    found = churn(LAST + 1, leaving)
    assert (found["state"], found["since"]) == ("at_risk", date_of(DAY + LAST).isoformat())
    assert churn(LAST + 1, leaving, policy=POLICY, cells=[])["risk"] is None


def test_who_falls_silent_after_something_went_wrong_left_because_of_it() -> None:
    day = lapsed_on()
    low = said("feedback.given", LAST + 10, id="f", score=2, scale="nps")
    dear = said("feedback.given", LAST + 12, id="g", score=1, scale="nps", topic="prices")
    far = said("payment.failed", LAST + 91, id="p", invoice_id="1")
    found = churn(day, low, dear, far)
    assert (found["state"], found["cause"], found["evidence"]["event_id"]) == ("lapsed", "price", dear.event_id)
    assert found["since"] == date_of(DAY + day).isoformat()
    assert churn(day)["cause"] is None
    assert churn(LAST + 1, low)["cause"] is None, "of who is active nothing has to be explained"


def test_the_mark_says_since_when_he_is_gone_and_why() -> None:
    ended = said("relationship.ended", LAST + 3, reason="moved abroad")
    mark = worth(Known(bought(*REGULAR), said=[ended]), GRADING, Looking(DAY + LAST + 50, PRAGUE)).mark
    assert mark is not None
    assert (mark.state, mark.left_day, mark.cause) == ("defected", DAY + LAST + 3, "moved")


@pytest.mark.parametrize(
    ("kind", "properties", "cause"),
    [
        ("message.complained", {"message_id": "m"}, "complaint"),
        ("ticket.opened", {"ticket_id": "1", "kind": "fault"}, "service"),
        ("ticket.opened", {"ticket_id": "1", "kind": "question"}, None),
        ("ticket.updated", {"ticket_id": "1", "reopened": True}, "service"),
        ("promise.broken", {"promise_id": "1"}, "service"),
        ("payment.failed", {"invoice_id": "1"}, "payment"),
        ("feedback.given", {"score": 7, "scale": "nps"}, None),
        ("feedback.given", {"score": 2, "scale": "stars"}, "service"),
        ("call.held", {"outcome": "abandoned", "topics": ["price rise"]}, "price"),
        ("call.held", {"outcome": "answered", "sentiment": 0.4}, None),
        ("conversation.message", {"conversation_id": "c", "text": "x", "sentiment": -0.8}, "service"),
        ("subscription.changed", {"subscription_id": "s", "reason": "fee increase"}, "price"),
        ("subscription.changed", {"subscription_id": "s", "reason": "upgrade"}, None),
        ("subscription.cancelled", {}, None),
        ("intention.stated", {"intention": "dream", "amount": 5}, None),
        ("intention.stated", {"intention": "buy", "amount": "-5"}, None),
        ("wallet.stated", {"share": "1.5"}, None),
        ("relationship.ended", {"reason": "your competitor"}, "competitor"),
    ],
)
def test_each_event_says_what_it_says_or_nothing(kind: str, properties: dict[str, Any], cause: str | None) -> None:
    found = statement_of(event(kind, properties), NOON_US, PRAGUE)
    assert (None if found is None else found.cause) == cause
    assert found is None or found.time_us == NOON_US
    assert NOON_US % DAY_US != 0


def test_the_words_by_which_somebody_left_are_told_beside_his_section() -> None:
    first, second = (said("relationship.ended", LAST + n, id=f"e{n}") for n in (3, 4))
    ahead = said("relationship.ended", LAST + 4, id="a", effective_at=effective(LAST + 90))

    def left_by(*statements: Statement, cells: list[Cell]) -> Any:
        body = worth(Known(cells, said=statements), GRADING, Looking(DAY + LAST + 20, PRAGUE)).body or {}
        return body.get("left_by")

    assert left_by(second, ahead, first, cells=bought(*REGULAR)) == [first.event_id, second.event_id]
    assert left_by(first, second, cells=bought(*REGULAR, DAY + LAST + 10)) is None
    assert left_by(cells=bought(*REGULAR)) is None
