"""Facts in and out: what events say beyond having happened, one row each, in the order in which they are folded.

Owns the SQL of fact. A fact is written once, with the event it is of; facts of what is taken back are deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from services.interaction.domain.facts import Fact
from services.interaction.domain.families import FOLDED_MAX, Family, family_of
from services.runtime.postgres import Connection

FactsOf = dict[str, dict[Family, list[Fact]]]
"""record → family → its facts."""


async def insert_facts(connection: Connection, facts: Sequence[Fact]) -> None:
    """Keep the facts of events not seen before."""
    if not facts:
        return
    await connection.execute(
        """
        INSERT INTO fact (record_id, family, time_us, event_id, part, kind, key, channel, direction, source, body)
        SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::uuid[], $5::smallint[], $6::text[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
        """,
        [f.record_id for f in facts],
        [family_of(f.kind) for f in facts],
        [f.time_us for f in facts],
        [f.event_id for f in facts],
        [f.part for f in facts],
        [f.kind for f in facts],
        [f.key for f in facts],
        [f.channel for f in facts],
        [f.direction for f in facts],
        [f.source for f in facts],
        [orjson.dumps(f.body).decode() for f in facts],
    )


async def delete_facts(connection: Connection, records: Iterable[str], events: Iterable[str]) -> None:
    """What these events said under these records does not count any more."""
    await connection.execute(
        "DELETE FROM fact WHERE record_id = any($1::uuid[]) AND event_id = any($2::uuid[])",
        sorted(records),
        sorted(events),
    )


FOLDED = """
    SELECT f.* FROM unnest($1::uuid[], $2::smallint[], $3::int[]) AS w (record_id, family, at_most)
    CROSS JOIN LATERAL (
        SELECT * FROM fact WHERE record_id = w.record_id AND family = w.family
        ORDER BY time_us DESC, event_id DESC, part DESC LIMIT w.at_most
    ) f
"""


async def facts_of(connection: Connection, wanted: Mapping[str, Collection[Family]], more: int = 1) -> FactsOf:
    """record → family wanted → its facts, FOLDED_MAX (times `more`) at most, the newest first."""
    asked = [(record, family) for record, families in sorted(wanted.items()) for family in sorted(families)]
    found: FactsOf = {record: {family: [] for family in families} for record, families in wanted.items()}
    if not asked:
        return found
    rows = await connection.fetch(
        FOLDED,
        [record for record, _ in asked],
        [family for _, family in asked],
        [FOLDED_MAX[family] * more for _, family in asked],
    )
    for r in rows:
        fact = fact_row(r)
        found[fact.record_id][Family(r["family"])].append(fact)
    return found


def fact_row(r: Any) -> Fact:
    """A row as the domain's noun."""
    return Fact(
        str(r["record_id"]),
        str(r["event_id"]),
        r["part"],
        r["kind"],
        r["key"],
        r["time_us"],
        r["channel"],
        r["direction"],
        r["source"],
        orjson.loads(r["body"]),
    )
