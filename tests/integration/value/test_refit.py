"""The nightly refit on a real PostgreSQL, by a clock that the tests move: once, guarded, and again when killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from schemas.envelope import microseconds
from services.runtime import policies
from services.runtime.postgres import OwnConnection, connect, connect_to_read
from services.runtime.settings import Settings
from services.value.domain.models.bg import BetaGeometric
from services.value.domain.policy import read_policy
from services.value.domain.reading import business_day
from services.value.domain.refitting import PROMOTED, REFUSED, TOO_LITTLE
from services.value.handlers import POLICY, shipped_document
from services.value.refit import BUSY, BY, NOT_DUE, refit
from services.value.refits import DAY_US, Refits
from services.value.views import foreseeing, refitted
from tests.support.buyers import simulated
from tests.support.databases import KEY, Databases, generation_of, settings_for
from tests.unit.value.foreseen import MODEL

CUSTOMERS, WINDOW_DAYS = 600, 500
UTC_ZONE: Any = UTC
DONE_S, POLL_S = 60.0, 0.02
ODD = {**MODEL, "cut_offs": {"A": "3", "B": "2", "C": "1"}, "spend": {**MODEL["spend"], "gamma": "900"}}
"""A model that no fit of these customers comes near."""


@dataclass
class Ledger:
    """A database with customers who buy, the policy's connection, and when it is."""

    settings: Settings
    connection: OwnConnection
    now_us: int

    @property
    def tomorrow_us(self) -> int:
        return self.now_us + DAY_US

    async def promote(self, prediction: dict[str, Any] | None) -> int:
        """Put a model in force, now by the machine's clock: the one given, else a fitted one."""
        document = shipped_document()
        if prediction is None:
            day = business_day(self.now_us, UTC_ZONE)
            fitted = await foreseeing.fit(self.connection, document, read_policy(document), day)
            document = fitted["document"]
        else:
            document["prediction"] = prediction
        async with self.connection.transaction():
            return await policies.change(self.connection, POLICY, document, "test", "a first model")


async def _fill(connection: OwnConnection, today: int) -> None:
    """Customers who do what the model says; each is one record."""
    buyers = simulated(BetaGeometric(0.8, 40.0, 0.9, 2.5), CUSTOMERS, WINDOW_DAYS, seed=5)
    rows = []
    for n, (x, recency, age) in enumerate(zip(*(column.tolist() for column in buyers), strict=True)):
        days = {today - age} | {today - age + round(recency * k / max(x, 1)) for k in range(1, x + 1)}
        rows += [(str(uuid.UUID(int=n + 1)), day, 100_000 + 5_000 * (n % 60)) for day in sorted(days)]
    records, days_of, net = (list(column) for column in zip(*rows, strict=True))
    await connection.execute(
        "INSERT INTO member (member_id, group_id) SELECT DISTINCT r, r FROM unnest($1::uuid[]) AS r", records
    )
    await connection.execute(
        """
        INSERT INTO day (record_id, day, area, currency, orders, net, paid, refunds, margin, unknown_net, cost)
        SELECT r, d, a, 'USD', 1, n, n, 0, 0, CASE a WHEN '' THEN 0 ELSE n END, 0
        FROM unnest($1::uuid[], $2::int[], $3::bigint[]) AS one (r, d, n), unnest(ARRAY['', 'Shoes']) AS a
        """,
        records,
        days_of,
        net,
    )


@pytest_asyncio.fixture
async def ledger(databases: Databases) -> AsyncIterator[Ledger]:
    url = await databases.fresh()
    settings = settings_for(url, value_refit_hour=3)
    generation = await generation_of(settings, "value")
    connection = await connect(settings, f"{generation.schema}, value")
    try:
        yield Ledger(settings, connection, microseconds(datetime.now(UTC)))
    finally:
        await connection.close()
        await databases.drop(url)


@pytest_asyncio.fixture
async def buying(ledger: Ledger) -> Ledger:
    await _fill(ledger.connection, business_day(ledger.now_us, UTC_ZONE))
    return ledger


async def _in_force(of: Ledger) -> dict[str, Any]:
    return await policies.in_force(of.connection, POLICY)


@pytest.mark.asyncio
async def test_a_model_in_force_is_fitted_anew_once_a_day_and_only_by_one(buying: Ledger) -> None:
    assert await refit(buying.settings, buying.tomorrow_us) == NOT_DUE, "the first model is for a person to promote"
    number = await buying.promote(None)
    assert await refit(buying.settings, buying.now_us) == NOT_DUE, "it is as fresh as a refit"
    several = await asyncio.gather(*(refit(buying.settings, buying.tomorrow_us) for _ in range(3)))
    assert sorted(several, reverse=True)[0] == PROMOTED, await refitted.newest(buying.connection, 1)
    assert set(several) <= {PROMOTED, BUSY, NOT_DUE}
    assert several.count(PROMOTED) == 1
    assert await refit(buying.settings, buying.tomorrow_us) == NOT_DUE
    now = await _in_force(buying)
    assert (now["number"], now["by"], now["document"]["prediction"]["version"]) == (number + 1, BY, 2)
    assert await refit(buying.settings, buying.tomorrow_us + DAY_US) == PROMOTED
    assert [one["version"] for one in await refitted.newest(buying.connection, 9)] == [3, 2]


@pytest.mark.asyncio
async def test_a_refit_that_would_move_too_many_is_refused_shown_and_can_be_promoted_by_hand(buying: Ledger) -> None:
    number = await buying.promote(ODD)
    assert await refit(buying.settings, buying.tomorrow_us) == REFUSED
    assert (await _in_force(buying))["number"] == number
    (shown,) = await refitted.newest(buying.connection, 9)
    assert any("change tier" in why for why in shown["refused"]), shown["refused"]
    assert await refit(buying.settings, buying.tomorrow_us) == NOT_DUE, "it was tried today"
    async with buying.connection.transaction():
        await policies.change(buying.connection, POLICY, shown["document"], "ann", "seen, and wanted")
    assert (await _in_force(buying))["document"]["prediction"]["version"] == ODD["version"] + 1


@pytest.mark.asyncio
async def test_where_nobody_buys_any_more_the_model_stays_and_why_is_told(ledger: Ledger) -> None:
    number = await ledger.promote(MODEL)
    assert await refit(ledger.settings, ledger.tomorrow_us) == TOO_LITTLE
    (shown,) = await refitted.newest(ledger.connection, 9)
    assert (shown["refused"], (await _in_force(ledger))["number"]) == (
        ["nobody has bought anything in the reporting currency"], number
    )  # fmt: skip


def _environment(of: Ledger) -> dict[str, str]:
    said = {
        "KAFKA_BOOTSTRAP": of.settings.kafka_bootstrap,
        "DATABASE_URL": of.settings.database_url.get_secret_value(),
        "C360_DEPLOYMENT_KEY": KEY,
        "C360_VALUE_DAYS_AHEAD": "1",
        "C360_VALUE_REFIT_HOUR": "3",
    }
    return {**os.environ, **said}


async def _started(of: Ledger) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "services.value.refit", env=_environment(of))


async def _until(condition: Callable[[], Awaitable[Any]]) -> None:
    """Wait until it holds. Raises TimeoutError."""
    async with asyncio.timeout(DONE_S):
        while True:
            if await condition():
                return
            await asyncio.sleep(POLL_S)


WAITING = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
                   AND query LIKE '%in_force%FOR UPDATE%')
"""


@pytest.mark.asyncio
async def test_who_is_killed_in_the_middle_leaves_nothing_half_done_and_the_next_does_it(buying: Ledger) -> None:
    number = await buying.promote(None)
    batch = await connect_to_read(buying.settings, "value")
    try:
        async with batch.transaction():
            await batch.execute("SELECT FROM in_force WHERE name = $1 FOR SHARE", POLICY)
            process = await _started(buying)
            await _until(lambda: buying.connection.fetchval(WAITING))
            process.send_signal(signal.SIGKILL)
            await process.wait()
    finally:
        await batch.close()
    assert ((await _in_force(buying))["number"], await refitted.newest(buying.connection, 9)) == (number, [])

    async def done() -> bool:
        return await refit(buying.settings, buying.tomorrow_us) != BUSY

    await _until(done)  # the server has to see first that the connection is gone
    assert (await _in_force(buying))["number"] == number + 1


@pytest.mark.asyncio
async def test_the_lane_starts_one_when_it_is_due_and_does_not_wait_for_it(
    buying: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await buying.promote(None)
    for name, value in _environment(buying).items():
        monkeypatch.setenv(name, value)
    ahead = {"value_days_ahead": 1}
    lane, off, today = (
        Refits(buying.settings.model_copy(update=update))
        for update in (ahead, {**ahead, "value_refit_hour": -1}, {"value_days_ahead": 0})
    )
    assert not await off.look(buying.connection, buying.now_us)
    assert not await today.look(buying.connection, buying.now_us)
    assert await lane.look(buying.connection, buying.now_us)
    assert not await lane.look(buying.connection, buying.tomorrow_us), "it is at work"
    async with asyncio.timeout(DONE_S):
        await lane.ended()
    assert len(await refitted.newest(buying.connection, 9)) == 1
    assert (await _in_force(buying))["by"] == BY
    again = Refits(buying.settings.model_copy(update=ahead))
    assert not await again.look(buying.connection, buying.now_us), "it was done today"
