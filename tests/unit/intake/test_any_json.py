"""Whatever is sent: accepted or parked, never an exception; what is accepted can be written and read back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Unreadable, decode_event, encode_event
from schemas.digest import body_digest
from schemas.events import EVENT_TYPES
from services.intake.domain.accept import accept
from services.intake.domain.cloudevents import read_http, read_kafka, read_structured
from services.intake.domain.importing import read_import
from services.intake.domain.mapping import shipped
from services.intake.domain.model import Accepted, Parked, Raw, Received, Source
from services.intake.domain.reasons import Reason
from services.intake.domain.segment import CALLS, read_calls
from tests.unit.intake.arriving import ARRIVAL, KEY

KEYS = [
    "identifiers",
    "traits",
    "properties",
    "context",
    "channel",
    "direction",
    "userId",
    "anonymousId",
    "email",
    "phone",
    "externalIds",
    "device",
    "id",
    "type",
    "event",
    "previous",
    "value",
    "group_id",
    "groupId",
    "actor",
    "original",
    "unread",
    "campaign",
    "products",
    "consent",
    "categoryPreferences",
    "messageId",
    "timestamp",
    "sentAt",
    "removed_identifiers",
    "currency",
    "page",
    "batch",
    "specversion",
    "source",
    "time",
    "subject",
    "data",
    "data_base64",
    "conversation_id",
    "user_id",
    "incomplete",
    "business_namespace",
]
WORDS = ["1.0", "track", "page", "Order Completed", "2026-03-02T09:15:00Z", "ann@x.com", "\0", "\ud800"]

text = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=()), max_size=12)
odd_numbers = st.sampled_from([10**400, 2**64, Decimal("1e400"), Decimal("1E-9999999"), math.inf, math.nan])
leaf = st.none() | st.booleans() | st.integers() | st.decimals() | text | odd_numbers
anything = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | text, inner, max_size=6),
    max_leaves=30,
)
objects = st.dictionaries(st.sampled_from(KEYS) | text, anything, max_size=8)
types = st.sampled_from([*EVENT_TYPES, "Signed Contract"]) | anything
sources = st.sampled_from(
    [
        Source("shop"),
        Source("shop2", {"user_id": "shop2"}, "group", "store", "EUR", "CZ", "Europe/Prague", "crm_id"),
    ]
)


def check(raw: Raw | Parked, source: Source) -> None:
    made = accept(raw, Received(ARRIVAL, source), KEY)
    if isinstance(made, Parked):
        assert_known(made.reason)
        return
    assert isinstance(made, Accepted)
    assert decode_event(*encode_event(made.event), exact=True) == made.event
    assert body_digest(decode_event(*encode_event(made.event))) == body_digest(made.event)
    assert accept(raw, Received(ARRIVAL, source), KEY) == made


def assert_known(reason: str) -> None:
    assert reason in set(Reason)


def check_all(read: Callable[[], list[Raw | Parked]], source: Source) -> None:
    try:
        events = read()
    except Unreadable as refused:
        assert_known(refused.reason)
        return
    for raw in events:
        check(raw, source)


@given(objects, types, anything, anything, anything, anything, sources)
def test_any_raw_event_is_accepted_or_parked(
    data: Any, event_type: Any, sent_id: Any, time: Any, sent_at: Any, subject: Any, source: Source
) -> None:
    check(Raw(id=sent_id, type=event_type, data=data, time=time, sent_at=sent_at, subject=subject), source)


@given(objects, st.sampled_from(sorted(EVENT_TYPES)), sources)
def test_any_data_of_a_known_person_is_accepted_or_parked(data: Any, event_type: str, source: Source) -> None:
    check(Raw(id="1", type=event_type, data={**data, "userId": "7"}), source)


@given(anything | objects, st.sampled_from([*CALLS, "t", "b", None]), sources)
def test_any_segment_body_is_read_or_refused(body: Any, call: str | None, source: Source) -> None:
    check_all(lambda: read_calls(body, call), source)


@given(objects, st.sampled_from(CALLS), st.sampled_from([*shipped("segment").events, "Own"]), sources)
def test_any_segment_call_of_a_known_person_is_read(body: Any, call: str, event: str, source: Source) -> None:
    check_all(lambda: read_calls({**body, "event": event, "userId": "7"}, call), source)


@given(anything | objects.map(lambda o: {"specversion": "1.0", **o}), sources)
def test_any_cloudevent_is_read_or_refused(body: Any, source: Source) -> None:
    check_all(lambda: read_structured(body), source)


def written(value: Any) -> bytes:
    return json.dumps(value, default=str).encode("utf-8", "surrogatepass")


names = st.sampled_from(["ce_id", "ce_type", "CE_specversion", "ce_source", "ce_x", "a"])
headers = st.lists(st.tuples(names, st.binary()))


@given(st.binary() | anything.map(written) | objects.map(written), headers)
def test_any_bytes_are_read_or_refused(body: bytes, pairs: list[tuple[str, bytes]]) -> None:
    in_http = {name.replace("_", "-"): value.decode("latin-1") for name, value in pairs}
    check_all(lambda: read_kafka(pairs, body), Source("shop"))
    check_all(lambda: read_http(in_http, body), Source("shop"))
    check_all(lambda: read_import(body), Source("shop"))
