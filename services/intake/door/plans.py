"""Tracking plans as they are kept: set by people, read by the doors, and how often they were broken.

Owns their SQL and the doors' memory of the plans in force.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from schemas.envelope import rfc3339
from services.intake.domain.model import Taken
from services.intake.domain.plans import Plan, read_plan
from services.runtime.http import Database
from services.runtime.postgres import Connection

PLANS_REMEMBERED_S = 2.0
PLAN_BYTES_MAX = 256 * 1024
IN_FORCE = "SELECT DISTINCT ON (source) source, version, document, by, reason, at FROM plan"


class Plans:
    """The plans in force; a new one is heard of within PLANS_REMEMBERED_S. Schemas are compiled once a version."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._read_at = 0.0
        self._plans: dict[str, Plan] = {}

    async def of(self, source: str) -> Plan | None:
        """The source's plan, or None."""
        if not self._read_at or time.monotonic() - self._read_at >= PLANS_REMEMBERED_S:
            pool = await self.database.pool()
            async with pool.acquire() as connection:
                await self._read(connection)
        return self._plans.get(source)

    async def _read(self, connection: Connection) -> None:
        versions = await connection.fetch("SELECT source, max(version) AS version FROM plan GROUP BY source")
        known = {name: plan.version for name, plan in self._plans.items()}
        changed = [r["source"] for r in versions if known.get(r["source"]) != r["version"]]
        if changed:
            rows = await connection.fetch(f"{IN_FORCE} WHERE source = ANY($1) ORDER BY source, version DESC", changed)
            self._plans |= {r["source"]: read_plan(orjson.loads(r["document"]), r["version"]) for r in rows}
        self._read_at = time.monotonic()


async def set_plan(connection: Connection, source: str, document: Any, by: str, reason: str) -> int:
    """Put a plan in force; its version, which is the one there was when nothing in it changed.

    Raises ValueError for a plan that cannot be read, LookupError for a source that is not registered.
    """
    read_plan(document, 0)
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    async with connection.transaction():
        if await connection.fetchrow("SELECT name FROM source WHERE name = $1 FOR UPDATE", source) is None:
            raise LookupError(source)
        before = await in_force(connection, source)
        if before is not None and before["document"] == document:
            return int(before["version"])
        version = before["version"] + 1 if before is not None else 1
        await connection.execute(
            "INSERT INTO plan (source, version, document, by, reason) VALUES ($1, $2, $3, $4, $5)",
            source,
            version,
            text,
            by,
            reason,
        )
    return int(version)


async def in_force(connection: Connection, source: str) -> dict[str, Any] | None:
    """A source's plan with who set it and why, or None."""
    rows = await connection.fetch(f"{IN_FORCE} WHERE source = $1 ORDER BY source, version DESC", source)
    return _shown(rows[0]) if rows else None


async def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every source's plan in force, with how often it was broken."""
    rows = await connection.fetch(
        f"SELECT p.*, (SELECT coalesce(sum(count), 0) FROM plan_violation v"
        f" WHERE (v.source, v.version) = (p.source, p.version)) AS broken"
        f" FROM ({IN_FORCE} ORDER BY source, version DESC) p ORDER BY source"
    )
    return [{**_shown(r), "violations": int(r["broken"])} for r in rows]


async def violations(connection: Connection, source: str) -> list[dict[str, Any]]:
    """Which rules of a source's plans were broken, the latest version first, the most broken first."""
    rows = await connection.fetch(
        "SELECT version, type, rule, count, first_at, last_at FROM plan_violation WHERE source = $1"
        " ORDER BY version DESC, count DESC, type, rule",
        source,
    )
    times = ("first_at", "last_at")
    return [{**r, **{name: rfc3339(r[name]) for name in times}} for r in map(dict, rows)]


def broken_by(results: Iterable[Taken]) -> Counter[tuple[str, str]]:
    """(type, rule) → how many of these events break it."""
    return Counter(pair for result in results if result.broken for pair in result.broken)


async def note(connection: Connection, source: str, version: int, broken: Mapping[tuple[str, str], int]) -> None:
    """Count broken rules."""
    ordered = sorted(broken.items())
    await connection.execute(
        """
        INSERT INTO plan_violation (source, version, type, rule, count)
        SELECT $1, $2, n.type, n.rule, n.count
        FROM unnest($3::text[], $4::text[], $5::bigint[]) AS n (type, rule, count)
        ON CONFLICT (source, version, type, rule)
        DO UPDATE SET count = plan_violation.count + excluded.count, last_at = now()
        """,
        source,
        version,
        [pair[0] for pair, _ in ordered],
        [pair[1] for pair, _ in ordered],
        [count for _, count in ordered],
    )


def _shown(row: Any) -> dict[str, Any]:
    return {
        "source": row["source"],
        "version": row["version"],
        "document": orjson.loads(row["document"]),
        "by": row["by"],
        "reason": row["reason"],
        "set_at": rfc3339(row["at"]),
    }
