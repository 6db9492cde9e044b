"""Identifiers and the frozen record function: which record an event belongs to, and its id.

Owns normalising, the class order and the static block list. Frozen: the ids it gives are the keys of the
log, so a change here is a new version beside this one (`RECORD_FUNCTION_VERSION`), never an edit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

RECORD_FUNCTION_VERSION = 1

CLASSES: tuple[str, ...] = (
    "user_id",
    "crm_id",
    "loyalty_id",
    "email",
    "phone",
    "other",
    "device_id",
    "anonymous_id",
)
"""Identifier classes, highest first. `crm_id.acme` is of class `crm_id`; an unknown type is `other`."""

GROUP_TYPE = "group_id"
"""Leads `group.*` events only; a record of this type is a group, never a customer."""

BLOCKED_VALUES: frozenset[str] = frozenset(
    {
        "", "-", "--", ".", "0", "null", "none", "nil", "nan", "n/a", "na", "undefined", "unknown",
        "anonymous", "anonymousid", "anonymous_id", "userid", "user_id", "id", "guest", "true", "false",
        "test", "[object object]", "not_set", "(not set)", "default", "empty", "void", "email", "phone",
    }
)  # fmt: skip
"""Values that never identify anybody, compared case-folded and trimmed."""

VALUE_CHARS_MAX = 512
IDENTIFIER_TYPE_CHARS_MAX = 64
TYPE_NAMES_CACHED_MAX = 1024
DEPLOYMENT_KEYS_MAX = 8
"""A process has one; tests have some."""
BLOCK_BYTES = 64
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DIGITS = re.compile(r"[^0-9]+")
_NOT_SNAKE = re.compile(r"[^a-z0-9]+")
_DEVICE = re.compile(r"(ios|android)\.(id|idfa|idfv|gaid|advertising_?id)", re.IGNORECASE)
PHONE_DIGITS_MIN = 3

_RANK = {name: rank for rank, name in enumerate(CLASSES)}
_OTHER = _RANK["other"]


class Identifier(NamedTuple):
    """(type, normalised value): `("email", "ann@x.com")`, `("crm_id.acme", "7")`."""

    type: str
    value: str


@lru_cache(TYPE_NAMES_CACHED_MAX)
def class_rank(identifier_type: str) -> int:
    """Position of the type's class in CLASSES; 0 is the strongest."""
    return _RANK.get(identifier_type.partition(".")[0], _OTHER)


@lru_cache(TYPE_NAMES_CACHED_MAX)
def type_name(sent: str) -> str | None:
    """The type in snake case, `<type>.<source>` kept apart; None when nothing nameable is left.

    Segment's externalIds name devices as `ios.idfa`: those are device ids.
    """
    if _DEVICE.fullmatch(sent):
        return "device_id"
    base, dot, namespace = sent.partition(".")
    name = _snake(base)
    tail = _snake(namespace) if dot else ""
    name = f"{name}.{tail}" if tail else name
    return name if name and name[0].isalpha() and len(name) <= IDENTIFIER_TYPE_CHARS_MAX else None


def _snake(text: str) -> str:
    return _NOT_SNAKE.sub("_", _CAMEL.sub("_", text).lower()).strip("_")


def normalise(identifier_type: str, value: str) -> str:
    """Trim; case-fold e-mails; keep a phone's digits. Nothing cleverer: policy may be, the log's key may not."""
    value = value.strip()
    base = identifier_type.partition(".")[0]
    if base == "email":
        return value.casefold()
    if base == "phone":
        digits = value if value.isascii() and value.isdigit() else _DIGITS.sub("", value)
        return digits if len(digits) >= PHONE_DIGITS_MIN else ""
    return value


def is_blocked(value: str) -> bool:
    """True for placeholders that many systems send instead of an identifier (also all zeros)."""
    folded = value.casefold()
    return folded in BLOCKED_VALUES or not folded.strip("0-")


def usable(identifiers: Mapping[str, Iterable[str]]) -> list[Identifier]:
    """Normalised identifiers without blocked or empty ones, strongest first, each once.

    Order: class, then type name, then normalised value; so the first one leads the event.
    """
    found = {
        Identifier(type_, value)
        for type_, values in identifiers.items()
        for value in (normalise(type_, raw) for raw in values)
        if not is_blocked(value) and len(value) <= VALUE_CHARS_MAX
    }
    return sorted(found, key=lambda i: (class_rank(i.type), i.type, i.value))


def leading(identifiers: Mapping[str, Iterable[str]], event_type: str = "") -> Identifier | None:
    """The identifier whose record the event belongs to, or None when nothing usable is in it.

    `group_id` leads `group.*` events and nothing else.
    """
    return leader(usable(identifiers), event_type)


def leader(candidates: Sequence[Identifier], event_type: str = "") -> Identifier | None:
    """Of the usable identifiers of an event, in their order, the one that leads it."""
    if event_type.startswith("group."):
        for candidate in candidates:
            if candidate.type.partition(".")[0] == GROUP_TYPE:
                return candidate
    for candidate in candidates:
        if candidate.type.partition(".")[0] != GROUP_TYPE:
            return candidate
    return None


def record_id(deployment_key: bytes, identifier: Identifier) -> str:
    """The record's id: 16 bytes of HMAC-SHA256(deployment key, type + 0x1F + value), written as a UUID."""
    inner, outer = (one.copy() for one in _keyed(deployment_key))
    inner.update(f"{identifier.type}\x1f{identifier.value}".encode("utf-8", "surrogatepass"))
    outer.update(inner.digest())
    h = outer.hexdigest()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:32]}"


@lru_cache(maxsize=DEPLOYMENT_KEYS_MAX)
def _keyed(deployment_key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two hashes of HMAC (RFC 2104, 2) with the key taken in: a record's id needs them a few times an event."""
    key = deployment_key if len(deployment_key) <= BLOCK_BYTES else hashlib.sha256(deployment_key).digest()
    padded = key.ljust(BLOCK_BYTES, b"\0")
    return hashlib.sha256(bytes(b ^ 0x36 for b in padded)), hashlib.sha256(bytes(b ^ 0x5C for b in padded))
