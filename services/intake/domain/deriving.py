"""Ids of events that have none of their own: from what was sent, so that a repetition is the same event.

Owns the namespace of these ids. Frozen: another namespace would make old events new ones.
"""

from __future__ import annotations

import uuid
from hashlib import sha256
from typing import Any

from services.intake.domain.checking import encoded
from services.intake.domain.model import DEPTH_MAX, Refused
from services.intake.domain.reasons import Reason

ID_NAMESPACE = uuid.UUID("6f1d1f0a-3b57-5c1e-9d2e-5e60360c360c")


def derived_id(kind: str, content: Any) -> str:
    """The id of a message without one; `content` is what does not change when it is sent again.

    Raises Refused for what JSON cannot say.
    """
    return str(uuid.uuid5(ID_NAMESPACE, sha256(encoded([kind, _sorted(content, 0)])).hexdigest()))


def part_id(message_id: Any, part: str) -> str:
    """The id of one of several events that a single message makes."""
    return str(uuid.uuid5(ID_NAMESPACE, f"{message_id}\x1f{part}"))


def _sorted(value: Any, depth: int) -> Any:
    if depth > 2 * DEPTH_MAX:
        raise Refused(Reason.TOO_DEEP)
    if type(value) is dict:
        return {key: _sorted(value[key], depth + 1) for key in sorted(value, key=str)}
    if type(value) is list:
        return [_sorted(item, depth + 1) for item in value]
    return value
