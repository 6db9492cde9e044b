"""Answers that take their time, as JSON lines: {"progress"} while it works, {"result"} or {"refused"} at the end.

Owns their form, what a repair and a comparison say that could not end, and that the work ends when nobody reads the
answer any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import orjson
from aiokafka.errors import KafkaError
from starlette.responses import Response, StreamingResponse

from services.runtime.beside import Refused
from services.runtime.postgres import TRANSIENT

Progress = Callable[[str], None]
Act = Callable[[Progress], Awaitable[dict[str, Any]]]
Why = Callable[[Exception], str | None]
"""What people are told of an error that ended the work; None of one that is a mistake of ours."""


def why(error: Exception) -> str | None:
    """Of work on two generations and the log."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, asyncpg.SyntaxOrAccessError):
        # A table or column of this build that the live generation does not have.
        return f"the tables differ too much: {type(error).__name__}"
    if isinstance(error, KafkaError):
        return f"the broker does not answer ({type(error).__name__})"
    if isinstance(error, TRANSIENT):
        return f"the database or the policy changed meanwhile ({type(error).__name__})"
    return None


def in_lines(act: Act, why: Why = why) -> Response:
    """The answer of `act`, which tells its progress."""
    lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def work() -> None:
        try:
            lines.put_nowait({"result": await act(lambda text: lines.put_nowait({"progress": text}))})
        except Exception as error:
            refused = why(error)
            if refused is None:
                raise
            lines.put_nowait({"refused": refused})
        finally:
            lines.put_nowait(None)

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
