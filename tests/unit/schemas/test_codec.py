"""The wire: what is written is read, what cannot be read says why, and what is sealed is not broken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.codec import (
    Headers,
    Sealed,
    State,
    StateText,
    Unreadable,
    Version,
    decode_event,
    decode_state,
    encode_event,
    encode_state,
    header,
    read_json_exactly,
    upcast,
    write_json_exactly,
)  # fmt: skip
from schemas.envelope import Event

RECORD = "6f1d1f0a-3b57-5c1e-9d2e-0c360c360c36"
KEY = RECORD.encode()
HEADERS: list[tuple[str, bytes]] = [
    ("ce_id", b"1"), ("ce_source", b"shop"), ("ce_type", b"page.viewed"), ("ce_time", b"2024-03-01T12:00:00Z"),
]  # fmt: skip

plain = st.text(max_size=8)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(plain, values, max_size=4)
events = st.builds(
    Event, id=plain, source=plain, type=plain, time=moments, record_id=st.uuids().map(str), received=moments,
    data=bodies, clamped=st.booleans(),
    extensions=st.dictionaries(st.sampled_from(["traceparent", "tenant"]), plain, max_size=2),
)  # fmt: skip


@given(events, st.booleans())
def test_an_event_is_read_as_it_was_written(event: Event, exact: bool) -> None:
    key, value, headers = encode_event(event)
    assert decode_event(key, value, headers, exact=exact) == event
    assert key == event.record_id.encode()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_money_is_read_to_the_last_digit(amount: Decimal) -> None:
    event = Event(
        "1", "s", "t", datetime(2024, 1, 1, tzinfo=UTC), RECORD, datetime(2024, 1, 1, tzinfo=UTC), {"a": amount}
    )
    key, value, headers = encode_event(event)
    read = decode_event(key, value, headers, exact=True).data["a"]
    assert Decimal(read) == amount
    assert isinstance(read, Decimal)


def test_the_headers_say_form_record_function_and_arrival() -> None:
    at = datetime(2024, 3, 1, 12, tzinfo=UTC)
    _, _, headers = encode_event(Event("1", "s", "t", at, RECORD, at))
    assert header(headers, "c360_form") == "plain"
    assert header(headers, "c360_record_function") == "1"
    assert header(headers, "c360_received") == "2024-03-01T12:00:00Z"
    assert header(headers, "c360_clamped") is None
    assert header(headers, "c360_schema") is None


def test_an_event_without_arrival_arrived_when_it_happened() -> None:
    assert decode_event(KEY, b"{}", HEADERS).received == datetime(2024, 3, 1, 12, tzinfo=UTC)


def without(name: str) -> Headers:
    """The headers less one."""
    return [h for h in HEADERS if h[0] != name]


def changed(name: str, value: bytes) -> Headers:
    """The headers with one of another value."""
    return [*without(name), (name, value)]


BROKEN: list[tuple[str, bytes | None, bytes | None, Headers]] = [
    ("no_key", None, b"{}", HEADERS),
    ("no_value", KEY, None, HEADERS),
    ("key_not_a_record_id", b"ann", b"{}", HEADERS),
    ("not_json", KEY, b"{", HEADERS),
    ("not_json", KEY, b"", HEADERS),
    ("not_json", KEY, b'{"a": NaN}', HEADERS),
    ("not_json", KEY, b'"\xff"', HEADERS),
    ("data_not_an_object", KEY, b"[]", HEADERS),
    ("data_not_an_object", KEY, b"null", HEADERS),
    *(("no_header", KEY, b"{}", without(name)) for name, _ in HEADERS),
    ("not_utf8", KEY, b"{}", changed("ce_id", b"\xff")),
    ("bad_header", KEY, b"{}", changed("ce_time", b"soon")),
    ("bad_header", KEY, b"{}", changed("ce_time", b"2024-03-01T12:00:00")),
    ("bad_header", KEY, b"{}", changed("c360_schema", b"one")),
    ("unknown_version", KEY, b"{}", changed("c360_schema", b"9")),
    ("unknown_version", KEY, b"{}", changed("c360_schema", b"0")),
]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("reason", "key", "value", "headers"), BROKEN)
def test_what_cannot_be_read_says_why(
    reason: str, key: bytes | None, value: bytes | None, headers: Headers, exact: bool
) -> None:
    with pytest.raises(Unreadable) as broken:
        decode_event(key, value, headers, exact=exact)
    assert broken.value.reason == reason


@pytest.mark.parametrize("time", [b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00"])
def test_a_time_outside_the_calendar_is_unreadable_and_not_an_accident(time: bytes) -> None:
    with pytest.raises(Unreadable, match="bad_header"):
        decode_event(KEY, b"{}", changed("ce_time", time))


@pytest.mark.parametrize(
    "name",
    ["ce_id", "ce_time", "ce_type", "ce_tenant", "c360_form", "c360_schema", "c360_received"],
)
def test_a_header_without_a_value_is_unreadable_and_not_an_accident(name: str) -> None:
    nothing: Any = None
    with pytest.raises(Unreadable):
        decode_event(KEY, b"{}", changed(name, nothing))


@pytest.mark.parametrize(
    "key",
    [b"+f1d1f0a-3b57-5c1e-9d2e-0c360c360c36", b"6f1d_f0a-3b57-5c1e-9d2e-0c360c360c36", 
     b"6-1-1-0-03b575c1e9d2e0c360c360c36abc",
     RECORD.upper().encode(), b" f1d1f0a-3b57-5c1e-9d2e-0c360c360c36"],
)  # fmt: skip
def test_a_key_is_a_record_id_exactly_as_we_write_it_or_none(key: bytes) -> None:
    """The database writes ids in one way only; another spelling would never be found again."""
    with pytest.raises(Unreadable):
        decode_event(key, b"{}", HEADERS)


def test_a_number_nobody_can_hold_is_unreadable_and_not_an_accident() -> None:
    with pytest.raises(Unreadable, match="not_json"):
        decode_event(KEY, b'{"a": 1e999999999999999999999}', HEADERS, exact=True)


OPTIONAL = ("c360_form", "c360_schema", "c360_received")
spoilt_headers = st.lists(
    st.tuples(st.sampled_from([*(h[0] for h in HEADERS), *OPTIONAL]), st.binary(max_size=8)),
    max_size=2,
)


@settings(max_examples=300)
@given(st.binary(max_size=40) | st.just(KEY), st.binary(max_size=12) | bodies.map(write_json_exactly), spoilt_headers)
def test_any_bytes_are_an_event_unreadable_or_sealed(key: bytes, value: bytes, more: list[tuple[str, bytes]]) -> None:
    for exact in (True, False):
        try:
            decode_event(key, value, [*HEADERS, *more], exact=exact)
        except (Unreadable, Sealed):
            continue


@pytest.mark.parametrize("form", [b"sealed", b"", b"\xff\xfe"])
def test_another_form_is_sealed_and_not_broken(form: bytes) -> None:
    with pytest.raises(Sealed):
        decode_event(KEY, b"\x00 not json", changed("c360_form", form))


def test_an_unreadable_reason_holds_no_content() -> None:
    for key, value, headers in ((KEY, b'{"a": "ann@x.com', HEADERS), (KEY, b"{}", changed("ce_time", b"ann@x.com"))):
        with pytest.raises(Unreadable) as broken:
            decode_event(key, value, headers)
        assert "ann" not in str(broken.value)


@pytest.fixture
def grown() -> Iterator[str]:
    """A type whose data had three versions."""
    name = "thing.grown"
    codec.CURRENT_VERSION[name] = 3
    codec.UPCASTERS[name, 1] = lambda data: {**data, "second": True}
    codec.UPCASTERS[name, 2] = lambda data: {k: v for k, v in data.items() if k != "old"}
    yield name
    del codec.CURRENT_VERSION[name], codec.UPCASTERS[name, 1], codec.UPCASTERS[name, 2]


def test_old_data_is_read_in_its_current_version(grown: str) -> None:
    headers = changed("ce_type", grown.encode())
    assert decode_event(KEY, b'{"old":1}', headers).data == {"second": True}
    assert decode_event(KEY, b'{"old":1}', [*headers, ("c360_schema", b"2")]).data == {}
    assert upcast(grown, 3, {"old": 1}) == {"old": 1}
    with pytest.raises(Unreadable, match="unknown_version"):
        upcast(grown, 4, {})


def test_new_data_says_its_version(grown: str) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    key, value, headers = encode_event(Event("1", "s", grown, at, RECORD, at, {"old": 1}))
    assert header(headers, "c360_schema") == "3"
    assert decode_event(key, value, headers).data == {"old": 1}


def test_every_older_version_has_its_way_up() -> None:
    for name, current in codec.CURRENT_VERSION.items():
        assert all((name, v) in codec.UPCASTERS for v in range(1, current))


states = st.builds(
    State, key=st.uuids().map(str), version=st.builds(Version, st.integers(0, 2**50), st.integers(0, 2**50)),
    body=st.none() | bodies, members=plain, log_time_ms=st.integers(0, 2**45), 
    cause=st.sampled_from(["live", "replay"]),
)  # fmt: skip


@given(states)
def test_a_state_is_read_as_it_was_written(state: State) -> None:
    key, value, headers = encode_state(state)
    assert decode_state(value) == state
    assert key == state.key.encode()
    assert header(headers, "c360_version") == f"{state.version.epoch}.{state.version.n}"


@given(states)
def test_a_state_whose_body_was_written_before_is_told_in_the_same_bytes(state: State) -> None:
    text = None if state.body is None else orjson.dumps(state.body).decode()
    written = StateText(state.key, state.version, text, state.members, state.log_time_ms, state.cause)
    assert encode_state(written) == encode_state(state)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "no_value"), (b"", "not_json"), (b"{", "not_json"), (b"[]", "not_a_state"), (b"{}", "not_a_state"),
     (b'{"key":"k","epoch":"x","n":1,"body":null,"members":"","log_time_ms":0,"cause":"live"}', "not_a_state"),
     (b"5", "not_a_state")],
)  # fmt: skip
def test_what_is_no_state_says_why(value: bytes | None, reason: str) -> None:
    with pytest.raises(Unreadable) as broken:
        decode_state(value)
    assert broken.value.reason == reason


@given(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_the_epoch_counts_before_the_number(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert Version(*one).newer_than(Version(*other)) is (one > other)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"a":01}', b"[" * 100_000])
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="not_json"):
        read_json_exactly(raw)


@pytest.mark.parametrize("value", ["\ud800", object(), {"a": {1, 2}.__iter__()}])
def test_what_json_cannot_say_is_not_written(value: Any) -> None:
    with pytest.raises(Unreadable, match="not_writable"):
        write_json_exactly(value)
