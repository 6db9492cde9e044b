"""Likeness kept step by step: features, blocking keys and similar pairs, as if all records had been compared at once.

Owns the SQL of likeness, blocking and similar_pair; runs under the writer lock. A key's records are counted exactly
as far as it matters, so that a key becomes full, or open again, at the same number in any order of events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.identity.domain.evidence import Trait
from services.identity.domain.similarity.features import Features, features_of, read_features, write_features
from services.identity.domain.similarity.likeness import Pair, keys_for
from services.identity.domain.similarity.model import Model
from services.identity.domain.similarity.scoring import score
from services.identity.store.customers import traits_of
from services.runtime.postgres import Connection

NOTHING_READ: Mapping[str, list[Trait]] = {}
NOTHING_KEPT: tuple[str, frozenset[int]] = ("{}", frozenset())


@dataclass(slots=True)
class _Change:
    """Records whose features are others now; their keys before and after."""

    features: dict[str, Features] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    before: dict[str, frozenset[int]] = field(default_factory=dict)
    after: dict[str, frozenset[int]] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)
    lost: list[tuple[int, str]] = field(default_factory=list)
    won: list[tuple[int, str]] = field(default_factory=list)
    """(key, record) that was before and is no more, and the other way round."""


async def refresh(
    connection: Connection,
    records: Collection[str],
    model: Model,
    read: Mapping[str, list[Trait]] = NOTHING_READ,
    *,
    unheard: Collection[str] = frozenset(),
    anew: bool = False,
) -> tuple[set[str], set[str]]:
    """After traits of these records changed: (records that are alike to others than before, or otherwise; those that
    are not called as before any more).

    `read`: what is said of some of them, where that was read already. `unheard`: those of which nothing was said
    before, so that nothing is kept of them. `anew`: the model is another one, so that each pair is judged again
    whatever its features are.
    """
    kept = [r for r in records if r not in unheard]
    change = await _changed(connection, records, kept, model, read, anew)
    if not change.features:
        return set(), set()
    await _save(connection, change)
    touched = set(change.features) | await _forget_pairs(connection, [r for r in kept if r in change.features])
    keys = {key for those in (*change.before.values(), *change.after.values()) for key in those}
    members = await _members(connection, keys, model.key_records_max + 1 + len(change.features))
    filled, opened = _crossed(members, change, model.key_records_max)
    if filled:
        touched |= await _drop_unsupported(connection, {r for key in filled for r in members[key]}, model)
    candidates = _candidates(members, change, opened, model.key_records_max)
    touched |= await _compare(connection, candidates, change.features, model)
    return touched, change.renamed


async def _changed(
    connection: Connection,
    records: Collection[str],
    kept: Sequence[str],
    model: Model,
    read: Mapping[str, list[Trait]],
    anew: bool,
) -> _Change:
    change = _Change()
    said = {**read, **await traits_of(connection, sorted(r for r in records if r not in read))}
    stored: dict[str, tuple[str, frozenset[int]]] = {}
    if kept:
        rows = await connection.fetch("SELECT * FROM likeness WHERE record_id = any($1::uuid[])", kept)
        stored = {str(r["record_id"]): (r["features"], frozenset(r["keys"])) for r in rows}
    for record in records:
        values = features_of(said.get(record, ()), model)
        text, keys = stored.get(record, NOTHING_KEPT)
        written = write_features(values)
        if anew or written != text:
            change.features[record], change.written[record] = values, written
            before = read_features(text)
            if any(not set(before.get(name, ())) <= set(values.get(name, ())) for name in model.given_names):
                change.renamed.add(record)
            now = keys_for(values, model)
            change.before[record], change.after[record] = keys, now
            change.lost += [(key, record) for key in keys - now]
            change.won += [(key, record) for key in now - keys]
    change.lost.sort()
    change.won.sort()
    return change


async def _save(connection: Connection, change: _Change) -> None:
    known = sorted(r for r, values in change.features.items() if values)
    gone = sorted(r for r, values in change.features.items() if not values)
    if gone:
        await connection.execute("DELETE FROM likeness WHERE record_id = any($1::uuid[])", gone)
    if known:
        await connection.execute(
            """
            INSERT INTO likeness (record_id, features, keys)
            SELECT r, f, coalesce(string_to_array(nullif(k, ''), ',')::bigint[], '{}')
            FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (r, f, k)
            ON CONFLICT (record_id) DO UPDATE SET features = excluded.features, keys = excluded.keys
            """,
            known,
            [change.written[r] for r in known],
            [",".join(map(str, sorted(change.after[r]))) for r in known],
        )
    if change.lost:
        await connection.execute(
            """
            DELETE FROM blocking b USING unnest($1::bigint[], $2::uuid[]) AS g (key, record_id)
            WHERE b.key = g.key AND b.record_id = g.record_id
            """,
            [key for key, _ in change.lost],
            [r for _, r in change.lost],
        )
    if change.won:
        await connection.execute(
            "INSERT INTO blocking (key, record_id) SELECT * FROM unnest($1::bigint[], $2::uuid[])",
            [key for key, _ in change.won],
            [r for _, r in change.won],
        )


async def _forget_pairs(connection: Connection, records: Sequence[str]) -> set[str]:
    """Delete the pairs of these records; everybody who was in one that joins."""
    if not records:
        return set()
    rows = await connection.fetch(
        "DELETE FROM similar_pair WHERE a = any($1::uuid[]) OR b = any($1::uuid[]) RETURNING a, b, joins",
        records,
    )
    return {str(r[end]) for r in rows if r["joins"] for end in ("a", "b")}


async def _members(connection: Connection, keys: Iterable[int], at_most: int) -> dict[int, list[str]]:
    """key → its records by id, `at_most` of them."""
    rows = await connection.fetch(
        """
        SELECT k.key,
            ARRAY(SELECT record_id FROM blocking b WHERE b.key = k.key ORDER BY record_id LIMIT $2) AS records
        FROM unnest($1::bigint[]) AS k (key)
        """,
        sorted(keys),
        at_most,
    )
    return {r["key"]: [str(record) for record in r["records"]] for r in rows}


def _crossed(members: Mapping[int, list[str]], change: _Change, most: int) -> tuple[set[int], set[int]]:
    """Keys that became full, and keys that are so no more."""
    gained: dict[int, int] = dict.fromkeys(members, 0)
    for key, _ in change.won:
        gained[key] += 1
    for key, _ in change.lost:
        gained[key] -= 1
    filled, opened = set(), set()
    for key, records in members.items():
        was_full, is_full = len(records) - gained[key] > most, len(records) > most
        if is_full and not was_full:
            filled.add(key)
        if was_full and not is_full:
            opened.add(key)
    return filled, opened


async def _drop_unsupported(connection: Connection, records: Collection[str], model: Model) -> set[str]:
    """Delete pairs among these records that no key supports any more; everybody who was in one."""
    pairs = [
        (str(r["a"]), str(r["b"]))
        for r in await connection.fetch(
            "SELECT a, b FROM similar_pair WHERE a = any($1::uuid[]) AND b = any($1::uuid[])", list(records)
        )
    ]
    ends = sorted({end for pair in pairs for end in pair})
    rows = await connection.fetch("SELECT record_id, keys FROM likeness WHERE record_id = any($1::uuid[])", ends)
    keys = {str(r["record_id"]): frozenset(r["keys"]) for r in rows}
    common = {pair: keys[pair[0]] & keys[pair[1]] for pair in pairs}
    members = await _members(connection, {k for those in common.values() for k in those}, model.key_records_max + 1)
    gone = [p for p, those in common.items() if all(len(members[k]) > model.key_records_max for k in those)]
    await connection.execute(
        """
        DELETE FROM similar_pair s USING unnest($1::uuid[], $2::uuid[]) AS g (a, b) WHERE s.a = g.a AND s.b = g.b
        """,
        [a for a, _ in gone],
        [b for _, b in gone],
    )
    return {end for pair in gone for end in pair}


def _candidates(members: Mapping[int, list[str]], change: _Change, opened: set[int], most: int) -> set[Pair]:
    """Pairs (a < b) that were not compared, or not as what they are now."""
    found: set[Pair] = set()
    for record, keys in change.after.items():
        for key in keys:
            if len(members[key]) <= most:
                found |= {(min(record, r), max(record, r)) for r in members[key] if r != record}
    for key in opened:
        found |= {(a, b) for i, a in enumerate(members[key]) for b in members[key][i + 1 :]}
    return found


async def _compare(
    connection: Connection, candidates: set[Pair], features: Mapping[str, Features], model: Model
) -> set[str]:
    """Keep the pairs that are alike enough; everybody who is in one that joins."""
    others = sorted({r for pair in candidates for r in pair} - features.keys())
    known = dict(features)
    if others:
        asked = "SELECT record_id, features FROM likeness WHERE record_id = any($1::uuid[])"
        known |= {str(r): read_features(text) for r, text in await connection.fetch(asked, others)}
    bits = {(a, b): score(known[a], known[b], model).bits for a, b in sorted(candidates)}
    alike = {pair: b >= model.link_bits for pair, b in bits.items() if b >= model.review_bits}
    if alike:
        await connection.execute(
            """
            INSERT INTO similar_pair (a, b, joins) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bool[])
            ON CONFLICT (a, b) DO UPDATE SET joins = excluded.joins
            """,
            [a for a, _ in alike],
            [b for _, b in alike],
            list(alike.values()),
        )
    return {end for pair, joins in alike.items() if joins for end in pair}
