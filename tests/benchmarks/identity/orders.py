"""Any order, any batches, with contacts removed and imported again: whose each record is, is what it is all at once.

Owns the runs: identity's lane on real PostgreSQL, its events shuffled by a seed, in batches of 1, 7 and 100, against
the clusters of the whole evidence. A difference of one record is a failure.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec

from schemas.envelope import Event
from services.ops.local import parts
from tests.benchmarks.identity.contact import Contact, events, truth
from tests.benchmarks.identity.metrics import measured
from tests.support.databases import Databases
from tests.support.house import House
from tests.support.load import accepted
from tests.support.oracle import expected

SHUFFLES = 5
BATCHES = (1, 7, 100)
REMOVED_SHARE = 0.05
IMPORTED_AGAIN_SHARE = 0.5
RECORDS = {1: 300, 7: 1_500, 100: 4_000}
"""Of a set, by batch size: a batch of one is a transaction of its own."""
TURNS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """One run: how many records were somebody else's than all at once, and what it went through."""

    batch: int
    shuffle: int
    records: int
    differing: int
    joined: int
    refused: int
    generic: int
    f1: float


def log_of(rows: Sequence[Contact], seed: int) -> list[Event]:
    """The contacts, some removed by their sources and some of these imported again, in an order of the seed."""
    draw = random.Random(seed)
    imported = [accepted(one) for one in events(rows)]
    told = list(imported)
    for event in imported:
        if draw.random() < REMOVED_SHARE:
            told.append(_removal(event))
            if draw.random() < IMPORTED_AGAIN_SHARE:
                told.append(_again(event))
    draw.shuffle(told)
    return told


def _removal(event: Event) -> Event:
    lead = {"identifiers": event.data["identifiers"], "properties": {}}
    data = {**event.data, **lead, "traits": {}}
    at = event.time + timedelta(minutes=1)
    return msgspec.structs.replace(event, id=f"gone {event.id}", type="contact.removed", time=at, data=data)


def _again(event: Event) -> Event:
    return msgspec.structs.replace(event, id=f"again {event.id}", time=event.time + timedelta(minutes=2))


def measure(rows: Sequence[Contact], folder: Path) -> list[Run]:
    """All shuffles at all batch sizes."""
    home = folder / "parts"
    home.mkdir()
    try:
        url = parts.start(home, None, kafka=False, postgres=True).database_url
        assert url is not None
        databases = Databases(url)
        return [
            asyncio.run(_run(databases, rows[: RECORDS[batch]], batch, shuffle))
            for batch in BATCHES
            for shuffle in range(SHUFFLES)
        ]
    finally:
        parts.stop(home)


async def _run(databases: Databases, rows: Sequence[Contact], batch: int, shuffle: int) -> Run:
    told = log_of(rows, shuffle)
    url = await databases.fresh()
    house = House(url)
    try:
        worker = await house.hire("identity")
        worker.feed.batch_max = batch
        house.publish(*told)
        for _ in range(TURNS_MAX):
            await worker.turn()
            if not await worker.feed.lag():
                break
        want = expected(house.broker.records("channel.events")).bindings
        have = await _customers(url)
        decided = await _decisions(url)
    finally:
        await house.close()
        await databases.drop(url)
    differing = sum(have.get(r) != b.customer_id for r, b in want.items()) + len(have.keys() - want.keys())
    records = {e.id.removeprefix("import-"): e.record_id for e in told if e.type == "contact.imported"}
    found = measured(truth(rows), {r.record_key: have.get(records[r.record_key]) for r in rows})
    return Run(
        batch, shuffle, len(rows), differing, decided["joined"], decided["refused"], decided["generic"], found.f1
    )


async def _customers(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT record_id, customer_id FROM identity_g1.record WHERE NOT dead")
    finally:
        await connection.close()
    return {str(r["record_id"]): str(r["customer_id"]) for r in rows}


async def _decisions(url: str) -> Counter[str]:
    """Decisions by kind: what the run went through on its way."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT topic, count(*) AS n FROM identity_g1.decision GROUP BY topic")
    finally:
        await connection.close()
    return Counter({str(r["topic"]).partition(":")[2]: r["n"] for r in rows})


def table(which: str, runs: Sequence[Run]) -> list[str]:
    """Markdown rows, one per batch size."""
    rows = []
    for batch in BATCHES:
        those = [r for r in runs if r.batch == batch]
        f1 = f"{min(r.f1 for r in those):.4f} to {max(r.f1 for r in those):.4f}"
        rows.append(
            f"| {which} | {batch} | {len(those)} | {those[0].records:,} | {sum(r.joined for r in those):,}"
            f" | {sum(r.refused for r in those):,} | {sum(r.generic for r in those):,}"
            f" | **{sum(r.differing for r in those)}** | {f1} |"
        )
    return rows


HEAD = (
    "| set | batch | shuffles | records | joined | refused | generic | records that differ | pair F1 |",
    "| --- " * 9 + "|",
)
