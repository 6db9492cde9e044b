"""The event store: the `eventsourcing` library's stored events, written and read on a caller's connection.

Owns the statements on two tables: `decision` (what a service decided; derived, remade with each generation) and
`input_event` (what it was told; kept for ever). Begins and ends no transaction, so that an event is there exactly
when the rows are that its transaction changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
from eventsourcing.persistence import IntegrityError, Notification, StoredEvent

from services.runtime.postgres import Connection

DECISIONS = "decision"
INPUTS = "input_event"

STATE_BYTES_MAX = 512 * 1024
"""Of one event: what is larger could be stored, and then not be told in one record of a topic."""
BIGINT_MAX = 2**63 - 1

_TURN = "SELECT pg_advisory_xact_lock(hashtext('c360.append'), '{table}'::regclass::oid::int)"

_APPEND = f"""
    WITH turn AS MATERIALIZED ({_TURN})
    INSERT INTO {{table}} (originator_id, originator_version, topic, state)
    SELECT i, v, t, s FROM turn, unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[])
        WITH ORDINALITY AS e (i, v, t, s, place)
    ORDER BY place
    RETURNING notification_id
"""

_COPY = f"""
    WITH turn AS MATERIALIZED ({_TURN})
    INSERT INTO {{table}} (originator_id, originator_version, topic, state, notification_id)
    SELECT e.* FROM turn, unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[]) AS e
"""

_GO_ON_AFTER_COPIES = """
    SELECT setval(ids, greatest(last, nextval(ids))) FROM (
        SELECT pg_get_serial_sequence('{table}', 'notification_id')::regclass AS ids, max(notification_id) AS last
        FROM {table}) AS copied
"""

EVENTS_OF = """
    SELECT e.* FROM unnest($1::uuid[]) AS w (id) CROSS JOIN LATERAL (
        SELECT originator_id, originator_version, topic, state FROM {table}
        WHERE originator_id = w.id AND originator_version > $2 AND originator_version <= $3
        ORDER BY originator_version {order} LIMIT $4
    ) AS e ORDER BY originator_id, originator_version {order}
"""

NOTIFICATIONS = """
    SELECT originator_id, originator_version, topic, state, notification_id FROM {table}
    WHERE notification_id >= $1 AND notification_id <= $2 AND (cardinality($4::text[]) = 0 OR topic = any($4))
    ORDER BY notification_id LIMIT $3
"""


async def take_turn(connection: Connection, table: str) -> None:
    """Be the only transaction that appends to this table until it ends.

    A sequence numbers a row when it is written, others see it when its transaction commits: of two writers the
    later number could be seen first, and a reader who goes on after the highest number he saw would never see the
    other one. So a writer has this lock before he gets his first number, until his commit. It must be the last
    lock of a transaction (rows first): whoever has it keeps all other writers of the table waiting. Of both
    tables, decisions come first.
    """
    await connection.execute(_TURN.format(table=table))


async def append(connection: Connection, table: str, events: Sequence[StoredEvent]) -> list[int]:
    """Write events of any number of aggregates, in this order, in one statement; their notification ids.

    Waits for the table's turn (`take_turn`). Raises the library's IntegrityError when an aggregate has that version
    already; the transaction is then only good to be rolled back. Raises ValueError when a state is too large.
    """
    if not events:
        return []
    rows = await _insert(connection, _APPEND.format(table=table), events)
    return [row["notification_id"] for row in rows]


async def copy(connection: Connection, table: str, events: Sequence[Notification]) -> None:
    """Write events under the notification ids they have; what is appended later comes after them.

    Raises IntegrityError when a version or an id is taken.
    """
    if events:
        await _insert(connection, _COPY.format(table=table), events, [e.id for e in events])
        await connection.execute(_GO_ON_AFTER_COPIES.format(table=table))


async def _insert(
    connection: Connection, statement: str, events: Sequence[StoredEvent], *more: list[int]
) -> list[asyncpg.Record]:
    if any(len(e.state) > STATE_BYTES_MAX for e in events):
        raise ValueError(f"the state of an event is larger than {STATE_BYTES_MAX} bytes")
    try:
        return await connection.fetch(
            statement,
            [e.originator_id for e in events],
            [e.originator_version for e in events],
            [e.topic for e in events],
            [e.state for e in events],
            *more,
        )
    except asyncpg.UniqueViolationError as taken:
        raise IntegrityError(taken.detail) from taken


async def events_of(
    connection: Connection,
    table: str,
    originator_ids: Iterable[UUID],
    *,
    gt: int | None = None,
    lte: int | None = None,
    desc: bool = False,
    limit: int | None = None,
) -> dict[UUID, list[StoredEvent]]:
    """Events of many aggregates in one statement, by version; an aggregate without any is missing.

    The rest is the library's, and goes for each aggregate: versions after `gt` and up to `lte`, the last ones
    first (`desc`), at most `limit`.
    """
    plain = {i: _plain(i) for i in originator_ids}
    rows = await connection.fetch(
        EVENTS_OF.format(table=table, order="DESC" if desc else "ASC"),
        list(plain),
        -1 if gt is None else gt,
        BIGINT_MAX if lte is None else lte,
        limit,
    )
    found: dict[UUID, list[StoredEvent]] = {}
    for r in rows:
        originator_id = plain[r["originator_id"]]
        event = StoredEvent(originator_id, r["originator_version"], r["topic"], r["state"])
        found.setdefault(originator_id, []).append(event)
    return found


async def notifications(
    connection: Connection,
    table: str,
    start: int | None,
    limit: int,
    stop: int | None = None,
    topics: Sequence[str] = (),
    *,
    inclusive_of_start: bool = True,
) -> list[Notification]:
    """At most `limit` events in the order they were appended, by notification id from `start` up to `stop`."""
    first = 0 if start is None else start + (not inclusive_of_start)
    last = BIGINT_MAX if stop is None else stop
    rows = await connection.fetch(NOTIFICATIONS.format(table=table), first, last, limit, list(topics))
    return [Notification(_plain(i), version, topic, state, n) for i, version, topic, state, n in rows]


async def max_notification_id(connection: Connection, table: str) -> int | None:
    """The largest notification id; None in an empty table."""
    found: int | None = await connection.fetchval(f"SELECT max(notification_id) FROM {table}")
    return found


def _plain(found: UUID) -> UUID:
    """asyncpg's own UUID equals the standard one, but the library's JSON does not know its class."""
    return UUID(int=found.int)
