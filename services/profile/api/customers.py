"""What is known of customers: the document, and whose identifiers are.

Owns these routes and their words; answers come from views.py and domain.py.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import Query, Request
from starlette.responses import Response

from schemas.identifiers import is_blocked, record_id
from schemas.sections import PARTS
from services.profile import domain, inputs, views
from services.profile.api.doors import (
    WAIT_MS_DEFAULT,
    Doors,
    MinPosition,
    WaitMs,
    fresh_headers,
    identifiers,
    shown,
    tells_of,
)
from services.profile.api.recommendations import with_next
from services.profile.api.treatment import with_treatment
from services.profile.shapes import LookupRequest
from services.runtime.http import Problem, answer


def _include(text: str | None) -> list[str]:
    parts = [p for p in (text or "").split(",") if p]
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise Problem("bad-request", f"include is some of {', '.join(PARTS)}")
    return parts


def same(if_none_match: str, tag: str) -> bool:
    """Whether one of the tags asked about is this one (RFC 9110, 13.1.2: weak comparison, `*` is any)."""
    asked = {t.strip().removeprefix("W/") for t in if_none_match.split(",")}
    return "*" in asked or tag.removeprefix("W/") in asked


def etag(doc: dict[str, Any]) -> str:
    """A hash of the document less its freshness, which changes with every look."""
    meta = {k: v for k, v in doc["meta"].items() if k not in ("lag_ms", "position")}
    digest = hashlib.blake2b(orjson.dumps({**doc, "meta": meta}), digest_size=12).hexdigest()
    return f'W/"{digest}"'


async def customer(
    request: Request,
    customer_id: str,
    include: Annotated[str | None, Query(description="Comma-separated parts; all when absent")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """One customer's document. Any id the customer ever had answers with today's customer.

    `value.next` is worked out where `include` names `value`, and null else: `include=value`, or the call of its own.
    """
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    parts = _include(include)
    await doors.reach(min_position, wait_ms)
    told = await doors.today(customer_id)
    told = (await doors.in_segments([told], parts))[told.customer_id]
    fresh = await doors.chain.freshness()
    doc = shown(customer_id, told, parts, key, fresh, doors.now)
    if "value" in parts:
        doc = await with_next(doors, doc)
    doc = await with_treatment(doors, told, doc)
    headers = {"ETag": etag(doc), **fresh_headers(fresh)}
    if same(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return answer(doc, headers=headers)


async def lookup(request: Request, body: LookupRequest) -> Response:
    """Whose identifiers these are, in the order asked; shared values are ambiguous and name candidates."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    parts = _include(",".join(body.include))
    await doors.reach(body.min_position, body.wait_ms)
    wanted = identifiers((i.type, i.value) for i in body.identifiers)
    ids = [record_id(doors.settings.key_bytes, i) for i in wanted]
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        bound = await views.bindings(connection, ids)
        owners = {b.customer_id for b in bound.values()} | {c for b in bound.values() for c, _ in b.rivals}
        told = await views.customers(connection, sorted(owners))
    if body.include:
        told = await doors.in_segments(told.values(), parts)
    fresh, now = await doors.chain.freshness(), doors.now
    results = []
    for asked, identifier, rid in zip(body.identifiers, wanted, ids, strict=True):
        found = None if is_blocked(identifier.value) else bound.get(rid)
        result = _looked_up(found, told, key, now)
        if body.include and result["customer_id"]:
            owner = result["customer_id"]
            result["customer"] = shown(owner, told[owner], parts, key, fresh, now)
        results.append({"type": asked.type, "value": asked.value, "normalised": identifier.value, **result})
    tells_of(request, results)
    return await doors.answered({"results": results}, fresh)


def _looked_up(
    found: domain.BindingTold | None, told: dict[str, domain.Told], key: inputs.ApiKey, now: domain.Now
) -> dict[str, Any]:
    owner = told.get(found.customer_id) if found else None
    if found is None or owner is None or not owner.exists:
        return {"customer_id": None, "ambiguous": False, "generic": False, "candidates": []}
    candidates = []
    for customer_id, weight in found.candidates:
        one = told.get(customer_id)
        if one is not None and one.exists:
            doc = domain.document(customer_id, one, ["contact", "interaction"], 0, None, now)
            visible = doc if "profile:pii" in key.scopes else domain.masked(doc)
            candidates.append(
                {
                    "customer_id": customer_id,
                    "name": (visible["contact"] or {}).get("name"),
                    "last_seen": (doc["interaction"] or {}).get("last_at"),
                    "weight": weight,
                }
            )
    return {
        "customer_id": None if found.generic or found.ambiguous else found.customer_id,
        "ambiguous": found.ambiguous,
        "generic": found.generic,
        "candidates": candidates,
    }
