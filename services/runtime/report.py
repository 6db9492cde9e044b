"""What a lane says of itself in its database, once a second: state, reason of a halt, build, counts.

Owns the lane table; read by status and by the internal API.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from services.runtime import telemetry
from services.runtime.postgres import Connection

if TYPE_CHECKING:
    from services.runtime.lane import Lane


class LaneState(StrEnum):
    """What a lane is doing; the watchdog counts only `fetching` with lag."""

    STARTING = "starting"
    FETCHING = "fetching"
    APPLYING = "applying"
    WAITING_FOR_DATABASE = "waiting_for_database"
    WAITING_FOR_BROKER = "waiting_for_broker"
    PAUSED = "paused"
    HALTED = "halted"


STALE_LANE_S = 5.0
"""A worker that has said nothing for longer is silent, unless it halted: that it says once."""


async def workers(connection: Connection) -> list[dict[str, Any]]:
    """What the workers of the generation on the connection's search path said of themselves lately."""
    rows = await connection.fetch("SELECT * FROM lane ORDER BY lane, worker_index")
    now = datetime.now(UTC)
    return [_worker(r, heard=(now - r["at"]).total_seconds() < STALE_LANE_S) for r in rows]


def _worker(row: Any, *, heard: bool) -> dict[str, Any]:
    """One worker; of who has said nothing lately nothing is known but how it halted."""
    counts = json.loads(row["counts"] or "{}")
    return {
        "lane": row["lane"],
        "worker": row["worker_index"],
        "reason": row["reason"],
        "build": row["build"],
        "state": row["state"] if row["state"] == LaneState.HALTED or heard else "silent",
        "per_s": counts.get("per_s", 0) if heard else 0,
    }


async def report(connection: Connection, lane: Lane, reason: str) -> None:
    """Write the lane's row, and its metric of lag; outside every batch's transaction."""
    # A paused lane's consumer hears nothing of what comes: the broker has to be asked.
    lag = await lane.feed.lag() if lane.state == LaneState.PAUSED else lane.feed.known_lag()
    telemetry.LAG.labels(lane.plan.service).set(lag)
    await connection.execute(
        # A beat that a crash of the server loses is followed by another: no wait for the disk. A halt is told once.
        """
        INSERT INTO lane (lane, worker_index, state, reason, build, pid, counts)
        SELECT $1, $2, $3, $4, $5, $6, $7
        FROM set_config('synchronous_commit', CASE WHEN $4 = '' THEN 'off' ELSE 'on' END, true)
        ON CONFLICT (lane, worker_index) DO UPDATE SET state = excluded.state, reason = excluded.reason,
            build = excluded.build, pid = excluded.pid, counts = excluded.counts, at = now()
        """,
        lane.plan.lane,
        lane.settings.worker_index,
        str(lane.state),
        reason,
        lane.settings.build,
        os.getpid(),
        json.dumps(lane.counts()),
    )
