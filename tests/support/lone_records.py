"""The reference where nobody says who is whom: every record of the log is a customer of his own.

Owns what interaction and value must tell of each, and what a database that was filled without identity has instead.
For comparing with builds that have no identity; with it, the reference is oracle.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from schemas.codec import decode_event
from schemas.envelope import Event, microseconds
from schemas.topics import CHANNEL_EVENTS
from services.interaction.domain.summary import Summary
from services.interaction.handlers.hearing import history_row, item
from services.runtime.batch import Incoming
from services.value.domain.entries import MONEY_TYPES, Entry
from services.value.domain.reading import read
from tests.support import load
from tests.support.dialogues import facts_in, told_of
from tests.support.ledgers import ZONE, worth_in

INTERACTION, VALUE = "interaction", "value"
Place = tuple[str, str]
"""(record id, event id)."""
Sections = dict[tuple[str, str], dict[str, Any]]
"""(customer, service) → what is told of him."""


@dataclass(frozen=True, slots=True)
class Lone:
    """What the log says: its events, each once, and the sections of their records."""

    events: frozenset[Place]
    sections: Sections


@dataclass(frozen=True, slots=True)
class Compared:
    """`lost` events are not kept; of those that are, the profiles count some twice (`doubled`) or not (`unseen`).

    `wrong`: sections that are not what they should be, for whatever reason.
    """

    lost: int
    doubled: int
    unseen: int
    wrong: int

    @property
    def zero(self) -> bool:
        """Nothing to find."""
        return not (self.lost or self.doubled or self.unseen or self.wrong)


def lone(records: Iterable[Any]) -> Lone:
    """Fold the whole log at once. Nothing in it may take back or erase: that is not looked for."""
    first: dict[Place, tuple[Event, Any]] = {}
    for r in sorted(records, key=lambda r: (r.partition, r.offset)):
        event = decode_event(r.key, r.value, r.headers)
        first.setdefault((event.record_id, event.event_id), (event, r))
    summaries: dict[str, Summary] = {}
    entries: dict[str, list[Entry]] = {}
    for event, r in first.values():
        row = history_row(Incoming(r.topic, r.partition, r.offset, r.timestamp, event, r))
        summaries.setdefault(event.record_id, Summary()).add(item(row))
        if event.type in MONEY_TYPES:
            exact = decode_event(r.key, r.value, r.headers, exact=True)
            if (entry := read(exact, microseconds(exact.time), ZONE)) is not None:
                entries.setdefault(entry.key, []).append(entry)
    facts = facts_in((event for event, _ in first.values()), ())
    told = {(record, INTERACTION): told_of([record], summaries, facts) for record in summaries}
    told |= {(record, VALUE): body for record, body in worth_in(entries, {}).items()}
    return Lone(frozenset(first), {key: _as_stored(body) for key, body in told.items() if body is not None})


def _as_stored(body: Mapping[str, Any]) -> dict[str, Any]:
    stored: dict[str, Any] = orjson.loads(orjson.dumps(body))
    return stored


def compared_now(kafka: str, database_url: str, history: str, section: str) -> Compared:
    """What these tables have, beside what the log says by now."""
    return asyncio.run(compared(database_url, lone(load.read(kafka, CHANNEL_EVENTS.name)), history, section))


async def compared(database_url: str, want: Lone, history: str, section: str) -> Compared:
    """Compare these tables with the reference: `history` has a row an event, `section` a JSON body a section."""
    connection = await asyncpg.connect(database_url)
    try:
        kept = {
            (str(r["record_id"]), str(r["event_id"]))
            for r in await connection.fetch(f"SELECT record_id, event_id FROM {history}")
        }
        rows = await connection.fetch(f"SELECT customer_id, service, body FROM {section} WHERE body IS NOT NULL")
    finally:
        await connection.close()
    have: Sections = {(str(r["customer_id"]), r["service"]): orjson.loads(r["body"]) for r in rows}
    lost = want.events - kept
    more = {
        key: have.get(key, {}).get("count", 0) - want.sections.get(key, {}).get("count", 0)
        for key in have.keys() | want.sections.keys()
        if key[1] == INTERACTION
    }
    return Compared(
        lost=len(lost),
        doubled=sum(n for n in more.values() if n > 0),
        unseen=max(0, sum(-n for n in more.values() if n < 0) - len(lost)),
        wrong=sum(have.get(key) != want.sections.get(key) for key in have.keys() | want.sections.keys()),
    )
