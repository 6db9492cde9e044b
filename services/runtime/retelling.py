"""After a swap: the keys of both generations are walked once, and what differs is told, with its cause.

Owns the table `retelling`. Which states were last told is what the other generation says, unless its tables are other
ones, or it had not yet looked at everybody by the policy in force: then all is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.codec import State, Version
from services.runtime.batch import Body, LanePlan, Tells, Work
from services.runtime.beside import schema_of
from services.runtime.contents import BEFORE_ALL, Place, contents, keys_after, states
from services.runtime.markers import Telling
from services.runtime.postgres import Connection, Generation

KEYS_AT_ONCE = 500
REPLAYED = "replay"
"""The cause of what is told after a swap."""


async def begin(
    connection: Connection, service: str, other: int, other_schema: str, schema: str, *, comparable: bool
) -> None:
    """In the swap's transaction: note the walk, and take over what the other generation had still to tell."""
    await connection.execute(f"DELETE FROM {service}.retelling")
    await connection.execute(
        f"INSERT INTO {service}.retelling (other, comparable) VALUES ($1, $2)", other, comparable
    )
    await connection.execute(
        f"""
        CREATE TEMP TABLE taken ON COMMIT DROP AS
            SELECT telling, nextval('{schema}.telling_number') AS number FROM {other_schema}.telling;
        INSERT INTO {schema}.telling SELECT t.number, topics, partitions, first_offsets
            FROM {other_schema}.telling JOIN taken t USING (telling);
        INSERT INTO {schema}.marker (telling, out_topic, key, epoch, n, detail)
            SELECT t.number, out_topic, key, epoch, n, detail FROM {other_schema}.marker JOIN taken t USING (telling);
        DELETE FROM {other_schema}.telling; DELETE FROM {other_schema}.marker
        """
    )


async def hand_over(connection: Connection, service: str, told: Telling) -> None:
    """A worker stops because of a swap: what it told lately may have come after what the new generation told of it.

    It is marked there, so it is told once more. `told` is what the worker has no other sign of than the ack.
    """
    if not told.numbers:
        return
    live = await connection.fetchval(f"SELECT live FROM {service}.generation")
    schema = schema_of(service, live)
    places = sorted(told.sources)
    markers = list(told.markers.values())
    await connection.execute(
        f"""
        WITH one AS (
            INSERT INTO {schema}.telling (telling, topics, partitions, first_offsets)
            VALUES (nextval('{schema}.telling_number'), $1, $2, $3) RETURNING telling
        )
        INSERT INTO {schema}.marker (telling, out_topic, key, epoch, n)
        SELECT one.telling, m.* FROM one, unnest($4::text[], $5::uuid[], $6::bigint[], $7::bigint[]) AS m
        """,
        [p[0] for p in places],
        [p[1] for p in places],
        [told.sources[p] for p in places],
        [m.out_topic for m in markers],
        [m.key for m in markers],
        [m.version.epoch for m in markers],
        [m.version.n for m in markers],
    )


async def is_done(connection: Connection, service: str) -> bool:
    """Whether all that the last swap changed is marked to be told."""
    return not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {service}.retelling WHERE done_at IS NULL)")


async def walk(work: Work, plan: LanePlan, generation: Generation) -> bool:
    """Tell what differs of some more keys, in the caller's transaction; whether there are others left."""
    connection, service = work.connection, plan.service
    row = await connection.fetchrow(f"SELECT * FROM {service}.retelling WHERE done_at IS NULL FOR UPDATE SKIP LOCKED")
    if row is None:
        return False
    topics = sorted(plan.tells)
    if not topics:
        await connection.execute(f"UPDATE {service}.retelling SET done_at = now()")
        return False
    topic = row["topic"] or topics[0]
    here = Place(connection, generation.schema)
    there = Place(connection, schema_of(service, row["other"]))
    keys = await keys_after(here, there, plan.tells[topic], str(row["after"]), KEYS_AT_ONCE)
    told = await _tell(work, plan, topic, keys, here, there if row["comparable"] else None) if keys else 0
    following = topics[topics.index(topic) + 1 :]
    done = not keys and not following
    if not keys and following:
        topic = following[0]
    await connection.execute(
        f"UPDATE {service}.retelling SET topic = $1, after = $2, walked = walked + $3, told = told + $4,"
        " done_at = CASE WHEN $5 THEN now() END",
        topic,
        keys[-1] if keys else BEFORE_ALL,
        len(keys),
        told,
        done,
    )
    return not done


async def _tell(work: Work, plan: LanePlan, topic: str, keys: Sequence[str], here: Place, there: Place | None) -> int:
    """Tell those of these keys that say something else now; how many they are."""
    connection, tells = work.connection, plan.tells[topic]
    before = {}
    if there is not None:
        await _look_at(connection, there.schema, plan.service)
        before = await contents(connection, tells, keys)
        await _look_at(connection, here.schema, plan.service)
    now = await states(connection, tells, keys, work.epoch)
    after = await contents(connection, tells, keys, now)
    told = 0
    for key in keys:
        # A record that was told to be its own is known to readers, unlike one of which nothing was told.
        if there is not None and before[key] == after[key] and (before[key].known or not after[key].body):
            continue
        # A key that the new generation has no row of begins there at n = 1.
        state = now.get(key) or State(key, Version(work.epoch, 0), tells.emptied(key))
        body = before[key].body if key in before else None
        detail = _detail(tells, state, body, after[key].body)
        if detail is not None:
            work.tell(topic, state, detail)
            told += 1
    return told


def _detail(tells: Tells, state: State, before: Body, after: Body) -> dict[str, Any] | None:
    if tells.retold is None:
        return {"cause": REPLAYED}
    return tells.retold(state, before, after)


async def _look_at(connection: Connection, schema: str, service: str) -> None:
    """Until the transaction's end, or the next call, unqualified names are this generation's."""
    await connection.execute(f"SET LOCAL search_path TO {schema}, {service}")
