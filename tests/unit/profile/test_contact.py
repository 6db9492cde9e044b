"""Contact quality: what the facts that identity told mean on the day of the answer."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import microseconds, parse_rfc3339
from services.identity.domain.evidence import Record, Trait
from services.identity.domain.quality import facts
from services.identity.domain.reach import Kind, Medium, Word
from services.identity.domain.section import contact
from services.profile.domain.contact import CODES, COMPLETENESS, WORTH, answered, is_proper_email, may_be_mobile
from tests.unit.identity.stating import record

Fact = Record | Trait | Word
TODAY = date(2026, 3, 1)
ANN, USER, MOBILE, LANDLINE = "email:ann@x.com", "user_id:1", "phone:4915123456789", "phone:4930123456"
HOME = {"street": "High St 1", "city": "Bath"}


def at(day: str) -> int:
    """Noon of a day, in µs."""
    return microseconds(parse_rfc3339(f"{day}T12:00:00Z"))


def trait(name: str, value: Any, day: str = "2026-01-01", by: str = USER, source: str = "crm") -> Trait:
    """One value said once."""
    return Trait(by, name, orjson.dumps(value).decode(), at(day), at(day), f"event-{day}", source)


def word(day: str, kind: Kind, about: str = ANN) -> Word:
    """One word on an address; on that of a user id: on the postal one."""
    medium = {"email": Medium.EMAIL, "phone": Medium.PHONE}.get(about.partition(":")[0], Medium.POST)
    return Word(f"{kind}-{day}", USER, about, medium, kind, at(day))


def shown(*of: Fact, known: bool = True, today: date = TODAY, **given: Any) -> dict[str, Any]:
    """The contact as it is answered, of this evidence."""
    records = [one for one in of if isinstance(one, Record)]
    traits = [one for one in of if isinstance(one, Trait)]
    stored = contact(records, traits)
    stored["facts"] = facts(records, traits, [one for one in of if isinstance(one, Word)])
    return answered(orjson.loads(orjson.dumps(stored)), today, known=known, **given)


def known_by(*names: str, day: str = "2026-02-01") -> list[Record]:
    """A customer with these records, first seen on this day."""
    return [record(name, at(day)) for name in names]


def codes(told: dict[str, Any]) -> list[str]:
    """The issues' codes."""
    return [issue["code"] for issue in told["issues"]]


def asked(told: dict[str, Any]) -> list[str]:
    """What is asked next."""
    return [one["ask_for"] for one in told["ask_next"]]


# -- e-mails ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "valid", "because"),
    [
        ([], None, "unproved"),
        ([("2026-02-02", Kind.DELIVERED)], True, "proved"),
        ([("2026-02-02", Kind.DELIVERED), ("2026-02-03", Kind.BOUNCED)], False, "failed"),
        ([("2026-02-02", Kind.BOUNCED), ("2026-02-03", Kind.OPENED)], True, "proved"),
        ([("2026-02-02", Kind.SOFT_BOUNCED)], None, "unproved"),
        ([("2026-02-02", Kind.INVALID)], False, "failed"),
        ([("2025-03-02", Kind.CLICKED)], True, "proved"),
        ([("2025-03-01", Kind.CLICKED)], None, "stale"),
        ([("2025-02-01", Kind.CLICKED), ("2025-02-02", Kind.BOUNCED)], False, "failed"),
    ],
)
def test_an_email_is_valid_while_its_last_proof_is_fresh(
    said: list[tuple[str, Kind]], valid: Any, because: str
) -> None:
    (email,) = shown(*known_by(USER, ANN), *(word(*one) for one in said))["emails"]
    assert (email["valid"], email["because"]) == (valid, because)
    proofs = [day for day, kind in said if kind not in (Kind.BOUNCED, Kind.SOFT_BOUNCED, Kind.INVALID)]
    assert email["verified_at"] == (f"{proofs[-1]}T00:00:00Z" if proofs else None)


def test_an_email_that_nothing_proved_for_a_year_is_stale_since_then() -> None:
    told = shown(*known_by(USER, ANN, MOBILE, day="2025-01-31"))
    assert told["issues"] == [
        {"code": "email_stale", "value": "ann@x.com", "since": "2026-01-31T12:00:00Z", "ask_for": "email"}
    ]
    assert codes(shown(*known_by(USER, ANN, MOBILE, day="2025-01-31"), today=date(2026, 1, 30))) == []


def test_a_bounced_email_is_an_issue_and_asked_for_unless_another_is_proved() -> None:
    bounced: list[Fact] = [*known_by(USER, ANN, "email:b@x.com", MOBILE), word("2026-02-02", Kind.BOUNCED)]
    told = shown(*bounced)
    assert told["issues"] == [
        {"code": "email_bounced", "value": "ann@x.com", "since": "2026-02-02T12:00:00Z", "ask_for": "email"}
    ]
    assert asked(told)[0] == "email"
    reached = shown(*bounced, word("2026-02-02", Kind.OPENED, "email:b@x.com"))
    assert codes(reached) == ["email_bounced"]
    assert "email" not in asked(reached)


@pytest.mark.parametrize(
    ("value", "proper"),
    [
        ("ann@x.com", True), ("ann.lee+shop@mail.x.co.uk", True), ("o'brien@x.ie", True), ("józef@poczta.pl", True),
        ("ann@bücher.de", True), ("a@xn--bcher-kva.xn--p1ai", True), ("", False), ("ann", False), ("ann@", False),
        ("@x.com", False), ("ann@x", False), ("ann@x..com", False), ("ann@-x.com", False), ("ann@x-.com", False),
        (".ann@x.com", False), ("ann.@x.com", False), ("a..b@x.com", False), ("ann lee@x.com", False),
        ("ann@x.com ", False), ("ann@x.com\n", False), ("ann@b@x.com", False), ("ann@1.2.3.4", False),
        ("ann@x_y.com", False), ("ann@x.c", False), ("ann,@x.com", False), ("a" * 65 + "@x.com", False),
        ("ann@" + "x" * 64 + ".com", False), ("a@" + "x." * 130 + "com", False),
    ],
)  # fmt: skip
def test_the_form_of_an_email(value: str, proper: bool) -> None:
    assert is_proper_email(value) is proper


def test_an_email_of_no_form_is_none() -> None:
    told = shown(*known_by(USER, "email:ann@x", MOBILE), word("2026-02-02", Kind.DELIVERED, "email:ann@x"))
    assert (told["emails"][0]["valid"], told["emails"][0]["because"]) == (False, "syntax")
    assert [(i["code"], i["value"]) for i in told["issues"]] == [("email_missing", "ann@x")]


# -- phones ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digits", "country", "mobile"),
    [
        ("4915123456789", None, True), ("4930123456", None, False), ("12025550123", None, True),
        ("004915123456789", None, True), ("015123456789", "DE", True), ("030123456", "DE", False),
        ("015123456789", None, None), ("4420", None, None), ("2025550123", "US", True), ("", None, None),
        ("448001111111", None, False), ("9" * 40, "DE", None),
    ],
)  # fmt: skip
def test_whether_a_number_may_be_a_mobile_one(digits: str, country: str | None, mobile: bool | None) -> None:
    assert may_be_mobile(digits, country) is mobile


@pytest.mark.parametrize(
    ("phones", "missing"), [((), True), ((LANDLINE,), True), ((MOBILE,), False), (("phone:015123456789",), False)]
)
def test_a_landline_is_no_mobile_and_a_number_that_may_be_one_is(phones: tuple[str, ...], missing: bool) -> None:
    told = shown(*known_by(USER, ANN, *phones))
    assert ("mobile_missing" in codes(told)) is missing
    assert ("mobile" in asked(told)) is missing


def test_a_mobile_that_reaches_nobody_is_missing_since_the_customer_is_known() -> None:
    told = shown(*known_by(USER, ANN, MOBILE), word("2026-02-02", Kind.INVALID, MOBILE))
    assert told["issues"] == [
        {"code": "mobile_missing", "value": None, "since": "2026-02-01T12:00:00Z", "ask_for": "mobile"}
    ]


def test_the_country_of_the_address_tells_how_a_number_is_dialled() -> None:
    at_home = trait("address", {**HOME, "country": "de"})
    assert "mobile_missing" in codes(shown(*known_by(USER, ANN, "phone:030123456"), at_home))


# -- issues, completeness, questions ---------------------------------------------------------------------------------


def test_two_spellings_are_an_issue_that_names_both_and_asks() -> None:
    told = shown(
        *known_by(USER, ANN, MOBILE),
        trait("lastName", "Smiht", "2026-01-03"),
        trait("lastName", "Smith", "2026-01-05", by=ANN, source="shop"),
    )
    assert told["issues"] == [
        {
            "code": "name_conflict", "value": "Smith", "since": "2026-01-05T12:00:00Z", "ask_for": "lastName",
            "rivals": ["Smiht"],
        }
    ]  # fmt: skip
    assert asked(told)[0] == "lastName"


def test_a_returned_letter_is_an_issue_until_another_address_is_said() -> None:
    letter = word("2026-02-02", Kind.RETURNED, USER)
    back: list[Fact] = [*known_by(USER, ANN, MOBILE), trait("address", HOME, "2026-01-01"), letter]
    assert [i["value"] for i in shown(*back)["issues"]] == [HOME]
    assert codes(shown(*back, trait("address", HOME, "2026-02-09", by=ANN))) == ["address_returned"], "the same again"
    assert codes(shown(*back, trait("address", {**HOME, "city": "York"}, "2026-02-09"))) == []


def test_nothing_is_missing_of_a_visitor_who_is_asked_for_his_email_only() -> None:
    told = shown(record("anonymous_id:1"), known=False)
    assert (told["issues"], asked(told)) == ([], ["email"])


def test_completeness_counts_what_works() -> None:
    said = [trait("name", "Ann Lee"), trait("birthday", "1980-01-02"), trait("address", HOME)]
    assert sum(COMPLETENESS.values()) == shown(*known_by(USER, ANN, MOBILE), *said)["completeness"] == 100
    assert shown(*known_by(USER, ANN, LANDLINE), *said)["completeness"] == 85
    assert shown(*known_by(USER, ANN, MOBILE), *said, word("2026-02-02", Kind.BOUNCED))["completeness"] == 75
    assert shown(*known_by(USER), known=True)["completeness"] == 0


def test_at_most_three_questions_of_most_worth_and_none_that_is_answered_or_declined() -> None:
    assert set(CODES) <= WORTH.keys()
    assert asked(shown(*known_by(USER))) == ["email", "mobile", "name"]
    assert asked(shown(*known_by(USER), answers={"email"}, declined={"name"})) == ["mobile", "address", "birthday"]


# -- reachable -------------------------------------------------------------------------------------------------------


def consent(state: str, channel: str = "all") -> dict[str, Any]:
    """Of marketing, as the document shows it."""
    return {"marketing": {"by_channel": {channel: {"state": state, "since": "2026-02-01T00:00:00Z"}}}}


GRANTED, WITHDRAWN = consent("granted", "email"), consent("withdrawn")


def test_what_nobody_said_speaks_against_nothing() -> None:
    told = shown(*known_by(USER, ANN))["reachable"]
    assert told["email"] == {
        "address": "ann@x.com", "allowed": None, "valid": None, "fatigued": None, "best_hour": None, "why_not": [],
    }  # fmt: skip
    assert told["sms"]["why_not"] == told["mail"]["why_not"] == ["no_address"]


def test_all_that_speaks_against_a_channel_is_told() -> None:
    given: dict[str, Any] = {"consents": WITHDRAWN, "fatigued": {"email": True}, "best_hours": {"email": 18}}
    told = shown(*known_by(USER, ANN), word("2026-02-02", Kind.BOUNCED), **given)["reachable"]["email"]
    assert told["why_not"] == ["not_valid", "not_allowed", "fatigued"]
    assert (told["allowed"], told["valid"], told["best_hour"]) == (False, False, 18)


@pytest.mark.parametrize(
    ("consents", "email", "sms"),
    [
        (None, None, None), ({}, None, None), (GRANTED, True, None), (WITHDRAWN, False, False),
        (consent("unknown", "email"), None, None), (consent("withdrawn", "sms"), None, False),
    ],
)  # fmt: skip
def test_consent_counts_for_its_channels_and_as_long_as_it_lasts(consents: Any, email: Any, sms: Any) -> None:
    told = shown(*known_by(USER, ANN, MOBILE), consents=consents)["reachable"]
    assert (told["email"]["allowed"], told["sms"]["allowed"]) == (email, sms)
    assert ("consent_unknown" in told["email"]["why_not"]) is (consents is not None and email is None)


def test_a_complaint_withdraws_what_was_granted_before() -> None:
    for day, allowed in (("2026-02-02", False), ("2026-01-02", True)):
        told = shown(*known_by(USER, ANN, day="2026-01-01"), word(day, Kind.COMPLAINED), consents=GRANTED)
        assert told["reachable"]["email"]["allowed"] is allowed


def test_of_several_addresses_the_one_that_is_proved_is_used_and_texts_go_to_no_landline() -> None:
    many = known_by(USER, ANN, "email:b@x.com", "email:c@x.com", LANDLINE, MOBILE)
    heard = word("2026-02-02", Kind.BOUNCED), word("2026-02-02", Kind.OPENED, "email:c@x.com")
    told = shown(*many, *heard)["reachable"]
    assert told["email"]["address"] == "c@x.com"
    assert told["sms"]["address"] == told["call"]["address"] == "4915123456789"
    assert shown(*known_by(LANDLINE))["reachable"]["sms"]["address"] is None


def test_a_section_without_facts_is_answered_too() -> None:
    assert codes(answered(contact(known_by(USER, ANN), []), TODAY, known=True)) == ["mobile_missing"]


# -- laws ------------------------------------------------------------------------------------------------------------

days = st.sampled_from(["2024-05-01", "2025-03-01", "2025-06-01", "2026-02-02"])
evidence = st.lists(
    st.one_of(
        st.builds(word, days, st.sampled_from(Kind), st.sampled_from([ANN, MOBILE, USER])),
        st.builds(
            trait, st.sampled_from(["firstName", "name", "birthday", "address"]),
            st.sampled_from(["Anna", "Ana", "Anna Lee", "1980-01-02", "1980-01-03", None, {"city": "X"}]), days,
            st.sampled_from([USER, ANN]), st.sampled_from(["crm", "shop"]),
        ),
    ),
    max_size=12,
)  # fmt: skip


@given(evidence, st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_of_what_was_said(drawn: list[Any], order: random.Random) -> None:
    unique = list({getattr(one, "key", one): one for one in drawn}.values())
    first = shown(*known_by(USER, ANN, MOBILE), *unique)
    again = [*unique, *(one for one in unique if isinstance(one, Word))]
    order.shuffle(again)
    assert shown(*known_by(USER, ANN, MOBILE), *again) == first
    assert len(first["ask_next"]) <= 3
    assert 0 <= first["completeness"] <= 100
