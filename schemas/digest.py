"""The digest of an event's content, by which two sendings under one id are told to say the same or not.

Owns what counts as content. Must not depend on when or how often something was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from schemas.codec import write_json_exactly
from schemas.envelope import Event

DIGEST_BYTES = 8


def body_digest(event: Event) -> bytes:
    """The digest of an event."""
    return digest(event.type, event.data)


def digest(event_type: str, data: Mapping[str, Any]) -> bytes:
    """8 bytes of BLAKE2b over type and data, with sorted keys and numbers as doubles.

    Left out is what differs between two sendings of one event: the client's time kept beside a corrected
    one, `sentAt`, and what depends on our rules: `incomplete`, what a mapping renamed or added. The same
    whether the event was read exactly or not. Raises Unreadable for data that is not JSON.
    """
    content: dict[str, Any] = {key: value for key, value in data.items() if key != "incomplete"}
    for kept in ("time", "renamed", "added"):
        _without(content, "original", kept)
    _without(content, "context", "sentAt")
    as_read = orjson.loads(write_json_exactly([event_type, content]))
    return blake2b(orjson.dumps(as_read, option=orjson.OPT_SORT_KEYS), digest_size=DIGEST_BYTES).digest()


def _without(content: dict[str, Any], outer: str, inner: str) -> None:
    held = content.get(outer)
    if isinstance(held, dict) and inner in held:
        rest = {key: value for key, value in held.items() if key != inner}
        if rest:
            content[outer] = rest
        else:
            del content[outer]
