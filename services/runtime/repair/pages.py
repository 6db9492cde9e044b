"""A service's internal page POST /repair: a customer, or everybody of a time, repaired; answered in JSON lines.

Owns what may be sent: {by, reason, execute} with {customer} or {from, to} in RFC 3339.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from schemas.envelope import microseconds, parse_rfc3339
from services.runtime.generations import By
from services.runtime.host import BuildPlan
from services.runtime.http import Problem
from services.runtime.json_lines import Progress, in_lines
from services.runtime.postgres import ServiceSchema
from services.runtime.repair.log import KafkaLog
from services.runtime.repair.repairing import Repair
from services.runtime.repair.selecting import Asked
from services.runtime.settings import Settings


def repair_pages(settings: Settings, schema: ServiceSchema, build: BuildPlan) -> list[BaseRoute]:
    """The route of one service."""

    async def repair(request: Request) -> Response:
        asked, by, execute = read(await request.body(), int(time.time() * 1_000))

        async def act(progress: Progress) -> dict[str, Any]:
            log = KafkaLog(settings)
            try:
                done = await Repair(settings, schema, build, log).run(asked, by, progress, execute=execute)
            finally:
                await log.stop()
            return {"execute": execute, "of": asked.text, **done.listed()}

        return in_lines(act)

    return [Route("/repair", repair, methods=["POST"])]


def read(body: bytes, now_ms: int) -> tuple[Asked, By, bool]:
    """What is asked, by whom, and whether to do it. Raises Problem. Without `to` the time ends now."""
    try:
        sent = orjson.loads(body)
        by = By(str(sent["by"]), str(sent.get("reason") or ""))
        customer, begin, end = sent.get("customer"), sent.get("from"), sent.get("to")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Problem("bad-request", "a repair has by, and customer or from") from None
    if (customer is None) == (begin is None) or (end is not None and begin is None):
        raise Problem("bad-request", "say either a customer, or from when (and to when) events were appended")
    execute = sent.get("execute") is True
    if customer is not None:
        return Asked(customer=_id(customer)), by, execute
    asked = Asked(None, _ms(begin, "from"), now_ms if end is None else _ms(end, "to"))
    if asked.from_ms >= asked.to_ms:
        raise Problem("bad-request", "the time ends before it begins")
    return asked, by, execute


def _id(said: Any) -> str:
    try:
        return str(UUID(said))
    except (TypeError, ValueError, AttributeError):
        raise Problem("bad-request", "customer is no customer id; `c360 lookup` finds one") from None


def _ms(said: Any, name: str) -> int:
    try:
        moment: datetime = parse_rfc3339(said)
        return microseconds(moment) // 1_000
    except (TypeError, ValueError, AttributeError):
        raise Problem("bad-request", f"{name} is no time such as 2026-03-01T14:00:00Z") from None
