"""Looking at everybody again after a change of the policy, a piece at a time, from wherever it stopped.

Owns the table `review`, which a service that reviews has in its schema: one row, locked by whoever goes on. A review
has one or several passes over ids in ascending order. What is looked at is the service's.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.runtime.postgres import Connection

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Before every id."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a review stands: which pass (from 0), and the last id it looked at."""

    number: int
    after: str


async def begin(connection: Connection, policy_number: int) -> None:
    """Before the first batch of a generation: all that follows is decided by this number or a later one."""
    await connection.execute("INSERT INTO review (policy_number) VALUES ($1) ON CONFLICT DO NOTHING", policy_number)


async def place(connection: Connection, policy_number: int) -> Place | None:
    """Where to go on for this number of the policy; None when everybody was looked at. Locks the row."""
    row = await connection.fetchrow("SELECT policy_number, pass, after FROM review FOR UPDATE")
    if row is None or row["policy_number"] != policy_number:
        return Place(0, NOBODY)
    return None if row["after"] is None else Place(row["pass"], str(row["after"]))


async def is_done(connection: Connection, policy_number: int) -> bool:
    """Whether everybody was looked at again for this number of the policy."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM review WHERE policy_number = $1 AND after IS NULL)", policy_number
        )
    )


async def reached(connection: Connection, policy_number: int, at: Place | None) -> None:
    """Everybody up to there was looked at again; all of them in all passes, when it is None."""
    number, after = (at.number, at.after) if at is not None else (0, None)
    await connection.execute(
        "UPDATE review SET policy_number = $1, pass = $2, after = $3", policy_number, number, after
    )
