"""API keys and definitions of segments: inputs of the profile service, written by requests, never derived.

Owns their SQL; a key is stored as its hash only, segments are one document that comes into force as a whole.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.envelope import rfc3339
from services.profile.domain.segments import SEGMENTS, read_segment, read_segments
from services.runtime import policies
from services.runtime.postgres import Connection

KEY_PREFIX = "c360"
SCOPES: tuple[str, ...] = (
    "profile:read", "profile:pii", "value:read", "events:read", "events:write", "identity:write",
    "segments:write", "treatment:decide", "ops:admin", "privacy:admin", "self",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A valid key's name and scopes."""

    key_id: str
    name: str
    scopes: frozenset[str]


def _secret_hash(secret: str) -> bytes:
    # The secret is 32 random bytes: a plain hash cannot be guessed backwards.
    return hashlib.sha256(secret.encode()).digest()


async def create_key(connection: Connection, name: str, scopes: Sequence[str]) -> tuple[str, str]:
    """(key id, key). The key is shown once and never stored. Raises ValueError for an unknown scope."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ValueError(f"scopes are some of {', '.join(SCOPES)}")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO api_key (key_id, name, secret, scopes) VALUES ($1, $2, $3, $4)",
        key_id,
        name,
        _secret_hash(secret),
        sorted(set(scopes)),
    )
    return key_id, f"{KEY_PREFIX}_{key_id}_{secret}"


async def list_keys(connection: Connection) -> list[dict[str, Any]]:
    """All keys without their secrets."""
    rows = await connection.fetch(
        "SELECT key_id, name, scopes, created_at, revoked_at FROM api_key ORDER BY created_at"
    )
    return [
        {
            "key_id": r["key_id"],
            "name": r["name"],
            "scopes": r["scopes"],
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
        "SELECT name, secret, scopes FROM api_key WHERE key_id = $1 AND revoked_at IS NULL", parts[1]
    )
    if row is None or not hmac.compare_digest(row["secret"], _secret_hash(parts[2])):
        return None
    return ApiKey(parts[1], row["name"], frozenset(row["scopes"]))


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
    transaction = connection.transaction()
    await transaction.start()
    try:
        found = await connection.fetchval("SELECT number FROM in_force WHERE name = $1 FOR UPDATE", SEGMENTS)
        if found is None:
            raise LookupError(f"{SEGMENTS} is not in force yet")
        document = (await policies.in_force(connection, SEGMENTS))["document"]
        before = document["segments"].get(segment_id)
        version = before["version"] if before is not None else 0
        if before is not None and {**definition, "version": version} == before:
            await transaction.rollback()
            return before, False
        after = {**definition, "version": version + 1}
        changed = {"segments": {**document["segments"], segment_id: after}}
        read_segments(changed)
        await policies.change(connection, SEGMENTS, changed, by, f"segment {segment_id}, version {version + 1}")
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.commit() if execute else transaction.rollback())
    return after, before is None


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
