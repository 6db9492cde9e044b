"""What a message of profile.changes says: a customer's change, and each segment and tier he moved between with it.

Owns reading the message as CloudEvents with their cursors; handlers.py writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.codec import header
from schemas.envelope import rfc3339
from services.profile.domain.changing import MOVES_HEADER
from services.profile.listening.audience import Change
from services.profile.listening.places import Cursor, Remembered, after


def events_of(record: Any, before: Cursor, remembered: Remembered, *, build: bool, skip: int = 0) -> Iterator[Change]:
    """The events of a message that were not told before, less the first `skip`; none unless they are to be built.

    `before`: the cursor of whoever has heard all before it. Each event's id is remembered, built or not.
    """
    partition, offset = record.partition, record.offset
    moves = header(record.headers, MOVES_HEADER)
    said: list[tuple[str, str, bytes]] = [
        (header(record.headers, "ce_id") or "", header(record.headers, "ce_type") or "", record.value)
    ]
    if moves:
        said += [(one["id"], one["type"], orjson.dumps(one["data"])) for one in orjson.loads(moves)]
    here = after(before.places, partition, offset - 1)
    for number, (event_id, kind, data) in enumerate(said, 1):
        if not remembered.is_new(partition, event_id) or not build or number <= skip:
            continue
        is_last = number == len(said)
        cursor = Cursor(after(here, partition, offset)) if is_last else Cursor(here, partition, number)
        yield _change(record, event_id, kind, data, str(cursor))


def _change(record: Any, event_id: str, kind: str, data: bytes, cursor: str) -> Change:
    customer = record.key.decode()
    about = {
        "specversion": header(record.headers, "ce_specversion") or "1.0",
        "id": event_id,
        "source": header(record.headers, "ce_source") or "",
        "type": kind,
        "subject": customer,
        "time": rfc3339(datetime.fromtimestamp(record.timestamp / 1000, UTC)),
        "datacontenttype": "application/json",
    }
    event = orjson.dumps(about)[:-1] + b',"data":' + data + b"}"
    return Change(customer, event_id, kind, event, cursor)
