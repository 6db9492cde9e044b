"""What a lane says of itself in its database, once a second: state, reason of a halt, build, counts.

Owns the lane table; read by status and by the internal API.
"""

from __future__ import annotations

import json
import os
from enum import StrEnum
from typing import TYPE_CHECKING

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


async def report(connection: Connection, lane: Lane, reason: str) -> None:
    """Write the lane's row, and its metric of lag; outside every batch's transaction."""
    telemetry.LAG.labels(lane.plan.service).set(lane.feed.known_lag())
    await connection.execute(
        """
        INSERT INTO lane (lane, worker_index, state, reason, build, pid, counts)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
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
