"""What waits for the endpoints of webhooks, was taken by them, or became a dead letter.

Owns the SQL of the table `webhook_delivery`. Of one customer an endpoint is told in order: a later delivery is not
due while an earlier one waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.profile.inputs import webhooks
from services.profile.inputs.webhooks import Endpoint
from services.runtime.postgres import Connection

WAITING_MAX = 10_000
"""Of one endpoint; what comes then waits in Kafka, and is queued when there is room."""
TAKEN_KEPT_DAYS, DEAD_KEPT_DAYS = 7, 30
REMOVED_AT_ONCE = 5_000
LOOKED_AT_MAX = 1_000
"""Due deliveries among which those whose turn it is are found: one customer may have all of them."""
STATES = ("waiting", "taken", "dead")


@dataclass(frozen=True, slots=True)
class Queued:
    """An event to be delivered."""

    event_id: str
    type: str
    customer_id: str
    event: str


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose turn has come. `first_at_s`: its first attempt, None before it."""

    delivery_id: int
    event_id: str
    customer_id: str
    event: bytes
    round: int
    attempts: int
    first_at_s: float | None


@dataclass(frozen=True, slots=True)
class Attempted:
    """What became of an attempt: `state` after it, and when it is due again."""

    due: Due
    state: str
    status: int | None
    reason: str | None
    pause_s: float


async def room(connection: Connection, webhook_id: str) -> int:
    """How many more may wait for the endpoint."""
    waiting = await connection.fetchval(
        "SELECT count(*) FROM (SELECT FROM webhook_delivery WHERE webhook_id = $1 AND state = 'waiting' LIMIT $2) w",
        webhook_id,
        WAITING_MAX,
    )
    return max(0, WAITING_MAX - int(waiting))


async def queue(
    connection: Connection, holder: str, endpoint: Endpoint, after: str, events: Sequence[Queued]
) -> bool:
    """Queue these events and move the cursor over them, both or neither; whether it was done.

    An event that is known already is queued again only by a replay.
    """
    async with connection.transaction():
        if not await webhooks.move_on(connection, holder, endpoint, after):
            return False
        if events:
            await connection.execute(
                """
                INSERT INTO webhook_delivery AS d (webhook_id, round, event_id, type, customer_id, event)
                SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::uuid[], $6::text[])
                ON CONFLICT (webhook_id, event_id) DO UPDATE SET state = 'waiting', round = excluded.round,
                    attempts = 0, first_at = NULL, due_at = now(), done_at = NULL, status = NULL, reason = NULL
                WHERE d.round < excluded.round
                """,
                endpoint.webhook_id,
                endpoint.round,
                [one.event_id for one in events],
                [one.type for one in events],
                [one.customer_id for one in events],
                [one.event for one in events],
            )
    return True


async def due(connection: Connection, webhook_id: str, limit: int) -> list[Due]:
    """The next deliveries, at most one of each customer, those due longest first."""
    rows = await connection.fetch(
        """
        SELECT d.delivery_id, d.event_id, d.customer_id, d.event, d.round, d.attempts,
               extract(epoch FROM d.first_at)::float8 AS first_at_s
        FROM (SELECT * FROM webhook_delivery WHERE webhook_id = $1 AND state = 'waiting' AND due_at <= now()
              ORDER BY due_at, delivery_id LIMIT $3) AS d
        WHERE NOT EXISTS (
            SELECT FROM webhook_delivery e WHERE e.webhook_id = d.webhook_id AND e.customer_id = d.customer_id
            AND e.state = 'waiting' AND e.delivery_id < d.delivery_id)
        ORDER BY d.due_at, d.delivery_id LIMIT $2
        """,
        webhook_id,
        limit,
        LOOKED_AT_MAX,
    )
    return [
        Due(r["delivery_id"], r["event_id"], str(r["customer_id"]), r["event"].encode(), r["round"], r["attempts"],
            r["first_at_s"])
        for r in rows
    ]  # fmt: skip


async def next_due_s(connection: Connection, webhook_id: str) -> float | None:
    """In how many seconds the next one is due; None when nothing waits."""
    found: float | None = await connection.fetchval(
        "SELECT extract(epoch FROM min(due_at) - now())::float8 FROM webhook_delivery"
        " WHERE webhook_id = $1 AND state = 'waiting'",
        webhook_id,
    )
    return found


async def settle(connection: Connection, attempted: Sequence[Attempted]) -> None:
    """Note what became of these attempts; who was asked for again meanwhile stays asked for."""
    await connection.execute(
        """
        UPDATE webhook_delivery d SET state = a.state, attempts = d.attempts + 1, status = a.status,
            reason = a.reason, first_at = coalesce(d.first_at, now()),
            due_at = now() + make_interval(secs => a.pause_s),
            done_at = CASE WHEN a.state <> 'waiting' THEN now() END
        FROM unnest($1::bigint[], $2::int[], $3::text[], $4::int[], $5::text[], $6::float8[])
            AS a (delivery_id, round, state, status, reason, pause_s)
        WHERE d.delivery_id = a.delivery_id AND d.round = a.round AND d.state = 'waiting'
        """,
        [one.due.delivery_id for one in attempted],
        [one.due.round for one in attempted],
        [one.state for one in attempted],
        [one.status for one in attempted],
        [one.reason for one in attempted],
        [one.pause_s for one in attempted],
    )


async def hold_back(connection: Connection, webhook_id: str, again: Sequence[Attempted]) -> None:
    """Let what follows a delivery that is tried again become due with it: before, it would be looked at in vain."""
    await connection.execute(
        """
        UPDATE webhook_delivery d SET due_at = now() + make_interval(secs => a.pause_s)
        FROM unnest($2::uuid[], $3::float8[]) AS a (customer_id, pause_s)
        WHERE d.webhook_id = $1 AND d.customer_id = a.customer_id AND d.state = 'waiting'
          AND d.due_at < now() + make_interval(secs => a.pause_s)
        """,
        webhook_id,
        [one.due.customer_id for one in again],
        [one.pause_s for one in again],
    )


async def remove_old(connection: Connection) -> int:
    """Remove some of what was done long ago; how many. A dead letter is kept longer."""
    gone = await connection.fetch(
        """
        DELETE FROM webhook_delivery WHERE delivery_id IN (
            SELECT delivery_id FROM webhook_delivery
            WHERE state <> 'waiting'
              AND done_at < now() - make_interval(days => CASE state WHEN 'dead' THEN $2::int ELSE $1::int END)
            LIMIT $3) RETURNING true
        """,
        TAKEN_KEPT_DAYS,
        DEAD_KEPT_DAYS,
        REMOVED_AT_ONCE,
    )  # fmt: skip
    return len(gone)


async def listed(
    connection: Connection, webhook_id: str, state: str | None, before: int, limit: int
) -> list[dict[str, Any]]:
    """Deliveries of an endpoint, the newest first, from before an id."""
    rows = await connection.fetch(
        "SELECT delivery_id, event_id, type, customer_id, state, attempts, queued_at, first_at, due_at, done_at,"
        " status, reason FROM webhook_delivery WHERE webhook_id = $1 AND ($2::text IS NULL OR state = $2)"
        " AND delivery_id < $3 ORDER BY delivery_id DESC LIMIT $4",
        webhook_id,
        state,
        before,
        limit,
    )
    return [dict(r) for r in rows]


async def retry(connection: Connection, webhook_id: str, delivery_id: int) -> str | None:
    """The state it had: a dead one waits again, and is due, as is one that waits; None for no such delivery."""
    found: str | None = await connection.fetchval(
        """
        WITH was AS (SELECT state FROM webhook_delivery WHERE webhook_id = $1 AND delivery_id = $2 FOR UPDATE)
        UPDATE webhook_delivery d SET state = 'waiting', due_at = now(), first_at = NULL, done_at = NULL
        FROM was WHERE d.webhook_id = $1 AND d.delivery_id = $2 AND was.state <> 'taken' RETURNING was.state
        """,
        webhook_id,
        delivery_id,
    )
    if found is None:
        found = await connection.fetchval(
            "SELECT state FROM webhook_delivery WHERE webhook_id = $1 AND delivery_id = $2", webhook_id, delivery_id
        )
    return found
