"""Reach: what all that was said of an address makes of it, and what of that is told."""

from __future__ import annotations

import random
from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.reach import (
    DAY_US,
    LISTED_MAX,
    PROOFS,
    Kind,
    Medium,
    Reach,
    Word,
    adds_nothing,
    facts,
    fold,
    moment,
)
from tests.unit.identity.stating import record

MINUTE_US = 60_000_000


def word(minute: int, kind: Kind, event: str = "", medium: Medium = Medium.EMAIL, about: str = "email:a") -> Word:
    """One word on one address."""
    return Word(event or f"e{minute:02}", "user_id:1", about, medium, kind, minute * MINUTE_US)


def line(*kinds: Kind) -> Reach:
    """The reach of an address of which this was said, one word a minute."""
    return fold(word(minute, kind) for minute, kind in enumerate(kinds))


# -- an address ------------------------------------------------------------------------------------------------------


def test_an_address_fails_if_it_bounced_after_the_last_proof() -> None:
    assert line(Kind.BOUNCED, Kind.DELIVERED).failed_us is None
    failed = line(Kind.DELIVERED, Kind.BOUNCED, Kind.INVALID)
    assert (failed.proved_us, failed.failed_us, failed.failed_by) == (0, MINUTE_US, Kind.BOUNCED)


def test_three_soft_bounces_in_a_row_are_a_bounce_and_a_proof_between_them_counts_anew() -> None:
    soft = Kind.SOFT_BOUNCED
    assert (line(soft, soft).failed_us, line(soft, soft).soft) == (None, 2)
    assert line(soft, soft, soft).failed_us == 2 * MINUTE_US
    assert line(soft, soft, Kind.OPENED, soft, soft).failed_us is None
    assert line(soft, soft, soft, soft).failed_us == 2 * MINUTE_US, "the third, whatever follows"


def test_of_a_proof_and_a_failure_at_one_time_the_failure_came_later() -> None:
    at_once = [word(1, Kind.DELIVERED, "z"), word(1, Kind.BOUNCED, "a")]
    assert fold(at_once).failed_by is Kind.BOUNCED


def test_a_complaint_proves_the_address_and_is_remembered_after_later_proofs() -> None:
    found = line(Kind.COMPLAINED, Kind.DELIVERED)
    assert (found.complained_us, found.proved_us) == (0, MINUTE_US)


def test_nothing_said_is_nothing_known() -> None:
    assert fold([]) == Reach()


kinds = st.sampled_from([*Kind, *[Kind.SOFT_BOUNCED] * 6])
drawn = st.lists(st.builds(word, st.integers(0, 6), kinds, st.sampled_from(["a", "b", "c", "d"])), max_size=10)


@given(drawn, st.randoms(use_true_random=False))
def test_any_order_and_any_copies_give_the_same(heard: list[Word], order: random.Random) -> None:
    again = [*heard, *order.sample(heard, order.randint(0, len(heard)))]
    order.shuffle(again)
    assert fold(again) == fold(heard)


@given(drawn, drawn)
def test_what_is_taken_back_is_as_if_it_had_never_been_said(kept: list[Word], taken: list[Word]) -> None:
    living = [w for w in [*taken, *kept] if w in kept]
    assert fold(living) == fold(kept)


@given(drawn)
def test_a_reach_is_what_a_reader_of_the_line_would_say(heard: list[Word]) -> None:
    proved = failed = None
    soft: list[Word] = []
    for one in sorted(set(heard), key=lambda w: w.rank):
        if one.proves:
            proved, failed, soft = one, None, []
            continue
        soft = [*soft, one] if one.kind is Kind.SOFT_BOUNCED else soft
        if failed is None and (one.kind is not Kind.SOFT_BOUNCED or len(soft) == 3):
            failed = one
    found = fold(heard)
    assert found.proved_us == (proved.time_us if proved else None)
    assert (found.failed_us, found.failed_by) == ((failed.time_us, failed.kind) if failed else (None, None))
    assert found.soft == len(soft)


@given(drawn)
def test_the_last_proof_the_last_complaint_and_the_failures_since_are_enough(heard: list[Word]) -> None:
    proof = max((w for w in heard if w.proves), key=lambda w: w.rank, default=None)
    complaints = [w for w in heard if w.kind is Kind.COMPLAINED]
    failures = [w for w in heard if not w.proves and (proof is None or w.time_us >= proof.time_us)]
    read = [*([proof] if proof else []), *failures, *sorted(complaints, key=lambda w: w.time_us)[-1:]]
    assert fold(read) == fold(heard)


# -- told ------------------------------------------------------------------------------------------------------------


def test_facts_stand_beside_the_addresses_in_the_order_of_the_records_and_hold_none() -> None:
    records = [record("user_id:1"), record("email:b", 5 * MINUTE_US), record("email:a"), record("phone:7")]
    found = facts(
        records,
        [
            word(7, Kind.OPENED, about="email:b"),
            word(8, Kind.RETURNED, medium=Medium.POST, about="user_id:1"),
            word(9, Kind.DELIVERED, "x", medium=Medium.POST, about="email:a"),
        ],
    )
    assert [e.get("proved_at") for e in found["emails"]] == ["1970-01-01T00:00:00Z", None], "its day"
    assert (found["emails"][0]["known_at"], len(found["phones"])) == ("1970-01-01T00:05:00Z", 1)
    assert found["address"] == {"proved_at": "1970-01-01T00:00:00Z"}, "of all his records"
    assert b"@" not in orjson.dumps(found)


def test_of_a_proof_its_day_is_told_and_of_a_failure_the_moment() -> None:
    noon = DAY_US + 12 * 60 * MINUTE_US
    heard = [
        Word(str(n), "u", "email:a", Medium.EMAIL, kind, noon + n)
        for n, kind in enumerate((Kind.OPENED, Kind.BOUNCED))
    ]
    (told,) = facts([record("email:a")], heard)["emails"]
    assert (told["proved_at"], told["failed_at"]) == ("1970-01-02T00:00:00Z", moment(noon + 1))


@given(drawn, st.builds(word, st.integers(0, 6), kinds, st.just("new")))
def test_what_adds_nothing_changes_nothing_that_is_told(heard: list[Word], one: Word) -> None:
    """The rule by which a customer is not told each time he opens a letter; a day has two minutes here."""
    spread = [replace(w, time_us=w.time_us * DAY_US // (2 * MINUTE_US)) for w in (*heard, one)]
    proved = max((w.time_us for w in spread[:-1] if w.proves), default=None)
    failed = any(not w.proves and proved is not None and w.time_us >= proved for w in spread[:-1])
    if proved is not None and not failed and adds_nothing(spread[-1], proved):
        assert facts([record("email:a")], spread) == facts([record("email:a")], spread[:-1])


def test_no_more_facts_are_told_than_addresses_are_listed() -> None:
    assert len(facts([record(f"email:{n:03}") for n in range(LISTED_MAX + 5)], [])["emails"]) == LISTED_MAX


def test_every_kind_is_a_proof_or_a_failure() -> None:
    failures = {Kind.SOFT_BOUNCED, Kind.BOUNCED, Kind.INVALID, Kind.RETURNED}
    assert set(Kind) == PROOFS | failures
