"""What apps say of a customer: a channel event, a preference, a consent; each an event of the log.

Owns these routes, their words and shapes. What may be said is domain/saying.py; intake takes and publishes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from schemas.codec import Unreadable, read_json_exactly
from schemas.events.common import Channel
from schemas.events.fields import moment_of
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, passed_on
from services.profile.domain import IDENTITY, saying
from services.runtime.http import Problem, answer

ID_CHARS_MAX = 256
NAME_CHARS_MAX = 256

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=ID_CHARS_MAX)]
SentId = Annotated[
    str | None, Header(max_length=ID_CHARS_MAX, description="The event's id; sent again it is the same")
]
Named = Annotated[str, Path(max_length=NAME_CHARS_MAX)]


class _Asked(BaseModel):
    """Unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid")


class ActedBy(_Asked):
    """Who acted, when it was not simply the customer."""

    kind: Literal["customer", "staff", "bot", "system"] | None = None
    id: Id | None = None
    name: Id | None = None


class EventCommand(_Asked):
    """A channel event of this customer. Without `time` it happened now; without `id` it is a new one every time."""

    type: Annotated[str, Field(min_length=1, max_length=saying.TYPE_CHARS_MAX)]
    channel: Channel | None = None
    direction: Literal["inbound", "outbound"] | None = None
    actor: ActedBy | None = None
    conversation_id: Id | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    id: Id | None = None
    time: Annotated[str | None, Field(description="RFC 3339")] = None


class PreferenceCommand(_Asked):
    """How the customer wants to be told about a topic; at least one of channel to value."""

    channel: Channel | None = None
    frequency: Id | None = None
    format: Id | None = None
    language: Id | None = None
    quiet_hours: Any = None
    value: Any = None
    until: Annotated[str | None, Field(description="RFC 3339")] = None
    question_id: Id | None = None
    actor: ActedBy | None = None


class ConsentCommand(_Asked):
    """A purpose allowed, or no longer, on `channels` or, without them, on all."""

    state: Literal["granted", "withdrawn"]
    channels: Annotated[list[Channel] | None, Field(min_length=1)] = None
    list_id: Id | None = None
    text_version: Id | None = None
    method: Id | None = None
    legal_basis: Id | None = None
    expires_at: Annotated[str | None, Field(description="RFC 3339")] = None
    evidence: Any = None
    actor: ActedBy | None = None


class CommandAnswer(BaseModel):
    """The event that says it, and the position from which answers know it."""

    event_id: str
    position: str


async def event(
    request: Request,
    customer_id: str,
    body: EventCommand,
    idempotency_key: SentId = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """A channel event of this customer, kept in the log under his founder's record. Unknown types are history."""
    doors = await _allowed(request)
    if body.id and idempotency_key and body.id != idempotency_key:
        raise Problem("bad-request", "id: it is another than Idempotency-Key")
    if body.time is not None and moment_of(body.time) is None:
        raise Problem("bad-request", "time: RFC 3339 with a zone")
    sent = await _as_sent(request)
    said = {
        "type": body.type,
        "properties": sent.get("properties") or {},
        **{name: sent[name] for name in ("channel", "direction", "time") if sent.get(name) is not None},
        **({"conversation_id": body.conversation_id} if body.conversation_id else {}),
        **_acted(body.actor),
    }
    await doors.reach(min_position, wait_ms)
    return await _say(doors, customer_id, said, body.id or idempotency_key)


async def preference(
    request: Request,
    customer_id: str,
    topic: Named,
    body: PreferenceCommand,
    idempotency_key: SentId = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What the customer prefers about a topic, as the event preference.stated."""
    doors = await _allowed(request)
    said = {
        "type": "preference.stated",
        "properties": {"topic": topic, **await _properties(request, PreferenceCommand, {"actor"})},
        **_acted(body.actor),
    }
    await doors.reach(min_position, wait_ms)
    return await _say(doors, customer_id, said, idempotency_key)


async def consent(
    request: Request,
    customer_id: str,
    purpose: Named,
    body: ConsentCommand,
    idempotency_key: SentId = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """A consent given or withdrawn for a purpose, as the event consent.granted or consent.withdrawn."""
    doors = await _allowed(request)
    said = {
        "type": f"consent.{body.state}",
        "properties": {"purpose": purpose, **await _properties(request, ConsentCommand, {"actor", "state"})},
        **_acted(body.actor),
    }
    await doors.reach(min_position, wait_ms)
    return await _say(doors, customer_id, said, idempotency_key)


async def _allowed(request: Request) -> Doors:
    """The doors, for a key that may say something. Raises Problem("unauthorised", "forbidden")."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "events:write")
    return doors


async def _as_sent(request: Request) -> Mapping[str, Any]:
    """The body with its numbers as they were written: an amount never goes through a float."""
    try:
        found: Mapping[str, Any] = read_json_exactly(await request.body())
    except Unreadable:
        raise Problem("bad-request", "body: not JSON, or a number in it is none") from None
    return found


async def _properties(request: Request, shape: type[BaseModel], others: set[str]) -> dict[str, Any]:
    """The fields of a short form that are the event's properties."""
    sent = await _as_sent(request)
    return {name: sent[name] for name in shape.model_fields if name not in others and sent.get(name) is not None}


def _acted(actor: ActedBy | None) -> dict[str, Any]:
    told = actor.model_dump(exclude_none=True) if actor else {}
    return {"actor": told} if told else {}


async def _say(doors: Doors, customer_id: str, said: dict[str, Any], sent_id: str | None) -> Response:
    """Give it to intake, led by the founder's identifier: 202 with the event's id and position."""
    told = await doors.today(customer_id)
    founder = saying.founder(told.customer_id, told.sections[IDENTITY].body or {})
    if founder is None:
        raise Problem("unavailable", "the customer's founder is not told", {"Retry-After": "1"})
    command = {**said, "identifiers": {founder.type: founder.value}}
    fault = saying.fault(said["type"], command, founder)
    if fault is not None:
        raise Problem(fault.kind, fault.detail)
    taken = await doors.give(command, sent_id)
    if taken.status_code != 200:
        return passed_on(taken)
    given = taken.json()
    return answer(given, 202, {"C360-Position": given["position"]})
