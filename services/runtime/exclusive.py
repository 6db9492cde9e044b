"""Being the only one: a name is one process's as long as its connection lives, and free whenever that ends.

Owns advisory locks that outlast a transaction. They are never taken on a pool's connection, which goes on living.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.runtime.postgres import CLOSE_TIMEOUT_S, OwnConnection, SchemaHalt, connect_to_read
from services.runtime.settings import Settings

INDEX_PATIENCE_S = 12.0
INDEX_POLL_S = 0.05


@asynccontextmanager
async def alone(settings: Settings, search_path: str, name: str) -> AsyncIterator[OwnConnection | None]:
    """A connection to read, while which nobody else is alone under this name; None: somebody is."""
    connection = await connect_to_read(settings, search_path)
    try:
        yield connection if await _is_ours(connection, name) else None
    finally:
        await connection.close(timeout=CLOSE_TIMEOUT_S)


async def hold_worker_index(connection: OwnConnection, worker: str) -> None:
    """Be the only process of this name (service.lane.index) while the connection lives.

    Two would fence each other out of the consumer group for ever. A predecessor that was just killed is waited
    for. Raises SchemaHalt("worker_index_taken").
    """
    deadline = time.monotonic() + INDEX_PATIENCE_S
    while not await _is_ours(connection, f"c360.worker.{worker}"):
        if time.monotonic() > deadline:
            raise SchemaHalt("worker_index_taken", f"{worker} runs already; give this one another C360_WORKER_INDEX")
        await asyncio.sleep(INDEX_POLL_S)


async def _is_ours(connection: OwnConnection, name: str) -> bool:
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", name))
