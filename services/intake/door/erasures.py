"""People who were erased: who asked, the records that are nobody's any more, and the word that tells it to the log.

Owns the erasures' documents (services/runtime/documents.py), the tables `erasure`, `erased_record`, `struck_event`
and `suppressed`, and the doors' memory of whom they take nothing of. What there is to forget is each service's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from schemas import erasure
from schemas.envelope import Event, rfc3339
from schemas.events.fields import text_of
from schemas.identifiers import Identifier, normalise, record_id, type_name
from services.intake.domain.model import Accepted, Suppressed, Taken
from services.intake.domain.permissions import ASSERTIONS, OWN_SOURCE
from services.runtime import documents, policies
from services.runtime.aggregates import load
from services.runtime.eventstore import INPUTS
from services.runtime.http import Database
from services.runtime.postgres import Connection
from services.runtime.waiting import Ends, merge, read_token, write_token

REMEMBERED_S = 1.0
NAMED_MAX = 5_000
"""Records, and events of others, of one erasure: all of them are one event of what was asked."""
TOLD_AT_ONCE = 500
KEPT = timedelta(days=30)
PREFIX = "intake.erasure."
GROUPS = "group."


Pair = tuple[str, str]
"""(record id, event id)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be erased: his records, and what others' records have of him."""

    customer_id: str
    records: Sequence[str]
    events: Sequence[Pair]
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Word:
    """What the log is told of one record; `events`: only these of it."""

    erasure_id: UUID
    record_id: str
    at: datetime
    events: tuple[str, ...] = ()

    @property
    def accepted(self) -> Accepted:
        """The same event whoever tells it, and however often."""
        name = str(self.erasure_id)
        return Accepted(erasure.erased(self.record_id, name, OWN_SOURCE.name, self.at, self.events), ())


class Erased:
    """Whose records are erased. Another one is heard of within REMEMBERED_S: what slips through lies under an erased
    record, and no service keeps it. Words on others lie under records that are not: for these it is looked at once.
    """

    def __init__(self, database: Database, deployment_key: bytes) -> None:
        self.database = database
        self._key = deployment_key
        self._records: set[str] = set()
        self._read_at = 0.0

    async def spare(self, results: Sequence[Taken]) -> list[Taken]:
        """The same results, with those of erased people's events suppressed."""
        is_old = not self._read_at or time.monotonic() - self._read_at >= REMEMBERED_S
        if is_old or any(isinstance(one, Accepted) and named_in(one.event) for one in results):
            await self._read()
        if not self._records:
            return list(results)
        return [
            Suppressed(result.event.type, result.event.event_id)
            if isinstance(result, Accepted) and self._is_of_erased(result.event)
            else result
            for result in results
        ]

    def _is_of_erased(self, event: Event) -> bool:
        """Whether it is led by one; or names one, and is a group's or an operator's word."""
        if event.record_id in self._records:
            return True
        return any(record_id(self._key, one) in self._records for one in named_in(event))

    async def _read(self) -> None:
        """Rows are only added: where none was, nothing is read."""
        pool = await self.database.pool()
        if await pool.fetchval("SELECT count(*) FROM erased_record") != len(self._records):
            self._records = {str(r["record_id"]) for r in await pool.fetch("SELECT record_id FROM erased_record")}
        self._read_at = time.monotonic()


def named_in(event: Event) -> list[Identifier]:
    """Whom a group's event, or an operator's word, speaks of: they lie under another's record."""
    if event.type.startswith(GROUPS):
        return [Identifier(t, value) for t, values in event.data["identifiers"].items() for value in values]
    if event.type not in ASSERTIONS:
        return []
    records = event.data["properties"].get("records")
    said = [one for one in records if isinstance(one, dict)] if isinstance(records, list) else []
    named = [(type_name(text_of(one.get("type")) or ""), text_of(one.get("value"))) for one in said]
    return [Identifier(kind, normalise(kind, value)) for kind, value in named if kind and value]


async def note(connection: Connection, source: str, suppressed: Sequence[Suppressed]) -> None:
    """Write down what was kept from the log, without a word of what it said."""
    await connection.execute(
        "INSERT INTO suppressed SELECT $1, e, t, now() FROM unnest($2::uuid[], $3::text[]) AS s (e, t)",
        source,
        [one.event_id for one in suppressed],
        [one.event_type for one in suppressed],
    )
    await connection.execute("DELETE FROM suppressed WHERE source = $1 AND at < now() - $2::interval", source, KEPT)


# -- what is asked ---------------------------------------------------------------------------------------------------


async def ask(connection: Connection, asked: Asked) -> str:
    """Erase these for good, in one transaction; the erasure's id. Asked again, of more, it is the same erasure.

    Raises ValueError for more than NAMED_MAX.
    """
    name = f"{PREFIX}{asked.customer_id}"
    async with connection.transaction():
        before = await documents.current(connection, name)
        known = before.document if before is not None else {"records": [], "events": []}
        records = sorted({*known["records"], *asked.records})
        events = sorted({*map(tuple, known["events"]), *asked.events})
        if len(records) + len(events) > NAMED_MAX:
            raise ValueError(f"an erasure names at most {NAMED_MAX:,} records and events of others")
        document = {"customer_id": asked.customer_id, "records": records, "events": [list(pair) for pair in events]}
        if document != known:
            await policies.change(connection, name, document, asked.by, asked.reason)
        await _enter(connection, document, datetime.now(UTC))
    return str(documents.id_of(name))


async def restore(connection: Connection) -> None:
    """Make the tables of what was asked; where a database was lost, its words are told to the log once more."""
    rows = await connection.fetch("SELECT name FROM in_force WHERE starts_with(name, $1)", PREFIX)
    ids = [documents.id_of(r["name"]) for r in rows]
    async with connection.transaction():
        for found in (await load(connection, INPUTS, documents.Document, ids)).values():
            await _enter(connection, found.document, found.modified_on)


async def _enter(connection: Connection, document: Mapping[str, Any], at: datetime) -> None:
    erasure_id = documents.id_of(f"{PREFIX}{document['customer_id']}")
    await connection.execute(
        "INSERT INTO erasure (erasure_id, customer_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        erasure_id,
        document["customer_id"],
    )
    new = await connection.fetch(
        """
        WITH r AS (
            INSERT INTO erased_record (record_id, erasure_id, at) SELECT r, $1, $2 FROM unnest($3::uuid[]) AS r
            ON CONFLICT DO NOTHING RETURNING record_id
        ), e AS (
            INSERT INTO struck_event (record_id, event_id, erasure_id, at)
            SELECT r, e, $1, $2 FROM unnest($4::uuid[], $5::uuid[]) AS s (r, e)
            ON CONFLICT DO NOTHING RETURNING record_id
        ) SELECT record_id FROM r UNION ALL SELECT record_id FROM e
        """,
        erasure_id,
        at,
        document["records"],
        [record for record, _ in document["events"]],
        [event for _, event in document["events"]],
    )
    if new:
        await connection.execute("UPDATE erasure SET done_at = NULL WHERE erasure_id = $1", erasure_id)


async def clear_parked(connection: Connection, values: Sequence[str]) -> int:
    """Throw away what was parked and names one of these values; how many requests and records that was."""
    named = [value.encode() for value in values if value]
    done = await connection.execute(
        "DELETE FROM parked WHERE EXISTS (SELECT FROM unnest($1::bytea[]) AS v WHERE position(v IN value) > 0)", named
    )
    return int(done.rpartition(" ")[2])


# -- the word, and how far it came -----------------------------------------------------------------------------------


async def untold(connection: Connection) -> list[Word]:
    """Some words that the log has not surely got."""
    rows = await connection.fetch(
        """
        (SELECT erasure_id, record_id, at, NULL::uuid[] AS events FROM erased_record WHERE NOT told LIMIT $1)
        UNION ALL
        (SELECT erasure_id, record_id, min(at), array_agg(event_id) FROM struck_event WHERE NOT told
         GROUP BY erasure_id, record_id LIMIT $1)
        """,
        TOLD_AT_ONCE,
    )
    return [
        Word(r["erasure_id"], str(r["record_id"]), r["at"], tuple(str(e) for e in r["events"] or ())) for r in rows
    ]


async def told(connection: Connection, words: Sequence[Word], ends: Ends) -> None:
    """The log has these words, before `ends`."""
    async with connection.transaction():
        await connection.execute(
            "UPDATE erased_record SET told = true WHERE record_id = any($1::uuid[])",
            [word.record_id for word in words if not word.events],
        )
        pairs = [(word.record_id, event) for word in words for event in word.events]
        await connection.execute(
            "UPDATE struck_event s SET told = true FROM unnest($1::uuid[], $2::uuid[]) AS w (r, e)"
            " WHERE s.record_id = w.r AND s.event_id = w.e",
            [record for record, _ in pairs],
            [event for _, event in pairs],
        )
        for erasure_id in sorted({word.erasure_id for word in words}):
            before = await connection.fetchval(
                "SELECT position FROM erasure WHERE erasure_id = $1 FOR UPDATE", erasure_id
            )
            reached = merge(read_token(before), ends) if before else ends
            await connection.execute(
                "UPDATE erasure SET position = $2 WHERE erasure_id = $1", erasure_id, write_token(reached)
            )


async def receipt(connection: Connection, erasure_id: str) -> dict[str, Any] | None:
    """What is known of an erasure; None where there is none of this id."""
    row = await connection.fetchrow(
        """
        SELECT e.*, EXISTS (SELECT FROM erased_record r WHERE r.erasure_id = e.erasure_id AND NOT r.told)
            OR EXISTS (SELECT FROM struck_event s WHERE s.erasure_id = e.erasure_id AND NOT s.told) AS untold
        FROM erasure e WHERE erasure_id = $1
        """,
        erasure_id,
    )
    found = await load(connection, INPUTS, documents.Document, [UUID(erasure_id)]) if row is not None else {}
    if row is None or UUID(erasure_id) not in found:
        return None
    document = found[UUID(erasure_id)]
    return {
        "erasure_id": erasure_id,
        "customer_id": str(row["customer_id"]),
        "records": document.document["records"],
        "events": document.document["events"],
        "requested_at": rfc3339(document.created_on),
        "by": document.by,
        "reason": document.reason,
        "position": row["position"] if not row["untold"] else None,
        "done_at": rfc3339(row["done_at"]) if row["done_at"] else None,
    }


async def done(connection: Connection, erasure_id: str) -> None:
    """Every service has forgotten."""
    await connection.execute(
        "UPDATE erasure SET done_at = now() WHERE erasure_id = $1 AND done_at IS NULL", erasure_id
    )
