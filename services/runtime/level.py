"""Two generations at the same positions: the live one as one snapshot, the other held where that snapshot is.

Owns getting them there. Live lanes never wait for it; the rebuild does, until the comparison ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.runtime.beside import (
    RUNNING,
    Beside,
    Ends,
    Refused,
    beside,
    hold_at,
    is_reviewed,
    let_go,
    pointer,
    positions_in,
    schema_of,
)
from services.runtime.contents import Place
from services.runtime.generations import NOTHING_BESIDE, Generations
from services.runtime.postgres import CLOSE_TIMEOUT_S, READ_TIMEOUT_S, Connection, connect_to_read

LEVEL_TIMEOUT_S = 60.0
"""How long the other generation may take to where the live one is; one that is far behind is not compared."""
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Level:
    """Both generations, readable in peace. `live` is one snapshot."""

    live: Place
    other: Place
    live_number: int
    other_number: int
    at: Ends


@asynccontextmanager
async def level(generations: Generations) -> AsyncIterator[Level]:
    """Both at the same positions until the end. Raises Refused when the other does not get there."""
    service, settings = generations.service, generations.settings
    async with generations.inputs() as steering:
        found, live = await _comparable(steering, generations)
        here, there = schema_of(service, live), schema_of(service, found.generation)
        readers = [await connect_to_read(settings, f"{schema},{service}") for schema in (here, there)]
        try:
            # Where the other is now the live one will be soon: it must not be ahead when the snapshot is taken.
            async with steering.transaction():
                await beside(steering, service, "FOR UPDATE")
                reached = await positions_in(steering, there)
                await hold_at(steering, service, reached, READ_TIMEOUT_S)
            await _until(steering, here, reached, "the live lane does not reach where the rebuild is")
            async with readers[0].transaction(isolation="repeatable_read"):
                at = await positions_in(readers[0], here)
                await hold_at(steering, service, at, READ_TIMEOUT_S)
                await _until(steering, there, at, "the rebuild does not reach where the live lane is; is it at work?")
                yield Level(Place(readers[0], here), Place(readers[1], there), live, found.generation, at)
                if await positions_in(steering, there) != at:
                    raise Refused("the rebuild went on meanwhile; compare again")
        finally:
            await let_go(steering, service)
            for reader in readers:
                await reader.close(timeout=CLOSE_TIMEOUT_S)


async def _comparable(connection: Connection, generations: Generations) -> tuple[Beside, int]:
    service = generations.service
    live, found = await pointer(connection, service), await beside(connection, service)
    if found is None:
        raise Refused(NOTHING_BESIDE)
    if found.state != RUNNING:
        raise Refused(f"generation {found.generation} is {found.state}; resume it first")
    if found.held_at is not None:
        raise Refused("it is being compared already")
    for number in (live.live, found.generation):
        if not await is_reviewed(connection, service, schema_of(service, number)):
            raise Refused(f"generation {number} is not yet looked at as a whole by the policy in force")
    return found, live.live


async def _until(connection: Connection, schema: str, ends: Ends, otherwise: str) -> None:
    deadline = time.monotonic() + LEVEL_TIMEOUT_S
    while True:
        reached = await positions_in(connection, schema)
        if all(reached.get(partition, 0) >= offset for partition, offset in ends.items()):
            return
        if time.monotonic() > deadline:
            raise Refused(otherwise)
        await asyncio.sleep(POLL_S)
