"""Treatment's pages of decisions: one made, one shown with its reasons, and what was done for a customer.

Owns their words. Whoever asks gives the customer's document and records; publishing what was decided is his: a
decision counts once the log has it. Under an Idempotency-Key the answer is kept first: asked again it is the same.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import Response

from schemas.envelope import moment_at
from services.runtime.http import Problem, answer, ids_sent
from services.runtime.postgres import Connection
from services.treatment import inputs, views
from services.treatment.domain import past, telling
from services.treatment.domain.deciding import Asked, seed_of
from services.treatment.domain.deciding import decide as decided_by
from services.treatment.domain.learning import Learnt
from services.treatment.domain.policy import Policy
from services.treatment.inputs import Reply

MICROS_PER_NS = 1_000


def clock_us() -> int:
    """What time it is, in µs since 1970."""
    return time.time_ns() // MICROS_PER_NS


@dataclass(frozen=True, slots=True)
class Sent:
    """What the profile service asks. `seen`: the document as the asker may see it; `key`: his Idempotency-Key."""

    request: Mapping[str, Any]
    subject: str
    record_id: str
    records: list[str]
    document: Mapping[str, Any]
    seen: Mapping[str, Any] | None
    profile_version: int
    profile_position: str | None
    key: str | None
    is_whole: bool

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was asked: who asks something else under the same key is told so."""
        return hashlib.sha256(orjson.dumps(self.request, option=orjson.OPT_SORT_KEYS)).digest()

    def asked(self, now_us: int, zone: ZoneInfo) -> Asked:
        """As the domain is asked."""
        request, placement = self.request, str(self.request["placement"])
        day = moment_at(now_us).astimezone(zone).date().toordinal()
        return Asked(
            self.subject,
            str(request["channel"]),
            placement,
            now_us,
            str(request.get("seed") or seed_of(self.subject, placement, day)),
            request.get("context") or {},
        )


async def decide(request: Request) -> Response:
    """Decide, or find what was decided under the key: {told, properties, record_id, is_repeated}.

    {needs} says what of the document the policy looks at beside; who has none of it says `is_whole`.
    """
    sent = await _sent(request)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        number = request.app.state.policy.number
        if policy.needs_next and not sent.is_whole:
            return answer({"needs": ["value.next"]})
        treatment_id = _id_of(sent.key)
        earlier = await inputs.replied(connection, treatment_id) if sent.key is not None else None
        found = _same(earlier, sent).told if earlier is not None else None
        told = found or await _made(request, connection, sent, treatment_id, policy, number)
        if earlier is None and sent.key is not None:
            kept = await inputs.keep(connection, treatment_id, Reply(sent.digest, sent.record_id, _without_why(told)))
            if kept is None:
                raise Problem("erased", "this customer was erased; nothing of him is kept")
            if _same(kept, sent).told["decided_at"] != told["decided_at"]:
                earlier, told = kept, kept.told
    seen = sent.document if sent.seen is None else sent.seen
    return answer(
        {
            "told": telling.filled(told, seen, sent.request.get("context") or {}),
            "properties": telling.properties(told),
            "record_id": earlier.record_id if earlier is not None else sent.record_id,
            "is_repeated": earlier is not None,
        }
    )


def _id_of(key: str | None) -> str:
    """The same for the same key; without one a new one each time."""
    if key is None:
        return f"trt_{uuid.uuid4().hex}"
    return f"trt_{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


async def _made(
    request: Request, connection: Connection, sent: Sent, treatment_id: str, policy: Policy, number: int
) -> dict[str, Any]:
    """A decision, as of now. Raises Problem("erased")."""
    if await views.is_erased(connection, [*sent.records, sent.record_id]):
        raise Problem("erased", "this customer was erased; nothing of him is kept")
    done = await views.past(connection, [*sent.records, sent.record_id])
    learnt = Learnt.of(await views.counts(connection))
    by = telling.By(number, learnt.version, sent.profile_version, sent.profile_position)
    asked = sent.asked(clock_us(), ZoneInfo(request.app.state.settings.business_timezone))
    decision = decided_by(policy, sent.document, asked, done, learnt, sent.seen)
    return telling.answer(treatment_id, decision, asked, by, sent.document)


def _same(earlier: Reply, sent: Sent) -> Reply:
    if earlier.asked != sent.digest:
        raise Problem("bad-request", "Idempotency-Key: something else was asked under it")
    return earlier


def _without_why(told: Mapping[str, Any]) -> dict[str, Any]:
    """Without what rules found in the customer's document."""
    return {**told, "left_out": [{**one, "why": {}} for one in told["left_out"]]}


async def decided(request: Request) -> Response:
    """A decision of ours as the log has it, with what came of it, and whether what was stored gives it again."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        found = await views.one(connection, request.path_params["treatment_id"])
    if found is None or found[1] is None:
        raise Problem("not-found", "no decision of this id is known")
    treatment, word = found[0], found[1]
    told = word.told or {}
    candidates, seed = told.get("candidates") or [], str(told.get("seed") or "")
    return answer(
        {
            **past.listed(treatment),
            **{name: told.get(name) for name in TOLD},
            "candidates": candidates,
            "left_out": told.get("left_out") or [],
            "policy_number": told.get("rule_version"),
            "gives_again": telling.chosen_again(candidates, seed) == treatment.action_id,
        }
    )


TOLD = ("kind", "reason", "seed", "model_version", "profile_version", "profile_position")


async def of_customer(request: Request) -> Response:
    """The document's part, of these records: {"records": [record id]}, as of now."""
    records = await ids_sent(request, "records")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        done = await views.past(connection, records)
    return answer({"treatment": past.section(done, clock_us())})


async def everything(request: Request) -> Response:
    """All that is kept of these records' treatments: {"records": [record id]} → {"treatments": […]}."""
    records = await ids_sent(request, "records")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"treatments": [past.listed(one) for one in await views.past(connection, records)]})


async def _sent(request: Request) -> Sent:
    try:
        body = orjson.loads(await request.body())
        asked = body["request"]
        if not isinstance(asked["placement"], str) or not isinstance(asked["channel"], str):
            raise ValueError
        return Sent(
            asked,
            str(UUID(body["subject"])),
            str(UUID(body["record_id"])),
            [str(UUID(one)) for one in body["records"]],
            dict(body["document"]),
            body.get("seen"),
            int(body["profile_version"]),
            body.get("profile_position"),
            body.get("key"),
            body.get("is_whole") is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Problem(
            "bad-request", "say request, subject, record_id, records, document and profile_version"
        ) from None
