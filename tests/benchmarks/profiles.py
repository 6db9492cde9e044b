"""The profile API among a million profiles: documents and look-ups at a steady rate, without and with ingest.

Owns filling (rows as the lane wrote them for real customers, copied by SQL under other ids; search is not filled),
the questions and the table. The asker is a process of its own that shares the machine: run as
`python -m tests.benchmarks.profiles JSON` it asks and prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import uvloop

from schemas.identifiers import Identifier, record_id
from services.ops.demo.probe import percentile
from tests.benchmarks.deployment import Deployment
from tests.benchmarks.mix import CONNECTIONS, WAIT_TIMEOUT_S, write_key
from tests.benchmarks.open_loop import when_due
from tests.benchmarks.sending import Job, send
from tests.support.databases import KEY

WORKERS = ("--workers", "profile=2")
"""While the lane of one is at work the other answers."""
PROFILES = 1_000_000
TEMPLATE_EVENTS, TEMPLATE_CUSTOMERS = 20_000, 5_000
ASKED_PER_S, SECONDS = 500, 20
INGEST_PER_S = (0, 500, 1_000)
INGEST_BATCH_EVENTS = 100
ASKERS = 32
TIMEOUT_S = 30
FILL_TIMEOUT_S = 900
P99_MS_BAR = 20
FILL = (
    """INSERT INTO customer SELECT f.id, c.n, c.log_time_ms FROM filled f JOIN template t USING (place)
       JOIN customer c ON c.customer_id = t.customer_id""",
    """INSERT INTO section SELECT f.id, s.service, s.epoch, s.n, s.members,
       replace(s.body, t.customer_id::text, f.id::text), s.log_time_ms FROM filled f JOIN template t USING (place)
       JOIN section s ON s.customer_id = t.customer_id""",
    """INSERT INTO binding (record_id, customer_id, epoch, n, generic, weight, rivals, erased)
       SELECT f.id, f.id, b.epoch, b.n, false, b.weight, '[]', false
       FROM filled f JOIN template t USING (place) JOIN binding b ON b.record_id = t.customer_id""",
    """INSERT INTO listed (customer_id, shown, name, grade, revenue, seen)
       SELECT f.id, l.shown, l.name, l.grade, l.revenue, l.seen FROM filled f JOIN template t USING (place)
       JOIN listed l ON l.customer_id = t.customer_id""",
)


@dataclass(frozen=True)
class Asked:
    """What the asker asks: `lookup` says whether by identifier, else the document by id."""

    url: str
    key: str
    lookup: bool
    per_s: float
    seconds: float
    profiles: int


@dataclass(frozen=True)
class Answered:
    """Ms of each question from when it was due, and the larger profile process's memory before and after."""

    profiles: int
    what: str
    ingest_per_s: int
    ms: list[float]
    memory_mib: tuple[float, float]


def measure(at: Deployment, folder: Path, profiles: int = PROFILES) -> list[Answered]:
    """Fill, and ask beside each rate of ingest."""
    key = write_key(at)
    filling = Job(at.intake, key, TEMPLATE_EVENTS, 7, TEMPLATE_CUSTOMERS, 100, CONNECTIONS, 0, str(folder / "fill"))
    send(filling)
    at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))
    stored = asyncio.run(_fill(at.database, profiles))
    found = []
    for rate in INGEST_PER_S:
        for what in ("document", "lookup"):
            before = _memory_mib(at)
            ms = _beside(at, key, rate, what, folder, profiles)
            found.append(Answered(stored, what, rate, ms, (before, _memory_mib(at))))
    return found


def _memory_mib(at: Deployment) -> float:
    return max(mib for who, mib in at.memory().items() if who.startswith("profile"))


def name_of(number: int) -> str:
    """The user id of a filled customer."""
    return f"filled-{number}"


def customer_of(number: int) -> str:
    """His customer id: that of the one record he has."""
    return record_id(bytes.fromhex(KEY), Identifier("user_id", name_of(number)))


async def _fill(database: str, profiles: int) -> int:
    connection = await asyncpg.connect(database, server_settings={"search_path": "profile_g1"})
    try:
        await connection.execute("CREATE TEMP TABLE template AS SELECT row_number() OVER () - 1 AS place, customer_id"
                                 " FROM customer JOIN binding b USING (customer_id) JOIN listed l USING (customer_id)"
                                 " WHERE b.record_id = customer_id AND l.shown")  # fmt: skip
        templates = await connection.fetchval("SELECT count(*) FROM template")
        await connection.execute("CREATE TEMP TABLE filled (id uuid, place bigint)")
        rows = ((customer_of(n), n % templates) for n in range(profiles))
        await connection.copy_records_to_table("filled", records=rows, timeout=FILL_TIMEOUT_S)
        await connection.execute("ANALYZE filled, template", timeout=FILL_TIMEOUT_S)
        for sql in FILL:
            await connection.execute(sql, timeout=FILL_TIMEOUT_S)
        await connection.execute("VACUUM ANALYZE customer, section, binding, listed", timeout=FILL_TIMEOUT_S)
        await connection.execute("CHECKPOINT", timeout=FILL_TIMEOUT_S)
        return int(await connection.fetchval("SELECT count(*) FROM customer"))
    finally:
        await connection.close()


def _beside(at: Deployment, key: str, rate: int, what: str, folder: Path, profiles: int) -> list[float]:
    """Milliseconds of the questions while this many events a second come in."""
    asked = Asked(at.profile, at.operator_key, what == "lookup", ASKED_PER_S, SECONDS, profiles)
    if not rate:
        return _ask(asked)
    ledger = str(folder / f"{what}-{rate}")
    batch, count, seed = INGEST_BATCH_EVENTS, rate * (SECONDS + 4), rate + len(what)
    job = Job(at.intake, key, count, seed, TEMPLATE_CUSTOMERS, batch, CONNECTIONS, rate, ledger)
    sender = threading.Thread(target=send, args=(job,))
    sender.start()
    time.sleep(3)
    try:
        return _ask(asked)
    finally:
        sender.join()
        at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))


def _ask(asked: Asked) -> list[float]:
    command = [sys.executable, "-m", "tests.benchmarks.profiles", json.dumps(asdict(asked))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout)
    return found


async def _asker(asked: Asked) -> list[float]:
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {asked.key}"},
        connector=aiohttp.TCPConnector(limit=ASKERS),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    ) as client:

        async def ask(number: int) -> None:
            # Far from each other, so that no two neighbours are asked for.
            async with client.request(**_question(asked, number * 7_919 % asked.profiles)) as response:
                await response.read()
            if response.status != 200:
                raise RuntimeError(f"answered {response.status}")

        return sorted(await when_due(range(int(asked.per_s * asked.seconds)), asked.per_s, ASKERS, ask))


def _question(asked: Asked, number: int) -> dict[str, Any]:
    if not asked.lookup:
        return {"method": "GET", "url": f"{asked.url}/v1/customers/{customer_of(number)}"}
    wanted = {"identifiers": [{"type": "user_id", "value": name_of(number)}]}
    return {"method": "POST", "url": f"{asked.url}/v1/customers/lookup", "json": wanted}


def table(found: list[Answered]) -> list[str]:
    """Markdown rows."""
    rows = [
        f"{found[0].profiles:,} profiles stored, {ASKED_PER_S} questions/s. Bar: p99 {P99_MS_BAR} ms with 1,000"
        " events/s coming in.",
        "",
        "| asked | events/s | questions | p50 ms | p95 ms | p99 ms | profile MiB before, after |",
        "| --- " * 7 + "|",
    ]
    for one in found:
        p50, p95, p99 = (percentile(one.ms, share) or 0.0 for share in (0.5, 0.95, 0.99))
        memory = ", ".join(f"{mib:.0f}" for mib in one.memory_mib)
        times = f"{p50:.1f} | {p95:.1f} | **{p99:.1f}**"
        rows.append(f"| {one.what} | {one.ingest_per_s:,} | {len(one.ms):,} | {times} | {memory} |")
    return rows


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_asker(Asked(**json.loads(sys.argv[1]))))))
