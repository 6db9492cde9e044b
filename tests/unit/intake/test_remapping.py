"""A mapped event can be mapped anew: what was sent is found again, whatever the table had made of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_event, encode_event
from schemas.envelope import Event
from services.intake.domain.mapping import Table
from services.intake.domain.model import Accepted, Received, Source
from services.intake.domain.own_mapping import read_own
from services.intake.domain.posthog import Sending, read_captured
from services.intake.domain.remapping import Left, Tables, Why, call_of, remapped
from services.intake.domain.segment import read_calls
from services.intake.domain.snowplow import read_tracked
from tests.unit.intake.arriving import ARRIVAL, KEY, SHOP, accepted, raw

LATER = ARRIVAL + timedelta(days=3)
EUROPE = Source(
    name="shop", currency="EUR", channel="web", timezone="Europe/Berlin", identifier_namespace={"user_id": "s2"}
)
Document = dict[str, Any]


def tables(*documents: Document) -> Tables:
    """The source's tables after these were set one after the other; an empty one takes the own table back."""
    past = {n: read_own(one, "shop", n) for n, one in enumerate(documents, 1) if one}
    return Tables("shop", len(documents), past.get(len(documents)), past)


def own(document: Document, number: int = 1) -> Table | None:
    return read_own(document, "shop", number) if document else None


def as_logged(event: Event) -> Event:
    """As a reader of the log sees it."""
    return decode_event(*_record(event), exact=True)


def _record(event: Event) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    key, value, headers = encode_event(event)
    return key, value, headers


def tracked(name: str, properties: Document, table: Table | None = None, source: Source = SHOP, **more: Any) -> Event:
    message = {"type": "track", "userId": "1", "messageId": "m1", "event": name, "properties": properties, **more}
    (made,) = read_calls(message, None, table)
    return as_logged(accepted(made, source).event)


def anew(event: Event, now: Tables, source: Source = SHOP) -> Accepted | Left:
    return remapped(event, now, Received(LATER, source), KEY)


def changed(event: Event, now: Tables, source: Source = SHOP) -> Event:
    made = anew(event, now, source)
    assert isinstance(made, Accepted), made
    return as_logged(made.event)


def told(event: Event) -> tuple[Any, ...]:
    """What a reader makes of an event: all but its id, its arrival and what says that it was mapped anew."""
    attributes = {k: v for k, v in event.extensions.items() if k not in ("c360original", "c360remapped")}
    return event.type, event.time, event.record_id, event.clamped, event.data, attributes


ORDER = {
    "type": "order.completed",
    "rename": {"no": "order_id", "sum": "total"},
    "defaults": {"currency": "USD"},
    "traits": {"buyer_mail": "email", "buyer": "name"},
    "actor": {"kind": "staff", "seller": "id"},
    "channel": "store",
}
RIGHT = {"events": {"Checkout Done": ORDER}}
WRONG = {
    "events": {
        "Checkout Done": {
            "type": "call.held",
            "rename": {"no": "call_id", "sum": "duration_s", "buyer": "summary"},
            "defaults": {"outcome": "answered"},
            "traits": {"seller": "email"},
            "group": "club",
            "channel": "call",
            "direction": "outbound",
        }
    }
}
SENT = {
    "no": "7",
    "sum": 40.5,
    "buyer_mail": "ann@x.com",
    "buyer": "Ann",
    "seller": "s@x.com",
    "club": "c1",
    "z": [1],
}


@pytest.mark.parametrize("source", [SHOP, EUROPE], ids=["plain", "with settings"])
@pytest.mark.parametrize("before", [{}, WRONG], ids=["not mapped", "mapped wrongly"])
def test_what_came_before_a_right_mapping_becomes_what_it_would_have_become(before: Document, source: Source) -> None:
    old = tracked("Checkout Done", SENT, own(before), source)
    now = tables(before, RIGHT)
    made = changed(old, now, source)
    want = tracked("Checkout Done", SENT, own(RIGHT, 2), source)
    assert told(made) == told(want)
    assert made.id != old.id
    assert (made.received, made.extensions["c360original"]) == (LATER, "m1")


def test_a_mapping_that_was_taken_back_leaves_the_event_its_own_name_and_properties() -> None:
    old = tracked("Checkout Done", SENT, own(WRONG))
    assert old.data["properties"] != SENT
    assert told(changed(old, tables(WRONG, {}))) == told(tracked("Checkout Done", SENT))


def test_the_same_event_by_the_same_tables_is_the_same_event_and_then_nothing_differs() -> None:
    old, now = tracked("Checkout Done", SENT), tables(RIGHT)
    assert changed(old, now).id == changed(old, now).id
    assert anew(changed(old, now), now) == Left()
    assert anew(tracked("Checkout Done", SENT, own(RIGHT)), now) == Left()
    assert changed(old, tables(RIGHT, RIGHT | {"name": "x"})).id != changed(old, now).id, "tables have numbers"


def test_a_row_that_is_the_same_touches_nothing_though_the_sources_settings_changed() -> None:
    old = tracked("Checkout Done", SENT, own(RIGHT))
    richer = {"events": {**RIGHT["events"], "Other": {"type": "page.viewed"}}}
    assert anew(old, tables(RIGHT, richer), EUROPE) == Left()


def test_a_remapped_event_goes_back_to_what_was_sent_as_often_as_one_likes() -> None:
    event = tracked("Checkout Done", SENT)
    documents: list[Document] = []
    for document in (RIGHT, WRONG, {}, WRONG, RIGHT):
        documents.append(document)
        event = changed(event, tables(*documents))
        want = tracked("Checkout Done", SENT, own(document, len(documents)))
        assert told(event) == told(want)
    assert (event.extensions["c360original"], event.extensions["c360remapped"]) == ("m1", "5")


names = st.sampled_from(["a", "b", "c", "order_id", "orderId", "email", "total", "name", "products"])
values = st.integers(0, 3) | st.text("xy", min_size=1, max_size=2) | st.just([{"product_id": "p", "own": 1}])
targets = st.sampled_from(["order_id", "total", "currency", "email", "subject", "text"])
rows = st.fixed_dictionaries(
    {"type": st.sampled_from(["order.completed", "call.held", "contact.updated", "group.joined", "page.viewed"])},
    optional={
        "rename": st.dictionaries(names, targets, max_size=3),
        "traits": st.dictionaries(names | targets, st.sampled_from(["email", "name", "plan"]), max_size=2),
        "actor": st.dictionaries(names, st.sampled_from(["id", "name"]), max_size=2),
        "defaults": st.dictionaries(targets, values, max_size=2),
        "channel": st.sampled_from(["web", "call"]),
        "direction": st.sampled_from(["inbound", "outbound"]),
        "group": names,
        "without_traits": st.just("contact.identified"),
    },
)
contexts = st.sampled_from(
    [{}, {"traits": {"email": "c@x.com"}}, {"groupId": "g"}, {"device": {"id": "d"}}, {"locale": "de"}]
)


@given(st.dictionaries(names, values, max_size=6), contexts, st.lists(rows | st.none(), min_size=1, max_size=4))
def test_whatever_tables_followed_each_other_the_last_one_alone_counts(
    sent: Document, context: Document, followed: list[Any]
) -> None:
    documents: list[Document] = [{"events": {"Own": row}} if row else {} for row in followed]
    first = documents[0]
    event = tracked("Own", sent, own(first), EUROPE, context=context)
    want = event
    for count in range(1, len(documents) + 1):
        made = anew(event, tables(*documents[:count]), EUROPE)
        event = as_logged(made.event) if isinstance(made, Accepted) else event
        want = tracked("Own", sent, own(documents[count - 1], count), EUROPE, context=context)
    assert without_settings(event) == without_settings(want)


def without_settings(event: Event) -> tuple[Any, ...]:
    """Without our own notes; lines keep our names."""
    data = {key: value for key, value in event.data.items() if key not in ("incomplete", "original")}
    properties = {k: v for k, v in data.get("properties", {}).items() if k != "products"}
    identifiers = {k: sorted(v) for k, v in data["identifiers"].items()}
    return event.type, event.record_id, {**data, "properties": properties, "identifiers": identifiers}


def test_an_event_in_our_own_words_is_no_clients() -> None:
    assert call_of(accepted(raw()).event) is None
    lying = accepted(raw(extensions={"c360call": "segment/track", "c360original": "x", "c360remapped": "7"})).event
    assert not lying.extensions.keys() & {"c360call", "c360original", "c360remapped"}


def test_what_several_events_share_a_message_with_is_left() -> None:
    message = {
        "type": "track", "userId": "1", "messageId": "m", "event": "Segment Consent Preference Updated",
        "context": {"consent": {"categoryPreferences": {"ads": True, "mail": False}}},
    }  # fmt: skip
    now = tables({"events": {"Segment Consent Preference Updated": {"type": "page.viewed"}}})
    for made in read_calls(message):
        assert anew(as_logged(accepted(made).event), now) == Left(Why.ONE_OF_SEVERAL)


def test_lines_of_snowplow_are_left_where_another_type_would_place_them_elsewhere() -> None:
    entity = {"schema": "iglu:com.snowplowanalytics.snowplow.ecommerce/product/jsonschema/1-0-0", "data": {"id": "P"}}
    schema = "iglu:com.snowplowanalytics.snowplow.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-2"
    action = {"schema": "iglu:x/unstruct_event/y/1-0-0", "data": {"schema": schema, "data": {"type": "add_to_cart"}}}
    sent = {"e": "ue", "eid": "m", "uid": "1", "p": "web", "ue_pr": action, "co": {"schema": "x", "data": [entity]}}
    (made,) = read_tracked([sent])
    event = as_logged(accepted(made).event)
    assert event.type == "product.added"
    assert anew(event, tables({"events": {"add_to_cart": {"type": "order.completed"}}})) == Left(), (
        "the path is known"
    )
    path = "com.snowplowanalytics.snowplow.ecommerce/add_to_cart"
    assert anew(event, tables({"events": {path: {"type": "order.completed"}}})) == Left(Why.LINES_BY_TYPE)
    assert changed(event, tables({"events": {path: {"type": "product.removed"}}})).type == "product.removed"


def test_posthogs_and_snowplows_events_keep_the_channel_their_library_says() -> None:
    (posted,) = read_captured(
        {"event": "Done", "distinct_id": "1", "uuid": "m", "properties": {"$lib": "posthog-ios", "no": "7"}},
        Sending(ARRIVAL),
    )
    (tracked_,) = read_tracked([{"e": "se", "eid": "m", "uid": "1", "p": "mob", "se_ca": "x", "se_ac": "Done"}])
    now = tables({"events": {"Done": {"type": "order.completed", "rename": {"no": "order_id"}}}})
    for made in (posted, tracked_):
        old = as_logged(accepted(made).event)
        assert (old.type, old.data["channel"]) == ("Done", "app")
        assert (changed(old, now).type, changed(old, now).data["channel"]) == ("order.completed", "app")


def test_a_clamped_or_corrected_time_stays_what_it_was() -> None:
    sent: tuple[dict[str, Any], ...] = (
        {"timestamp": "1970-01-01T00:00:00Z"},
        {"timestamp": "2026-03-02T08:00:00Z", "sentAt": "2026-03-02T08:00:10Z"},
    )
    for more in sent:
        old = tracked("Checkout Done", SENT, **more)
        made = changed(old, tables(RIGHT))
        assert (made.time, made.clamped, made.data["original"]["time"]) == (old.time, old.clamped, more["timestamp"])


def test_the_door_itself_may_refuse_what_another_mapping_makes() -> None:
    refused = tables({"events": {"Checkout Done": {"type": "identity.same_asserted"}}})
    assert anew(tracked("Checkout Done", SENT), refused) == Left("not_permitted")


def test_an_event_of_an_older_build_says_that_its_name_was_not_kept() -> None:
    old = tracked("Order Completed", {"order_id": "1"})
    bare = as_logged(replace_data(old, {k: v for k, v in old.data.items() if k != "original"}))
    assert anew(bare, tables(RIGHT)) == Left(Why.NAME_NOT_KEPT)


def replace_data(event: Event, data: Document) -> Event:
    return Event(
        event.id, event.source, event.type, event.time, event.record_id, event.received, data, False, event.extensions
    )
