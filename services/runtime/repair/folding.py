"""The scratch: generation 0, never live, in which the service's own handlers fold the log of some records anew.

Owns its tables, which are dropped and made again for every attempt, and which records of the log are folded. Tells
nothing. Who is interrupted begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.codec import header
from schemas.events.retraction import RETRACTED
from services.runtime import parking, telemetry
from services.runtime.batch import Batch, Incoming, LanePlan, Work
from services.runtime.beside import Ends, Refused, is_reviewed, schema_of
from services.runtime.host import BuildPlan
from services.runtime.parking import HANDLER_RAISED, HandlerBroken, Suspicion
from services.runtime.postgres import (
    CLOSE_TIMEOUT_S,
    TRANSIENT,
    Generation,
    OwnConnection,
    ServiceSchema,
    connect,
    derive,
)
from services.runtime.repair.log import Log
from services.runtime.settings import Settings

SCRATCH = 0
"""The number of a generation that is never live: those begin at 1."""
FOLDED_AT_ONCE = 500
REVIEWS_MAX = 10_000


class Scratch:
    """One service's scratch; `keys` are those of the messages that are folded."""

    def __init__(self, settings: Settings, schema: ServiceSchema, plan: LanePlan, connection: OwnConnection) -> None:
        self.settings = settings
        self.schema = schema
        self.plan = plan
        self.connection = connection
        self.name = schema_of(schema.service, SCRATCH)
        self.keys: frozenset[bytes] = frozenset()
        self.reached: Ends = {}
        self.folded = 0
        self._suspicion = Suspicion()

    @classmethod
    async def open(cls, settings: Settings, schema: ServiceSchema, build: BuildPlan) -> Scratch:
        """Connected, without tables yet."""
        name = schema_of(schema.service, SCRATCH)
        plan = await build(settings, Generation(SCRATCH, 0, name))
        return cls(settings, schema, plan, await connect(settings, f"{name},{schema.service}"))

    async def begin(self, keys: set[str]) -> None:
        """Empty tables, for these keys."""
        await self.drop()
        async with self.connection.transaction():
            await derive(self.connection, self.schema, SCRATCH)
        # What the plan remembers is of tables that are no more.
        self.plan.forget()
        await self.connection.reload_schema_state()
        if self.plan.begin is not None:
            await self.plan.begin(self.connection)
        self.keys, self.reached, self.folded = frozenset(k.encode() for k in keys), {}, 0

    async def drop(self) -> None:
        """Without tables again."""
        await self.connection.execute(f"DROP SCHEMA IF EXISTS {self.name} CASCADE")

    async def close(self) -> None:
        """Disconnect."""
        await self.connection.close(timeout=CLOSE_TIMEOUT_S)

    async def fold(self, log: Log, to: Ends) -> None:
        """Fold what lies before these offsets and was not folded yet. Raises Refused when the handlers fail."""
        try:
            async for records in log.read(self.reached, to):
                kept = [r for r in records if self._concerns(r)]
                for start in range(0, len(kept), FOLDED_AT_ONCE):
                    await self._apply(kept[start : start + FOLDED_AT_ONCE])
        except HandlerBroken as broken:
            raise Refused(f"the code at work fails on record after record: {broken}") from None
        self.reached = self.reached | to

    async def look_again(self) -> None:
        """What a change of the policy asks for. Raises Refused when that does not end."""
        for _ in range(REVIEWS_MAX):
            async with self.connection.transaction():
                more = self.plan.spare is not None and await self.plan.spare(Work(self.connection, 0))
            if not more and await is_reviewed(self.connection, self.schema.service, self.name):
                return
        raise Refused("the policy changes all the time")

    def _concerns(self, record: Any) -> bool:
        """Also any word that takes an event back: it may stand under another record than the event."""
        return record.key in self.keys or header(record.headers, "ce_type") == RETRACTED

    async def _apply(self, records: Sequence[Any]) -> None:
        read, parked, _ = self.plan.read(records)
        async with self.connection.transaction():
            for work in await self._worked(read):
                parked += work.parked
            await parking.write(self.connection, parked, self.settings.build)
        self.folded += len(read)

    async def _worked(self, read: Sequence[Incoming]) -> list[Work]:
        """All at once; where the handler raises, one by one, and what it fails on is parked."""
        if not read:
            return []
        try:
            works = [await self._handled(read)]
        except TRANSIENT:
            raise
        except Exception as error:
            telemetry.log.warning("repair_one_by_one", error=telemetry.where(error), records=len(read))
            self.plan.forget()
            works = [await self._alone(one) for one in read]
        else:
            self._suspicion.passed(len(read))
        return works

    async def _alone(self, one: Incoming) -> Work:
        try:
            work = await self._handled([one])
        except TRANSIENT:
            raise
        except Exception as error:
            self.plan.forget()
            self._suspicion.failed(one.place)
            work = Work(self.connection, 0)
            work.park(one, HANDLER_RAISED, telemetry.where(error))
        else:
            self._suspicion.passed(1)
        return work

    async def _handled(self, read: Sequence[Incoming]) -> Work:
        """In a savepoint. What would be told is forgotten."""
        work = Work(self.connection, 0)
        async with self.connection.transaction():
            await self.plan.apply(Batch(read), work)
        return work
