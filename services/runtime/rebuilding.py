"""The process of a rebuild: `python -m services.<name> rebuild` works on whatever generation is beside the live one.

Owns waiting for one. After a swap it goes on with the generation that was live, untold, so that a rollback finds it
up to date. Halts as a worker does (exit 78); has no pages and no producer.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import uvloop

from services.runtime import telemetry
from services.runtime.beside import beside, schema_of
from services.runtime.host import EX_HALTED, START_PAUSE_S, BuildPlan, HostedLane, collect_rarely
from services.runtime.lane import HALTS
from services.runtime.postgres import CLOSE_TIMEOUT_S, TRANSIENT, Generation, ServiceSchema, connect
from services.runtime.rebuild import Rebuild
from services.runtime.settings import Settings

IDLE_S = 0.5


class Rebuilding:
    """Runs a `Rebuild` for each generation there is something to do for, one after the other."""

    def __init__(self, settings: Settings, schema: ServiceSchema, build: BuildPlan) -> None:
        self.settings = settings
        self.schema = schema
        self.build = build
        self._stopping = asyncio.Event()
        self._lane: Rebuild | None = None

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping.set()
        if self._lane is not None:
            self._lane.stop()

    async def run(self) -> None:
        """Until `stop`, or a halt, which is raised."""
        while not self._stopping.is_set():
            generation = await self._found()
            if generation is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), IDLE_S)
                continue
            self._lane = Rebuild(self.settings, await self.build(self.settings, generation), generation)
            telemetry.log.info("rebuild_started", generation=generation.number)
            await self._lane.run()
            telemetry.log.info("rebuild_ended", generation=generation.number)

    async def _found(self) -> Generation | None:
        """The generation to work on: one whose tables are this build's."""
        try:
            connection = await connect(self.settings, self.schema.service)
            try:
                begun = "SELECT to_regclass($1) IS NOT NULL"
                if not await connection.fetchval(begun, f"{self.schema.service}.beside"):
                    return None
                found = await beside(connection, self.schema.service)
            finally:
                await connection.close(timeout=CLOSE_TIMEOUT_S)
        except TRANSIENT as error:
            telemetry.log.warning("waiting_to_start", error=telemetry.where(error))
            await asyncio.sleep(START_PAUSE_S)
            return None
        if found is None or found.tables != self.schema.fingerprint:
            return None
        return Generation(found.generation, 0, schema_of(self.schema.service, found.generation))


def run_rebuild(hosted: HostedLane) -> None:
    """Run until a signal, a crash (exit 1) or a halt (exit 78)."""
    settings = Settings(silent=True)
    telemetry.configure_logging(f"{hosted.service}.rebuild", settings.log_level, settings.log_json)
    collect_rarely()
    rebuilding = Rebuilding(settings, hosted.schema, hosted.build)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, rebuilding.stop)
        await rebuilding.run()

    try:
        uvloop.run(run())
    except HALTS as halt:
        telemetry.log.error("worker_halted", reason=getattr(halt, "reason", ""), detail=str(halt))
        sys.exit(EX_HALTED)
