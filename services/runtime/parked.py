"""Parked records as people handle them: chosen by reason, source, build or place; shown masked, retried, discarded.

Owns their SQL and the mask. Parking itself is parking.py, trying again retrying.py. What was discarded stays so when
a rebuild parks it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.envelope import rfc3339
from schemas.personal import looks_like_an_address, mask
from services.runtime.parking import REQUESTS
from services.runtime.postgres import Connection

LISTED_MAX = 1_000
SHOWN_HEADERS = (
    "c360_item",
    "ce_type",
    "ce_source",
    "ce_time",
    "ce_id",
    "c360_received",
    "c360_form",
    "c360_schema",
    "content-type",
)
SHOWN_FIELDS = frozenset({"channel", "direction", "incomplete", "business_namespace", "country", "timezone"})
"""Common fields of an event that say nothing of a person."""
MASKED = "•••"

Place = tuple[str, int, int]
"""(topic, partition, offset)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which parked records; what is None does not matter. `keys`: of records and customers, as messages have them."""

    reason: str | None = None
    source: str | None = None
    build: str | None = None
    place: Place | None = None
    keys: tuple[str, ...] | None = None

    @property
    def arguments(self) -> list[Any]:
        """Of CHOSEN, in order."""
        topic, partition, offset = self.place or (None, None, None)
        keys = None if self.keys is None else [key.encode() for key in self.keys]
        return [self.reason, self.source, self.build, topic, partition, offset, keys]


CHOSEN = """
    SELECT p.*, s.said AS said_source FROM parked p
    CROSS JOIN LATERAL (SELECT coalesce(nullif(p.source, ''), (
        SELECT h->>1 FROM json_array_elements(p.headers) h WHERE h->>0 = 'ce_source' LIMIT 1), '') AS said) s
    WHERE ($1::text IS NULL OR p.reason = $1) AND ($2::text IS NULL OR s.said = $2)
      AND ($3::text IS NULL OR p.build = $3)
      AND ($4::text IS NULL OR (p.topic, p.partition, p.first_offset) = ($4, $5::int, $6::bigint))
      AND ($7::bytea[] IS NULL OR p.key = any($7))
      AND NOT EXISTS (SELECT FROM {service}.discarded d
        WHERE d.topic = p.topic AND d.partition = p.partition AND d.first_offset = p.first_offset)
"""


async def listed(connection: Connection, service: str, chosen: Chosen, limit: int) -> dict[str, Any]:
    """The newest of them, without content, and how many there are by reason and source."""
    one = CHOSEN.format(service=service)
    asked = f"LEFT JOIN {service}.retry r USING (topic, partition, first_offset)"
    rows = await connection.fetch(
        f"SELECT c.*, r.at AS retry_at FROM ({one}) c {asked}"
        " ORDER BY parked_at DESC, topic, partition, first_offset LIMIT $8",
        *chosen.arguments,
        limit,
    )
    groups = await connection.fetch(
        f"SELECT reason, said_source, count(*) AS n FROM ({one}) c GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        *chosen.arguments,
    )
    return {
        "parked": [
            {
                "topic": r["topic"], "partition": r["partition"], "offset": r["first_offset"], "reason": r["reason"],
                "detail": r["detail"], "source": r["said_source"], "build": r["build"],
                "parked_at": rfc3339(r["parked_at"]), "retrying": r["retry_at"] is not None,
            }
            for r in rows
        ],
        "groups": [{"reason": r["reason"], "source": r["said_source"], "count": r["n"]} for r in groups],
    }  # fmt: skip


async def shown(connection: Connection, service: str, place: Place) -> dict[str, Any] | None:
    """One of them with its content, in which every value that may say something of a person is masked."""
    found = await listed(connection, service, Chosen(place=place), 1)
    if not found["parked"]:
        return None
    row = await connection.fetchrow(
        "SELECT value, headers FROM parked WHERE (topic, partition, first_offset) = ($1, $2, $3)", *place
    )
    assert row is not None, "it was there a moment ago"
    headers = {name: _header(name, value) for name, value in json.loads(row["headers"] or "[]")}
    return {
        **found["parked"][0],
        "headers": headers,
        "bytes": len(row["value"] or b""),
        "value": _value(row["value"]),
    }


def _header(name: str, value: str) -> str:
    return mask(value) if name not in SHOWN_HEADERS or looks_like_an_address(value) else value


def _value(value: bytes | None) -> Any:
    """What can be read of it, masked; None for what is no JSON."""
    if value is None:
        return None
    try:
        read = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if isinstance(read, dict):
        return {name: one if name in SHOWN_FIELDS else masked(one) for name, one in read.items()}
    return masked(read)


def masked(value: Any) -> Any:
    """The same shape and the same names, with every value masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [masked(one) for one in value]
    if isinstance(value, dict):
        return {mask(name) if looks_like_an_address(name) else name: masked(one) for name, one in value.items()}
    return value if value is None or isinstance(value, bool) else MASKED


async def count(connection: Connection, service: str, chosen: Chosen, *, retried: bool = False) -> int:
    """How many they are; `retried`: of those a lane can try again."""
    found: int = await connection.fetchval(
        f"SELECT count(*) FROM ({CHOSEN.format(service=service)}) c WHERE NOT $8 OR topic <> $9",
        *chosen.arguments,
        retried,
        REQUESTS,
    )
    return found


async def ask_to_retry(connection: Connection, service: str, chosen: Chosen, by: str) -> int:
    """Let the live lane try them again; how many they are. Asked twice, it is tried once."""
    rows = await connection.fetch(
        f"""
        INSERT INTO {service}.retry (topic, partition, first_offset, by)
        SELECT topic, partition, first_offset, $8 FROM ({CHOSEN.format(service=service)}) c WHERE topic <> $9
        ON CONFLICT DO NOTHING RETURNING topic
        """,
        *chosen.arguments,
        by,
        REQUESTS,
    )
    return len(rows)


async def discard(connection: Connection, service: str, chosen: Chosen, because: str, by: str) -> int:
    """They are none of our business any more, for a reason that is kept; how many they were."""
    rows = await connection.fetch(
        f"""
        WITH noted AS (
            INSERT INTO {service}.discarded (topic, partition, first_offset, reason, because, by)
            SELECT topic, partition, first_offset, reason, $8, $9 FROM ({CHOSEN.format(service=service)}) c
            ON CONFLICT DO NOTHING RETURNING topic, partition, first_offset
        )
        DELETE FROM parked p USING noted n
        WHERE p.topic = n.topic AND p.partition = n.partition AND p.first_offset = n.first_offset RETURNING p.topic
        """,
        *chosen.arguments,
        because,
        by,
    )
    return len(rows)
