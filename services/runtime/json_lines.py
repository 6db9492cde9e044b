"""Answers that take their time, as JSON lines: {"progress"} while it works, {"result"} or {"refused"} at the end.

Owns their form, and that the work ends when nobody reads the answer any more.
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


def in_lines(act: Act) -> Response:
    """The answer of `act`, which tells its progress."""
    lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def work() -> None:
        try:
            lines.put_nowait({"result": await act(lambda text: lines.put_nowait({"progress": text}))})
        except Refused as refused:
            lines.put_nowait({"refused": str(refused)})
        except asyncpg.SyntaxOrAccessError as error:
            # A table or column of this build that the live generation does not have.
            lines.put_nowait({"refused": f"the tables differ too much: {type(error).__name__}"})
        except KafkaError as error:
            lines.put_nowait({"refused": f"the broker does not answer ({type(error).__name__})"})
        except TRANSIENT as error:
            lines.put_nowait({"refused": f"the database or the policy changed meanwhile ({type(error).__name__})"})
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
