"""Treatment's questions: what was done under some records, one treatment, what is counted.

Owns reading SQL only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.treatments import DECIDED
from services.runtime.postgres import Connection
from services.treatment.domain import treated, words
from services.treatment.domain.scoring import Stored
from services.treatment.domain.treated import Arm, Tally, Treatment
from services.treatment.domain.words import Word, treatment_of

PAST_MAX = 1_000
"""Treatments of one customer that are looked at, the newest."""

PAST = """
    SELECT state FROM unnest($1::uuid[]) AS r (id) CROSS JOIN LATERAL (
        SELECT state, at_us FROM treated t WHERE t.record_id = r.id ORDER BY at_us DESC LIMIT $2
    ) s ORDER BY at_us DESC LIMIT $2
"""


async def past(connection: Connection, records: Sequence[str]) -> list[Treatment]:
    """What was done under these records, the newest first."""
    rows = await connection.fetch(PAST, sorted(set(records)), PAST_MAX)
    return [treated.read(r["state"]) for r in rows]


async def one(connection: Connection, treatment_id: str) -> tuple[Treatment, Word | None] | None:
    """A treatment of our making and the word that decided it; None where the log has told of none."""
    treatment = treatment_of(treatment_id, "")
    state = await connection.fetchval("SELECT state FROM treated WHERE treatment = $1", treatment)
    if state is None:
        return None
    rows = await connection.fetch("SELECT said FROM word WHERE treatment = $1 AND NOT withdrawn", treatment)
    said = sorted((words.read(r["said"]) for r in rows), key=lambda word: word.rank)
    return treated.read(state), next((word for word in said if word.what == DECIDED), None)


NEWEST = """
    SELECT t.state, w.said FROM treated t JOIN word w ON w.treatment = t.treatment AND NOT w.withdrawn
    WHERE t.at_us >= $1 AND t.at_us <= $2 AND t.state IS NOT NULL ORDER BY t.at_us DESC LIMIT $3
"""


async def newest(connection: Connection, since_us: int, until_us: int, words_max: int) -> list[Stored]:
    """Decisions of ours between these moments with what they were made of, the newest; of so many words at most."""
    found = []
    for r in await connection.fetch(NEWEST, since_us, until_us, words_max):
        word, treatment = words.read(r["said"]), treated.read(r["state"])
        told = word.told or {}
        if word.what == DECIDED and told.get("seed") and treatment.decided_us == word.time_us:
            found.append(Stored(treatment, tuple(told.get("candidates") or ()), str(told["seed"])))
    return found


async def counts(connection: Connection) -> dict[Arm, Tally]:
    """What is counted, by action and variant."""
    rows: list[Any] = await connection.fetch(
        "SELECT action_id, experiment, variant, decided, shown, accepted, rejected FROM counted"
    )
    width = len(Arm._fields)
    return {Arm(*tuple(r)[:width]): Tally(*tuple(r)[width:]) for r in rows}


async def is_erased(connection: Connection, records: Sequence[str]) -> bool:
    """Whether any of these records' people was erased."""
    found = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM erased WHERE record_id = any($1::uuid[]))", sorted(set(records))
    )
    return bool(found)
