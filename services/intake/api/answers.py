"""What the collector answers beside 200: {"code", "message"}.

Owns refusals and the handlers that make answers of them. Never repeats what was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.codec import Unreadable
from services.intake.domain.reasons import EXPLANATIONS
from services.runtime import telemetry
from services.runtime.http import answer

Read = TypeVar("Read")


class Refusal(Exception):
    """An answer other than 200: {"code", "message"}."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.retry_after_s = status, code, message, retry_after_s


def readable(read: Callable[[], Read]) -> Read:
    """What `read` gives. Raises Refusal 400 where the body as a whole cannot be read."""
    try:
        return read()
    except Unreadable as broken:
        raise Refusal(400, broken.reason, EXPLANATIONS.get(broken.reason, "the body cannot be read")) from None


async def on_refusal(_request: Request, refusal: Exception) -> Response:
    """The answer of a Refusal."""
    assert isinstance(refusal, Refusal)
    headers = {"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s else {}
    return answer({"code": refusal.code, "message": refusal.message}, refusal.status, headers)


async def on_http_error(_request: Request, error: Exception) -> Response:
    """The answer where no route, or not this method, is served."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    return answer({"code": code, "message": str(error.detail)}, error.status_code, dict(error.headers or {}))


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client went away before its request was whole: nothing was taken."""
    return Response(status_code=400)


async def on_lost_database(_request: Request, error: Exception) -> Response:
    """Without the database no key can be checked and nothing parked: the sender must send again."""
    telemetry.log.warning("door_without_database", error=telemetry.where(error))
    return await on_refusal(_request, Refusal(503, "unavailable", "send again", 1))
