"""What an app may say of a customer: whose record leads it, what is not its to say, and which field is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import EVENT_TYPES
from schemas.identifiers import Identifier
from services.profile.domain.saying import Fault, fault, founder

USER = Identifier("user_id", "42")


def judged(event_type: str, led_by: Identifier = USER, **properties: Any) -> Fault | None:
    """What is wrong with an event of these properties."""
    data = {"type": event_type, "identifiers": {led_by.type: led_by.value}, "properties": properties}
    return fault(event_type, data, led_by)


def test_an_event_is_led_by_the_identifier_its_customer_is_named_after() -> None:
    records = [
        {"record_id": "r-2", "type": "crm_id.acme", "value": "7"},
        {"record_id": "r-1", "type": "email", "value": "ann@x.com"},
    ]
    section = {"identity": {"records": records}}
    assert founder("r-1", section) == Identifier("email", "ann@x.com")
    assert founder("r-9", section) is None


@pytest.mark.parametrize("event_type", ["call.held", "loan.application_rejected", "a.b.c", "my_app.v2.done"])
def test_known_types_and_other_dotted_names_are_taken(event_type: str) -> None:
    assert judged(event_type) is None


@pytest.mark.parametrize(
    "event_type", ["Call.Held", "call", "call.", ".held", "call held", "call.Held", "7.x", "x." + "y" * 300]
)
def test_a_type_that_is_no_dotted_name_in_lower_case_is_a_bad_request(event_type: str) -> None:
    found = judged(event_type)
    assert found is not None
    assert (found.kind, found.detail.partition(":")[0]) == ("bad-request", "type")


@pytest.mark.parametrize(
    "event_type",
    ["identity.same_asserted", "identity.different_asserted", "identity.anything", "event.retracted",
     "contact.removed", "contact.imported", "alias.asserted", "group.joined", "group.dissolved"],
)  # fmt: skip
def test_what_only_operators_sources_and_groups_say_is_refused_with_the_way_to_say_it(event_type: str) -> None:
    found = judged(event_type, records=[{"type": "user_id", "value": "1"}] * 2, reason="x", source="web", id="7")
    assert found is not None
    assert found.kind == "not-permitted"
    assert event_type in found.detail


@pytest.mark.parametrize(
    ("event_type", "properties", "kind", "named"),
    [
        ("note.added", {}, "incomplete", "text"),
        ("preference.stated", {"topic": "offers"}, "incomplete", "channel or frequency"),
        ("feedback.given", {"score": 7}, "incomplete", "score and scale or text"),
        ("feedback.given", {"score": {"of": 7}, "text": "x"}, "bad-request", "properties.score: cannot be read as"),
        ("promise.made", {"promise_id": "1", "text": "x", "due_at": "soon"}, "bad-request", "properties.due_at"),
        ("consent.granted", {"purpose": "news", "channels": []}, "bad-request", "properties.channels"),
    ],
)  # fmt: skip
def test_the_field_that_lacks_or_cannot_be_read_is_named(
    event_type: str, properties: dict[str, Any], kind: str, named: str
) -> None:
    found = judged(event_type, **properties)
    assert found is not None
    assert found.kind == kind
    assert named in found.detail


def test_what_is_null_or_not_a_field_of_the_type_is_no_fault() -> None:
    assert judged("note.added", text="x", topic=None, colour=["green"]) is None


def test_an_address_among_the_properties_must_not_lead_instead_of_the_founder() -> None:
    phone = Identifier("phone", "49301234567")
    assert judged("note.added", text="x", email="ann@x.com") is None
    found = judged("note.added", phone, text="x", email="ann@x.com")
    assert found is not None
    assert (found.kind, found.detail.partition(":")[0]) == ("bad-request", "properties.email")
    other = judged("note.added", Identifier("email", "bo@x.com"), text="x", email=["ann@x.com"])
    assert other is not None


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EVENT_TYPES)) | st.text(max_size=20), st.data())
def test_whatever_is_sent_is_taken_or_has_one_fault(event_type: str, data: st.DataObject) -> None:
    known = EVENT_TYPES.get(event_type)
    names = st.sampled_from(sorted(known.properties.model_fields)) if known else st.nothing()
    properties = data.draw(st.dictionaries(names | st.sampled_from(["email", "phone", "x"]), anything, max_size=5))
    found = judged(event_type, **properties)
    assert found is None or (found.detail and found.kind in ("bad-request", "incomplete", "not-permitted"))
