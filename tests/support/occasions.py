"""What comes to pass of customers, as tests make it happen and hear of it in a house.

Owns the events that make it, the clock it happens by, and what profile told and stored of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from schemas.envelope import Event, microseconds, rfc3339
from services.profile import handlers
from services.profile.domain.changing import DEFECTED, DETRACTOR, PROMISE_DUE
from services.profile.domain.occasions import KINDS_OF, Occasion, read
from services.profile.listening.messages import events_of
from services.profile.listening.places import Cursor, Places, Remembered, after
from tests.support.house import NOON, House, an_event

SERVICES = ("identity", "interaction", "value", "profile")
OCCASIONS = {PROMISE_DUE, DETRACTOR, DEFECTED}
HOUR = timedelta(hours=1)
USER, MAIL = {"user_id": ["1"]}, {"email": ["ann@x.com"]}


def heard(house: House) -> list[dict[str, Any]]:
    """Every event as a stream tells it, each once."""
    remembered = Remembered()
    places: Places = (0,) * 8
    found: list[dict[str, Any]] = []
    for record in house.broker.records("profile.changes"):
        found += [orjson.loads(one.event) for one in events_of(record, Cursor(places), remembered, build=True)]
        places = after(places, record.partition, record.offset)
    return found


class Clock:
    """What time it is for profile: so many hours after noon."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hours = 0.0
        monkeypatch.setattr(handlers, "clock_us", self.us)

    def us(self) -> int:
        """µs since 1970."""
        return microseconds(NOON + self.hours * HOUR)


def at(hours: float) -> str:
    """So long after noon, as it is sent and told."""
    return rfc3339(NOON + hours * HOUR)


def said(name: str, who: dict[str, list[str]], kind: str, /, hours: float = 0, **properties: Any) -> Event:
    """An event of somebody."""
    return an_event(name, who, type=kind, time=NOON + hours * HOUR, properties=properties)


def promised(
    name: str, who: dict[str, list[str]], due: float, /, promise: str = "p", hours: float = 0, **more: Any
) -> Event:
    """A promise that is due so many hours after noon."""
    return said(name, who, "promise.made", hours, promise_id=promise, text="call", due_at=at(due), **more)


def parted(name: str) -> Event:
    """An operator's word that the user and the mail are two people."""
    pair = [{"type": "user_id", "value": "1"}, {"type": "email", "value": "ann@x.com"}]
    return said(name, USER, "identity.different_asserted", 1, records=pair, reason="two people")


def told(house: House, kind: str) -> list[dict[str, Any]]:
    """What streams tell of this kind; whatever was told again has the same words under the same id."""
    again: dict[str, str] = {}
    for record in house.broker.records("profile.changes"):
        for move in orjson.loads(dict(record.headers).get("c360_moves", b"[]")):
            if move["type"] in OCCASIONS:
                assert again.setdefault(move["id"], str(move)) == str(move), "one id, two events"
    found = [event for event in heard(house) if event["type"] == kind]
    assert len({event["id"] for event in found}) == len(found)
    return [event["data"] for event in found]


async def hired(house: House, *names: str) -> None:
    """Start these workers, or all."""
    for service in names or SERVICES:
        await house.hire(service)


async def look(house: House, crash_after: int = 0) -> None:
    """The lane's time for what no message asks for; the process dies over it first, if that is asked for."""
    for awaits in (crash_after, 0, 0):
        house.workers["profile"].lane._spared_at = -1e9
        await (house.crash("profile", awaits) if awaits else house.workers["profile"].turn())
    await house.settle()


async def rows(house: House, sql: str) -> list[Any]:
    """Of profile's tables."""
    connection = await asyncpg.connect(house.database_url, server_settings={"search_path": "profile_g1"})
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def stands(house: House) -> list[Occasion]:
    """What the sections of who is shown say now."""
    found = await rows(
        house,
        "SELECT s.service, s.body FROM section s JOIN listed USING (customer_id) WHERE shown AND body IS NOT NULL",
    )
    return [one for r in found if r["service"] in KINDS_OF for one in read(r["service"], r["body"])]
