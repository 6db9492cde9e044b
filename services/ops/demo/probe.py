"""From an event's sending to its profile: measured from outside, one by one, while others are sent too.

Owns the measurement. Open loop: events are due at fixed moments and timed from then on, however slow the
answers are, so that a stall counts for everyone who would have waited in it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from schemas.codec import write_json_exactly
from schemas.envelope import event_id, rfc3339
from services.ops.commands.sending import deliver, post_of
from services.ops.demo.accuracy import RecordKey

PROBES_PER_S = 20
BACKGROUND_PER_S = 200
SECONDS = 15
LISTENING_S = 0.5
"""So long before a probe is due we listen to its customer's changes: we look when he is told to have changed.
Looking again and again would take from what is measured: at 20 ms a look it was half a core."""
LOOK_AGAIN_S = 0.25
"""Where nothing is told: the key's places for streams are taken, or the customer is another's."""
SHOWN_TIMEOUT_S = 10.0
BACKGROUND_BATCH_EVENTS = 10
CONNECTIONS_MAX = 64


@dataclass(frozen=True, slots=True)
class Latencies:
    """Sorted milliseconds from due to shown; `missing`: not shown within SHOWN_TIMEOUT_S."""

    shown_ms: tuple[float, ...]
    missing: int

    def percentile_ms(self, share: float) -> float | None:
        """The nearest-rank percentile over all probes; None where that one was never shown."""
        return percentile([*self.shown_ms, *[math.inf] * self.missing], share)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` (0 to 1) of the sorted values do not exceed; None if there is none."""
    if not ordered:
        return None
    value = ordered[max(0, math.ceil(share * len(ordered)) - 1)]
    return None if math.isinf(value) else value


@dataclass(frozen=True, slots=True)
class Target:
    """A record to send an event of, and the customer whose profile must show it."""

    record: RecordKey
    customer_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send and where. `run` makes event ids differ from those of every other run."""

    intake_url: str
    profile_url: str
    api_key: str
    write_key: str
    source: str
    run: str
    probes: Sequence[Target]
    background: Sequence[Target]


def event(plan: Plan, name: str, record: RecordKey) -> dict[str, Any]:
    """A page view now, of this record."""
    return {
        "specversion": "1.0",
        "id": f"{plan.run}-{name}",
        "source": plan.source,
        "type": "page.viewed",
        "time": rfc3339(datetime.now(UTC)),
        "data": {
            "identifiers": {record[0]: record[1]},
            "channel": "web",
            "properties": {"url": "https://shop.example/offers", "title": "Offers"},
        },
    }


async def measure(plan: Plan, probes_per_s: float = PROBES_PER_S) -> Latencies:
    """Sends each probe at its moment over the background, and waits until its profile shows it."""
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
    timeout = httpx.Timeout(SHOWN_TIMEOUT_S)
    async with (
        httpx.AsyncClient(base_url=plan.intake_url, timeout=timeout, limits=limits, trust_env=False) as door,
        httpx.AsyncClient(
            base_url=plan.profile_url,
            timeout=timeout,
            limits=limits,
            trust_env=False,
            headers={"Authorization": f"Bearer {plan.api_key}"},
        ) as profiles,
    ):
        start = time.monotonic()
        background = asyncio.create_task(_background(plan, door, start))
        tasks = [
            asyncio.create_task(_probe(plan, door, profiles, start + i / probes_per_s, i))
            for i in range(len(plan.probes))
        ]
        found = await asyncio.gather(*tasks)
        background.cancel()
        await asyncio.gather(background, return_exceptions=True)
    shown = sorted(ms for ms in found if ms is not None)
    return Latencies(tuple(shown), len(found) - len(shown))


async def _probe(
    plan: Plan, door: httpx.AsyncClient, profiles: httpx.AsyncClient, due_at: float, number: int
) -> float | None:
    target, told = plan.probes[number], asyncio.Event()
    await _until(due_at - LISTENING_S)
    hearing = asyncio.create_task(_hear(profiles, target.customer_id, told))
    try:
        await _until(due_at)
        sent = event(plan, f"probe-{number}", target.record)
        await deliver(door, post_of("cloudevent", [write_json_exactly(sent)], plan.write_key))
        wanted = str(event_id(plan.source, sent["id"]))
        while time.monotonic() - due_at < SHOWN_TIMEOUT_S:
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), LOOK_AGAIN_S)
            told.clear()
            response = await profiles.get(f"/v1/customers/{target.customer_id}?include=interaction")
            if response.is_success and _shows(response.json(), wanted):
                return (time.monotonic() - due_at) * 1000
        return None
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def _hear(profiles: httpx.AsyncClient, customer_id: str, told: asyncio.Event) -> None:
    """Set `told` whenever the customer's stream tells a change, as long as it lasts."""
    url = f"/v1/customers/{customer_id}/stream"
    async with profiles.stream("GET", url, timeout=None) as response:
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                told.set()


def _shows(document: dict[str, Any], wanted: str) -> bool:
    interaction = document.get("interaction") or {}
    return any(one["event_id"] == wanted for one in interaction.get("last", ()))


async def _background(plan: Plan, door: httpx.AsyncClient, start: float) -> None:
    """BACKGROUND_PER_S events of other customers, until cancelled."""
    number = 0
    while plan.background:
        due_at = start + number / BACKGROUND_PER_S
        await asyncio.sleep(max(0.0, due_at - time.monotonic()))
        bodies = []
        for _ in range(BACKGROUND_BATCH_EVENTS):
            target = plan.background[number % len(plan.background)]
            bodies.append(write_json_exactly(event(plan, f"background-{number}", target.record)))
            number += 1
        await deliver(door, post_of("cloudevent", bodies, plan.write_key))
