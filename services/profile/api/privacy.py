"""What is kept of somebody, handed out or erased: asked for here, done in the background, with a receipt.

Owns these routes. An erasure is intake's (it lets nothing in any more, and tells the log); a copy is exporting.py's.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import orjson
from fastapi import Request
from starlette.responses import Response

from services.profile import domain, views
from services.profile.api.doors import COMMAND_TIMEOUT_S, Doors, WaitMs, tells_of
from services.profile.domain import IDENTITY
from services.profile.inputs import exports
from services.profile.privacy_shapes import ASKED_FOR, EraseCommand
from services.runtime import waiting
from services.runtime.http import Problem, answer

SCOPE = "privacy:admin"
VALUE_CHARS_MIN = 5
"""A shorter value would name others' parked requests too."""


async def erase(request: Request, customer_id: str, body: EraseCommand | None = None) -> Response:
    """Erase a customer for good: all his records, whatever is kept under them, and whatever comes of them."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, SCOPE)
    told = await doors.today(customer_id)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        records = await views.ids_of(connection, told.customer_id)
    asked = {
        "customer_id": told.customer_id,
        "records": records,
        "events": await _named_by_others(doors, records),
        "values": _values(told),
        "by": key.name,
        "reason": body.reason if body is not None else ASKED_FOR,
    }
    found = await _ask(doors, asked)
    await _throw_copies(doors, records)
    shown = _shown(found)
    return answer(shown, 202, {"Location": f"/v1/erasures/{shown['erasure_id']}", **_position(found)})


async def erasure(request: Request, erasure_id: UUID, wait_ms: WaitMs = 0) -> Response:
    """How far an erasure came; `wait_ms`: how long to wait until it is done."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, SCOPE)
    found = await _intake(doors, "GET", f"/erasures/{erasure_id}")
    if found["done_at"] is None and found["position"] and await _is_everywhere(doors, found["position"], wait_ms):
        found = await _finished(doors, found)
    return answer(_shown(found), headers=_position(found))


async def _finished(doors: Doors, found: dict[str, Any]) -> dict[str, Any]:
    """It is done, unless others named him while we asked who did: that is erased as well."""
    events = await _named_by_others(doors, found["records"])
    if events:
        names = ("customer_id", "records", "by", "reason")
        return await _ask(doors, {**{name: found[name] for name in names}, "events": events, "values": []})
    # Once more: whoever asked may have died before it was done, or a copy have been asked for since.
    await _throw_copies(doors, found["records"])
    return await _intake(doors, "PUT", f"/erasures/{found['erasure_id']}")


async def _throw_copies(doors: Doors, records: list[str]) -> None:
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        await exports.remove_of(connection, records)


async def _ask(doors: Doors, asked: dict[str, Any]) -> dict[str, Any]:
    return await _intake(doors, "POST", "/erasures", content=orjson.dumps(asked))


async def _named_by_others(doors: Doors, records: list[str]) -> list[list[str]]:
    found = _read(await doors.summed("identity", "/named-by-others", {}, {"records": records}))
    events: list[list[str]] = found["events"]
    return events


async def _is_everywhere(doors: Doors, position: str, wait_ms: int) -> bool:
    try:
        await doors.chain.until_visible(waiting.read_token(position), wait_ms)
    except Problem as problem:
        if problem.kind in ("not-caught-up", "unavailable"):
            return False
        raise
    return True


async def _intake(doors: Doors, method: str, page: str, **more: Any) -> dict[str, Any]:
    return _read(await doors.asked("intake", method, page, COMMAND_TIMEOUT_S, **more))


def _read(response: httpx.Response) -> dict[str, Any]:
    """What another service answers. Raises its problem where it has one."""
    body: dict[str, Any] = response.json()
    if response.status_code != 200:
        raise Problem(body["type"], body["detail"])
    return body


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    state = "done" if found["done_at"] else "told" if found["position"] else "asked"
    counts = {name: len(found[name]) for name in ("records", "events")}
    return {**found, **counts, "state": state}


def _position(found: dict[str, Any]) -> dict[str, str]:
    return {"C360-Position": found["position"]} if found["position"] else {}


def _values(told: domain.Told) -> list[str]:
    """By what he is named in requests that could not be taken and were set aside."""
    identity = told.sections[IDENTITY].body or {}
    named = [*identity["identity"]["identifiers"], *identity["identity"]["records"]]
    return sorted({one["value"] for one in named if len(one["value"]) >= VALUE_CHARS_MIN})


# -- copies ----------------------------------------------------------------------------------------------------------


async def export(request: Request, customer_id: str) -> Response:
    """Ask for a copy of all that is kept of a customer."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, SCOPE)
    told = await doors.today(customer_id)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        found = await exports.ask(connection, told.customer_id, key.name)
    request.app.state.exporter.look()
    return answer(found, 202, {"Location": f"/v1/exports/{found['export_id']}"})


async def exported(request: Request, export_id: UUID) -> Response:
    """How far a copy came."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, SCOPE)
    return answer(await _export(doors, export_id))


async def exported_data(request: Request, export_id: UUID) -> Response:
    """The copy: one JSON with `profile`, `identity`, `timeline` and what else the services keep."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, SCOPE)
    found = await _export(doors, export_id)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        body = await exports.copy(connection, str(export_id))
    if body is None:
        raise Problem("refused", f"the copy is {found['state']}: there is nothing to give out")
    tells_of(request, {"customer_id": found["customer_id"]})
    name = f"attachment; filename=customer-{found['customer_id']}.json"
    return Response(body, media_type="application/json", headers={"Content-Disposition": name})


async def _export(doors: Doors, export_id: UUID) -> dict[str, Any]:
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        found = await exports.receipt(connection, str(export_id))
    if found is None:
        raise Problem("not-found", "there is no such export, or no more")
    return found
