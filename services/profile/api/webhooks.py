"""Endpoints of webhooks: making, changing, removing them, their secrets, deliveries and replays.

Owns the routes and their words. Delivering is services/profile/webhooks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import Path, Query, Request
from starlette.responses import Response

from schemas.envelope import rfc3339
from schemas.events.fields import moment_of
from services.profile.api.doors import Doors
from services.profile.domain import webhooks as rules
from services.profile.inputs import ApiKey, deliveries, webhooks
from services.profile.listening.changes import Changes
from services.profile.listening.places import Cursor
from services.profile.webhook_shapes import ReplayCommand, RotateCommand, WebhookChange, WebhookCommand
from services.profile.webhooks.addresses import Refused, addresses
from services.runtime.http import Problem, answer

SCOPE = "ops:admin"
DELIVERIES_MAX = 200
NEWEST = 2**63 - 1
SAID = {
    "name-unknown": "url: its host has no address",
    "address-refused": "url: its host is at a private, loopback or link-local address",
}
TIMES = (
    "created_at", "disabled_at", "failing_since", "taken_at", "failed_at", "gap_at", "queued_at", "first_at",
    "due_at", "done_at",
)  # fmt: skip

WebhookId = Annotated[str, Path(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=DELIVERIES_MAX)]
State = Annotated[Literal["waiting", "taken", "dead"] | None, Query(description="`dead`: the dead letters")]


async def make(request: Request, body: WebhookCommand) -> Response:
    """A new endpoint, told of what changes from now on. Its secret is shown here once."""
    doors, key = await _allowed(request)
    await _check(doors, body.url, body.types)
    changes: Changes = request.app.state.changes
    async with changes.ours():
        cursor = str(await changes.start_at(None, None))
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        made = await webhooks.create(connection, body.model_dump(), f"{key.name} ({key.key_id})", cursor)
        if made is None:
            raise Problem("refused", f"there are {webhooks.WEBHOOKS_MAX} webhooks already")
        (row,) = await webhooks.listed(connection, made)
    request.app.state.deliverer.look()
    return answer({**_shown(row), "secret": _secret(doors, made, 1)}, 201)


async def listed(request: Request) -> Response:
    """All endpoints, and how each does."""
    doors, _ = await _allowed(request)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        rows = await webhooks.listed(connection)
    return answer({"webhooks": [_shown(row) for row in rows]})


async def one(request: Request, webhook_id: WebhookId) -> Response:
    """An endpoint, and how it does."""
    doors, _ = await _allowed(request)
    return answer(_shown(await _row(doors, webhook_id)))


async def change(request: Request, webhook_id: WebhookId, body: WebhookChange) -> Response:
    """Change an endpoint, pause it, or begin anew with one that was disabled: what waits for it is delivered."""
    doors, _ = await _allowed(request)
    given = body.model_dump(exclude_unset=True)
    empty = sorted(name for name, part in given.items() if part is None and name != "description")
    if empty:
        raise Problem("bad-request", f"{', '.join(empty)}: not null")
    row = await _row(doors, webhook_id)
    if "url" in given or "types" in given:
        await _check(doors, given.get("url", row["url"]), given.get("types", row["types"]))
    pool = await doors.database.pool()
    async with pool.acquire() as connection, connection.transaction():
        await webhooks.change(connection, webhook_id, given)
    request.app.state.deliverer.look()
    return answer(_shown(await _row(doors, webhook_id)))


async def remove(request: Request, webhook_id: WebhookId) -> Response:
    """Remove an endpoint with its deliveries."""
    doors, _ = await _allowed(request)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        if not await webhooks.delete(connection, webhook_id):
            raise _unknown()
    request.app.state.deliverer.look()
    return Response(status_code=204)


async def rotate(request: Request, webhook_id: WebhookId, body: RotateCommand) -> Response:
    """A new secret, shown here once. For a while deliveries are signed with both."""
    doors, _ = await _allowed(request)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        made = await webhooks.rotate(connection, webhook_id, body.overlap_s)
    if made is None:
        raise _unknown()
    request.app.state.deliverer.look()
    number, until = made
    secret = _secret(doors, webhook_id, number)
    return answer({"webhook_id": webhook_id, "secret": secret, "former_secret_until": rfc3339(until)})


async def replay(request: Request, webhook_id: WebhookId, body: ReplayCommand) -> Response:
    """Tell it once more what changed since a moment or a cursor, each event under the id it had."""
    doors, _ = await _allowed(request)
    moment = moment_of(body.since) if body.since is not None else None
    if (body.after is None) == (body.since is None) or (body.since is not None and moment is None):
        raise Problem("bad-request", "one of after, a cursor, and from, RFC 3339 with a zone")
    changes: Changes = request.app.state.changes
    async with changes.ours():
        start = await _start(changes, body.after, moment)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        if not await webhooks.replay(connection, webhook_id, str(start)):
            raise _unknown()
    request.app.state.deliverer.look()
    return answer({"webhook_id": webhook_id, "cursor": str(start)}, 202)


async def _start(changes: Changes, after: str | None, moment: datetime | None) -> Cursor:
    if moment is None:
        return await changes.start_at(after, None)
    return await changes.start_from(max(0, int(moment.timestamp() * 1_000)))


async def deliveries_of(
    request: Request,
    webhook_id: WebhookId,
    state: State = None,
    limit: Limit = 50,
    cursor: Annotated[int | None, Query(ge=1, le=NEWEST, description="`next_cursor` of the page before")] = None,
) -> Response:
    """Deliveries of an endpoint, the newest first: waiting, taken, or dead with the reason."""
    doors, _ = await _allowed(request)
    await _row(doors, webhook_id)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        rows = await deliveries.listed(connection, webhook_id, state, cursor or NEWEST, limit + 1)
    listed = [
        {**_timed(row), "customer_id": str(row["customer_id"]), "message_id": rules.message_id(row["event_id"])}
        for row in rows[:limit]
    ]
    for found in listed:
        found["due_at"] = found["due_at"] if found["state"] == "waiting" else None
    next_cursor = str(listed[-1]["delivery_id"]) if len(rows) > limit else None
    return answer({"deliveries": listed, "next_cursor": next_cursor})


async def retry(
    request: Request, webhook_id: WebhookId, delivery_id: Annotated[int, Path(ge=1, le=NEWEST)]
) -> Response:
    """Deliver a dead letter after all, or one that waits at once."""
    doors, _ = await _allowed(request)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        was = await deliveries.retry(connection, webhook_id, delivery_id)
    if was is None:
        raise Problem("not-found", "no such delivery")
    if was == "taken":
        raise Problem("refused", "it was taken; replay tells what was taken once more")
    request.app.state.deliverer.look()
    return answer({"delivery_id": delivery_id, "state": "waiting"}, 202)


async def _allowed(request: Request) -> tuple[Doors, ApiKey]:
    doors: Doors = request.app.state.doors
    return doors, await doors.access.check(request, SCOPE)


async def _check(doors: Doors, url: str, types: list[str]) -> None:
    """Raises Problem("bad-request") for what is no endpoint. Its host is looked up again at each attempt."""
    is_private = doors.settings.webhooks_allow_private
    faults = rules.faults(url, types, may_be_plain=is_private)
    if faults:
        raise Problem("bad-request", "; ".join(faults))
    parts = urlsplit(url)
    try:
        await addresses(parts.hostname or "", parts.port or 443, may_be_private=is_private)
    except Refused as refused:
        raise Problem("bad-request", SAID[refused.reason]) from None


async def _row(doors: Doors, webhook_id: str) -> dict[str, Any]:
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        rows = await webhooks.listed(connection, webhook_id)
    if not rows:
        raise _unknown()
    return rows[0]


def _unknown() -> Problem:
    return Problem("not-found", "no such webhook")


def _secret(doors: Doors, webhook_id: str, number: int) -> str:
    return rules.shown(rules.signing_key(doors.settings.key_bytes, webhook_id, number))


SHOWN = (
    "webhook_id", "url", "types", "description", "timeout_ms", "retry_for_s", "created_at", "disabled_at",
    "disabled_reason", "failing_since", "taken_at", "failed_at", "failed_reason", "waiting", "dead", "cursor",
    "gap_at",
)  # fmt: skip


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    until = row["former_secret_until"]
    return {
        **_timed({name: row[name] for name in SHOWN}),
        "state": "enabled" if row["disabled_at"] is None else "disabled",
        "former_secret_until": rfc3339(until) if until is not None and until > datetime.now(until.tzinfo) else None,
    }


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    """Moments as the text answers have."""
    return {name: rfc3339(part) if name in TIMES and part is not None else part for name, part in row.items()}
