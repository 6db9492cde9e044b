"""A reader of the profile API at a steady rate, for as long as something else goes on beside it.

Owns the questions and what became of them: nothing is asked twice, and whatever is not answered with 200 is an error.
A process of its own: run as `python -m tests.benchmarks.reading JSON` it asks until its input ends, then prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import uvloop

from services.ops.demo.probe import percentile

ASKED_PER_S = 100
ASKERS = 16
TIMEOUT_S = 10
END_TIMEOUT_S = 60


@dataclass(frozen=True)
class Reader:
    """Who is asked for what: documents of these customers, one after the other."""

    url: str
    key: str
    customers: list[str]


@dataclass
class Read:
    """What came of it. `errors`: status, or the exception's name → how often."""

    asked: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    longest_ms: float = 0.0


@contextmanager
def reading(reader: Reader) -> Iterator[Read]:
    """Ask ASKED_PER_S questions a second inside the block; what came of it is there after the block."""
    command = [sys.executable, "-m", "tests.benchmarks.reading", json.dumps(asdict(reader))]
    found = Read()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield found
        finally:
            said, _ = process.communicate("", END_TIMEOUT_S)
    for name, value in json.loads(said).items():
        setattr(found, name, value)


async def _ask_on(reader: Reader) -> Read:
    took_ms: list[float] = []
    errors: Counter[str] = Counter()
    ended = asyncio.Event()
    asyncio.get_running_loop().run_in_executor(None, sys.stdin.read).add_done_callback(lambda _: ended.set())
    started, number = time.monotonic(), 0
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {reader.key}"},
        connector=aiohttp.TCPConnector(limit=ASKERS),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    ) as client:

        async def asker() -> None:
            nonlocal number
            while not ended.is_set():
                mine, number = number, number + 1
                due = started + mine / ASKED_PER_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                outcome = await _ask(client, reader, mine)
                took_ms.append((time.monotonic() - due) * 1000)
                if outcome:
                    errors[outcome] += 1

        await asyncio.gather(*(asker() for _ in range(ASKERS)))
    times = sorted(took_ms)
    p50, p99 = (percentile(times, share) or 0.0 for share in (0.5, 0.99))
    return Read(len(times), dict(errors), p50, p99, times[-1] if times else 0.0)


async def _ask(client: aiohttp.ClientSession, reader: Reader, number: int) -> str:
    """What went wrong; "" when nothing did."""
    customer = reader.customers[number * 7_919 % len(reader.customers)]
    try:
        async with client.get(f"{reader.url}/v1/customers/{customer}") as response:
            await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__
    return "" if response.status == 200 else str(response.status)


def line(found: Read) -> str:
    """One line for people."""
    errors: Any = ", ".join(f"{count} times {what}" for what, count in found.errors.items()) or "none"
    return (
        f"Beside all of it {ASKED_PER_S} documents/s were asked for: {found.asked:,} questions, errors: **{errors}**;"
        f" p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.0f} ms, longest {found.longest_ms:.0f} ms."
    )


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_ask_on(Reader(**json.loads(sys.argv[1])))))))
