"""Gathering: a rebuild keeps what the log says of records first, and combines it once, when it is at the log's end.

Owns the stages of a generation that is built so (docs/decisions/0010), noted in its row of `review`: what is gathered
has not been looked at, so it is neither compared nor swapped before it was combined. What is kept and how it is
combined is the service's (`Gathers`). A stage changes only in a transaction of the one process that builds.
"""

from __future__ import annotations

from enum import Enum

from services.runtime.batch import Combine, Work
from services.runtime.postgres import Connection
from services.runtime.review import NOBODY


class Stage(Enum):
    """Reading the log, records only; then making what is told of everybody, while nothing is read; then as live."""

    GATHERING = "gathering"
    COMBINING = "combining"
    FOLLOWING = "following"


async def begin(connection: Connection) -> None:
    """Before the first batch: a generation that nothing was written to is gathered."""
    await connection.execute(
        "INSERT INTO review (policy_number, after) VALUES (0, $1) ON CONFLICT DO NOTHING", NOBODY
    )


async def stage(connection: Connection) -> Stage:
    """Where the generation stands."""
    number = await connection.fetchval("SELECT policy_number FROM review")
    if number is None or number > 0:
        return Stage.FOLLOWING
    return Stage.COMBINING if number < 0 else Stage.GATHERING


async def gathered(connection: Connection) -> None:
    """All is gathered: from now on it is combined, by the document in force now or a later one."""
    await connection.execute(
        "UPDATE review SET policy_number = -(SELECT number FROM in_force), pass = 0, after = $1"
        " WHERE policy_number = 0",
        NOBODY,
    )


async def combine_some(work: Work, combine: Combine) -> bool:
    """Combine some more, in the caller's transaction; whether there is more of it.

    Whoever was combined before the document changed is looked at again by the service's own review.
    """
    row = await work.connection.fetchrow("SELECT policy_number, after FROM review WHERE policy_number < 0 FOR UPDATE")
    if row is None:
        return False
    log_time_ms = await work.connection.fetchval("SELECT coalesce(max(log_time_ms), 0) FROM position")
    last = await combine(work, str(row["after"]), log_time_ms)
    number = -row["policy_number"] if last is None else row["policy_number"]
    await work.connection.execute("UPDATE review SET policy_number = $1, after = $2", number, last)
    return True
