"""Endpoints of webhooks: what people set of them, how far each was queued, who delivers to it, how it does.

Owns the SQL of the table `webhook`; what waits for an endpoint is deliveries.py. Secrets are not stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runtime.postgres import Connection

WEBHOOKS_MAX = 100
ID_BYTES = 9
SETTABLE = ("url", "types", "description", "timeout_ms", "retry_for_s")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as its deliverer needs it. Moments are seconds since 1970 by PostgreSQL's clock."""

    webhook_id: str
    url: str
    types: frozenset[str]
    timeout_ms: int
    retry_for_s: int
    secret_numbers: Sequence[int]
    cursor: str
    round: int
    failures: int
    failing_since_s: float | None
    taken_at_s: float | None
    paused_s: float


async def create(connection: Connection, given: Mapping[str, Any], by: str, cursor: str) -> str | None:
    """The id of a new endpoint that is told what comes after `cursor`; None when there are WEBHOOKS_MAX."""
    made: str | None = await connection.fetchval(
        """
        INSERT INTO webhook (webhook_id, url, types, description, timeout_ms, retry_for_s, created_by, cursor)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM webhook) < $9 RETURNING webhook_id
        """,
        f"wh_{secrets.token_hex(ID_BYTES)}",
        *(given[name] for name in SETTABLE),
        by,
        cursor,
        WEBHOOKS_MAX,
    )
    return made


async def listed(connection: Connection, webhook_id: str | None = None) -> list[dict[str, Any]]:
    """All endpoints, or one, the oldest first, with how many deliveries wait and are dead."""
    rows = await connection.fetch(
        """
        SELECT w.*, coalesce(d.waiting, 0) AS waiting, coalesce(d.dead, 0) AS dead FROM webhook w
        LEFT JOIN (
            SELECT webhook_id, count(*) FILTER (WHERE state = 'waiting') AS waiting,
                   count(*) FILTER (WHERE state = 'dead') AS dead
            FROM webhook_delivery WHERE state <> 'taken' AND webhook_id = coalesce($1, webhook_id) GROUP BY 1
        ) d USING (webhook_id)
        WHERE webhook_id = coalesce($1, webhook_id) ORDER BY created_at, webhook_id
        """,
        webhook_id,
    )
    return [dict(r) for r in rows]


async def change(connection: Connection, webhook_id: str, given: Mapping[str, Any]) -> None:
    """Set the parts that are given; of `enabled`, true begins anew and false pauses it."""
    parts = [name for name in SETTABLE if name in given]
    if parts:
        assigned = ", ".join(f"{name} = ${number}" for number, name in enumerate(parts, 2))
        values = [given[name] for name in parts]
        await connection.execute(f"UPDATE webhook SET {assigned} WHERE webhook_id = $1", webhook_id, *values)
    if given.get("enabled") is True:
        await connection.execute(
            "UPDATE webhook SET disabled_at = NULL, disabled_reason = NULL, failures = 0, failing_since = NULL,"
            " paused_until = NULL WHERE webhook_id = $1 AND disabled_at IS NOT NULL",
            webhook_id,
        )
    elif given.get("enabled") is False:
        await disable(connection, webhook_id, "asked")


async def disable(connection: Connection, webhook_id: str, reason: str) -> None:
    """Deliver nothing more to it; what waits stays."""
    await connection.execute(
        "UPDATE webhook SET disabled_at = now(), disabled_reason = $2 WHERE webhook_id = $1 AND disabled_at IS NULL",
        webhook_id,
        reason,
    )


async def delete(connection: Connection, webhook_id: str) -> bool:
    """Whether there was such an endpoint; its deliveries go with it."""
    gone = await connection.fetchval("DELETE FROM webhook WHERE webhook_id = $1 RETURNING true", webhook_id)
    return bool(gone)


async def rotate(connection: Connection, webhook_id: str, overlap_s: int) -> tuple[int, datetime] | None:
    """(number of the new secret, until when the one before is valid); None for no such endpoint."""
    row = await connection.fetchrow(
        "UPDATE webhook SET secret_number = secret_number + 1,"
        " former_secret_until = now() + make_interval(secs => $2) WHERE webhook_id = $1"
        " RETURNING secret_number, former_secret_until",
        webhook_id,
        overlap_s,
    )
    return (row["secret_number"], row["former_secret_until"]) if row is not None else None


async def replay(connection: Connection, webhook_id: str, cursor: str) -> bool:
    """Queue from there on once more, also what it took; whether there is such an endpoint."""
    done = await connection.fetchval(
        "UPDATE webhook SET cursor = $2, round = round + 1 WHERE webhook_id = $1 RETURNING true", webhook_id, cursor
    )
    return bool(done)


# -- delivering ------------------------------------------------------------------------------------------


async def claim(connection: Connection, holder: str, lease_s: float) -> list[Endpoint]:
    """The endpoints this process holds for one attempt and `lease_s` from now: its own, and those nobody held."""
    rows = await connection.fetch(
        """
        UPDATE webhook w SET held_by = $1, held_until = now() + make_interval(secs => $2 + timeout_ms / 1000.0)
        FROM (SELECT webhook_id FROM webhook
              WHERE disabled_at IS NULL AND (held_by = $1 OR held_until IS NULL OR held_until < now())
              ORDER BY webhook_id FOR UPDATE SKIP LOCKED) AS free
        WHERE w.webhook_id = free.webhook_id
        RETURNING w.*, former_secret_until > now() AS former_valid,
            extract(epoch FROM failing_since)::float8 AS failing_since_s,
            extract(epoch FROM taken_at)::float8 AS taken_at_s,
            greatest(0, extract(epoch FROM paused_until - now()))::float8 AS paused_s
        """,
        holder,
        lease_s,
    )
    return [_endpoint(r) for r in rows]


def _endpoint(r: Any) -> Endpoint:
    numbers = [r["secret_number"], r["secret_number"] - 1] if r["former_valid"] else [r["secret_number"]]
    return Endpoint(
        webhook_id=r["webhook_id"],
        url=r["url"],
        types=frozenset(r["types"]),
        timeout_ms=r["timeout_ms"],
        retry_for_s=r["retry_for_s"],
        secret_numbers=numbers,
        cursor=r["cursor"],
        round=r["round"],
        failures=r["failures"],
        failing_since_s=r["failing_since_s"],
        taken_at_s=r["taken_at_s"],
        paused_s=r["paused_s"] or 0.0,
    )


async def let_go(connection: Connection, holder: str) -> None:
    """Hold none any longer: another process may at once."""
    await connection.execute("UPDATE webhook SET held_by = NULL, held_until = NULL WHERE held_by = $1", holder)


async def move_on(connection: Connection, holder: str, endpoint: Endpoint, after: str) -> bool:
    """Whether the cursor was moved: it stood as the endpoint has it, in its round, and this process holds it."""
    moved = await connection.fetchval(
        "UPDATE webhook SET cursor = $5 WHERE webhook_id = $1 AND held_by = $2 AND round = $3 AND cursor = $4"
        " RETURNING true",
        endpoint.webhook_id,
        holder,
        endpoint.round,
        endpoint.cursor,
        after,
    )
    return bool(moved)


async def note_gap(connection: Connection, webhook_id: str, after: str) -> None:
    """What came after its cursor is no longer kept: go on after it, and say so."""
    await connection.execute(
        "UPDATE webhook SET cursor = $2, gap_at = now() WHERE webhook_id = $1", webhook_id, after
    )


async def note_taken(connection: Connection, webhook_id: str) -> None:
    """It took a delivery: it works."""
    await connection.execute(
        "UPDATE webhook SET failures = 0, failing_since = NULL, paused_until = NULL, taken_at = now()"
        " WHERE webhook_id = $1",
        webhook_id,
    )


async def note_failed(connection: Connection, webhook_id: str, reason: str, pause_s: float) -> None:
    """It took nothing, for the reason; it is tried again after `pause_s`, which is 0 where only one was refused."""
    await connection.execute(
        """
        UPDATE webhook SET failed_at = now(), failed_reason = $2,
            failures = CASE WHEN $3 > 0 THEN failures + 1 ELSE failures END,
            failing_since = CASE WHEN $3 > 0 THEN coalesce(failing_since, now()) ELSE failing_since END,
            paused_until = CASE WHEN $3 > 0 THEN now() + make_interval(secs => $3) ELSE paused_until END
        WHERE webhook_id = $1
        """,
        webhook_id,
        reason,
        pause_s,
    )
