"""Why records are, or are not, one customer, and an operator's word on two of them.

Owns these routes and their words. What identity answers is masked here; a word is an event, given to intake.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query, Request
from starlette.responses import Response

from schemas.identifiers import Identifier, class_rank, is_blocked, record_id, type_name
from services.profile import domain, views
from services.profile.api.doors import (
    WAIT_MS_DEFAULT,
    Doors,
    MinPosition,
    WaitMs,
    identifiers,
    passed_on,
    tells_of,
)
from services.profile.identity_shapes import AssertionRequest
from services.profile.inputs import ApiKey
from services.profile.shapes import IDENTIFIER_CHARS_MAX
from services.runtime.http import Problem, answer

REVIEW_PAIRS_MAX = 100
DECISIONS_MAX = 100

Asked = Annotated[str, Query(max_length=IDENTIFIER_CHARS_MAX, description="TYPE:VALUE, as in email:ann@x.com")]
From = Annotated[str, Query(alias="from", max_length=IDENTIFIER_CHARS_MAX, description="TYPE:VALUE")]


async def evidence(
    request: Request, customer_id: str, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """What holds a customer together: records, links with their evidence, operators' words, what was refused."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    await doors.reach(min_position, wait_ms)
    told = await doors.today(customer_id)
    asked = await doors.part("identity", f"/customers/{told.customer_id}/identity", {})
    if asked.status_code != 200:
        return passed_on(asked)
    found = {**asked.json(), "requested_id": customer_id}
    found["records"] = domain.with_last_seen(found["records"], told.sections.get("interaction"))
    return await doors.answered(_visible(found, key))


async def how(
    request: Request, customer_id: str, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """In what order a customer's records become one, strongest link first; the weakest, and what hangs on which."""
    return await _of_customer(request, customer_id, "how", {}, min_position, wait_ms)


async def history(
    request: Request,
    customer_id: str,
    limit: Annotated[int, Query(ge=1, le=DECISIONS_MAX)] = 50,
    cursor: Annotated[str | None, Query(description="next_cursor of the page before")] = None,
    former: Annotated[str | None, Query(description="Decisions under an id the customer had before")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What was decided about a customer, newest first: who joined, left or was refused, each with the evidence."""
    given = {"limit": str(limit), "cursor": cursor, "former": former}
    query = {name: value for name, value in given.items() if value is not None}
    return await _of_customer(request, customer_id, "history", query, min_position, wait_ms)


async def _of_customer(
    request: Request, customer_id: str, page: str, query: dict[str, str], min_position: str | None, wait_ms: int
) -> Response:
    """What identity answers of today's customer on a page of its own, as this key may see it."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    await doors.reach(min_position, wait_ms)
    told = await doors.today(customer_id)
    asked = await doors.part("identity", f"/customers/{told.customer_id}/{page}", query)
    if asked.status_code != 200:
        return passed_on(asked)
    return await doors.answered(_visible({**asked.json(), "requested_id": customer_id}, key))


async def path(
    request: Request, start: From, to: Asked, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """Why two identifiers are, or are not, one customer; the strongest path and the one link that holds it."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    await doors.reach(min_position, wait_ms)
    asked = await doors.part("identity", "/path", {"from": start, "to": to})
    return await _of_several(request, doors, key, asked)


async def review(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=REVIEW_PAIRS_MAX)] = 50,
    cursor: Annotated[str | None, Query(description="next_cursor of the page before")] = None,
) -> Response:
    """Pairs of records that are alike, are of two customers, and that no operator has spoken of yet."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    query = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
    asked = await doors.part("identity", "/review", query)
    return await _of_several(request, doors, key, asked)


async def _of_several(request: Request, doors: Doors, key: ApiKey, asked: Any) -> Response:
    if asked.status_code != 200:
        return passed_on(asked)
    found = asked.json()
    tells_of(request, found)
    return await doors.answered(_visible(found, key))


def _visible(found: dict[str, Any], key: ApiKey) -> dict[str, Any]:
    shown = {**found, "masked": []} if "profile:pii" in key.scopes else domain.masked_evidence(found)
    return {**shown, "why": domain.sentence(shown["why"])} if "why" in shown else shown


async def assertion(
    request: Request,
    body: AssertionRequest,
    idempotency_key: Annotated[str | None, Header(description="The event's id; sent again it is the same")] = None,
) -> Response:
    """An operator's word that two records are one person, or are not. The latest word on a pair stands."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "identity:write")
    await doors.reach(body.min_position, body.wait_ms)
    pair = _pair(body)
    await _known(doors, pair)
    # The event belongs to the stronger of the two records, as intake would choose.
    lead = min(pair, key=lambda i: (class_rank(i.type), i.type, i.value))
    actor = body.actor.model_dump(exclude_none=True) if body.actor else {}
    command: dict[str, Any] = {
        "type": f"identity.{body.kind}_asserted",
        "identifiers": {lead.type: lead.value},
        "actor": {"kind": "staff", **actor} if actor else {"kind": "system", "id": key.name},
        "properties": {"records": [{"type": i.type, "value": i.value} for i in pair], "reason": body.reason},
    }
    contradicts = await _contradicted(doors, pair, body.kind, key)
    return await _given(doors, command, idempotency_key, contradicts)


def _pair(body: AssertionRequest) -> list[Identifier]:
    """Raises Problem("bad-request") unless these are two records somebody may have."""
    pair = identifiers((r.type, r.value) for r in body.records)
    if any(type_name(i.type) is None or is_blocked(i.value) for i in pair):
        raise Problem("bad-request", "records: a placeholder identifies nobody")
    if pair[0] == pair[1]:
        raise Problem("bad-request", "records: both are the same record")
    return pair


async def _known(doors: Doors, pair: list[Identifier]) -> None:
    ids = [record_id(doors.settings.key_bytes, i) for i in pair]
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        bound = await views.bindings(connection, ids)
    unknown = [number for number, rid in enumerate(ids) if rid not in bound]
    if unknown:
        raise Problem("unknown-record", f"records.{unknown[0]}: no event has mentioned it")


async def _contradicted(doors: Doors, pair: list[Identifier], kind: str, key: ApiKey) -> dict[str, Any]:
    """What other operators said; their word is taken whether or not identity can be asked for it."""
    start, end = (f"{i.type}:{i.value}" for i in pair)
    try:
        asked = await doors.part("identity", "/contradictions", {"from": start, "to": end, "kind": kind})
    except Problem:
        return {"contradicts": None, "masked": []}
    return _visible(asked.json(), key) if asked.status_code == 200 else {"contradicts": None, "masked": []}


async def _given(doors: Doors, command: dict[str, Any], sent_id: str | None, contradicts: dict[str, Any]) -> Response:
    """The command as an event of the log: 202 with its id and position. Raises Problem("unavailable")."""
    taken = await doors.give(command, sent_id)
    if taken.status_code != 200:
        return passed_on(taken)
    given = taken.json()
    return answer({**given, **contradicts}, 202, {"C360-Position": given["position"]})
