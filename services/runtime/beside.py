"""What is live, and which generation is beside it: read, and locked, by whoever works on either.

Owns reading the pointer, the table `beside` and how far generations are. Steps are generations.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from services.runtime.positions import Partition
from services.runtime.postgres import Connection

RUNNING, PAUSED = "running", "paused"

Ends = dict[Partition, int]
"""(topic, partition) → next offset."""


class Refused(Exception):
    """The step does not fit how things stand; the message is one line for people."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The generation beside the live one. `held_at`: it goes no further for now."""

    generation: int
    state: str
    retired: bool
    events_per_s: int
    tables: str
    build: str
    held_at: Ends | None = None


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is live."""

    live: int
    epoch: int
    tables: str


def schema_of(service: str, generation: int) -> str:
    """The name of a generation's schema."""
    return f"{service}_g{generation}"


async def beside(connection: Connection, service: str, lock: str = "") -> Beside | None:
    """The generation beside the live one, if there is any. Locked FOR UPDATE, its rebuild is between two batches."""
    row = await connection.fetchrow(
        "SELECT generation, state, retired, events_per_s, tables, build,"
        f" CASE WHEN held_until > now() THEN held_at END AS held_at FROM {service}.beside {lock}"
    )
    if row is None:
        return None
    held = {(t, p): o for t, p, o in json.loads(row["held_at"])} if row["held_at"] else None
    return Beside(
        row["generation"], row["state"], row["retired"], row["events_per_s"], row["tables"], row["build"], held
    )


async def pointer(connection: Connection, service: str, lock: str = "") -> Pointer:
    """The live generation. Raises Refused where there never was one."""
    row = await connection.fetchrow(f"SELECT live, epoch, tables FROM {service}.generation {lock}")
    if row is None:
        raise Refused(f"{service} has no generation yet; start its worker first")
    return Pointer(row["live"], row["epoch"], row["tables"])


async def positions_in(connection: Connection, schema: str) -> Ends:
    """Next offsets of a generation."""
    rows = await connection.fetch(f"SELECT topic, partition, next_offset FROM {schema}.position")
    return {(r["topic"], r["partition"]): r["next_offset"] for r in rows}


async def records_behind(connection: Connection, here: str, there: str) -> int:
    """How many records the generation in schema `here` has applied that the one in `there` has not."""
    reached = await positions_in(connection, there)
    ends = await positions_in(connection, here)
    return sum(max(0, offset - reached.get(partition, 0)) for partition, offset in ends.items())


async def is_reviewed(connection: Connection, service: str, schema: str) -> bool:
    """Whether all that a generation says is by the document in force (each service has one), if it reviews at all."""
    there = "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL"
    if not await connection.fetchval(there, f"{schema}.review", f"{service}.in_force"):
        return True
    return bool(
        await connection.fetchval(
            f"""
            SELECT NOT EXISTS (SELECT FROM {service}.in_force) OR EXISTS (
                SELECT FROM {schema}.review r JOIN {service}.in_force f ON f.number = r.policy_number
                WHERE r.after IS NULL)
            """
        )
    )


async def hold_at(connection: Connection, service: str, ends: Ends, for_s: float) -> None:
    """Let the generation beside go no further than these positions, for so long at most."""
    await connection.execute(
        f"UPDATE {service}.beside SET held_at = $1, held_until = now() + make_interval(secs => $2)",
        json.dumps([[topic, partition, offset] for (topic, partition), offset in sorted(ends.items())]),
        for_s,
    )


async def let_go(connection: Connection, service: str) -> None:
    """Let it go on."""
    await connection.execute(f"UPDATE {service}.beside SET held_at = NULL, held_until = NULL")
