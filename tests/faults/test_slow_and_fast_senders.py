"""X4: senders that are far too fast, or far too slow, are held back or cut off, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from services.runtime.receiving import RECEIVED_WITHIN_S
from tests.faults.sizes import FIGURES
from tests.support.doors import Doors, Named, Source

pytestmark = pytest.mark.faults

SLOW_SOCKETS = 200
TOO_FAST_S = 60.0
ALLOWED_PER_S = 50
TOO_FAST = 5
BATCH = 25
CALM_REQUESTS = 200
SLOWER_MAX = 2.0
"""Others' p95, by which factor at most."""
CUT_WITHIN_S = RECEIVED_WITHIN_S + 10.0
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def one(own: Named, n: int) -> dict[str, object]:
    """One event of a sender."""
    return {"type": "track", "userId": own("u"), "event": "Looked", "messageId": own(f"m{n}")}


async def p95_ms(at: str, key: str, own: Named, count: int, name: str) -> float:
    """Of so many requests by one who behaves, one after the other."""
    spent_ms = []
    async with httpx.AsyncClient(base_url=at, auth=(key, ""), trust_env=False, timeout=30) as client:
        for n in range(count):
            started = time.perf_counter()
            answer = await client.post("/v1/track", json={**one(own, n), "messageId": own(f"{name}{n}")})
            spent_ms.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.text
            await asyncio.sleep(0.02)
    return statistics.quantiles(spent_ms, n=20)[-1]


async def too_fast(at: str, key: str, own: Named, until: float) -> dict[int, int]:
    """Five times as many events a second as allowed, whatever is answered; status → events."""
    seen: dict[int, int] = {}
    async with httpx.AsyncClient(base_url=at, auth=(key, ""), trust_env=False, timeout=30) as client:
        n = 0
        while time.monotonic() < until:
            batch = [one(own, n + k) for k in range(BATCH)]
            answer = await client.post("/v1/batch", json={"batch": batch})
            seen[answer.status_code] = seen.get(answer.status_code, 0) + BATCH
            assert answer.status_code != 429 or int(answer.headers["Retry-After"]) >= 1
            n += BATCH
            await asyncio.sleep(BATCH / (TOO_FAST * ALLOWED_PER_S))
    return seen


def test_X4_who_is_too_fast_is_told_to_wait_and_nobody_else_waits_for_him(
    doors: Doors, web: Source, own: Named
) -> None:
    greedy = doors.source(own("greedy"), "--events-per-s", str(ALLOWED_PER_S))

    async def act() -> tuple[float, float, dict[int, int]]:
        calm = await p95_ms(doors.copy.intake, web.write_key, own, CALM_REQUESTS, "calm")
        until = time.monotonic() + TOO_FAST_S
        rushing = asyncio.create_task(too_fast(doors.copy.intake, greedy.write_key, own, until))
        beside: list[float] = []
        while time.monotonic() < until - 5:
            beside.append(await p95_ms(doors.copy.intake, web.write_key, own, CALM_REQUESTS, f"b{len(beside)}."))
        return calm, statistics.median(beside), await rushing

    calm, beside, seen = asyncio.run(act())
    FIGURES.append(f"X4: others' p95 {calm:.1f} ms calm, {beside:.1f} ms beside; the fast one was answered {seen}")
    assert seen.keys() == {200, 429}
    assert seen[200] <= (TOO_FAST_S + 2) * ALLOWED_PER_S
    assert seen[429] > seen[200]
    assert beside <= max(SLOWER_MAX * calm, calm + 20)


def test_X4_two_hundred_slow_sockets_are_cut_and_nobody_waits_for_them(doors: Doors, web: Source, own: Named) -> None:
    place = urlsplit(doors.copy.intake)
    address = (place.hostname or "", place.port or 0)
    calm = asyncio.run(p95_ms(doors.copy.intake, web.write_key, own, CALM_REQUESTS, "before"))
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(address)) for _ in range(SLOW_SOCKETS)]
        for n, one_of in enumerate(slow):
            # Nothing at all, half a head, half a body.
            one_of.sendall((b"", HEAD, HEAD + b"Content-Length: 1000\r\n\r\n{")[n % 3])
        opened = time.monotonic()
        beside = asyncio.run(p95_ms(doors.copy.intake, web.write_key, own, CALM_REQUESTS, "beside"))
        left = list(slow)
        while left and time.monotonic() - opened < CUT_WITHIN_S:
            left = [one_of for one_of in left if not _is_cut(one_of)]
            time.sleep(0.2)
        cut_s = time.monotonic() - opened
    FIGURES.append(f"X4: {SLOW_SOCKETS} slow sockets cut in {cut_s:.0f} s; others' p95 {calm:.1f}, {beside:.1f} ms")
    assert not left, f"{len(left)} slow sockets are still open"
    assert beside <= max(SLOWER_MAX * calm, calm + 20)


def _is_cut(one_of: socket.socket) -> bool:
    one_of.settimeout(0.01)
    try:
        return one_of.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
