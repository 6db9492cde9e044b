"""Who is in a segment follows the sections, a change of segments and the clock, although workers die over it.

The broker is in memory, whose clock stands in November 2023. PostgreSQL is real.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.profile import handlers
from services.profile.domain.segments import SEGMENTS
from tests.support.house import House, an_event

SERVICES = ("identity", "interaction", "value", "profile")
THAT_DAY = datetime(2023, 11, 10, tzinfo=UTC)
CUSTOMERS = 7
AWAITS = (3, 6, 9, 12, 15, 18, 21)
KNOWN = {"known": {"name": "Known", "where": {"field": "identity.status", "is": "known"}}}
RECENT = {"recent": {"name": "Recent", "where": {"field": "interaction.last_at", "within_days": 30}}}


async def _set(house: House, segments: dict[str, Any]) -> None:
    """These are the segments from now on."""
    await house.enforce("profile", SEGMENTS, {"segments": segments})


async def _do(house: House, sql: str) -> list[Any]:
    connection = await asyncpg.connect(house.database_url, server_settings={"search_path": "profile_g1"})
    try:
        found: list[Any] = await connection.fetch(sql)
        return found
    finally:
        await connection.close()


async def _sizes(house: House) -> dict[str, int]:
    """Segment → how many are in it."""
    rows = await _do(house, "SELECT segment_id, count(*) AS size FROM membership GROUP BY 1")
    return {r["segment_id"]: r["size"] for r in rows}


async def _look(house: House) -> None:
    """Enough pieces to have looked at everybody."""
    for _ in range(CUSTOMERS):
        house.workers["profile"].lane._spared_at = -1e9
        await house.workers["profile"].turn()
        await house.workers["profile"].lane.outbox.settle()


def _seen(n: int) -> Any:
    return an_event(f"e{n}", {"user_id": [f"u{n}"]}, time=THAT_DAY)


async def _hired(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "LOOKED_AT_ONCE", 2)
    for service in SERVICES:
        await house.hire(service)


@pytest.mark.asyncio
async def test_as_time_goes_by_customers_leave_what_asks_for_the_last_days(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _hired(house, monkeypatch)
    await _set(house, KNOWN | RECENT)
    await _look(house)
    house.publish(*map(_seen, range(CUSTOMERS)))
    await house.settle()
    assert await _sizes(house) == {"known": CUSTOMERS, "recent": CUSTOMERS}, "as of the log's time"
    await _look(house)
    assert (await _sizes(house))["recent"] == CUSTOMERS, "one round an hour"
    await _do(house, "UPDATE sweep SET began_s = 0")
    for awaits in AWAITS:
        house.workers["profile"].lane._spared_at = -1e9
        await house.crash("profile", awaits)
    await _look(house)
    assert await _sizes(house) == {"known": CUSTOMERS}


@pytest.mark.asyncio
async def test_after_a_change_everybody_is_where_he_belongs_although_workers_die_over_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _hired(house, monkeypatch)
    house.publish(*map(_seen, range(CUSTOMERS)))
    await house.settle()
    assert await _sizes(house) == {}
    await _set(house, KNOWN)
    for awaits in AWAITS:
        house.workers["profile"].lane._spared_at = -1e9
        await house.crash("profile", awaits)
    await _look(house)
    assert await _sizes(house) == {"known": CUSTOMERS}
    await _set(house, {})
    await _look(house)
    assert await _sizes(house) == {}, "a segment that is no more has no members"


@pytest.mark.asyncio
async def test_who_is_joined_to_another_customer_is_in_no_segment_under_his_old_id(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _hired(house, monkeypatch)
    await _set(house, KNOWN)
    house.publish(_seen(0), an_event("e1", {"email": ["ann@x.com"]}, time=THAT_DAY))
    await house.settle()
    assert await _sizes(house) == {"known": 2}
    house.publish(an_event("e2", {"user_id": ["u0"], "email": ["ann@x.com"]}, time=THAT_DAY))
    await house.settle()
    assert await _sizes(house) == {"known": 1}
    rows = await _do(house, "SELECT customer_id FROM section WHERE service = 'identity' AND body IS NOT NULL")
    assert [r["customer_id"] for r in await _do(house, "SELECT customer_id FROM membership")] == [
        r["customer_id"] for r in rows
    ]
