"""What interaction recalls of facts is what the table holds, whoever wrote, moved, took back or rolled back since."""

from __future__ import annotations

import dataclasses
from typing import Any

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import Family
from services.interaction.handlers import Interaction
from services.interaction.store import Recall
from services.interaction.store.facts import facts_of
from services.interaction.store.recall import Kept
from services.runtime.batch import Batch, Work
from tests.properties.stories import PHASES, worlds
from tests.properties.test_laws import _in_houses
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import House, Worker

WORKERS = ("interaction", "interaction.1")
EVENS, ODDS = {0, 2, 4, 6}, {1, 3, 5, 7}


def _recall(worker: Worker, fails: list[bool]) -> Recall:
    """A worker's; its transactions roll back, when all is written, as often as `fails` says."""
    lane = worker.lane
    apply: Any = lane.plan.apply
    interaction: Interaction = apply.__self__

    async def failing(batch: Batch, work: Work) -> None:
        await interaction.apply(batch, work)
        if fails and fails.pop():
            raise asyncpg.InternalClientError("the connection broke before COMMIT")

    lane.plan = dataclasses.replace(lane.plan, apply=failing)
    return interaction.recall


def _all(kept: Kept) -> dict[Family, list[Fact]]:
    return {**({f: [] for f in Family} if kept.is_all else {}), **kept.facts}


async def _wrong(house: House, recall: Recall) -> list[str]:
    """Families of records recalled of which the table holds something else."""
    connection = await asyncpg.connect(house.database_url)
    try:
        await connection.execute("SET search_path TO interaction_g1")
        rows = await connection.fetch("SELECT member_id, xmin FROM member")
        writers = {str(r["member_id"]): r["xmin"] for r in rows}
        kept = {r: _all(one) for r, one in recall._kept.items() if one.writer == writers.get(r)}
        held = await facts_of(connection, {record: list(Family) for record in kept})
        return [f"{r} {f.name}" for r, facts in kept.items() for f, those in facts.items() if those != held[r][f]]
    finally:
        await connection.close()


async def _live(house: House, events: list[Event], turns: list[int], fails: list[bool]) -> None:
    for service in ("identity", "value", "profile"):
        await house.hire(service)
    recalls = [
        _recall(await house.hire(name, share), fails) for name, share in zip(WORKERS, (EVENS, ODDS), strict=True)
    ]
    for worker in house.workers.values():
        worker.feed.batch_max = 2
    left = [*events, *events[:2]]
    for who in turns:
        house.publish(*(left.pop() for _ in range(min(2, len(left)))))
        if who == 3:
            # Each gets what was the other's: it recalls what it wrote of records that it will write of again.
            shares = [{p for _, p in house.workers[name].feed.assigned} for name in WORKERS]
            for name, share in zip(WORKERS, reversed(shares), strict=True):
                house.give(name, share)
        else:
            await house.workers[("identity", *WORKERS)[who]].turn()
        for recall in recalls:
            assert await _wrong(house, recall) == []
    house.publish(*left)
    await house.settle()
    for recall in recalls:
        assert await _wrong(house, recall) == []
    findings = await house.findings()
    assert findings.zero, findings


@given(worlds(), st.lists(st.integers(0, 3), max_size=14), st.lists(st.booleans(), max_size=4))
@settings(max_examples=drawn(4), deadline=None, phases=PHASES)
def test_what_is_recalled_is_what_would_be_read(
    databases: Databases, events: list[Event], turns: list[int], fails: list[bool]
) -> None:
    async def live(house: House) -> None:
        await _live(house, events, turns, fails)

    _in_houses(databases, 1, live)
