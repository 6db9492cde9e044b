"""A customer's timeline among millions of interactions, asked of the API.

Owns filling the history (rows as the lane writes them, copied by SQL) and the questions. The customers are real ones,
told through the door; the rest of their history is filled in beside it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import httpx

from tests.benchmarks.deployment import Deployment
from tests.benchmarks.mix import WAIT_TIMEOUT_S, write_key

ROWS = 5_000_000
HEAVY_ROWS = 10_000
HEAVY_CUSTOMERS = 20
CUSTOMERS = 1_000
ASKED = 1_000
PAGE = 50
P99_MS_BAR = 20.0
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"channel": "call"}, {"type": "order.completed"}, {"from": "2025-06-01T00:00:00Z"},
)  # fmt: skip
FILL = """
    INSERT INTO history (record_id, event_id, time, type, channel, direction, source, sent_id, title, data,
        log_partition, log_offset)
    SELECT ($1::uuid[])[1 + (n % $2::bigint)::int], gen_random_uuid(),
        timestamptz '2025-01-01' + n % 31536000 * interval '1 second',
        (ARRAY['page.viewed', 'product.viewed', 'message.sent', 'order.completed', 'call.held'])[1 + (n % 5)::int],
        (ARRAY['web', 'app', 'email', 'call'])[1 + (n % 4)::int], 'inbound', 'bench', 'f' || n, 'Something',
        '{"identifiers":{"user_id":["x"]},"channel":"web","direction":"inbound","properties":{"url":"/shoes/42"}}',
        0, 1000000000 + n
    FROM generate_series($3::bigint, $4::bigint) AS n
"""
"""$1: records, $2: how many, $3 to $4: numbers of the rows."""


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds of each question, by what was asked of whom."""

    rows: int
    asked: dict[str, list[float]]


def measure(at: Deployment) -> Result:
    """Fill the history and ask."""
    key = write_key(at)
    names = [f"timeline-{n}" for n in range(CUSTOMERS)]
    with httpx.Client(timeout=60, auth=(key, "")) as client:
        for start in range(0, CUSTOMERS, 100):
            batch = [
                {"type": "identify", "userId": name, "traits": {"plan": "a"}} for name in names[start : start + 100]
            ]
            client.post(f"{at.intake}/v1/batch", json={"batch": batch}).raise_for_status()
    at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))
    with httpx.Client(base_url=at.profile, headers={"Authorization": f"Bearer {at.operator_key}"}, timeout=60) as api:
        asked = {"identifiers": [{"type": "user_id", "value": name} for name in names]}
        found = api.post("/v1/customers/lookup", json=asked).raise_for_status().json()["results"]
        customers = [one["customer_id"] for one in found]
        heavy, others = customers[:HEAVY_CUSTOMERS], customers[HEAVY_CUSTOMERS:]
        rows = asyncio.run(_fill(at.database, heavy, others))
        return Result(rows, {"10,000 interactions": _ask(api, heavy), "all customers": _ask(api, others)})


async def _fill(database: str, heavy: Sequence[str], others: Sequence[str]) -> int:
    connection = await asyncpg.connect(database, server_settings={"search_path": "interaction_g1"})
    try:
        of_heavy = HEAVY_ROWS * len(heavy)
        # A customer's id is the id of the record he is named after, here his only one.
        await connection.execute(FILL, heavy, len(heavy), 1, of_heavy, timeout=600)
        for start in range(of_heavy + 1, ROWS + 1, 500_000):
            await connection.execute(FILL, others, len(others), start, min(ROWS, start + 499_999), timeout=600)
        await connection.execute("VACUUM ANALYZE history", timeout=600)
        return int(await connection.fetchval("SELECT count(*) FROM history"))
    finally:
        await connection.close()


def _ask(api: httpx.Client, customers: Sequence[str]) -> list[float]:
    spent_ms = []
    for n in range(ASKED):
        query = {"limit": str(PAGE), **FILTERS[n % len(FILTERS)]}
        started = time.perf_counter()
        api.get(f"/v1/customers/{customers[n % len(customers)]}/timeline", params=query).raise_for_status()
        spent_ms.append((time.perf_counter() - started) * 1000)
    return spent_ms


def table(result: Result) -> list[str]:
    """The table of the page."""
    lines = [
        f"{result.rows:,} rows. Bar: p99 {P99_MS_BAR:.0f} ms for a customer with 10,000 interactions.",
        "",
        "| customers with | questions | p50 ms | p99 ms | longest ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for of, spent_ms in result.asked.items():
        ordered = sorted(spent_ms)
        p50, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99))
        lines.append(f"| {of} | {len(ordered):,} | {p50:.1f} | **{p99:.1f}** | {ordered[-1]:.1f} |")
    return lines
