"""Words on groups in and out, and what follows for the groups and for those who belong to them.

Owns the SQL that writes group_word, group_record and group_part, the latter two under the writer lock. What is taken
back is told anew from the living words; else a word is added to what stands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from schemas.envelope import Event
from schemas.identifiers import Identifier
from services.identity.domain.clustering import Binding
from services.identity.domain.evidence import Record
from services.identity.domain.groups import Group, Part, Word, called, group_of, part_of, word_of
from services.identity.store.belonging import groups, part_row
from services.identity.store.evidence import lock_writer
from services.identity.store.rows import record_row, stored_row
from services.runtime.forgetting import Erased, delete
from services.runtime.postgres import Connection
from services.runtime.withdrawing import Withdrawals

TOLD_AT_ONCE = 500
"""Members whose customers are read, and told, at once."""
Pair = tuple[str, str]
"""(group's record id, member's record id)."""


async def hear_groups(
    connection: Connection, events: Iterable[Event], record_id: Callable[[Identifier], str], held: Withdrawals
) -> list[str]:
    """Keep what is said of groups, take out what is taken back; the members whose groups are others now, sorted."""
    words = [word for e in events if (word := word_of(e, record_id)) is not None]
    fresh = await _insert(connection, words, held.here)
    buried = await _bury(connection, held.now) + await _forget(connection, held.erased)
    touched = {w.group_id for w in (*fresh, *buried)}
    if not touched:
        return []
    await lock_writer(connection)
    before = await _called(connection, touched)
    moved = await _revise_parts(connection, fresh, buried)
    await _revise_groups(connection, fresh, buried)
    after = await _called(connection, touched)
    renamed = [group for group in touched if before.get(group) != after.get(group)]
    return sorted(moved | await _belonging(connection, renamed))


async def customers_of(
    connection: Connection, members: Sequence[str]
) -> AsyncIterator[tuple[set[str], dict[str, Record], dict[str, Binding]]]:
    """The customers these records belong to, with all their records and bindings; some at a time."""
    for start in range(0, len(members), TOLD_AT_ONCE):
        rows = await connection.fetch(
            """
            SELECT * FROM record WHERE NOT dead AND customer_id = any(ARRAY(
                SELECT customer_id FROM record WHERE record_id = any($1::uuid[]) AND NOT dead
            ))
            """,
            members[start : start + TOLD_AT_ONCE],
        )
        records = {str(r["record_id"]): record_row(r) for r in rows}
        bindings = {str(r["record_id"]): stored_row(r).binding for r in rows}
        yield {b.customer_id for b in bindings.values()}, records, bindings


# -- words -----------------------------------------------------------------------------------------------------------


async def _insert(connection: Connection, words: Iterable[Word], dead: Collection[str]) -> list[Word]:
    """Keep the words not kept yet; of them those that count."""
    first: dict[tuple[str, str], Word] = {}
    for word in words:
        first.setdefault(word.place, word)
    if not first:
        return []
    new = list(first.values())
    rows = await connection.fetch(
        """
        INSERT INTO group_word (event_id, group_id, type, value, time_us, facts, member_id, joins, role, dead)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::uuid[],
                             $8::bool[], $9::text[], $10::bool[])
        ON CONFLICT (event_id, group_id) DO NOTHING RETURNING group_id, event_id
        """,
        [w.event_id for w in new],
        [w.group_id for w in new],
        [w.type for w in new],
        [w.value for w in new],
        [w.time_us for w in new],
        [orjson.dumps(w.facts).decode() for w in new],
        [w.member_id for w in new],
        [w.joins for w in new],
        [w.role for w in new],
        [w.event_id in dead for w in new],
    )
    kept = {(str(r["group_id"]), str(r["event_id"])) for r in rows}
    return [w for w in new if w.place in kept and w.event_id not in dead]


async def _bury(connection: Connection, withdrawn: Collection[str]) -> list[Word]:
    """Mark as dead what these events said; what was alive until now."""
    if not withdrawn:
        return []
    rows = await connection.fetch(
        "UPDATE group_word SET dead = true WHERE NOT dead AND event_id = any($1::uuid[]) RETURNING *",
        sorted(withdrawn),
    )
    return [_word(r) for r in rows]


async def _forget(connection: Connection, erased: Erased) -> list[Word]:
    """Delete what these events said of groups; of it what was alive until now."""
    rows = await delete(connection, "group_word", Erased(events=erased.events), "*", of="group_id")
    return [_word(r) for r in rows if not r["dead"]]


def _word(r: Any) -> Word:
    return Word(
        str(r["event_id"]),
        str(r["group_id"]),
        r["type"],
        r["value"],
        r["time_us"],
        orjson.loads(r["facts"]),
        str(r["member_id"]) if r["member_id"] else None,
        r["joins"],
        r["role"],
    )


# -- groups ----------------------------------------------------------------------------------------------------------


async def _called(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[str | None, str | None]]:
    return {g: called(group, members) for g, (group, members) in (await groups(connection, ids)).items()}


async def _belonging(connection: Connection, ids: Sequence[str]) -> set[str]:
    if not ids:
        return set()
    rows = await connection.fetch(
        "SELECT member_id FROM group_part WHERE group_id = any($1::uuid[]) AND since_us IS NOT NULL", ids
    )
    return {str(r["member_id"]) for r in rows}


async def _revise_groups(connection: Connection, fresh: Iterable[Word], buried: Iterable[Word]) -> None:
    again = {w.group_id for w in buried}
    added = [w for w in fresh if w.group_id not in again]
    stored = {g: group for g, (group, _) in (await groups(connection, {w.group_id for w in added})).items()}
    now = dict(stored)
    for word in added:
        _hear(now, word)
    if again:
        living = "SELECT * FROM group_word WHERE group_id = any($1::uuid[]) AND NOT dead"
        async for r in connection.cursor(living, sorted(again), prefetch=1000):
            _hear(now, _word(r))
        await connection.execute(
            "DELETE FROM group_record WHERE record_id = any($1::uuid[])", sorted(again - now.keys())
        )
    await _save_groups(connection, [group for g, group in now.items() if group != stored.get(g)])


def _hear(known: dict[str, Group], word: Word) -> None:
    known[word.group_id] = known[word.group_id].hearing(word) if word.group_id in known else group_of(word)


async def _save_groups(connection: Connection, changed: Sequence[Group]) -> None:
    if not changed:
        return
    await connection.execute(
        """
        INSERT INTO group_record (record_id, type, value, since_us, facts)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[])
        ON CONFLICT (record_id) DO UPDATE SET since_us = excluded.since_us, facts = excluded.facts
        """,
        [g.record_id for g in changed],
        [g.type for g in changed],
        [g.value for g in changed],
        [g.since_us for g in changed],
        [orjson.dumps(g.facts, option=orjson.OPT_SORT_KEYS).decode() for g in changed],
    )


# -- parts -----------------------------------------------------------------------------------------------------------


async def _revise_parts(connection: Connection, fresh: Iterable[Word], buried: Iterable[Word]) -> set[str]:
    """Save the parts these words are about; the members whose part looks different now."""
    joined = [(w.group_id, w.member_id, w) for w in fresh if w.joins and w.member_id is not None]
    again = {(w.group_id, w.member_id) for w in fresh if not w.joins and w.member_id is not None}
    again |= {(w.group_id, w.member_id) for w in buried if w.member_id is not None}
    stored = await _parts(connection, {(g, m) for g, m, _ in joined} | again)
    now = dict(stored)
    for group, member, word in joined:
        now[group, member] = now.get((group, member), Part()).joining(word)
    # Whoever left may have joined since; what joined before then does not count.
    for pair, words in (await _words_on(connection, again)).items():
        now[pair] = part_of(words)
    changed = {pair: part for pair, part in now.items() if part != stored.get(pair)}
    await _save_parts(connection, changed)
    return {
        member for (group, member), part in changed.items() if part.shown != stored.get((group, member), Part()).shown
    }


async def _parts(connection: Connection, pairs: Collection[Pair]) -> dict[Pair, Part]:
    rows = await connection.fetch(
        """
        SELECT p.* FROM group_part p JOIN unnest($1::uuid[], $2::uuid[]) AS w (g, m)
        ON p.group_id = w.g AND p.member_id = w.m
        """,
        [g for g, _ in pairs],
        [m for _, m in pairs],
    )
    return {(str(r["group_id"]), str(r["member_id"])): part_row(r) for r in rows}


async def _words_on(connection: Connection, pairs: Collection[Pair]) -> dict[Pair, list[Word]]:
    """All living words on each of these parts; none where nothing is left."""
    found: dict[Pair, list[Word]] = {pair: [] for pair in pairs}
    if not pairs:
        return found
    rows = await connection.fetch(
        """
        SELECT w.* FROM group_word w JOIN unnest($1::uuid[], $2::uuid[]) AS p (g, m)
        ON w.group_id = p.g AND w.member_id = p.m WHERE NOT w.dead
        """,
        [g for g, _ in pairs],
        [m for _, m in pairs],
    )
    for r in rows:
        found[str(r["group_id"]), str(r["member_id"])].append(_word(r))
    return found


async def _save_parts(connection: Connection, changed: Mapping[Pair, Part]) -> None:
    if not changed:
        return
    pairs, parts = list(changed), list(changed.values())
    await connection.execute(
        """
        INSERT INTO group_part AS p
            (group_id, member_id, since_us, since_event, said_us, said_event, role, left_us, left_event)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[], $6::uuid[], $7::text[],
                             $8::bigint[], $9::uuid[])
        ON CONFLICT (group_id, member_id) DO UPDATE SET since_us = excluded.since_us,
            since_event = excluded.since_event, said_us = excluded.said_us, said_event = excluded.said_event,
            role = excluded.role, left_us = excluded.left_us, left_event = excluded.left_event
        """,
        [g for g, _ in pairs],
        [m for _, m in pairs],
        *_columns([part.since for part in parts]),
        *_columns([part.said for part in parts]),
        [part.role for part in parts],
        *_columns([part.left for part in parts]),
    )
    gone = [pair for pair, part in changed.items() if part == Part()]
    await connection.execute(
        """
        DELETE FROM group_part p USING unnest($1::uuid[], $2::uuid[]) AS g (g, m)
        WHERE p.group_id = g.g AND p.member_id = g.m
        """,
        [g for g, _ in gone],
        [m for _, m in gone],
    )


def _columns(ranks: Sequence[tuple[int, str] | None]) -> tuple[list[int | None], list[str | None]]:
    return [r[0] if r else None for r in ranks], [r[1] if r else None for r in ranks]
