"""The policy in force: which number of a document a service decides by, and that no batch decides by another.

Owns the table `in_force` and the order of starting: what control.events knows comes before what a build ships.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from eventsourcing.persistence import Notification

from schemas.envelope import rfc3339
from services.runtime import control, documents, telemetry
from services.runtime.aggregates import load
from services.runtime.eventstore import INPUTS
from services.runtime.postgres import Connection
from services.runtime.settings import Settings

P = TypeVar("P")


class PolicyInForce(Generic[P]):
    """A service's policy by its document's name. `read` makes it of the document and raises ValueError."""

    def __init__(self, name: str, read: Callable[[Mapping[str, Any]], P]) -> None:
        self.name = name
        self.number = 0
        self.since_ms = 0
        """When the policy in force was set, in ms since 1970."""
        self._read = read
        self._policy: P | None = None

    async def hold(self, connection: Connection) -> P:
        """The policy that counts until this transaction ends: a change of it waits that long."""
        number = await connection.fetchval("SELECT number FROM in_force WHERE name = $1 FOR SHARE", self.name)
        if self._policy is None or number != self.number:
            found = await _document(connection, self.name)
            self._policy, self.number = self._read(found.document), number
            self.since_ms = int(found.modified_on.timestamp() * 1_000)
        return self._policy

    async def ready(self, connection: Connection, settings: Settings, service: str, shipped: dict[str, Any]) -> None:
        """Have one in force: the stored one, else what control.events has, else what this build ships.

        Raises KafkaError, TimeoutError, ControlIncomplete, or what TRANSIENT lists.
        """
        if not await _is_in_force(connection, self.name):
            told = await control.read_control(settings, service)
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"c360.{self.name}")
                if not await _is_in_force(connection, self.name):
                    restored = await control.restore(connection, told)
                    telemetry.log.info("inputs_restored", added=restored.added, known=restored.known)
                    await begin(connection, self.name, shipped)
        await control.tell(settings, connection, service)


async def begin(connection: Connection, name: str, shipped: dict[str, Any]) -> None:
    """Put the stored document in force, or the shipped one where none is stored."""
    found = await documents.current(connection, name)
    if found is None:
        found = await documents.put(connection, name, shipped, "customer360", "shipped", datetime.now(UTC))
    await _enforce(connection, name, found.number)


async def change(connection: Connection, name: str, document: dict[str, Any], by: str, reason: str) -> int:
    """Put a new document in force, in the caller's transaction, after the batches at work; its number.

    The document must have been read without error before. Raises ValueError, IntegrityError.
    """
    await connection.execute("SELECT FROM in_force WHERE name = $1 FOR UPDATE", name)
    put = await documents.put(connection, name, document, by, reason, datetime.now(UTC))
    await _enforce(connection, name, put.number)
    return put.number


async def restore(connection: Connection, told: Sequence[Notification], *, execute: bool) -> control.Restored:
    """Write what control.events has and the store lacks, and put its documents in force; all or nothing.

    `told`: control.read_control's. Without `execute`, only what it would do. Raises what TRANSIENT lists.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        restored = await control.restore(connection, told)
        for document in (await load(connection, INPUTS, documents.Document, _ids(told))).values():
            await _enforce(connection, document.name, document.number)
    except BaseException:
        await transaction.rollback()
        raise
    if execute and not restored.conflicting:
        await transaction.commit()
    else:
        await transaction.rollback()
    return restored


def _ids(told: Sequence[Notification]) -> list[UUID]:
    return sorted({UUID(str(event.originator_id)) for event in told})


async def in_force(connection: Connection, name: str) -> dict[str, Any]:
    """{number, document, by, reason, set_at} of the policy that counts."""
    found = await _document(connection, name)
    return {
        "number": found.number,
        "document": found.document,
        "by": found.by,
        "reason": found.reason,
        "set_at": rfc3339(found.modified_on),
    }


async def _enforce(connection: Connection, name: str, number: int) -> None:
    await connection.execute(
        """
        INSERT INTO in_force (name, number) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET number = excluded.number
        """,
        name,
        number,
    )


async def _is_in_force(connection: Connection, name: str) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM in_force WHERE name = $1)", name))


async def _document(connection: Connection, name: str) -> documents.Document:
    found = await documents.current(connection, name)
    if found is None:
        raise LookupError(f"{name} is in force and not stored")
    return found
