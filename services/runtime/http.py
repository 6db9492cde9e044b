"""What all HTTP answers share: problem details (RFC 9457), a service's database for reading, the answer's JSON.

Owns forms, not routes.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.codec import write_json_exactly
from services.runtime import telemetry
from services.runtime.postgres import CLOSE_TIMEOUT_S, TRANSIENT, Pool, SchemaHalt, ServiceSchema, open_pool, prepare
from services.runtime.settings import Settings

OPEN_TIMEOUT_S = 1.5
"""How long a request waits for a lost database before it answers 503."""
LOOK_EVERY_S = 0.5
"""How long after a swap a process may answer from the generation that was live before."""
LET_GO_S = 30.0

TITLES: dict[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "unauthorised": (401, "No valid key"),
    "forbidden": (403, "The key lacks a scope"),
    "not-permitted": (403, "This is not to be said here"),
    "unknown-customer": (404, "No such customer"),
    "unknown-record": (404, "No such record"),
    "not-found": (404, "Nothing here"),
    "not-allowed": (405, "This address does not know the method"),
    "ambiguous": (409, "Several customers fit"),
    "erased": (410, "This customer was erased"),
    "cursor-expired": (410, "What came after this cursor is no longer kept"),
    "refused": (409, "This does not fit how things stand"),
    "too-large": (413, "The request is too large"),
    "incomplete": (422, "The event lacks what it cannot do without"),
    "too-many-requests": (429, "This key has asked more often than it may"),
    "too-many-streams": (429, "This key has as many streams open as it may"),
    "not-caught-up": (503, "Not caught up with the position asked for"),
    "unavailable": (503, "A part this answer needs is not available"),
}


class Problem(Exception):
    """An error with a type of TITLES; `detail` is for people and holds no personal data."""

    def __init__(self, kind: str, detail: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}

    def answer(self) -> Response:
        """The problem as application/problem+json."""
        status, title = TITLES[self.kind]
        body = {"type": self.kind, "title": title, "status": status, "detail": self.detail}
        return Response(
            orjson.dumps(body),
            status_code=status,
            media_type="application/problem+json",
            headers=self.headers,
        )


def answer_exactly(body: Any, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with Decimals as the numbers they were written as."""
    return Response(write_json_exactly(body), media_type="application/json", headers=headers)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status_code=status, media_type="application/json", headers=headers)


async def on_problem(_request: Request, problem: Exception) -> Response:
    """Exception handler for Problem."""
    assert isinstance(problem, Problem)
    return problem.answer()


async def on_lost_database(_request: Request, error: Exception) -> Response:
    """Exception handler for what TRANSIENT lists: 503 at once, the next request tries again."""
    telemetry.log.warning("database_unavailable", error=telemetry.where(error))
    return Problem("unavailable", "the database does not answer", {"Retry-After": "1"}).answer()


async def on_bad_data(_request: Request, error: Exception) -> Response:
    """Exception handler for what PostgreSQL cannot read: a NUL in a text, a number beyond its type."""
    return Problem("bad-request", f"a parameter cannot be read ({type(error).__name__})").answer()


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Exception handler for what no route serves, and bodies no route could read."""
    assert isinstance(error, HTTPException)
    kind = {404: "not-found", 405: "not-allowed", 400: "bad-request"}.get(error.status_code, "bad-request")
    return Problem(kind, str(error.detail), dict(error.headers or {})).answer()


async def on_halt(_request: Request, halt: Exception) -> Response:
    """Exception handler for SchemaHalt: the database is another deployment's, a person has to look."""
    reason = getattr(halt, "reason", "halted")
    telemetry.log.error("database_does_not_fit", reason=reason, detail=str(halt))
    return Problem("unavailable", f"the database does not fit this build: {reason}").answer()


EXCEPTION_HANDLERS: dict[Any, Any] = {
    Problem: on_problem,
    SchemaHalt: on_halt,
    HTTPException: on_http_error,
} | {
    kind: on_lost_database
    for kind in (*TRANSIENT, asyncpg.PostgresError)
    if isinstance(kind, type) and issubclass(kind, Exception)
}
EXCEPTION_HANDLERS[asyncpg.DataError] = on_bad_data


def whole(text: str | None, default: int, least: int, most: int) -> int:
    """A bounded whole number of a query parameter. Raises Problem("bad-request")."""
    if text is None:
        return default
    try:
        number = int(text)
    except ValueError:
        raise Problem("bad-request", f"not a whole number from {least} to {most}") from None
    if not least <= number <= most:
        raise Problem("bad-request", f"not a whole number from {least} to {most}")
    return number


async def ids_sent(request: Request, name: str) -> list[str]:
    """The ids of a body {name: [id]}, `name` in the plural. Raises Problem("bad-request")."""
    try:
        return [str(UUID(one)) for one in orjson.loads(await request.body())[name]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Problem("bad-request", f"{name} is a list of {name.removesuffix('s')} ids") from None


class Database:
    """A service's pool for reading, opened when first asked for and after a loss."""

    def __init__(self, settings: Settings, schema: ServiceSchema) -> None:
        self.settings = settings
        self.schema = schema
        self._pool: Pool | None = None
        self._lock = asyncio.Lock()
        self._live = 0
        self._looked_at = 0.0
        self._look: asyncio.Task[None] | None = None

    async def pool(self) -> Pool:
        """The pool of the live generation. Raises what TRANSIENT lists, within OPEN_TIMEOUT_S."""
        async with self._lock:
            if self._pool is None:
                async with asyncio.timeout(OPEN_TIMEOUT_S):
                    self._pool, self._live = await self._opened()
                self._looked_at = time.monotonic()
            elif time.monotonic() - self._looked_at >= LOOK_EVERY_S and (self._look is None or self._look.done()):
                # Beside the request, which need not wait for it.
                self._looked_at = time.monotonic()
                self._look = asyncio.create_task(self._follow(self._pool))
            return self._pool

    async def _opened(self) -> tuple[Pool, int]:
        generation = await prepare(self.settings, self.schema)
        return await open_pool(self.settings, f"{generation.schema},{self.schema.service}"), generation.number

    async def _follow(self, pool: Pool) -> None:
        """After a swap: the next request reads the generation that is live now; those under way finish in theirs."""
        try:
            live = await pool.fetchval(f"SELECT live FROM {self.schema.service}.generation")
            if live == self._live or pool is not self._pool:
                return
            self._pool, self._live = await self._opened()
            await _close(pool, LET_GO_S)
        except SchemaHalt as halt:
            # What is live now needs another build: from here on requests are told so, instead of what was.
            self._pool = None
            telemetry.log.error("generation_not_followed", reason=halt.reason)
            await _close(pool, LET_GO_S)
        except TRANSIENT as error:
            # The next request notices for itself.
            telemetry.log.warning("generation_not_seen", error=telemetry.where(error))

    async def close(self) -> None:
        """Close all connections; those that do not answer in time are cut."""
        look, self._look = self._look, None
        if look is not None:
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)
        pool, self._pool = self._pool, None
        if pool is not None:
            await _close(pool, CLOSE_TIMEOUT_S)


async def _close(pool: Pool, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(pool.close(), timeout_s)
    except TRANSIENT as error:
        telemetry.log.info("pool_cut", error=telemetry.where(error))
        pool.terminate()
