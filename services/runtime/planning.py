"""How a replay stands, and what one would take: counts, seconds, bytes.

Owns the arithmetic of `replay plan` and `replay status`; changes nothing.
"""

from __future__ import annotations

from typing import Any

from schemas.envelope import rfc3339
from services.runtime import replays
from services.runtime.beside import Beside, Ends, beside, is_reviewed, pointer, records_behind, schema_of
from services.runtime.postgres import Connection, ServiceSchema

SIZE = """
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
    FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
"""


async def planned(connection: Connection, schema: ServiceSchema, ends: Ends, rate: int) -> dict[str, Any]:
    """What a rebuild from the beginning would read. Records are counted by offsets: compacted topics hold fewer."""
    live = await pointer(connection, schema.service)
    records = sum(ends.values())
    return {
        "service": schema.service,
        "live": live.live,
        "same_tables": live.tables == schema.fingerprint,
        "partitions": [{"topic": t, "partition": p, "records": n} for (t, p), n in sorted(ends.items())],
        "records": records,
        "rate": rate,
        "seconds": -(-records // rate),
        "bytes": await connection.fetchval(SIZE, schema_of(schema.service, live.live)),
    }


async def standing(connection: Connection, schema: ServiceSchema, ends: Ends) -> dict[str, Any]:
    """What is live, what is beside it, what a swap left to tell, and the steps taken."""
    service = schema.service
    live = await pointer(connection, service)
    found = await beside(connection, service)
    walk = await connection.fetchrow(f"SELECT * FROM {service}.retelling")
    return {
        "service": service,
        "live": live.live,
        "epoch": live.epoch,
        "beside": await _beside(connection, service, live.live, found, ends) if found is not None else None,
        "retelling": walk and {
            "walked": walk["walked"], "told": walk["told"], "done": walk["done_at"] is not None,
            "begun_at": rfc3339(walk["begun_at"]), "comparable": walk["comparable"],
        },
        "steps": await replays.steps(connection, service),
    }  # fmt: skip


async def _beside(connection: Connection, service: str, live: int, found: Beside, ends: Ends) -> dict[str, Any]:
    there = schema_of(service, found.generation)
    rows = await connection.fetch(f"SELECT topic, partition, next_offset FROM {there}.position")
    reached = {(r["topic"], r["partition"]): r["next_offset"] for r in rows}
    lane = await connection.fetchrow(
        f"SELECT state, reason, build, counts->>'events_per_s' AS per_s, now() - at < interval '5 s' AS fresh"
        f" FROM {there}.lane"
    )
    left = sum(max(0, end - reached.get(partition, 0)) for partition, end in ends.items())
    per_s = min(int(lane["per_s"] or 0) if lane else 0, found.events_per_s) or found.events_per_s
    return {
        "generation": found.generation,
        "state": found.state,
        "kept_for_rollback": found.retired,
        "rate": found.events_per_s,
        "worker": _worker(lane),
        "events_per_s": int(lane["per_s"] or 0) if lane else 0,
        "left": left,
        "seconds_left": -(-left // per_s),
        "behind_live": await records_behind(connection, schema_of(service, live), there),
        "reviewed": await is_reviewed(connection, service, there),
        "bytes": await connection.fetchval(SIZE, there),
        "positions": [
            {"topic": t, "partition": p, "position": reached.get((t, p), 0), "end": end}
            for (t, p), end in sorted(ends.items())
        ],
    }  # fmt: skip


def _worker(lane: Any) -> str:
    if lane is None:
        return "none"
    if lane["state"] == "halted":
        return f"halted: {lane['reason']}"
    return str(lane["state"]) if lane["fresh"] else "silent"
