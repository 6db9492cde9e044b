"""Occasions as they wait and were told: rows that follow the sections, and a word for each that was told of.

Owns the tables `occasion`, written under the customer's lock, and `occasion_told`: whoever writes a word first tells,
in the same transaction, so each is told once whatever workers, batches, merges and splits do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.codec import StateText
from services.profile.domain.changing import Detail
from services.profile.domain.occasions import AT_ONCE, KINDS_OF, Occasion, read, told_now
from services.profile.store.whole import REPLAYED
from services.runtime.postgres import Connection

Sections = Mapping[tuple[str, str], StateText]
"""(customer id, service) → section as told now."""


class Waiting(NamedTuple):
    """An occasion of a customer; told when he is `shown`."""

    customer: str
    occasion: Occasion
    shown: bool


async def follow(
    connection: Connection, sections: Sections, changed: Collection[tuple[str, str]], shown: Mapping[str, bool]
) -> dict[str, list[Detail]]:
    """Let what waits follow these changed sections of (locked) customers; customer → what came to pass at once.

    `shown`: each customer of whom anything changed → whether he is shown now. What a swap or a repair tells of is no
    news: it counts as told.
    """
    if not shown:
        return {}
    found = {place: read(place[1], sections[place].text) for place in sorted(changed) if place[1] in KINDS_OF}
    stored = await _waiting(connection, sorted(shown))
    known = await _known(connection, {word for those in found.values() for one in those for word in one.words})
    replaced = {(customer, kind) for customer, service in found for kind in KINDS_OF[service]}
    wanted = {w._replace(shown=shown[w.customer]) for w in stored if (w.customer, w.occasion.kind) not in replaced}
    quiet: list[Occasion] = []
    for place, those in found.items():
        for one in those:
            if not known.isdisjoint(one.words) or _is_old(one, sections[place]):
                quiet.append(one)
            else:
                wanted.add(Waiting(place[0], one, shown[place[0]]))
    now = {w for w in wanted if w.shown and w.occasion.due_us == AT_ONCE}
    await _save(connection, set(stored), wanted - now)
    silent = [Waiting("", one, False) for one in quiet if not known.issuperset(one.words)]
    return await _tell(connection, now, silent)


def _is_old(one: Occasion, section: StateText) -> bool:
    return section.cause == REPLAYED and one.due_us <= section.log_time_ms * 1_000


async def due(connection: Connection, until_us: int, count: int) -> list[str]:
    """Customers of whom something waits that was due by then, at most `count`."""
    rows = await connection.fetch(
        "SELECT customer_id FROM occasion WHERE shown AND due_us <= $1 ORDER BY due_us LIMIT $2", until_us, count
    )
    return sorted({str(r["customer_id"]) for r in rows})


async def come_to_pass(connection: Connection, customers: Sequence[str], until_us: int) -> dict[str, list[Detail]]:
    """What is due by then of these (locked) customers waits no more: customer → what of it is told."""
    now = {w for w in await _waiting(connection, customers) if w.shown and w.occasion.due_us <= until_us}
    await _save(connection, now, set())
    return await _tell(connection, now, ())


async def _tell(connection: Connection, now: Iterable[Waiting], quiet: Iterable[Waiting]) -> dict[str, list[Detail]]:
    """Write the words of all of them; customer → those of `now` none of whose words was there before."""
    silent = list(quiet)
    ordered = sorted(now, key=lambda w: (w.customer, w.occasion.kind, w.occasion.due_us, w.occasion.word))
    words = {word for w in (*ordered, *silent) for word in w.occasion.words}
    if not words:
        return {}
    rows = await connection.fetch(
        "INSERT INTO occasion_told (word) SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING word",
        sorted(words),
    )
    fresh = {str(r["word"]) for r in rows} - {word for w in silent for word in w.occasion.words}
    moves: dict[str, list[Detail]] = {}
    for w, is_told in zip(ordered, told_now((w.occasion for w in ordered), fresh), strict=True):
        if is_told:
            moves.setdefault(w.customer, []).append(w.occasion.as_move())
    return moves


async def _known(connection: Connection, words: Collection[str]) -> set[str]:
    if not words:
        return set()
    rows = await connection.fetch("SELECT word FROM occasion_told WHERE word = any($1::uuid[])", sorted(words))
    return {str(r["word"]) for r in rows}


async def _waiting(connection: Connection, customers: Sequence[str]) -> list[Waiting]:
    rows = await connection.fetch(
        "SELECT customer_id, kind, words, due_us, about, shown FROM occasion WHERE customer_id = any($1::uuid[])",
        customers,
    )
    return [
        Waiting(
            str(r["customer_id"]),
            Occasion(r["kind"], tuple(map(str, r["words"])), r["due_us"], r["about"]),
            r["shown"],
        )
        for r in rows
    ]


async def _save(connection: Connection, before: Collection[Waiting], after: Collection[Waiting]) -> None:
    """Write what differs between what waited and what waits."""
    gone, new = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    if gone:
        await connection.execute(
            "DELETE FROM occasion o USING unnest($1::uuid[], $2::text[], $3::uuid[]) AS g (customer_id, kind, word)"
            " WHERE (o.customer_id, o.kind, o.word) = (g.customer_id, g.kind, g.word)",
            [w.customer for w in gone],
            [w.occasion.kind for w in gone],
            [w.occasion.word for w in gone],
        )
    if new:
        await connection.execute(
            """
            INSERT INTO occasion (customer_id, kind, word, words, due_us, about, shown)
            SELECT c, k, w, s::uuid[], d, a, v
            FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::bool[])
                AS n (c, k, w, s, d, a, v)
            """,
            [w.customer for w in new],
            [w.occasion.kind for w in new],
            [w.occasion.word for w in new],
            ["{" + ",".join(w.occasion.words) + "}" for w in new],
            [w.occasion.due_us for w in new],
            [w.occasion.about for w in new],
            [w.shown for w in new],
        )
