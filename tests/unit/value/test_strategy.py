"""What somebody could bring: a word believed, fading, coming true; share of wallet, where unknown is not zero."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.sections import Value
from services.value.domain.days import begins_us, date_of
from services.value.domain.ledger import Cell, Known, Looking, Worth, worth
from services.value.domain.policy import Policy
from services.value.domain.statements import Statement, read_statement, statement_of, write_statement
from tests.unit.value.foreseen import GRADING, bought
from tests.unit.value.stating import DAY_US, POLICY, PRAGUE, event

DAY = 20_000
NOON_US = begins_us(DAY, PRAGUE) + DAY_US // 2


def said(kind: str, days: int = 0, /, *, id: str = "s1", **properties: Any) -> Statement:
    """What such an event states, so many days after DAY."""
    at = NOON_US + days * DAY_US
    found = statement_of(event(kind, properties, at=at, id=id), at, PRAGUE)
    assert found is not None
    assert read_statement(write_statement(found)) == found
    return found


def intends(days: int = 0, **properties: Any) -> Statement:
    """He means to buy for 1000."""
    return said("intention.stated", days, **{"intention": "buy", "amount": "1000", "currency": "USD", **properties})


def elsewhere(days: int = 0, **properties: Any) -> Statement:
    """What he buys elsewhere."""
    return said("wallet.stated", days, **{"currency": "USD", **properties})


def on(day: int, *statements: Statement, cells: list[Cell] | None = None, policy: Policy = POLICY) -> Any:
    """The section of an answer, so many days after DAY."""
    known = Known(cells or [], said=statements)
    return worth(known, policy, Looking(DAY + day, PRAGUE, is_answer=True)).body


def test_of_who_said_nothing_nothing_is_known_and_that_is_not_zero() -> None:
    body = on(0, cells=bought(DAY))
    assert body["strategic"] is None
    assert body["tier"]["strategic"] == "unknown"
    intending = on(0, intends(), cells=bought(DAY))["strategic"]
    assert intending["share_of_wallet"] is None


def test_a_word_is_believed_in_part_and_half_as_much_after_its_half_life() -> None:
    far = intends(by_when=date_of(DAY + 400).isoformat())
    assert on(0, far)["strategic"]["potential"] == "300.00"
    assert on(0, far)["tier"]["strategic"] == "medium"
    assert on(180, far)["strategic"]["potential"] == "150.00"
    assert on(180, far)["tier"]["strategic"] == "low"
    assert on(400, far)["strategic"]["intentions"][0]["state"] == "open"
    lapsed = on(401, far)["strategic"]
    assert (lapsed["intentions"][0]["state"], lapsed["potential"]) == ("lapsed", None)


def test_a_word_without_a_date_holds_for_the_window() -> None:
    states = [on(day, intends())["strategic"]["intentions"][0]["state"] for day in (0, 90, 91)]
    assert states == ["open", "open", "lapsed"]


def test_a_word_comes_true_by_what_he_buys_and_is_then_no_potential_any_more() -> None:
    part, whole = bought(DAY + 5, net=400), bought(DAY + 5, DAY + 9, net=500)
    half = on(10, intends(), cells=part)["strategic"]
    assert (half["intentions"][0]["bought"], half["intentions"][0]["state"]) == ("400.00", "open")
    assert 150 < float(half["potential"]) < 180
    done = on(10, intends(), cells=whole)["strategic"]
    assert (done["intentions"][0]["state"], done["potential"]) == ("realised", None)
    partly = on(200, intends(), cells=part)["strategic"]["intentions"][0]
    assert partly["state"] == "partly"
    earlier = on(10, intends(), cells=bought(DAY - 1, net=2000))["strategic"]["intentions"][0]
    assert earlier["state"] == "open", "what he bought before he said it is not what he meant"


def test_an_area_counts_for_itself_in_whatever_case() -> None:
    shoes = intends(area="shoes")
    assert on(9, shoes, cells=bought(DAY + 1, net=1000))["strategic"]["intentions"][0]["state"] == "realised"
    books = on(9, shoes, cells=bought(DAY + 1, net=1000, area="Books"))["strategic"]["intentions"][0]
    assert (books["bought"], books["state"]) == ("0.00", "open")


def test_who_keeps_his_word_is_believed_more_and_who_does_not_less() -> None:
    kept = [intends(100 * n, id=f"k{n}") for n in range(3)]
    purchases = bought(*(DAY + 100 * n + 1 for n in range(2)), net=1000)
    assert on(200, *kept, cells=purchases)["strategic"]["realisation"] == pytest.approx((0.3 * 4 + 2) / 6, abs=1e-4)
    assert on(200, *kept)["strategic"]["realisation"] == pytest.approx(0.3 * 4 / 6, abs=1e-4)


def test_said_again_within_its_time_the_last_word_counts_once() -> None:
    again = on(30, intends(), intends(20, id="s2", amount="200"))["strategic"]
    assert [one["state"] for one in again["intentions"]] == ["open", "replaced"]
    assert again["realisation"] == 0.3
    assert float(again["potential"]) < 60


def test_a_probability_weighs_and_another_currency_is_told_and_not_counted() -> None:
    assert on(0, intends(probability="0.5"))["strategic"]["potential"] == "150.00"
    euros = on(0, intends(currency="EUR"))["strategic"]
    assert (euros["potential"], euros["intentions"][0]["expected"]) == (None, None)
    assert (euros["intentions"][0]["amount"], euros["intentions"][0]["currency"]) == ("1000.00", "EUR")


def test_share_of_wallet_is_own_of_own_and_elsewhere_with_source_and_date() -> None:
    found = on(0, elsewhere(amount_elsewhere="600", provider="Rival"), cells=bought(DAY - 9, net=400))["strategic"]
    assert (found["share_of_wallet"], found["elsewhere"], found["potential"]) == (0.4, "600.00", "600.00")
    (wallet,) = found["wallets"]
    assert (wallet["source"], wallet["provider"], wallet["as_of"]) == ("stated", "Rival", date_of(DAY).isoformat())
    estimated = on(0, elsewhere(share="0.25", estimated=True), cells=bought(DAY, net=100))["strategic"]
    assert (estimated["share_of_wallet"], estimated["elsewhere"]) == (0.25, "300.00")
    assert estimated["wallets"][0]["source"] == "estimated"


def test_all_of_it_is_as_the_published_document_describes_it() -> None:
    ended = said("relationship.ended", 5, reason="price")
    words = (intends(), elsewhere(amount_elsewhere="9", provider="Rival", area="Shoes"), ended)
    for policy in (GRADING, POLICY):
        body = on(9, *words, cells=bought(DAY - 9, DAY), policy=policy)
        assert body.pop("left_by") == [ended.event_id], "told for our own use"
        assert Value.model_validate(body).model_dump() == {**body, "as_of": body["as_of"]}


def test_a_share_of_nothing_is_known_to_be_zero_and_says_nothing_of_elsewhere() -> None:
    found = on(0, elsewhere(share=0), cells=bought(DAY))["strategic"]
    assert (found["share_of_wallet"], found["elsewhere"], found["potential"]) == (0.0, None, None)
    nobody = on(0, elsewhere(amount_elsewhere="0"))["strategic"]
    assert (nobody["share_of_wallet"], nobody["elsewhere"]) == (None, "0.00")


def test_a_period_is_brought_to_a_year_and_areas_add_up_until_all_of_it_is_said() -> None:
    monthly = elsewhere(amount_elsewhere="50", period="P1M", area="Shoes")
    books = elsewhere(1, id="s2", amount_elsewhere="100", area="Books")
    cells = bought(DAY - 1, net=50)
    found = on(5, monthly, books, cells=cells)["strategic"]
    assert found["elsewhere"] == "708.33"
    everything = elsewhere(2, id="s3", amount_elsewhere="40")
    assert on(5, monthly, books, everything, cells=cells)["strategic"]["elsewhere"] == "40.00"


@pytest.mark.parametrize(
    ("by_when", "until"),
    [("9999-12-31", 90), ("0001-01-01T00:00:00Z", 90), ("soon", 90), (5, 90), ("2024-10-04T12:00:00Z", 0)],
)
def test_a_date_of_another_age_is_no_date(by_when: Any, until: int) -> None:
    found = on(0, intends(by_when=by_when))["strategic"]["intentions"][0]
    assert found["until"] == date_of(DAY + until).isoformat()


@pytest.mark.parametrize("period", ["P99999999999999Y", "", "P0D", 7, "yearly"])
def test_a_period_that_is_none_is_a_year(period: Any) -> None:
    assert elsewhere(amount_elsewhere="1", period=period).days is None


def test_the_greater_of_wallet_and_words_is_the_potential_never_their_sum() -> None:
    wallet = elsewhere(amount_elsewhere="200")
    assert on(0, wallet, intends())["strategic"]["potential"] == "300.00"
    assert on(89, wallet, intends())["strategic"]["potential"] == "212.95"
    assert on(91, wallet, intends())["strategic"]["potential"] == "200.00"


STATEMENTS = st.lists(
    st.one_of(
        st.builds(
            lambda days, amount, area, until: intends(
                days, id=f"{days}-{amount}", amount=amount, **({"area": area} if area else {}),
                **({"by_when": date_of(DAY + until).isoformat()} if until else {}),
            ),
            st.integers(0, 60), st.integers(0, 9_000), st.sampled_from([None, "Shoes", "Books"]),
            st.sampled_from([0, 30, 200, 900]),
        ),
        st.builds(lambda days, amount: elsewhere(days, id=f"w{days}", amount_elsewhere=amount), st.integers(0, 60),
                  st.integers(0, 2_000)),
        st.builds(lambda days, until: said("relationship.ended", days, id=f"r{days}",
                                           effective_at=date_of(DAY + until).isoformat() + "T12:00:00Z"),
                  st.integers(0, 60), st.integers(0, 200)),
        st.builds(lambda days: said("payment.failed", days, id=f"p{days}", invoice_id="i"), st.integers(0, 60)),
    ),
    min_size=1, max_size=5,
)  # fmt: skip
PURCHASES = st.lists(st.integers(DAY - 30, DAY + 90), max_size=4, unique=True)


def _told(day: int, statements: list[Statement], days: list[int], policy: Policy) -> Worth:
    return worth(Known(bought(*days, net=700), said=statements), policy, Looking(DAY + day, PRAGUE))


@settings(max_examples=60, deadline=None)
@given(STATEMENTS, PURCHASES, st.integers(0, 1_000), st.booleans())
def test_what_is_told_of_words_stays_until_the_marked_day(
    statements: list[Statement], days: list[int], day: int, has_model: bool
) -> None:
    policy = GRADING if has_model else POLICY
    body, mark = found = _told(day, statements, days, policy)
    if mark is None:
        assert body is None or body["strategic"] is None
        return
    assert _told(mark.day - DAY, statements, days, policy) == found
    if mark.next_look is not None:
        assert mark.next_look > day + DAY or mark.next_look > mark.day
        assert _told(mark.next_look - 1 - DAY, statements, days, policy) == found
        moved = _told(mark.next_look - DAY, statements, days, policy).mark
        assert moved is not None
        assert moved.day == mark.next_look


@settings(max_examples=40, deadline=None)
@given(STATEMENTS, PURCHASES, st.integers(0, 400), st.randoms(use_true_random=False))
def test_words_in_any_order_say_the_same(
    statements: list[Statement], days: list[int], day: int, chance: random.Random
) -> None:
    mixed = list(statements)
    chance.shuffle(mixed)
    unique = {one.event_id: one for one in statements}.values()
    if len(unique) == len(statements):
        assert _told(day, mixed, days, GRADING) == _told(day, statements, days, GRADING)
