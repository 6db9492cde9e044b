"""POST /commands: one event that an app gives through one of our own calls, published as our own source.

Owns the command's form and its answer. It is taken as the door takes events: accepted, published, acknowledged;
but what cannot be taken is said to the asker, not parked. Not for the public.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from schemas.codec import Unreadable
from services.intake import inputs
from services.intake.domain.accept import accept
from services.intake.domain.model import Accepted, Parked, Raw, Received
from services.intake.domain.permissions import OWN_SOURCE
from services.intake.domain.reading import read_body
from services.intake.domain.reasons import EXPLANATIONS
from services.intake.door import BrokerAway, Publisher
from services.runtime import telemetry
from services.runtime.http import Database, Problem, answer
from services.runtime.waiting import write_token

DATA = ("identifiers", "properties", "actor", "channel", "direction", "conversation_id")
FIELDS = frozenset({*DATA, "type", "id", "time"})


async def command(request: Request) -> Response:
    """{type, identifiers, properties, actor, channel, direction, id?, time?} → {event_id, position}.

    Sent again under its id it is the same event, with the time of the first. Raises Problem (bad-request,
    unavailable).
    """
    state = request.app.state
    content = await request.body()
    body = _read(content)
    now = datetime.now(UTC)
    accepted = _accepted(body, now, state.settings.key_bytes)
    if body.get("id") is not None:
        first_at = await _first_heard(state.database, accepted.event.id, content, now)
        if body.get("time") is None:
            accepted = replace(accepted, event=msgspec.structs.replace(accepted.event, time=first_at))
    publisher: Publisher = state.publisher
    try:
        ends = await publisher.publish([accepted])
    except BrokerAway:
        raise Problem("unavailable", "the log does not answer; send again", {"Retry-After": "1"}) from None
    telemetry.ACCEPTED.labels("command").inc()
    return answer({"event_id": accepted.event.event_id, "position": write_token(ends)})


def _read(content: bytes) -> Mapping[str, Any]:
    try:
        body = read_body(content)
    except Unreadable as broken:
        raise Problem("bad-request", EXPLANATIONS.get(broken.reason, "the body cannot be read")) from None
    if not isinstance(body, dict):
        raise Problem("bad-request", "a command is an object")
    if not body.keys() <= FIELDS:
        raise Problem("bad-request", f"a command has no fields but {', '.join(sorted(FIELDS))}")
    return body


def _accepted(body: Mapping[str, Any], now: datetime, deployment_key: bytes) -> Accepted:
    raw = Raw(
        id=uuid.uuid4().hex if body.get("id") is None else body["id"],
        type=body.get("type"),
        data={name: body[name] for name in DATA if body.get(name) is not None},
        time=body.get("time"),
    )
    taken = accept(raw, Received(now, OWN_SOURCE), deployment_key)
    if isinstance(taken, Parked):
        raise Problem("bad-request", f"{taken.reason}: {EXPLANATIONS[taken.reason]}")
    return taken


async def _first_heard(database: Database, sent_id: str, content: bytes, now: datetime) -> datetime:
    pool = await database.pool()
    async with pool.acquire() as connection:
        first_at = await inputs.first_heard(connection, sent_id, hashlib.sha256(content).digest(), now)
    if first_at is None:
        raise Problem("bad-request", "another command was given under this id")
    return first_at
