"""Bytes of Kafka records to and from events and state messages: CloudEvents binary mode, versions, form.

Owns the wire. Must not decide anything about content: what cannot be read raises `Unreadable` with a reason,
what is sealed and has no key raises `Sealed` (erased, not broken).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import orjson

from schemas.envelope import Event, parse_rfc3339, rfc3339
from schemas.identifiers import RECORD_FUNCTION_VERSION

Headers = Sequence[tuple[str, bytes]]

FORM_PLAIN = "plain"
RAW_SEPARATOR = b"\x1f"

UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""(type, version) → the data one version higher. Pure; applied in turn until the current version."""

CURRENT_VERSION: dict[str, int] = {}
"""Types whose data has a later version than 1."""

_RECORD_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_decoder_exact = msgspec.json.Decoder(float_hook=Decimal)
_encoder_exact = msgspec.json.Encoder(decimal_format="number")


class Unreadable(ValueError):
    """A record that cannot be read. `reason` is a short stable code without content; `detail` says where."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Sealed(Exception):
    """The record is in a form this reader has no key for: its person was erased, or is none of ours."""


class Version(msgspec.Struct, frozen=True, gc=False):
    """(epoch, n), compared in that order: n counts under a row's lock, the epoch rises with every swap."""

    epoch: int
    n: int

    def newer_than(self, other: Version) -> bool:
        """Whether this state replaces the other."""
        return (self.epoch, self.n) > (other.epoch, other.n)


LIVE, ERASED = "live", "erased"
"""Why a state is told; `erased`: an emptied customer whose person was erased."""


class State(msgspec.Struct, frozen=True):
    """One message of a compacted topic: the current state of `key`.

    `members` is the hash of the sorted record ids the body combined ("" where that has no meaning);
    `log_time_ms` is the log-append time of the newest event in it; an emptied customer has body None.
    """

    key: str
    version: Version
    body: dict[str, Any] | None
    members: str = ""
    log_time_ms: int = 0
    cause: str = LIVE


def read_json_exactly(raw: bytes | str) -> Any:
    """JSON with numbers kept as written (Decimal), so that money never passes through a float.

    Raises Unreadable("not_json").
    """
    try:
        return _decoder_exact.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, ArithmeticError) as broken:
        raise Unreadable("not_json", str(broken)[:200]) from None


def write_json_exactly(value: Any) -> bytes:
    """JSON bytes with Decimals as numbers. Raises Unreadable("not_writable") e.g. for lone surrogates."""
    try:
        return _encoder_exact.encode(value)
    except (TypeError, ValueError, RecursionError) as broken:
        raise Unreadable("not_writable", str(broken)[:200]) from None


def encode_event(event: Event) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """(key, value, headers) of one record of channel.events."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.type.encode()),
        ("ce_time", rfc3339(event.time).encode()),
        ("content-type", b"application/json"),
        ("c360_form", FORM_PLAIN.encode()),
        ("c360_received", rfc3339(event.received).encode()),
        ("c360_record_function", str(RECORD_FUNCTION_VERSION).encode()),
    ]
    if event.clamped:
        headers.append(("c360_clamped", b"1"))
    version = CURRENT_VERSION.get(event.type, 1)
    if version > 1:
        headers.append(("c360_schema", str(version).encode()))
    headers.extend((f"ce_{name}", value.encode()) for name, value in event.extensions.items())
    return event.record_id.encode(), write_json_exactly(event.data), headers


_OWN = frozenset({"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"})
_PLAIN = _OWN | {
    "content-type", "c360_form", "c360_received", "c360_record_function", "c360_clamped", "c360_schema",
}  # fmt: skip
"""Headers of an event without extensions: most have no others."""


def header(headers: Headers, name: str) -> str | None:
    """The value of a header, or None: lets a reader skip a record without decoding it."""
    for key, value in headers:
        if key == name:
            return value.decode("utf-8", "replace")
    return None


def decode_event(key: bytes | None, value: bytes | None, headers: Headers, *, exact: bool = False) -> Event:
    """The event of one record of the log; `exact` keeps numbers as Decimal.

    Raises Unreadable (no_key, no_value, no_header, not_json, bad_time, unknown_version) or Sealed.
    """
    if key is None:
        raise Unreadable("no_key")
    if value is None:
        raise Unreadable("no_value")
    named = dict(headers)
    try:
        if named.get("c360_form", b"plain") != b"plain":
            raise Sealed(named["c360_form"].decode("ascii", "replace"))
        event_type = named["ce_type"].decode()
        time = parse_rfc3339(named["ce_time"].decode())
        received = parse_rfc3339(named["c360_received"].decode()) if "c360_received" in named else time
        data = read_json_exactly(value) if exact else orjson.loads(value)
        if not isinstance(data, dict):
            raise Unreadable("data_not_an_object")
        return Event(
            id=named["ce_id"].decode(),
            source=named["ce_source"].decode(),
            type=event_type,
            time=time,
            record_id=_record_key(key),
            received=received,
            data=upcast(event_type, int(named.get("c360_schema", b"1")), data),
            clamped="c360_clamped" in named,
            extensions={} if named.keys() <= _PLAIN else _extensions(headers),
        )
    except KeyError as missing:
        raise Unreadable("no_header", str(missing.args[0])) from None
    except orjson.JSONDecodeError as broken:
        raise Unreadable("not_json", f"at {broken.pos}") from None
    except UnicodeDecodeError:
        raise Unreadable("not_utf8") from None
    except Unreadable:
        raise
    except (ValueError, TypeError, AttributeError, OverflowError) as broken:
        raise Unreadable("bad_header", type(broken).__name__) from None


def _extensions(headers: Headers) -> dict[str, str]:
    return {n[3:]: v.decode() for n, v in headers if n.startswith("ce_") and n not in _OWN}


def _record_key(key: bytes) -> str:
    if _RECORD_ID.fullmatch(key) is None:
        raise Unreadable("key_not_a_record_id")
    return key.decode("ascii")


def upcast(event_type: str, version: int, data: dict[str, Any]) -> dict[str, Any]:
    """The data in the type's current version. Raises Unreadable("unknown_version")."""
    current = CURRENT_VERSION.get(event_type, 1)
    if not 1 <= version <= current:
        raise Unreadable("unknown_version", str(version))
    while version < current:
        data = UPCASTERS[event_type, version](data)
        version += 1
    return data


def encode_state(state: State | StateText) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """(key, value, headers) of one message of a compacted topic; the version is also a header.

    A text that is written already is told as it is.
    """
    body: Any = state.body if isinstance(state, State) else state.text and orjson.Fragment(state.text)
    value = orjson.dumps(
        {
            "key": state.key,
            "epoch": state.version.epoch,
            "n": state.version.n,
            "members": state.members,
            "log_time_ms": state.log_time_ms,
            "cause": state.cause,
            "body": body,
        }
    )
    return state.key.encode(), value, [("c360_version", f"{state.version.epoch}.{state.version.n}".encode())]


class _Wire(msgspec.Struct):
    key: str
    epoch: int
    n: int
    members: str
    log_time_ms: int
    cause: str
    body: msgspec.Raw


_wire_decoder = msgspec.json.Decoder(_Wire)


class StateText(msgspec.Struct, frozen=True, gc=False):
    """A state whose body stays the JSON text it came as, for who only stores it, or wrote it; None: emptied."""

    key: str
    version: Version
    text: str | None
    members: str
    log_time_ms: int
    cause: str = LIVE


def decode_state_text(value: bytes | None) -> StateText:
    """As decode_state, without reading the body. Raises Unreadable (no_value, not_a_state)."""
    if value is None:
        raise Unreadable("no_value")
    try:
        wire = _wire_decoder.decode(value)
        text = bytes(wire.body).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Unreadable("not_a_state", type(broken).__name__) from None
    version = Version(wire.epoch, wire.n)
    body = None if text == "null" else text
    return StateText(wire.key, version, body, wire.members, wire.log_time_ms, wire.cause)


def decode_state(value: bytes | None) -> State:
    """The state in a message of a compacted topic. Raises Unreadable (no_value, not_json, not_a_state)."""
    if value is None:
        raise Unreadable("no_value")
    try:
        raw = orjson.loads(value)
        return State(
            key=raw["key"],
            version=Version(int(raw["epoch"]), int(raw["n"])),
            body=raw["body"],
            members=raw["members"],
            log_time_ms=int(raw["log_time_ms"]),
            cause=raw["cause"],
        )
    except orjson.JSONDecodeError as broken:
        raise Unreadable("not_json", f"at {broken.pos}") from None
    except (KeyError, TypeError, ValueError) as broken:
        raise Unreadable("not_a_state", type(broken).__name__) from None
