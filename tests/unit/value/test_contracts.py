"""Who has a contract is there while it runs; a renewal that does not come lapses, after some days of grace."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.value.domain.days import date_of, day_of, later
from services.value.domain.ledger import Known, Looking, worth
from services.value.domain.statements import Statement, statement_of
from tests.unit.value.foreseen import GRADING, bought
from tests.unit.value.stating import DAY_US, POLICY, PRAGUE, event
from tests.unit.value.test_leaving import effective
from tests.unit.value.test_strategy import DAY, NOON_US, said

GRACE = POLICY.churn.grace_days
MONTH = (later(DAY, "P1M") or 0) - DAY
"""Days of the month that begins on DAY."""


def term(day: int, kind: str = "started", contract: str = "s", **more: Any) -> Statement:
    """A contract that begins or is renewed so many days after DAY, for a month unless other things are said."""
    own = {"subscription_id": contract, "interval": "P1M", "amount": "9", "currency": "USD", "plan": "p", **more}
    return said(f"subscription.{kind}", day, id=f"{contract}-{kind}-{day}", **own)


def churn(day: int, *statements: Statement, bought_on: tuple[int, ...] = (0,), policy: Any = POLICY) -> Any:
    """The section's part of an answer, so many days after DAY, of who was charged on these days."""
    known = Known(bought(*(DAY + one for one in bought_on)), said=statements)
    body = worth(known, policy, Looking(DAY + day, PRAGUE, is_answer=True)).body
    assert body is not None
    return body["churn"]


@pytest.mark.parametrize("policy", [POLICY, GRADING])
def test_who_does_not_renew_is_late_and_then_lapsed_since_his_term_ended(policy: Any) -> None:
    days = (0, MONTH - 1, MONTH, MONTH + GRACE - 1, MONTH + GRACE)
    found = [churn(day, term(0), policy=policy) for day in days]
    assert [one["state"] for one in found] == ["active", "active", "at_risk", "at_risk", "lapsed"]
    assert found[-1]["since"] == date_of(DAY + MONTH).isoformat()


def test_a_renewal_keeps_him_in_whatever_order_it_is_heard() -> None:
    both = [term(0), term(MONTH - 2, "renewed")]
    for heard in (both, both[::-1]):
        assert churn(MONTH + 5, *heard, bought_on=(0, MONTH - 2))["state"] == "active"
        assert churn(3 * MONTH, *heard, bought_on=(0, MONTH - 2))["state"] == "lapsed"


def test_of_several_contracts_the_last_that_runs_counts() -> None:
    year = term(0, contract="t", interval="P1Y")
    assert churn(MONTH + GRACE, term(0), year)["state"] == "active"
    assert churn(366 + GRACE, term(0), year)["state"] == "lapsed"


def test_a_trial_and_a_stated_end_go_before_the_interval() -> None:
    trial = term(0, trial_ends_at=effective(5))
    stated = term(0, trial_ends_at=effective(5), term_ends_at=effective(90))
    assert [churn(day, trial)["state"] for day in (4, 5, 5 + GRACE)] == ["active", "at_risk", "lapsed"]
    assert [churn(day, stated)["state"] for day in (89, 90)] == ["active", "at_risk"]


def test_who_goes_on_buying_has_not_lapsed_and_who_ends_it_has_defected() -> None:
    gone = said("subscription.cancelled", 3, subscription_id="s", effective_at=effective(20), reason="Too expensive")
    assert churn(MONTH + GRACE, term(0), bought_on=(0, MONTH + 1)) is None, "silence tells, and there is no model"
    found = [churn(day, term(0), gone) for day in (10, 20, MONTH + GRACE)]
    assert [(one["state"], one["cause"]) for one in found] == [("at_risk", "price"), *[("defected", "price")] * 2]


def ends(day: int, contract: str = "s", kind: str = "cancelled", **more: Any) -> Statement:
    """He ends a contract, so many days after DAY."""
    return said(f"subscription.{kind}", day, id=f"{contract}-{kind}-{day}", subscription_id=contract, **more)


def states(*statements: Statement, days: tuple[int, ...], **more: Any) -> list[tuple[str, int | None]]:
    """The state on each day, and since how many days after DAY."""
    found = (churn(day, *statements, **more) for day in days)
    return [(c["state"], c["since"] and day_of(date.fromisoformat(c["since"])) - DAY) for c in found]


def test_who_ends_one_of_two_contracts_is_there_until_the_last_ends() -> None:
    two = (term(0, contract="t", interval="P1Y"), term(0), ends(10, reason="too expensive"))
    assert states(*two, days=(9, 10, 364)) == [("active", None)] * 3
    last = ends(200, "t", reason="moved")
    assert states(*two, last, days=(200, 300)) == [("defected", 200)] * 2
    found = churn(300, *two, last)
    assert (found["cause"], found["evidence"]["event_id"]) == ("moved", last.event_id)
    body = worth(Known(bought(DAY), said=[*two, last]), POLICY, Looking(DAY + 300, PRAGUE)).body or {}
    assert body["left_by"] == [last.event_id], "the other contract's end did not part them"


def test_who_ends_the_last_that_ran_has_left_and_whose_last_ran_out_has_lapsed() -> None:
    ran_out, year = term(0), 365
    after = ends(MONTH + GRACE - 1, "t")
    first = ends(MONTH - 1, "t")
    late, gone = MONTH + GRACE - 1, MONTH + GRACE
    longer = term(0, contract="t", interval="P1Y")
    assert states(ran_out, longer, after, days=(late, gone, year)) == [
        ("at_risk", MONTH), ("defected", late), ("defected", late),
    ], "a contract that is late may still be renewed"  # fmt: skip
    assert states(ran_out, longer, first, days=(MONTH - 1, late, gone)) == [
        ("active", None), ("at_risk", MONTH), ("lapsed", MONTH),
    ]  # fmt: skip
    renewed = term(MONTH + 3, "renewed", interval="P1Y")
    assert states(ran_out, longer, after, renewed, days=(gone, year)) == [("active", None), ("active", None)]


def test_contracts_that_are_all_ended_for_later_are_a_risk_and_keep_him_so_long() -> None:
    two = (term(0, interval="P1Y"), term(0, contract="t", interval="P1Y"))
    first, last = ends(10, effective_at=effective(500)), ends(20, "t", effective_at=effective(600))
    assert states(*two, first, days=(11, 364)) == [("active", None), ("active", None)]
    expected = [("at_risk", 20), ("at_risk", 20), ("defected", 600)]
    assert states(*two, first, last, days=(20, 599, 600)) == expected
    assert states(*two, first, last, days=(20, 599, 600), policy=GRADING) == expected, "however silent he is"


def test_a_contract_without_a_term_runs_until_it_is_ended_and_silence_tells_of_its_customer() -> None:
    open_ended = term(0, contract="t", interval="whenever")
    assert open_ended.day is None
    assert churn(700, open_ended) is None, "there is no model"
    often = tuple(range(0, 50, 5))
    assert churn(700, open_ended, policy=GRADING, bought_on=often)["state"] == "lapsed"
    assert churn(60, open_ended, term(0), ends(10)) is None
    assert states(open_ended, term(0), ends(10), ends(90, "t"), days=(90,)) == [("defected", 90)]


def test_a_renewal_takes_the_end_of_its_contract_back_and_no_other() -> None:
    resumed = (term(0, interval="P1Y"), ends(10), term(20, "renewed", interval="P1Y"))
    assert states(*resumed, days=(30, 300)) == [("active", None), ("active", None)]
    other = (term(0, interval="P1Y"), ends(10), term(20, "renewed", "t"))
    assert states(*other, days=(25,)) == [("active", None)]
    assert states(*other, ends(30, "t"), days=(30,)) == [("defected", 30)]


def test_a_word_on_everything_ends_all_contracts_at_once() -> None:
    all_of_it = said("relationship.ended", 40, reason="competitor")
    year = (term(0, interval="P1Y"), term(0, contract="t", interval="P1Y"))
    assert states(*year, all_of_it, days=(40, 300)) == [("defected", 40)] * 2


def test_two_shops_contracts_of_one_number_are_two() -> None:
    def of(shop: str, kind: str, day: int) -> Statement:
        said_of = {"subscription_id": "7", "interval": "P1Y", "plan": "p", "amount": "9", "currency": "USD"}
        at = NOON_US + day * DAY_US
        sent = event(f"subscription.{kind}", said_of, at=at, id=f"{shop}-{kind}", business_namespace=shop)
        found = statement_of(sent, at, PRAGUE)
        assert found is not None
        return found

    both = [of("north", "started", 0), of("south", "started", 0), of("north", "ended", 10)]
    assert states(*both, days=(20,)) == [("active", None)]
    assert states(*both, of("south", "ended", 15), days=(20,)) == [("defected", 15)]


def test_what_went_wrong_around_the_end_of_the_term_is_why() -> None:
    unpaid = said("payment.failed", MONTH + 1, id="p", invoice_id="i")
    found = churn(MONTH + GRACE, term(0), unpaid)
    assert (found["state"], found["cause"], found["evidence"]["event_id"]) == ("lapsed", "payment", unpaid.event_id)


def test_he_is_looked_at_again_on_the_days_on_which_it_changes() -> None:
    known = Known(bought(DAY), said=[term(0)])
    looks: list[Any] = []
    day: int | None = DAY
    while day is not None and len(looks) < 9:
        mark = worth(known, POLICY, Looking(day, PRAGUE)).mark
        assert mark is not None
        looks.append((day - DAY, mark.state, mark.left_day))
        day = mark.next_look
    assert looks == [(0, "active", None), (MONTH, "at_risk", None), (MONTH + GRACE, "lapsed", DAY + MONTH)]


@pytest.mark.parametrize(
    ("began", "period", "found"),
    [
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2026-12-15", "P1M", "2027-01-15"),
        ("2026-03-01", "P2W", "2026-03-15"),
        ("2026-03-01", "p1y2m3d", "2027-05-04"),
        ("2026-03-01", "P0D", None),
        ("2026-03-01", "P", None),
        ("2026-03-01", "a month", None),
        ("2026-03-01", "P999999D", None),
        ("2026-03-01", "P9999Y", None),
    ],
)
def test_a_period_is_counted_by_the_calendar(began: str, period: str, found: str | None) -> None:
    day = later(day_of(date.fromisoformat(began)), period)
    assert (None if day is None else date_of(day).isoformat()) == found
