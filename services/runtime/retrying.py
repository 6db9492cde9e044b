"""Parked records tried again by the live lane, each in a savepoint of the lane's own transaction.

Owns taking them from the table `retry`. What is applied is no longer parked, in the same transaction; what fails
again stays, with the reason of this time. Folds do not care that it comes late.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from schemas.codec import Sealed, Unreadable
from services.runtime import telemetry
from services.runtime.batch import Batch, Incoming, LanePlan, Work
from services.runtime.parking import DETAIL_CHARS_MAX, HANDLER_RAISED
from services.runtime.postgres import TRANSIENT

RETRIED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Again:
    """A record as the broker gave it; `timestamp` is when it was parked, moments after it was appended."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a record stays parked."""

    reason: str
    detail: str


async def retry(work: Work, plan: LanePlan, build: str) -> bool:
    """Try some of those that somebody asked for; whether there may be more."""
    rows = await work.connection.fetch(
        f"""
        SELECT p.* FROM {plan.service}.retry r JOIN parked p USING (topic, partition, first_offset)
        ORDER BY r.at, topic, partition, first_offset LIMIT $1 FOR UPDATE OF r SKIP LOCKED
        """,
        RETRIED_AT_ONCE,
    )
    for row in rows:
        await _try(work, plan, _record(row), build)
    return len(rows) == RETRIED_AT_ONCE


def _record(row: Any) -> Again:
    headers = [(name, value.encode("latin-1")) for name, value in json.loads(row["headers"] or "[]")]
    at_ms = int(row["parked_at"].timestamp() * 1000)
    return Again(row["topic"], row["partition"], row["first_offset"], at_ms, row["key"], row["value"], headers)


async def _try(work: Work, plan: LanePlan, record: Again, build: str) -> None:
    place = record.topic, record.partition, record.offset
    failed = await _failure(work, plan, record)
    if failed is None:
        await work.connection.execute(
            "DELETE FROM parked WHERE (topic, partition, first_offset) = ($1, $2, $3)", *place
        )
        work.counts["retried"] += 1
    else:
        await work.connection.execute(
            "UPDATE parked SET reason = $4, detail = $5, build = $6"
            " WHERE (topic, partition, first_offset) = ($1, $2, $3)",
            *place,
            failed.reason,
            failed.detail.replace("\0", "")[:DETAIL_CHARS_MAX],
            build,
        )
    await work.connection.execute(
        f"DELETE FROM {plan.service}.retry WHERE (topic, partition, first_offset) = ($1, $2, $3)", *place
    )


async def _failure(work: Work, plan: LanePlan, record: Again) -> Failed | None:
    """Apply it; why that was not possible, and then nothing of it is left."""
    point = work.mark_point()
    try:
        message = plan.decode[record.topic](record)
        if message is None:
            return None
        read = Incoming(record.topic, record.partition, record.offset, record.timestamp, message, record)
        async with work.connection.transaction():
            await _apply(work, plan, Batch([read]))
        return None
    except Unreadable as broken:
        return Failed(broken.reason, broken.detail)
    except Sealed:
        return None
    except _ParkedAgain as again:
        work.back_to(point)
        plan.forget()
        return Failed(again.reason, again.detail)
    except TRANSIENT:
        raise
    except Exception as error:
        work.back_to(point)
        plan.forget()
        return Failed(HANDLER_RAISED, telemetry.where(error))


class _ParkedAgain(Exception):
    """The handler set it aside again."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


async def _apply(work: Work, plan: LanePlan, batch: Batch) -> None:
    before = len(work.parked)
    if plan.prepare is not None:
        await plan.prepare(batch)
    await plan.apply(batch, work)
    if len(work.parked) > before:
        parked = work.parked[-1]
        raise _ParkedAgain(parked.reason, parked.detail)
