"""What to do for a customer: POST /v1/decisions, and GET /v1/decisions/{id} with the reasons.

Owns these routes: whom it is about, and that what treatment decides goes into the log before it is answered. Which
action it is, and why, is treatment's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
from fastapi import Header, Request
from starlette.responses import Response

from schemas.codec import Unreadable, write_json_exactly
from schemas.identifiers import GROUP_TYPE, Identifier, is_blocked, record_id
from schemas.treatments import TREATMENT_ID
from services.profile import domain, inputs, views
from services.profile.api.doors import (
    WAIT_MS_DEFAULT,
    Doors,
    MinPosition,
    WaitMs,
    identifiers,
    passed_on,
    shown,
    tells_of,
)
from services.profile.api.recommendations import foremost
from services.profile.decision_shapes import DecisionCommand
from services.profile.domain import IDENTITY, saying
from services.runtime.http import Problem, answer

SCOPE = "treatment:decide"
KEY_CHARS_MAX = 256
CONTEXT_BYTES_MAX = 8_192
LEFT_OUT_OF_DOCUMENT = ("requested_id", "customer_id", "treatment", "meta")
"""Parts of a document that treatment is not sent: names, how fresh it is, and what it knows itself."""

DecisionKey = Annotated[
    str | None, Header(max_length=KEY_CHARS_MAX, description="Asked again under it, the decision is the same")
]


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a decision is for: the customer, None: nobody known yet; led by which identifier the log has it."""

    told: domain.Told | None
    lead: Identifier
    record_id: str
    records: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """His id, or the record's by which he will be known."""
        return self.told.customer_id if self.told is not None else self.record_id


async def decide(
    request: Request,
    body: DecisionCommand,
    idempotency_key: DecisionKey = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Which action is right for a customer here and now, or none, and why; the log has it as treatment.decided."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, SCOPE)
    await doors.reach(min_position, wait_ms)
    whom = await _whom(doors, body)
    question = await _question(doors, key, whom, body, idempotency_key)
    made = await _ask(doors, question)
    if made.status_code == 200 and "needs" in made.json():
        made = await _ask(doors, await _whole(doors, whom, question))
    if made.status_code != 200:
        return passed_on(made)
    found = made.json()
    # Without a key nobody can send it again, so nobody has to remember that it was sent.
    sent_id = found["told"]["treatment_id"] if idempotency_key else None
    given = await doors.give(_command(whom, body, found), sent_id)
    if given.status_code != 200:
        return passed_on(given)
    position = given.json()["position"]
    customer_id = whom.told.customer_id if whom.told is not None else None
    if customer_id is not None:
        tells_of(request, {"customer_id": customer_id})
    return answer(
        {"customer_id": customer_id, **found["told"], "position": position}, headers={"C360-Position": position}
    )


async def decision(
    request: Request, treatment_id: str, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """A decision by its id: what it was made of, by which policy and model, and what came of it."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, SCOPE)
    if TREATMENT_ID.fullmatch(treatment_id) is None:
        raise Problem("not-found", "an id of a decision is trt_ and 32 digits")
    await doors.reach(min_position, wait_ms)
    found = await doors.part("treatment", f"/decisions/{treatment_id}", {})
    if found.status_code != 200:
        return passed_on(found)
    told = found.json()
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        customer_id = await views.today(connection, told["origin_record"])
    return await doors.answered({"customer_id": customer_id, **told})


async def _whom(doors: Doors, body: DecisionCommand) -> Whom:
    """Raises Problem (bad-request, unknown-customer, ambiguous, erased, unavailable)."""
    if (body.customer_id is None) is (body.identifier is None):
        raise Problem("bad-request", "body: say customer_id or identifier, one of them")
    if body.customer_id is not None:
        return await _customer(doors, await doors.today(body.customer_id))
    assert body.identifier is not None
    (lead,) = identifiers([(body.identifier.type, body.identifier.value)])
    if is_blocked(lead.value) or not lead.value:
        raise Problem("bad-request", "body.identifier.value: it names nobody")
    if lead.type.partition(".")[0] == GROUP_TYPE:
        raise Problem("bad-request", "body.identifier.type: a group is no customer")
    record = record_id(doors.settings.key_bytes, lead)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        bound = (await views.bindings(connection, [record])).get(record)
        if await views.is_erased(connection, record):
            raise Problem("erased", "this customer was erased; nothing of him is kept")
        told = await views.customer(connection, bound.customer_id) if bound is not None else None
    if bound is not None and (bound.ambiguous or bound.generic):
        raise Problem("ambiguous", "body.identifier: several customers have it; POST /v1/customers/lookup names them")
    if told is None or not told.exists:
        return Whom(None, lead, record, [record])
    return await _customer(doors, told)


async def _customer(doors: Doors, told: domain.Told) -> Whom:
    lead = saying.founder(told.customer_id, told.sections[IDENTITY].body or {})
    if lead is None:
        raise Problem("unavailable", "the customer's founder is not told", {"Retry-After": "1"})
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        records = await views.ids_of(connection, told.customer_id)
    return Whom(told, lead, told.customer_id, records)


def _json(said: Mapping[str, Any]) -> bytes:
    try:
        return write_json_exactly(said)
    except Unreadable:
        raise Problem("bad-request", "body: a text in it is no Unicode text") from None


async def _ask(doors: Doors, question: Mapping[str, Any]) -> httpx.Response:
    deadline_s = doors.settings.part_deadline_ms / 1000
    return await doors.asked("treatment", "POST", "/decisions", deadline_s, content=_json(question))


async def _whole(doors: Doors, whom: Whom, question: Mapping[str, Any]) -> dict[str, Any]:
    """With what the customer needs next, for a policy that looks at it; without, where nobody answers in time."""
    found = await foremost(doors, whom.told.customer_id) if whom.told is not None else None
    parts = {
        name: {**question[name], "value": {**question[name]["value"], "next": found}}
        for name in ("document", "seen")
        if question[name].get("value")
    }
    return {**question, **parts, "is_whole": True}


async def _question(
    doors: Doors, key: inputs.ApiKey, whom: Whom, body: DecisionCommand, sent_id: str | None
) -> dict[str, Any]:
    """What treatment is asked: the document, and the same as this key may see it, for the reasons."""
    if len(_json(body.context)) > CONTEXT_BYTES_MAX:
        raise Problem("too-large", f"body.context: at most {CONTEXT_BYTES_MAX} bytes of JSON")
    fresh, now = await doors.chain.freshness(), doors.now
    documents: list[Mapping[str, Any]] = [{}, {}]
    if whom.told is not None:
        told = (await doors.in_segments([whom.told], []))[whom.told.customer_id]
        whole = domain.document(told.customer_id, told, [], fresh.lag_ms, fresh.position, now)
        documents = [whole, shown(told.customer_id, told, [], key, fresh, now)]
    document, seen = ({k: v for k, v in one.items() if k not in LEFT_OUT_OF_DOCUMENT} for one in documents)
    return {
        "request": body.model_dump(mode="json"),
        "subject": whom.subject,
        "record_id": whom.record_id,
        "records": whom.records,
        "document": document,
        "seen": seen,
        "profile_version": whom.told.n if whom.told is not None else 0,
        "profile_position": fresh.position,
        "key": sent_id,
    }


def _command(whom: Whom, body: DecisionCommand, found: Mapping[str, Any]) -> dict[str, Any]:
    """The event of what was decided; repeated under its key it is the same, whoever leads the customer by now."""
    lead = _lead_of(whom, found["record_id"])
    return {
        "type": "treatment.decided",
        "identifiers": {lead.type: lead.value},
        "channel": body.channel,
        "time": found["told"]["decided_at"],
        "properties": found["properties"],
    }


def _lead_of(whom: Whom, record: str) -> Identifier:
    """The identifier of the record under which it was decided first; today's lead, where that is not listed now."""
    if record == whom.record_id or whom.told is None:
        return whom.lead
    identity = (whom.told.sections[IDENTITY].body or {}).get("identity", {})
    listed = (one for one in identity.get("records", ()) if one["record_id"] == record)
    return next((Identifier(one["type"], one["value"]) for one in listed), whom.lead)
