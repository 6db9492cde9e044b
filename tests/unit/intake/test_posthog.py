"""PostHog's messages: mapped by the table, nothing lost, nobody invented, one bad message never spoils a batch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Unreadable
from schemas.envelope import Event
from schemas.identifiers import leading
from services.intake.domain.mapping import shipped
from services.intake.domain.model import Parked, Raw
from services.intake.domain.posthog import Sending, keys_of, read_captured
from tests.unit.intake.arriving import ARRIVAL, accepted, leaves, outcome

SENDING = Sending(ARRIVAL)
MESSAGE = {"uuid": "0190d1d2-0000-7000-8000-000000000001", "timestamp": "2026-03-02T09:15:00+00:00"}
PYTHON = {"$lib": "posthog-python", "$lib_version": "7.91.1", "$geoip_disable": True, "$is_server": True}


def events(message: dict[str, Any], sending: Sending = SENDING) -> list[Event]:
    return [accepted(raw).event for raw in read_captured({**MESSAGE, **message}, sending)]


def captured(name: str, distinct_id: Any = "u1", **properties: Any) -> Event:
    (event,) = events({"event": name, "distinct_id": distinct_id, "properties": {**PYTHON, **properties}})
    return event


@pytest.mark.parametrize(
    ("name", "sent", "event_type", "expected"),
    [
        ("$pageview", {"$current_url": "https://x.de/a", "$title": "A"}, "page.viewed", {"url": "https://x.de/a"}),
        ("$screen", {"$screen_name": "Basket"}, "screen.viewed", {"name": "Basket"}),
        ("Order Completed", {"order_id": "1", "total": 5}, "order.completed", {"order_id": "1"}),
        ("order_completed", {"orderId": "1"}, "order.completed", {"order_id": "1"}),
        ("$autocapture", {"$event_type": "click"}, "$autocapture", {"$event_type": "click"}),
        ("Signed Contract", {"id": 7}, "Signed Contract", {"id": 7}),
    ],
)
def test_events_become_our_types_or_keep_their_names(
    name: str, sent: dict[str, Any], event_type: str, expected: dict[str, Any]
) -> None:
    made = captured(name, **sent)
    assert made.type == event_type
    assert expected.items() <= made.data["properties"].items()


def test_a_row_of_an_included_table_is_that_tables() -> None:
    assert captured("$pageview").extensions["c360mapping"] == "posthog/1"
    assert captured("Order Completed").extensions["c360mapping"] == shipped("segment").version
    assert "c360mapping" not in captured("Signed Contract").extensions


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, "user_id"),
        ({"$process_person_profile": False}, "anonymous_id"),
        ({"$is_identified": False, "$device_id": "d"}, "anonymous_id"),
        ({"$device_id": "u1"}, "anonymous_id"),
        ({"$is_identified": True, "$device_id": "d"}, "user_id"),
    ],
)
def test_an_id_is_an_accounts_unless_the_client_says_that_nobody_logged_in(
    sent: dict[str, Any], expected: str
) -> None:
    assert captured("A", **sent).data["identifiers"] == {expected: ["u1"]}


def test_who_logs_in_is_the_visitor_he_was() -> None:
    made = captured("$identify", **{"$anon_distinct_id": "a1"})
    assert made.type == "contact.identified"
    assert made.data["identifiers"] == {"user_id": ["u1"], "anonymous_id": ["a1"]}


@pytest.mark.parametrize("inside", [False, True])
def test_what_is_set_is_a_trait_beside_the_properties_or_among_them(inside: bool) -> None:
    said = {"$set": {"email": "ann@x.de", "plan": "gold"}}
    message = {"event": "$set", "distinct_id": "u1", **({"properties": said} if inside else said)}
    (made,) = events(message)
    assert made.type == "contact.updated"
    assert made.data["traits"] == {"email": "ann@x.de", "plan": "gold"}
    assert made.data["identifiers"] == {"user_id": ["u1"], "email": ["ann@x.de"]}


def test_what_is_set_once_loses_to_every_other_word_and_of_two_the_earlier_wins() -> None:
    early, late = (
        events({"event": "$set_once", "distinct_id": "u1", "timestamp": time, "$set_once": {"from": "ad"}})[0]
        for time in ("2020-01-01T00:00:00Z", "2026-03-02T09:00:00Z")
    )
    said = [made.data["properties"]["updated_at"] for made in (late, early)]
    assert said == sorted(said)
    assert said[1] < "1990"
    assert early.type == late.type == "contact.updated"
    assert early.data["traits"] == {"from": "ad"}


def test_what_an_event_sets_once_is_a_weak_update_beside_it() -> None:
    sent = {"$set": {"plan": "gold"}, "$set_once": {"from": "ad", "$initial_os": "Linux", "plan": "old"}}
    message = {"event": "$identify", "distinct_id": "u1", "properties": sent}
    main, once = events(message)
    assert (main.type, main.data["traits"]) == ("contact.identified", {"plan": "gold"})
    assert (once.type, once.data["traits"]) == ("contact.updated", {"from": "ad"})
    assert main.id == MESSAGE["uuid"] != once.id
    assert [e.id for e in events(message)] == [main.id, once.id]
    assert main.data["context"]["posthog_message"]["$set_once"] == sent["$set_once"]


def test_the_librarys_own_first_words_make_no_event() -> None:
    assert len(events({"event": "A", "distinct_id": "u1", "$set_once": {"$initial_os": "Linux"}})) == 1


@pytest.mark.parametrize(
    ("name", "stays", "before"), [("$create_alias", "newer", "sender"), ("$merge_dangerously", "sender", "newer")]
)
def test_an_alias_is_the_newer_id_of_who_sends_and_a_merge_takes_the_other_in(
    name: str, stays: str, before: str
) -> None:
    (made,) = events({"event": name, "distinct_id": "sender", "properties": {"alias": "newer"}})
    assert made.type == "alias.asserted"
    assert made.data["identifiers"] == {"user_id": [stays], "anonymous_id": [stays]}
    assert made.data["properties"]["previous"] == {"value": before, "types": ["anonymous_id", "user_id"]}


def test_an_alias_without_a_second_id_is_the_senders_and_lacks_it() -> None:
    (made,) = events({"event": "$create_alias", "distinct_id": "sender", "properties": {}})
    assert made.data["identifiers"]["user_id"] == ["sender"]
    assert made.data["incomplete"] == ["previous"]


@pytest.mark.parametrize(
    ("kind", "group_id"), [("company", "5"), ("organization", "5"), ("project", "project:5"), ("a b", "a b:5")]
)
def test_a_group_is_no_person_and_keys_of_two_kinds_are_two_groups(kind: str, group_id: str) -> None:
    sent = {"$group_type": kind, "$group_key": 5, "$group_set": {"name": "Acme", "email": "info@acme.de"}}
    made = captured("$groupidentify", "0e9cf2b4-random", **sent)
    assert made.type == "group.identified"
    assert made.data["identifiers"] == {"group_id": [group_id]}
    assert leading(made.data["identifiers"], made.type) == ("group_id", group_id)
    assert made.data["traits"] == {"name": "Acme", "email": "info@acme.de"}
    assert made.data["properties"]["kind"] == kind


def test_an_events_account_is_its_group() -> None:
    made = captured("A", **{"$groups": {"project": "p", "company": "acme"}})
    assert made.data["group_id"] == "acme"
    assert "group_id" not in captured("A", **{"$groups": {"project": "p"}}).data


@pytest.mark.parametrize(
    ("library", "channel"), [("web", "web"), ("posthog-ios", "app"), ("posthog-python", "other")]
)
def test_the_library_tells_the_channel(library: str, channel: str) -> None:
    assert captured("A", **{"$lib": library}).data["channel"] == channel


def test_a_clock_two_hours_slow_is_corrected_unless_the_client_forbids_it() -> None:
    message = {"event": "A", "distinct_id": "u1", "timestamp": "2026-03-02T07:15:00Z"}
    sending = Sending(ARRIVAL, "2026-03-02T07:15:05Z")
    (made,) = events(message, sending)
    assert made.time == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    for said in ({"options": {"disable_skew_correction": True}}, {"properties": {"$ignore_sent_at": True}}):
        (kept,) = events({**message, **said}, sending)
        assert kept.time == datetime(2026, 3, 2, 7, 15, tzinfo=UTC)


def test_a_browsers_offset_is_reckoned_back_from_arrival() -> None:
    sending = Sending(ARRIVAL, "2026-03-02T07:15:05Z")
    (made,) = events({"event": "A", "distinct_id": "u1", "timestamp": None, "offset": 3_000}, sending)
    assert made.time == datetime(2026, 3, 2, 9, 15, 2, tzinfo=UTC)


def test_a_message_without_id_is_the_same_event_when_sent_again() -> None:
    message = {"event": "A", "distinct_id": "u1", "properties": {"token": "k1", "b": [1.5]}, "uuid": None}
    (first,) = events({**message, "offset": 10})
    (again,) = events({**dict(reversed(message.items())), "offset": 900, "properties": {"b": [1.5], "token": "k2"}})
    assert first.id == again.id
    assert first.id != events({**message, "distinct_id": "u2"})[0].id


def test_keys_are_found_wherever_a_client_puts_them_and_never_kept() -> None:
    inside = {**MESSAGE, "event": "A", "distinct_id": "u1", "api_key": "SECRET", "properties": {"token": "SECRET"}}
    assert keys_of({"api_key": "SECRET", "batch": []}) == ["SECRET"]
    assert keys_of({"batch": [inside]}) == keys_of([inside]) == keys_of(inside) == ["SECRET"]
    assert keys_of(5) == keys_of([5]) == keys_of({"batch": 5, "token": 5}) == []
    assert "SECRET" not in leaves(accepted(read_captured(inside, SENDING)[0]).event.data)


def test_one_bad_message_of_a_batch_is_parked_beside_the_good_ones() -> None:
    batch = [{"event": "A", "distinct_id": "u1", **MESSAGE}, 5, {"distinct_id": "u1"}, {"event": "a\nb"}]
    made = read_captured({"batch": batch}, SENDING)
    assert [e.reason if isinstance(e, Parked) else "good" for e in made] == [
        "good", "not_an_object", "bad_type", "bad_type",
    ]  # fmt: skip


@pytest.mark.parametrize("body", [5, None, "a", {"batch": 5}, {"batch": None}])
def test_a_body_without_messages_is_refused(body: Any) -> None:
    with pytest.raises(Unreadable):
        read_captured(body, SENDING)


@pytest.mark.parametrize("name", [*shipped("posthog").events, "Order Completed", "Signed Contract"])
def test_mapping_loses_nothing(name: str) -> None:
    message = {
        **MESSAGE,
        "event": name,
        "distinct_id": "D1",
        "properties": {
            **{f"own{i}": f"P{i}" for i in range(3)},
            **{key: f"V-{key}" for key in ("$current_url", "$screen_name", "alias", "$group_type", "$group_key")},
            "$groups": {"company": "G1"},
            "$set": {"a": "T1"},
            "$set_once": {"b": "T2", "a": "T3"},
            "$group_set": {"g": "T4"},
        },
        "options": {"cookieless_mode": "O1"},
        "session_id": "S1",
        "type": "capture-type",
    }
    made = [accepted(raw).event for raw in read_captured(message, SENDING)]
    kept = {leaf for event in made for leaf in leaves(event.data) | {event.type}}
    lost = leaves(message) - kept - {MESSAGE["uuid"], MESSAGE["timestamp"]}
    # A group's event is nobody's: the id some clients draw for it would be a person.
    assert lost <= ({"D1"} if name == "$groupidentify" else set())


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["event", "distinct_id", "properties", "timestamp", "uuid", "offset", "$set", "$set_once", "options", "batch"]
)


@given(st.dictionaries(FIELDS, ANY_JSON | st.sampled_from(["$identify", "$groupidentify", "$create_alias", "$set"])))
def test_no_message_breaks_the_reader(message: dict[str, Any]) -> None:
    try:
        made = read_captured(message, SENDING)
    except Unreadable:
        return
    assert all(isinstance(one, Raw | Parked) for one in made)
    for one in made:
        outcome(one)
