"""What an event says of an address, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.envelope import event_id, microseconds
from schemas.identifiers import Identifier
from services.identity.domain.proving import word_of
from services.identity.domain.reach import Kind, Medium, Word
from tests.support.belonging import IDS
from tests.support.house import NOON, an_event

Identifiers = dict[str, list[str]]
ANN: Identifiers = {"user_id": ["u-1"], "email": ["ann@x.com"]}
BY_PHONE: Identifiers = {"user_id": ["u-1"], "phone": ["+44 20 7946 0123"]}
MAIL, NUMBER = Identifier("email", "ann@x.com"), Identifier("phone", "442079460123")
USER = Identifier("user_id", "u-1")


def words(
    type: str, identifiers: dict[str, list[str]] = ANN, channel: str = "email", **data: Any
) -> tuple[Word, ...]:
    """The words of such an event."""
    event = an_event("e", identifiers, type=type, channel=channel, **data)
    return word_of(event, microseconds(event.time), IDS)


def said(type: str, identifiers: Identifiers = ANN, channel: str = "email", **data: Any) -> Kind | None:
    """What such an event says of the one address it speaks of."""
    found = words(type, identifiers, channel, **data)
    assert len(found) <= 1
    return found[0].kind if found else None


def checked(type: str, value: str | None, result: str, **data: Any) -> tuple[Word, ...]:
    """The words of an `identifier.verified`."""
    return words("identifier.verified", properties={"type": type, "value": value, "result": result}, **data)


def test_a_word_is_about_the_address_and_lives_under_the_record_of_its_event() -> None:
    (found,) = words("message.delivered", direction="outbound")
    assert (found.record_id, found.under, found.medium) == (IDS(MAIL), IDS(USER), Medium.EMAIL)
    assert (found.event_id, found.time_us) == (event_id("web", "e"), microseconds(NOON))
    assert found.place == (IDS(USER), event_id("web", "e"))


@pytest.mark.parametrize(
    ("type", "properties", "kind"),
    [
        ("message.delivered", {}, Kind.DELIVERED),
        ("message.opened", {}, Kind.OPENED),
        ("message.opened", {"machine_open": False}, Kind.OPENED),
        ("message.opened", {"machine_open": True}, None),
        ("message.clicked", {}, Kind.CLICKED),
        ("message.clicked", {"machine_open": True}, None),
        ("message.complained", {}, Kind.COMPLAINED),
        ("message.replied", {"text": "yes"}, Kind.REPLIED),
        ("conversation.message", {"text": "hello"}, Kind.REPLIED),
        ("message.bounced", {"kind": "hard"}, Kind.BOUNCED),
        ("message.bounced", {"kind": "soft"}, Kind.SOFT_BOUNCED),
        ("message.bounced", {"kind": "unknown"}, Kind.SOFT_BOUNCED),
        ("message.bounced", {}, Kind.SOFT_BOUNCED),
        ("message.sent", {}, None),
        ("contact.identified", {"method": "password"}, None),
        ("order.completed", {"order_id": "1"}, None),
    ],
)
def test_what_an_event_says_of_an_email(type: str, properties: dict[str, Any], kind: Kind | None) -> None:
    assert said(type, properties=properties) == kind


@pytest.mark.parametrize(
    "data", [{"direction": "outbound"}, {"actor": {"kind": "staff"}}, {"actor": {"kind": "bot"}}]
)
def test_what_we_write_ourselves_proves_nothing(data: dict[str, Any]) -> None:
    assert said("conversation.message", properties={"text": "hello"}, **data) is None
    assert said("conversation.message", properties={"text": "hello"}, actor={"kind": "customer"}) is Kind.REPLIED


@pytest.mark.parametrize(
    ("outcome", "kind"), [("answered", Kind.ANSWERED), ("missed", None), ("voicemail", None), (None, None)]
)
def test_only_an_answered_call_proves_a_number(outcome: str | None, kind: Kind | None) -> None:
    assert said("call.held", BY_PHONE, "call", properties={"outcome": outcome}) == kind


def test_texts_speak_of_the_phone_and_letters_of_the_postal_address() -> None:
    both = {**ANN, **BY_PHONE}
    (text,) = words("message.delivered", both, "sms")
    (letter,) = words("message.delivered", both, "mail")
    assert (text.record_id, text.medium) == (IDS(NUMBER), Medium.PHONE)
    assert (letter.record_id, letter.medium) == (IDS(USER), Medium.POST)


@pytest.mark.parametrize("kind", ["hard", "soft", None])
def test_a_letter_that_came_back_came_back_whatever_the_reason(kind: str | None) -> None:
    assert said("message.bounced", channel="mail", properties={"kind": kind}) is Kind.RETURNED


@pytest.mark.parametrize("channel", ["push", "app", "chat", "social"])
def test_tokens_and_names_in_networks_are_no_addresses(channel: str) -> None:
    assert words("message.bounced", channel=channel, properties={"address": "token@device"}) == ()


def test_a_channel_that_says_nothing_leaves_what_the_event_is_about() -> None:
    assert said("message.bounced", channel="other", properties={"kind": "hard"}) is Kind.BOUNCED
    assert said("message.opened", channel="other", properties={"address": "ann@x.com"}) is Kind.OPENED
    assert said("message.opened", channel="other") is None


@pytest.mark.parametrize("sent", ["ann@x.com", " ANN@X.com ", "Ann Lee <Ann@x.com>"])
def test_the_messages_own_address_is_meant(sent: str) -> None:
    two = {"email": ["ann@x.com", "ann@work.com"]}
    (found,) = words("message.bounced", two, properties={"address": sent})
    assert found.record_id == IDS(MAIL)


def test_an_address_that_no_identifier_names_is_spoken_of_all_the_same() -> None:
    (found,) = words("message.bounced", {"user_id": ["u-1"]}, properties={"address": "ann@x.com"})
    assert found.record_id == IDS(MAIL)


def test_of_two_addresses_nobody_knows_which_was_meant() -> None:
    assert words("message.bounced", {"email": ["ann@x.com", "ann@work.com"]}) == ()


def test_an_address_under_two_types_is_one_address_with_two_records() -> None:
    found = words("message.bounced", {"email": ["ann@x.com"], "email.crm": ["Ann@x.com"]})
    assert {w.record_id for w in found} == {IDS(MAIL), IDS(Identifier("email.crm", "ann@x.com"))}


@pytest.mark.parametrize("junk", ["nobody", "null", "x" * 600 + "@x.com", 7, ["ann@x.com"], {"a": 1}])
def test_what_is_no_address_is_not_spoken_of(junk: Any) -> None:
    assert words("message.bounced", {"user_id": ["u-1"]}, properties={"address": junk}) == ()


@pytest.mark.parametrize("properties", [None, [], "x", {"kind": ["hard"], "outcome": {}, "machine_open": "true"}])
def test_malformed_properties_do_no_harm(properties: Any) -> None:
    for type in ("message.bounced", "message.opened", "identifier.verified", "call.held", "message.replied"):
        assert len(words(type, properties=properties, actor="x")) <= 1


@pytest.mark.parametrize(
    ("result", "kind"), [("valid", Kind.VERIFIED), ("invalid", Kind.INVALID), ("unreachable", Kind.SOFT_BOUNCED)]
)
def test_a_check_names_the_identifier_itself(result: str, kind: Kind) -> None:
    (found,) = checked("phone", "+44 20 7946 0123", result)
    assert (found.record_id, found.medium, found.kind) == (IDS(NUMBER), Medium.PHONE, kind)
    (spaced,) = checked("email.crm", "b@x.com", result, channel="web")
    assert spaced.record_id == IDS(Identifier("email.crm", "b@x.com"))


def test_a_check_by_letter_is_of_the_postal_address() -> None:
    assert [w.kind for w in checked("address", None, "valid")] == [Kind.VERIFIED]
    assert [w.kind for w in checked("address", None, "unreachable")] == [Kind.RETURNED]


@pytest.mark.parametrize(
    "wrong",
    [("loyalty_id", "7", "valid"), ("email", "junk", "valid"), ("email", None, "valid"), ("email", "a@x", "?")],
)
def test_a_check_of_something_else_says_nothing(wrong: tuple[str, str | None, str]) -> None:
    assert checked(*wrong) == ()
