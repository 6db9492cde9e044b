"""Every copy of the log in some minutes, and what became of it, beside what the doors answered for.

Owns reading a stretch of the log and asking the services what they did with it. Reads headers only; nothing a person
wrote is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from schemas.codec import header
from schemas.envelope import rfc3339
from schemas.erasure import ERASED
from schemas.topics import CHANNEL_EVENTS
from services.intake.domain.accounts import Account, Cell, Fate, accounts, minute_of
from services.intake.door import accounting
from services.intake.stretch import TooMuch, arrival_of, opened, place_of
from services.intake.views import erased_among
from services.runtime.json_lines import Progress
from services.runtime.postgres import Connection, Pool
from services.runtime.settings import Settings

COPIES_MAX = 2_000_000
ASKED_MAX = 1_000
"""Events one question names."""
EARLY = timedelta(minutes=1)
LATE = timedelta(minutes=10)
"""How far the log's time may lie from the arrival: the clocks differ, and what waited for the broker comes late."""
SAMPLES_MAX = 20
ANSWER_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Copy:
    """One record of the log."""

    cell: Cell
    partition: int
    offset: int
    record_id: str
    event_id: str

    @property
    def place(self) -> str:
        """Where it lies, as people are told."""
        return place_of(self.partition, self.offset)


async def audit(
    settings: Settings, pool: Pool, client: httpx.AsyncClient, since: datetime, until: datetime, progress: Progress
) -> dict[str, Any]:
    """The account of the minutes from `since` to before `until`.

    Raises TooMuch, aiokafka's errors, httpx.HTTPError where interaction does not answer.
    """
    async with pool.acquire() as connection:
        said = await accounting.answered(connection, since, until)
    copies = [copy async for copy in _copies(settings, since, until)]
    progress(f"{len(copies):,} copies are in the log")
    reached = await reached_by(settings, client)
    fates: list[tuple[Copy, Fate]] = []
    silent: set[str] = set()
    for start in range(0, len(copies), ASKED_MAX):
        part = copies[start : start + ASKED_MAX]
        fates += await fates_of(settings, pool, client, part, reached, silent)
        progress(f"{len(fates):,} of {len(copies):,} were looked for")
    return _told(accounts(said, ((copy.cell, fate) for copy, fate in fates)), fates, silent)


async def reached_by(settings: Settings, client: httpx.AsyncClient) -> dict[int, int]:
    """How far interaction has come in each partition of the log. Raises httpx.HTTPError."""
    status = (await client.get(f"{settings.interaction_internal_url}/status")).raise_for_status().json()
    return {p["partition"]: p["position"] for p in status["positions"] if p["topic"] == CHANNEL_EVENTS.name}


async def _copies(settings: Settings, since: datetime, until: datetime) -> AsyncIterator[Copy]:
    """The copies that arrived in these minutes, read from the stretch of the log they can lie in."""
    async with opened(settings, "c360-audit") as log:
        stretch = await log.between(since - EARLY, until + LATE)
        if stretch.records > COPIES_MAX:
            raise TooMuch(f"the log has more than {COPIES_MAX:,} records there; choose fewer minutes")
        async for record in log.records(stretch):
            copy = copy_of(record)
            if copy is not None and since <= copy.cell.minute < until:
                yield copy


def copy_of(record: Any) -> Copy | None:
    """One record of the log as a copy; None for what is no event of ours."""
    arrival = arrival_of(record)
    if arrival is None or record.key is None or header(record.headers, "ce_type") == ERASED:
        return None
    cell = Cell(arrival.source.partition("/")[0], minute_of(arrival.received))
    return Copy(cell, record.partition, record.offset, record.key.decode(), arrival.event_id)


async def fates_of(
    settings: Settings,
    asked_of: Connection | Pool,
    client: httpx.AsyncClient,
    copies: Sequence[Copy],
    reached: dict[int, int],
    silent: set[str],
) -> list[tuple[Copy, Fate]]:
    """What became of each copy, in order; `silent`: parts that do not answer are noted there."""
    erased = await erased_among(asked_of, {(copy.record_id, copy.event_id) for copy in copies})
    asked = {"events": sorted({copy.event_id for copy in copies})}
    url = f"{settings.interaction_internal_url}/kept"
    kept = (await client.post(url, json=asked)).raise_for_status().json()["kept"]
    places = {(partition, offset) for _, _, partition, offset in kept}
    known = {(record, event) for record, event, _, _ in kept}
    shadowed = await _shadowed(settings, client, asked, silent)
    found: list[tuple[Copy, Fate]] = []
    for copy in copies:
        if (copy.partition, copy.offset) in places:
            fate = Fate.SHADOWED if (copy.record_id, copy.event_id) in shadowed else Fate.APPLIED
        elif copy.offset >= reached.get(copy.partition, 0):
            fate = Fate.WAITING
        elif (copy.record_id, copy.event_id) in erased:
            fate = Fate.SUPPRESSED
        elif (copy.record_id, copy.event_id) in known:
            fate = Fate.DUPLICATE
        else:
            fate = await _parked_or_missing(settings, client, copy)
        found.append((copy, fate))
    return found


async def _shadowed(
    settings: Settings, client: httpx.AsyncClient, asked: dict[str, list[str]], silent: set[str]
) -> set[tuple[str, str]]:
    """Which of the events value lets another event stand for; none where value does not answer."""
    try:
        answer = (await client.post(f"{settings.value_internal_url}/shadowed", json=asked)).raise_for_status()
    except httpx.HTTPError:
        silent.add("value")
        return set()
    return {(record, event) for record, event in answer.json()["shadowed"]}


async def asked_of_parked(settings: Settings, client: httpx.AsyncClient, copy: Copy) -> httpx.Response:
    """What interaction says of a copy it may have set aside."""
    return await client.get(f"{settings.interaction_internal_url}/parked/record", params={"place": copy.place})


async def _parked_or_missing(settings: Settings, client: httpx.AsyncClient, copy: Copy) -> Fate:
    answer = await asked_of_parked(settings, client, copy)
    if answer.status_code == httpx.codes.NOT_FOUND:
        return Fate.MISSING
    answer.raise_for_status()
    return Fate.PARKED


def _told(totals: dict[Cell, Account], fates: Sequence[tuple[Copy, Fate]], silent: set[str]) -> dict[str, Any]:
    missing = [copy for copy, fate in fates if fate is Fate.MISSING]
    everything: Counter[str] = Counter()
    lines = []
    for cell, account in totals.items():
        line = _line(account)
        everything.update(line)
        lines.append({"source": cell.source, "minute": rfc3339(cell.minute), **line, "is_right": account.is_right})
    return {
        "accounts": lines,
        "totals": dict(everything),
        "is_right": all(account.is_right for account in totals.values()),
        "missing_places": [copy.place for copy in missing[:SAMPLES_MAX]],
        "not_answering": sorted(silent),
    }


def _line(account: Account) -> dict[str, int]:
    answered, fates = account.answered, account.fates
    return {
        "received": sum(answered),
        "taken": answered.taken,
        "refused": answered.refused,
        "applied": fates[Fate.APPLIED],
        "duplicate": fates[Fate.DUPLICATE],
        "shadowed": fates[Fate.SHADOWED],
        "suppressed": answered.suppressed + fates[Fate.SUPPRESSED],
        "parked": answered.parked + fates[Fate.PARKED],
        "waiting": fates[Fate.WAITING],
        "missing": fates[Fate.MISSING],
        "lost": account.lost,
        "uncounted": account.uncounted,
    }
