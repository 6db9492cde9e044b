"""Intake's internal page /audit: what became of every event of some minutes, in JSON lines.

Owns the answer's form: {"progress"} while it works, {"result"} or {"refused"} at the end. Not for the public.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
from aiokafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from schemas.envelope import parse_rfc3339
from services.intake.auditing import ANSWER_TIMEOUT_S, TooMuch, audit
from services.intake.domain.accounts import minute_of
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.postgres import TRANSIENT

MINUTES_MAX = 24 * 60


async def audited(request: Request) -> Response:
    """The accounts of the minutes from `from` to before `to` (RFC 3339)."""
    since, until = _moment(request, "from"), _moment(request, "to")
    if not timedelta(0) < until - since <= timedelta(minutes=MINUTES_MAX):
        raise Problem("bad-request", f"from is before to, by at most {MINUTES_MAX} minutes")
    lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    state = request.app.state

    async def work() -> None:
        try:
            pool = await state.database.pool()
            async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S, trust_env=False) as client:
                lines.put_nowait({"result": await audit(state.settings, pool, client, since, until, told)})
        except TooMuch as much:
            lines.put_nowait({"refused": str(much)})
        except (KafkaError, httpx.HTTPError, *TRANSIENT) as error:
            telemetry.log.warning("audit_failed", error=telemetry.where(error))
            lines.put_nowait({"refused": f"a part does not answer ({type(error).__name__}); ask again"})
        finally:
            lines.put_nowait(None)

    def told(text: str) -> None:
        lines.put_nowait({"progress": text})

    async def written() -> AsyncIterator[bytes]:
        task = asyncio.create_task(work())
        try:
            while (line := await lines.get()) is not None:
                yield orjson.dumps(line) + b"\n"
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return StreamingResponse(written(), media_type="application/jsonl")


def _moment(request: Request, name: str) -> datetime:
    try:
        return minute_of(parse_rfc3339(request.query_params.get(name, "")))
    except (ValueError, OverflowError):
        raise Problem("bad-request", f"{name} is an RFC 3339 time with a zone") from None


AUDIT_ROUTES = [Route("/audit", audited)]
