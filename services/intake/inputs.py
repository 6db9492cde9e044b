"""Sources, write keys and ids of commands: inputs of intake, written by requests, never derived.

Owns their SQL; a key is stored as its hash only.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.intake.domain.model import Source
from services.intake.domain.permissions import OWN_SOURCE, PERMISSIONS
from services.runtime.postgres import Connection

_SETTINGS = {f.name for f in fields(Source)} - {"name"}
_NOT_TEXTS = frozenset({"name", "identifier_namespace", "events_per_s", "may", "app_ids"})

COMMAND_KEPT = timedelta(days=30)
COMMANDS_FORGOTTEN_MAX = 100
"""Old ids that one command takes away at most."""


def _hash(write_key: str) -> bytes:
    return hashlib.sha256(write_key.encode()).digest()


def read_source(document: Mapping[str, Any]) -> Source:
    """A source from its document. Raises ValueError naming what is wrong."""
    unknown = sorted(document.keys() - _SETTINGS - {"name"})
    name = document.get("name")
    if unknown:
        raise ValueError(f"a source has no setting {', '.join(unknown)}")
    if not isinstance(name, str) or not name or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError("a source's name is letters, digits, - and _")
    namespaces = document.get("identifier_namespace") or {}
    if not isinstance(namespaces, dict) or not all(isinstance(v, str) for v in namespaces.values()):
        raise ValueError("identifier_namespace maps types to namespaces")
    may = document.get("may") or []
    if not isinstance(may, list) or not set(map(str, may)) <= set(PERMISSIONS):
        raise ValueError(f"may lists some of {', '.join(PERMISSIONS)}")
    rate = document.get("events_per_s")
    if rate is not None and (type(rate) is not int or rate < 1):
        raise ValueError("events_per_s is a whole number of at least 1")
    app_ids = document.get("app_ids") or []
    if not isinstance(app_ids, list) or not all(isinstance(one, str) and one for one in app_ids):
        raise ValueError("app_ids lists texts")
    texts = {k: v for k, v in document.items() if k not in _NOT_TEXTS}
    if not all(v is None or isinstance(v, str) for v in texts.values()):
        raise ValueError("settings of a source are texts")
    return Source(name, namespaces, **texts, events_per_s=rate, may=tuple(sorted(set(may))), app_ids=tuple(app_ids))


def read_new_source(document: Mapping[str, Any]) -> Source:
    """A source somebody wants to register. Raises ValueError as read_source, and for our own name."""
    source = read_source(document)
    if source.name.casefold() == OWN_SOURCE.name:
        raise ValueError(f"{OWN_SOURCE.name} is the name of our own source")
    return source


async def create_source(connection: Connection, source: Source) -> str:
    """Register a source, or change its settings, and give it one more write key (shown only here).

    Raises ValueError for an app id that is another source's.
    """
    write_key = secrets.token_urlsafe(24)
    settings = {k: v for k, v in asdict(source).items() if k != "name"}
    async with connection.transaction():
        if source.app_ids:
            await connection.execute("LOCK TABLE source IN SHARE ROW EXCLUSIVE MODE")
            for other in (await sources(connection)).values():
                shared = sorted(set(source.app_ids) & set(other.app_ids)) if other.name != source.name else []
                if shared:
                    raise ValueError(f"app id {shared[0]} is {other.name}'s")
        await connection.execute(
            "INSERT INTO source (name, settings) VALUES ($1, $2)"
            " ON CONFLICT (name) DO UPDATE SET settings = excluded.settings",
            source.name,
            orjson.dumps(settings).decode(),
        )
        await connection.execute(
            "INSERT INTO write_key (key_hash, source) VALUES ($1, $2)", _hash(write_key), source.name
        )
    return write_key


def _source(row: Any) -> Source:
    return read_source({"name": row["name"], **orjson.loads(row["settings"])})


async def sources(connection: Connection) -> dict[str, Source]:
    """All registered sources by name."""
    rows = await connection.fetch("SELECT name, settings FROM source ORDER BY name")
    return {r["name"]: _source(r) for r in rows}


async def source_of(connection: Connection, write_key: str) -> Source | None:
    """The source a write key belongs to, or None."""
    row = await connection.fetchrow(
        "SELECT s.name, s.settings FROM write_key k JOIN source s ON s.name = k.source"
        " WHERE k.key_hash = $1 AND k.revoked_at IS NULL",
        _hash(write_key),
    )
    return _source(row) if row else None


async def revoke(connection: Connection, write_key: str) -> None:
    """Let this key send no more."""
    await connection.execute("UPDATE write_key SET revoked_at = now() WHERE key_hash = $1", _hash(write_key))


async def first_heard(connection: Connection, sent_id: str, digest: bytes, now: datetime) -> datetime | None:
    """When the command of this id was first heard, `now` at the earliest; None when the id was another command's.

    So a command that is sent again is the same event with the same time, and cannot overrule what came between.
    Ids are remembered for COMMAND_KEPT.
    """
    async with connection.transaction():
        await connection.execute(
            "DELETE FROM command WHERE sent_id IN (SELECT sent_id FROM command WHERE first_at < $1 LIMIT $2)",
            now - COMMAND_KEPT,
            COMMANDS_FORGOTTEN_MAX,
        )
        await connection.execute(
            "INSERT INTO command (sent_id, digest, first_at) VALUES ($1, $2, $3) ON CONFLICT (sent_id) DO NOTHING",
            sent_id,
            digest,
            now,
        )
        row = await connection.fetchrow("SELECT digest, first_at FROM command WHERE sent_id = $1", sent_id)
    heard: datetime | None = row["first_at"] if row is not None and row["digest"] == digest else None
    return heard
