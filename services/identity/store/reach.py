"""Words on addresses in and out, and whose customers may be reached otherwise now.

Owns the SQL of reach_word, which is written under the writer lock. Rows are only added and marked dead; what they say
of an address is folded when read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from schemas.envelope import Event, microseconds
from schemas.identifiers import Identifier
from services.identity.domain.proving import word_of
from services.identity.domain.reach import Address, Kind, Medium, Word, adds_nothing
from services.identity.store.evidence import lock_writer
from services.runtime.forgetting import Erased, delete
from services.runtime.postgres import Connection
from services.runtime.withdrawing import Withdrawals

Place = tuple[str, str]
"""Of a mention: (record id, event id)."""
_LAST_PROOF = """
    SELECT * FROM reach_word w
    WHERE w.record_id = a.record_id AND w.medium = a.medium AND w.proves AND NOT w.dead
    ORDER BY w.time_us DESC, w.event_id DESC, w.under DESC LIMIT 1
"""
PROVED = f"""
    SELECT p.* FROM unnest($1::uuid[], $2::text[]) AS a (record_id, medium) CROSS JOIN LATERAL ({_LAST_PROOF}) AS p
    WHERE NOT EXISTS (
        SELECT FROM reach_word f
        WHERE f.record_id = a.record_id AND f.medium = a.medium AND NOT f.proves AND NOT f.dead
          AND f.time_us >= p.time_us
    )
"""
REACH = f"""
    WITH address AS (
        SELECT record_id, medium FROM unnest($1::uuid[], $2::text[]) AS r (record_id, medium)
    ), proof AS (
        SELECT p.* FROM address a CROSS JOIN LATERAL ({_LAST_PROOF}) AS p
    )
    SELECT * FROM proof UNION ALL
    SELECT c.* FROM address a CROSS JOIN LATERAL (
        SELECT * FROM reach_word w
        WHERE w.record_id = a.record_id AND w.medium = a.medium AND w.kind = 'complained' AND NOT w.dead
        ORDER BY w.time_us DESC LIMIT 1
    ) AS c UNION ALL
    SELECT f.* FROM address a LEFT JOIN proof p USING (record_id, medium) CROSS JOIN LATERAL (
        SELECT * FROM reach_word w
        WHERE w.record_id = a.record_id AND w.medium = a.medium AND NOT w.proves AND NOT w.dead
          AND w.time_us >= coalesce(p.time_us, -9223372036854775808)
    ) AS f
"""


async def hear_reach(
    connection: Connection,
    events: Iterable[Event],
    record_id: Callable[[Identifier], str],
    dead: Collection[Place],
    held: Withdrawals,
    removed: Collection[str],
) -> list[str]:
    """Keep what is said of addresses, take out what is taken back; the records that may be told otherwise, sorted.

    `events`: those whose mentions were kept just now, each once; the `dead` do not count: a word lives as long as its
    mention.
    `removed`: records whose sources removed them; the removals are saved already.
    """
    words = [word for e in events for word in word_of(e, microseconds(e.time), record_id)]
    if not words and not held.now and not removed and not held.erased:
        return []
    # Whoever adds words or takes some back holds this lock: what an address stands at cannot change under us.
    await lock_writer(connection)
    proved = await _proved(connection, words)
    fresh = await _insert(connection, words, dead)
    touched = {w.record_id for w in fresh if w.address not in proved or not adds_nothing(w, proved[w.address])}
    touched |= await _bury(connection, held.now, removed) | await _forget(connection, held.erased)
    return sorted(touched)


async def _proved(connection: Connection, words: Sequence[Word]) -> dict[Address, int]:
    """When those of these addresses that are proved, and did not fail in any way since, were proved last."""
    asked = sorted({w.address for w in words if w.proves})
    if not asked:
        return {}
    rows = await connection.fetch(PROVED, [record for record, _ in asked], [medium.value for _, medium in asked])
    return {(str(r["record_id"]), Medium(r["medium"])): r["time_us"] for r in rows}


async def _insert(connection: Connection, words: Sequence[Word], dead: Collection[Place]) -> list[Word]:
    """Keep the words; of them those that are new and count."""
    if not words:
        return []
    rows = await connection.fetch(
        """
        INSERT INTO reach_word (event_id, under, record_id, medium, kind, proves, time_us, dead)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bool[], $7::bigint[],
                             $8::bool[])
        ON CONFLICT (event_id, under, record_id) DO NOTHING RETURNING *
        """,
        [w.event_id for w in words],
        [w.under for w in words],
        [w.record_id for w in words],
        [w.medium.value for w in words],
        [w.kind.value for w in words],
        [w.proves for w in words],
        [w.time_us for w in words],
        [w.place in dead for w in words],
    )
    return [_word(r) for r in rows if not r["dead"]]


async def _bury(connection: Connection, withdrawn: Collection[str], removed: Collection[str]) -> set[str]:
    """Mark as dead what these events said, and what removals of these records reach; the records it was about."""
    rows: list[Any] = []
    if withdrawn:
        rows += await connection.fetch(
            "UPDATE reach_word SET dead = true WHERE NOT dead AND event_id = any($1::uuid[]) RETURNING record_id",
            sorted(withdrawn),
        )
    if removed:
        # The same reach as a removal has over mentions, whether those are dead by now or not.
        rows += await connection.fetch(
            """
            UPDATE reach_word w SET dead = true FROM mention m JOIN removal r
                ON m.record_id = r.record_id AND m.source = r.source AND m.time_us <= r.until_us
            WHERE r.record_id = any($1::uuid[]) AND m.seen AND NOT w.dead
              AND w.event_id = m.event_id AND w.under = m.record_id
            RETURNING w.record_id
            """,
            sorted(set(removed)),
        )
    return {str(r["record_id"]) for r in rows}


async def _forget(connection: Connection, erased: Erased) -> set[str]:
    """Delete the words of what is erased, whose mentions are there still; the records it was about."""
    rows: list[Any] = []
    if erased.records:
        rows += await connection.fetch(
            """
            DELETE FROM reach_word w USING mention m
            WHERE m.record_id = any($1::uuid[]) AND w.event_id = m.event_id AND w.under = m.record_id
            RETURNING w.record_id
            """,
            sorted(erased.records),
        )
    rows += await delete(connection, "reach_word", Erased(events=erased.events), of="under")
    return {str(r["record_id"]) for r in rows}


async def reach_of(connection: Connection, addresses: Collection[Address]) -> dict[str, list[Word]]:
    """record → of each of these addresses its last proof, its last complaint, and the failures since that proof.

    To `fold`, that is as much as all living words.
    """
    found: dict[str, list[Word]] = {}
    if not addresses:
        return found
    asked = sorted(set(addresses))
    for r in await connection.fetch(REACH, [record for record, _ in asked], [medium.value for _, medium in asked]):
        word = _word(r)
        found.setdefault(word.record_id, []).append(word)
    return found


def _word(r: Any) -> Word:
    return Word(
        str(r["event_id"]),
        str(r["under"]),
        str(r["record_id"]),
        Medium(r["medium"]),
        Kind(r["kind"]),
        r["time_us"],
    )
