"""Who may speak as an operator, and who may take back what others sent."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.model import Raw, Source
from services.intake.domain.permissions import ASSERT, OWN_SOURCE, PERMISSIONS, RETRACT
from services.intake.domain.segment import read_calls
from services.intake.inputs import read_new_source, read_source
from tests.unit.intake.arriving import accepted, outcome, parked, raw

WORDS = ("identity.same_asserted", "identity.different_asserted")


def word(type_: str) -> Raw:
    """An operator's word on two records."""
    records = [{"type": "user_id", "value": v} for v in "12"]
    return raw({"userId": "1", "properties": {"records": records, "reason": "looked"}}, type=type_)


def retraction(source: Any) -> Raw:
    """That an event of this source is void."""
    return raw({"userId": "1", "properties": {"source": source, "id": "e9"}}, type="event.retracted")


@pytest.mark.parametrize("type_", [*WORDS, f" {WORDS[0]} "])
def test_an_operators_word_needs_the_permission(type_: str) -> None:
    for source in (Source("shop"), Source("shop", may=(RETRACT,))):
        assert parked(word(type_), source) == "not_permitted"
    assert accepted(word(type_), Source("shop", may=(ASSERT,))).event.type == type_.strip()


@pytest.mark.parametrize("source", ["shop", "shop/till", " shop "])
def test_a_source_may_always_take_back_its_own(source: str) -> None:
    assert not accepted(retraction(source)).incomplete


@pytest.mark.parametrize("source", ["crm", "shop2", "shopper/till", "SHOP", "/shop", 7])
def test_to_take_back_what_others_sent_needs_the_permission(source: Any) -> None:
    assert parked(retraction(source)) == "not_permitted"
    assert parked(retraction(source), Source("shop", may=(ASSERT,))) == "not_permitted"
    accepted(retraction(source), Source("shop", may=(RETRACT,)))


@pytest.mark.parametrize("source", [None, "", ["crm"], {"name": "crm"}])
def test_a_retraction_that_names_no_source_takes_nothing_back_and_needs_nothing(source: Any) -> None:
    assert "source" in accepted(retraction(source)).incomplete


def test_the_reason_says_which_permission_is_lacking_and_nothing_that_was_sent() -> None:
    made = outcome(retraction("zqx"))
    assert getattr(made, "detail", "") == "it needs the permission retract"


def test_what_segments_clients_call_by_these_names_needs_it_too() -> None:
    call = {"type": "track", "event": WORDS[0], "userId": "1", "messageId": "m"}
    (event,) = read_calls({"batch": [call]}, "batch")
    assert parked(event) == "not_permitted"


def test_every_other_event_needs_nothing() -> None:
    for type_ in ("alias.asserted", "contact.removed", "identity.asserted", "event.retracted.twice"):
        accepted(raw(type=type_))


def test_a_source_has_no_permission_unless_it_says_so() -> None:
    assert read_source({"name": "shop"}).may == ()
    assert read_source({"name": "shop", "may": None}).may == ()
    assert read_source({"name": "ops", "may": ["retract", "assert", "assert"]}).may == ("assert", "retract")
    assert OWN_SOURCE.may == PERMISSIONS


@pytest.mark.parametrize("may", ["assert", ["everything"], [1], {"assert": True}, ["assert", None], [["assert"]]])
def test_a_permission_that_does_not_exist_is_refused(may: Any) -> None:
    with pytest.raises(ValueError, match="may lists some of assert, retract"):
        read_source({"name": "shop", "may": may})


@pytest.mark.parametrize("name", ["customer360", "Customer360"])
def test_nobody_can_register_our_own_source(name: str) -> None:
    with pytest.raises(ValueError, match="our own source"):
        read_new_source({"name": name})
    assert read_new_source({"name": "customer361"}).name == "customer361"
