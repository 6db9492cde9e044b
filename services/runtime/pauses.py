"""Lanes that were told to rest: who paused which, since when, why, and who let it go on.

Owns the table `lane_pause`, one row a pause. What a lane does about it is resting.py; a rebuild has a pause of its
own (generations.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.envelope import rfc3339
from services.runtime.beside import Refused
from services.runtime.postgres import Connection

SHOWN_MAX = 100
"""How many pauses that have ended are shown, the latest first."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that lasts."""

    lane: str
    since: datetime
    by: str
    reason: str

    def told(self, now: datetime) -> dict[str, Any]:
        """What is shown of it."""
        return {
            "lane": self.lane, "since": rfc3339(self.since), "by": self.by, "reason": self.reason,
            "seconds": max(0, int((now - self.since).total_seconds())),
        }  # fmt: skip


async def lasting(connection: Connection, service: str) -> list[Pause]:
    """The pauses of a service's lanes that last."""
    rows = await connection.fetch(
        f"SELECT lane, since, by, reason FROM {service}.lane_pause WHERE resumed_at IS NULL ORDER BY lane"
    )
    return [Pause(r["lane"], r["since"], r["by"], r["reason"]) for r in rows]


async def standing(connection: Connection, service: str, lane: str) -> tuple[int, bool]:
    """The generation that is live (0: none), and whether a lane of it is paused."""
    row = await connection.fetchrow(
        f"SELECT live, EXISTS (SELECT FROM {service}.lane_pause WHERE lane = $1 AND resumed_at IS NULL) AS paused"
        f" FROM {service}.generation",
        lane,
    )
    return (row["live"], row["paused"]) if row is not None else (0, False)


async def pause(
    connection: Connection, service: str, chosen: str | None, by: str, reason: str, *, execute: bool
) -> list[str]:
    """Have a service's lanes (or the chosen one) rest after the batch at hand; their names.

    The caller holds the service's turn. Raises Refused for a lane that is not known or is paused already.
    """
    lanes = await _known(connection, service, chosen)
    for one in await lasting(connection, service):
        if one.lane in lanes:
            why = f": {one.reason}" if one.reason else ""
            raise Refused(f"lane {one.lane} of {service} is paused since {rfc3339(one.since)} by {one.by}{why}")
    if execute:
        await connection.executemany(
            f"INSERT INTO {service}.lane_pause (lane, by, reason) VALUES ($1, $2, $3)",
            [(lane, by, reason) for lane in lanes],
        )
    return lanes


async def resume(
    connection: Connection, service: str, chosen: str | None, by: str, because: str, *, execute: bool
) -> list[str]:
    """Let a service's paused lanes (or the chosen one) go on; their names. Raises Refused where none is paused."""
    lanes = [p.lane for p in await lasting(connection, service) if chosen in (None, p.lane)]
    if not lanes:
        known = await _known(connection, service, chosen)
        raise Refused(f"lane {' and '.join(known)} of {service} is not paused")
    if execute:
        await connection.execute(
            f"UPDATE {service}.lane_pause SET resumed_at = now(), resumed_by = $2, because = $3"
            " WHERE lane = any($1::text[]) AND resumed_at IS NULL",
            lanes,
            by,
            because,
        )
    return lanes


async def _known(connection: Connection, service: str, chosen: str | None) -> list[str]:
    """The lanes that workers of the live generation told of, or the chosen one of them. Raises Refused."""
    live = await connection.fetchval(f"SELECT live FROM {service}.generation")
    if live is None:
        raise Refused(f"{service} has no generation yet; start its worker first")
    rows = await connection.fetch(f"SELECT DISTINCT lane FROM {service}_g{live}.lane ORDER BY lane")
    known = [r["lane"] for r in rows]
    if not known:
        raise Refused(f"no worker of {service} has told of a lane yet; start one first")
    if chosen is None:
        return known
    if chosen not in known:
        more = "; a rebuild rests by `replay pause`" if chosen == "rebuild" else ""
        raise Refused(f"{service} has no lane {chosen}; it has {', '.join(known)}{more}")
    return [chosen]


async def ended(connection: Connection, service: str) -> list[dict[str, Any]]:
    """Pauses that have ended, the latest first."""
    rows = await connection.fetch(
        f"SELECT * FROM {service}.lane_pause WHERE resumed_at IS NOT NULL ORDER BY resumed_at DESC LIMIT $1",
        SHOWN_MAX,
    )
    return [
        {"lane": r["lane"], "since": rfc3339(r["since"]), "by": r["by"], "reason": r["reason"],
         "resumed_at": rfc3339(r["resumed_at"]), "resumed_by": r["resumed_by"], "because": r["because"]}
        for r in rows
    ]  # fmt: skip


def shown(pauses: Sequence[Pause]) -> list[dict[str, Any]]:
    """Pauses that last, as they are told."""
    now = datetime.now(UTC)
    return [one.told(now) for one in pauses]
