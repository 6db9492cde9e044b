"""Treatment's SQL for the lane: words, treatments, what is counted of actions, replies to be forgotten.

Owns writing them. All that belongs to a treatment is read and written under its row's lock. Reading for answers is
views.py, keeping replies inputs.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.runtime.forgetting import Erased, delete
from services.runtime.locking import hold
from services.runtime.postgres import Connection
from services.treatment.domain import treated, words
from services.treatment.domain.treated import Arm, Tally, Treatment
from services.treatment.domain.words import Word


async def insert_words(
    connection: Connection, said: Sequence[Word], withdrawn: frozenset[str]
) -> set[tuple[str, str]]:
    """Keep the words not kept yet; their (record id, event id). The first copy in the log wins."""
    if not said:
        return set()
    rows = await connection.fetch(
        """
        INSERT INTO word (event_id, record_id, treatment, said, withdrawn)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bool[])
        ON CONFLICT (event_id, record_id) DO NOTHING RETURNING record_id, event_id
        """,
        [word.event_id for word in said],
        [word.record_id for word in said],
        [word.treatment for word in said],
        [words.write(word) for word in said],
        [word.event_id in withdrawn for word in said],
    )
    return {(str(r["record_id"]), str(r["event_id"])) for r in rows}


async def withdraw(connection: Connection, event_ids: Iterable[str]) -> set[str]:
    """Mark what these events said as taken back; the treatments they spoke of."""
    rows = await connection.fetch(
        "UPDATE word SET withdrawn = true WHERE event_id = any($1::uuid[]) AND NOT withdrawn RETURNING treatment",
        sorted(event_ids),
    )
    return {str(r["treatment"]) for r in rows}


async def forget(connection: Connection, erased: Erased) -> set[str]:
    """Delete what was said under what is erased; the treatments it spoke of."""
    return {str(r["treatment"]) for r in await delete(connection, "word", erased, "treatment")}


async def forget_replies(connection: Connection, records: Iterable[str]) -> None:
    """Delete what was answered for these records."""
    await connection.execute("DELETE FROM reply WHERE record_id = any($1::uuid[])", sorted(records))


@dataclass(slots=True)
class Stored:
    """A treatment as stored: what it came to, and the words that count now."""

    treatment: Treatment | None
    words: list[Word] = field(default_factory=list)


async def hold_treatments(connection: Connection, treatments: Iterable[str]) -> dict[str, Stored]:
    """Lock these treatments' rows, making those that are missing, and read all that is said of them."""
    ids = sorted(treatments)
    await hold(connection, "treated", "treatment", ids)
    found = {
        str(r["treatment"]): Stored(treated.read(r["state"]) if r["state"] else None)
        for r in await connection.fetch("SELECT treatment, state FROM treated WHERE treatment = any($1::uuid[])", ids)
    }
    for r in await connection.fetch(
        "SELECT treatment, said FROM word WHERE treatment = any($1::uuid[]) AND NOT withdrawn", ids
    ):
        found[str(r["treatment"])].words.append(words.read(r["said"]))
    return found


async def save_treatments(connection: Connection, folded: Mapping[str, Treatment | None]) -> None:
    """Write what these treatments came to, under their locks."""
    ids = sorted(folded)
    found = [folded[i] for i in ids]
    await connection.execute(
        """
        UPDATE treated t SET record_id = s.r, at_us = s.a, state = s.s
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[]) AS s (i, r, a, s) WHERE t.treatment = s.i
        """,
        ids,
        [one.record_id if one else None for one in found],
        [one.at_us if one else None for one in found],
        [treated.write(one) if one else None for one in found],
    )


async def count(connection: Connection, changes: Mapping[Arm, Tally]) -> None:
    """Add to what is counted, in the order of its keys; rows that come to nothing are deleted."""
    arms = sorted(arm for arm, tally in changes.items() if any(tally))
    if not arms:
        return
    keys = [[arm[part] for arm in arms] for part in range(len(Arm._fields))]
    await connection.execute(
        """
        INSERT INTO counted AS c (action_id, experiment, variant, decided, shown, accepted, rejected)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[],
                             $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
        ON CONFLICT (action_id, experiment, variant) DO UPDATE SET decided = c.decided + excluded.decided,
            shown = c.shown + excluded.shown, accepted = c.accepted + excluded.accepted,
            rejected = c.rejected + excluded.rejected
        """,
        *keys,
        *([changes[arm][part] for arm in arms] for part in range(len(Tally._fields))),
    )
    if any(part < 0 for arm in arms for part in changes[arm]):
        await connection.execute(
            """
            DELETE FROM counted c USING unnest($1::text[], $2::text[], $3::text[]) AS k (a, e, v)
            WHERE (c.action_id, c.experiment, c.variant) = (k.a, k.e, k.v)
              AND (c.decided, c.shown, c.accepted, c.rejected) = (0, 0, 0, 0)
            """,
            *keys,
        )
