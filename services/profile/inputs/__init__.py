"""API keys and definitions of segments: inputs of the profile service, written by requests, never derived.

Owns their SQL; a key is stored as its hash only, segments are one document that comes into force as a whole.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.envelope import rfc3339
from services.profile.domain.origins import read_origins
from services.profile.domain.segments import SEGMENTS, read_segment, read_segments
from services.runtime import policies
from services.runtime.postgres import Connection

KEY_PREFIX = "c360"
REQUESTS_PER_S_MAX = 100_000
SCOPES: tuple[str, ...] = (
    "profile:read", "profile:pii", "value:read", "events:read", "events:write", "identity:write",
    "segments:write", "treatment:decide", "ops:admin", "privacy:admin", "self",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A valid key: its scopes, from which pages browsers may use it, how often (None: as the settings say)."""

    key_id: str
    name: str
    scopes: frozenset[str]
    origins: tuple[str, ...] = ()
    requests_per_s: int | None = None


def _secret_hash(secret: str) -> bytes:
    # The secret is 32 random bytes: a plain hash cannot be guessed backwards.
    return hashlib.sha256(secret.encode()).digest()


async def create_key(
    connection: Connection,
    name: str,
    scopes: Sequence[str],
    origins: Sequence[str] = (),
    requests_per_s: int | None = None,
) -> tuple[str, str]:
    """(key id, key). The key is shown once and never stored. Raises ValueError, saying what is wrong."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ValueError(f"scopes are some of {', '.join(SCOPES)}")
    if requests_per_s is not None and not 0 <= requests_per_s <= REQUESTS_PER_S_MAX:
        raise ValueError(f"requests_per_s is from 0, without a limit, to {REQUESTS_PER_S_MAX:,}")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO api_key (key_id, name, secret, scopes, origins, requests_per_s) VALUES ($1, $2, $3, $4, $5, $6)",
        key_id,
        name,
        _secret_hash(secret),
        sorted(set(scopes)),
        read_origins(origins),
        requests_per_s,
    )
    return key_id, f"{KEY_PREFIX}_{key_id}_{secret}"


async def list_keys(connection: Connection) -> list[dict[str, Any]]:
    """All keys without their secrets."""
    rows = await connection.fetch(
        "SELECT key_id, name, scopes, origins, requests_per_s, created_at, revoked_at"
        " FROM api_key ORDER BY created_at"
    )
    return [
        {
            "key_id": r["key_id"],
            "name": r["name"],
            "scopes": r["scopes"],
            "origins": r["origins"],
            "requests_per_s": r["requests_per_s"],
            "created_at": rfc3339(r["created_at"]),
            "revoked_at": rfc3339(r["revoked_at"]) if r["revoked_at"] else None,
        }
        for r in rows
    ]


async def revoke_key(connection: Connection, key_id: str) -> bool:
    """Whether there was such a key."""
    done = await connection.fetchval(
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = $1 RETURNING true", key_id
    )
    return bool(done)


async def read_key(connection: Connection, key: str) -> ApiKey | None:
    """The key's scopes, or None when it is malformed, unknown or revoked."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != KEY_PREFIX:
        return None
    row = await connection.fetchrow(
        "SELECT name, secret, scopes, origins, requests_per_s FROM api_key WHERE key_id = $1 AND revoked_at IS NULL",
        parts[1],
    )
    if row is None or not hmac.compare_digest(row["secret"], _secret_hash(parts[2])):
        return None
    return ApiKey(parts[1], row["name"], frozenset(row["scopes"]), tuple(row["origins"]), row["requests_per_s"])


async def all_origins(connection: Connection) -> frozenset[str]:
    """The origins of all valid keys."""
    rows = await connection.fetch("SELECT DISTINCT unnest(origins) AS origin FROM api_key WHERE revoked_at IS NULL")
    return frozenset(r["origin"] for r in rows)


def check_segment(segment_id: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that were sent. Raises ValueError naming all that is wrong with them."""
    definition = {name: part for name, part in sent.items() if part is not None}
    read_segment(segment_id, definition)
    return definition


async def define(
    connection: Connection, segment_id: str, sent: Mapping[str, Any], by: str, *, execute: bool
) -> tuple[dict[str, Any], bool]:
    """(the segment as set, whether it is new). A change counts its version on; the same again changes nothing.

    In a transaction of its own, after the batches at work. Raises ValueError naming all that is wrong with it, and
    LookupError while no worker has begun.
    """
    definition = _exact(check_segment(segment_id, sent))
    async with _changing(connection, execute=execute) as defined:
        before = defined.get(segment_id)
        version = before["version"] if before is not None else 0
        if before is not None and {**definition, "version": version} == before:
            return before, False
        after = {**definition, "version": version + 1}
        changed = {"segments": {**defined, segment_id: after}}
        read_segments(changed)
        await policies.change(connection, SEGMENTS, changed, by, f"segment {segment_id}, version {version + 1}")
    return after, before is None


async def undefine(connection: Connection, segment_id: str, by: str, *, execute: bool) -> int | None:
    """The version of the segment that is no more; None where there is none. In a transaction of its own.

    Raises ValueError while another segment is a part of it, and LookupError while no worker has begun.
    """
    async with _changing(connection, execute=execute) as defined:
        gone = defined.pop(segment_id, None)
        if gone is None:
            return None
        inner = sorted(i for i, one in defined.items() if one.get("within") == segment_id)
        if inner:
            raise ValueError(f"{', '.join(inner)} is within it")
        await policies.change(connection, SEGMENTS, {"segments": defined}, by, f"segment {segment_id} removed")
    return int(gone["version"])


@asynccontextmanager
async def _changing(connection: Connection, *, execute: bool) -> AsyncIterator[dict[str, Any]]:
    """The definitions in force, while nobody else changes them; what is changed is kept if it is to be executed."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        found = await connection.fetchval("SELECT number FROM in_force WHERE name = $1 FOR UPDATE", SEGMENTS)
        if found is None:
            raise LookupError(f"{SEGMENTS} is not in force yet")
        yield dict((await policies.in_force(connection, SEGMENTS))["document"]["segments"])
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.commit() if execute else transaction.rollback())


def _exact(part: Any) -> Any:
    """Numbers with a point as the text they were written as. Raises ValueError for what no answer could tell."""
    if isinstance(part, dict):
        part = {name: _exact(one) for name, one in part.items()}
    elif isinstance(part, list):
        part = [_exact(one) for one in part]
    elif isinstance(part, float):
        return str(part)
    try:
        orjson.dumps(part)
    except TypeError:
        raise ValueError("where: a text that is no Unicode text, or a number beyond 64 bits") from None
    return part
