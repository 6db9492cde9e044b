"""Intake's internal page /audit: what became of every event of some minutes, in JSON lines.

Owns the question and why it could not be answered. Not for the public.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
from aiokafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.envelope import parse_rfc3339
from services.intake.auditing import ANSWER_TIMEOUT_S, audit
from services.intake.domain.accounts import minute_of
from services.intake.stretch import TooMuch
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.json_lines import Progress, in_lines
from services.runtime.postgres import TRANSIENT

MINUTES_MAX = 24 * 60
AWAY: tuple[type[Exception], ...] = (KafkaError, httpx.HTTPError, *TRANSIENT)


async def audited(request: Request) -> Response:
    """The accounts of the minutes from `from` to before `to` (RFC 3339)."""
    since, until = _moment(request, "from"), _moment(request, "to")
    if not timedelta(0) < until - since <= timedelta(minutes=MINUTES_MAX):
        raise Problem("bad-request", f"from is before to, by at most {MINUTES_MAX} minutes")
    state = request.app.state

    async def act(progress: Progress) -> dict[str, Any]:
        pool = await state.database.pool()
        async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S, trust_env=False) as client:
            return await audit(state.settings, pool, client, since, until, progress)

    return in_lines(act, _why)


def _why(error: Exception) -> str | None:
    if isinstance(error, TooMuch):
        return str(error)
    if isinstance(error, AWAY):
        telemetry.log.warning("audit_failed", error=telemetry.where(error))
        return f"a part does not answer ({type(error).__name__}); ask again"
    return None


def _moment(request: Request, name: str) -> datetime:
    try:
        return minute_of(parse_rfc3339(request.query_params.get(name, "")))
    except (ValueError, OverflowError):
        raise Problem("bad-request", f"{name} is an RFC 3339 time with a zone") from None


AUDIT_ROUTES = [Route("/audit", audited)]
