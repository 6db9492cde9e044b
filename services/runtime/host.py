"""Faust hosts: worker command, lifecycle, supervision. It does not consume; lanes do (docs/decisions/0001).

Owns the process of a worker: a faust.App whose services are one lane, its watchdog and its pages.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import faust
import mode
import uvloop
from aiokafka.errors import KafkaError
from faust.app.base import BootStrategy
from kafka.errors import KafkaError as AdminError

from services.runtime import telemetry
from services.runtime.applying import SUPERSEDED
from services.runtime.batch import LanePlan
from services.runtime.lane import HALTS, Lane
from services.runtime.pages import OWN_PORT, Pages, worker_pages
from services.runtime.postgres import TRANSIENT, Generation, SchemaHalt, ServiceSchema, prepare
from services.runtime.report import LaneState
from services.runtime.settings import Settings
from services.runtime.topics import ensure_topics

EX_HALTED = 78
"""Exit code of a worker that halted on purpose; a supervisor must not start it again by itself."""
WATCHDOG_EVERY_S = 2.0
START_PAUSE_S = 1.0
GARBAGE_OBJECTS = 200_000
"""More than a batch of households has at work at a time: with a quarter of it a record of theirs cost 9 % more."""
GARBAGE_ROUNDS = (20, 50)

BuildPlan = Callable[[Settings, Generation], Awaitable[LanePlan]]
BuildApi = Callable[[Settings], Any]


class Stuck(RuntimeError):
    """The lane fetches nothing although its partitions have records: the process ends and is started again."""


async def _has_lag(lane: Lane) -> bool:
    try:
        return await lane.feed.lag() > 0
    except KafkaError as error:
        # The broker is away: nobody can make progress, and the lane says so itself.
        telemetry.log.info("lag_unknown", error=telemetry.where(error))
        return False


class _LanesOnly(BootStrategy):
    """No Kafka of Faust's own, no pages of Faust's own."""

    enable_kafka = False
    enable_kafka_consumer = False
    enable_kafka_producer = False
    enable_web = False


class HostedLane(mode.Service):
    """One service's lane under Faust's supervision: a crash of the lane ends the process."""

    abstract = False

    def __init__(self, service: str, schema: ServiceSchema, build: BuildPlan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.service = service
        self.schema = schema
        self.build = build
        self.lane: Lane | None = None
        self.halt: BaseException | None = None

    @mode.Service.task
    async def _run(self) -> None:
        settings = Settings()
        try:
            while not await self._run_generation(settings):
                telemetry.log.info("lane_superseded")
        except HALTS as halt:
            self.halt = halt
            telemetry.log.error("worker_halted", reason=getattr(halt, "reason", ""), detail=str(halt))
            raise

    async def _run_generation(self, settings: Settings) -> bool:
        """Work on the live generation until told to stop; False when another was made live meanwhile."""
        generation = await self._prepared(settings)
        self.lane = Lane(settings, await self.build(settings, generation), generation)
        telemetry.log.info("lane_started", worker=settings.worker_index, generation=generation.number)
        try:
            await self.lane.run()
        except SchemaHalt as halt:
            if halt.reason != SUPERSEDED:
                raise
            return False
        return True

    async def _prepared(self, settings: Settings) -> Generation:
        while True:
            try:
                await ensure_topics(settings)
                return await prepare(settings, self.schema)
            except (KafkaError, AdminError, *TRANSIENT) as error:
                telemetry.log.warning("waiting_to_start", error=telemetry.where(error))
                await asyncio.sleep(START_PAUSE_S)

    @mode.Service.task
    async def _watchdog(self) -> None:
        """aiokafka may never rejoin after a broker restart, without a sign of it."""
        limit_s = Settings().watchdog_s
        while not self.should_stop:
            await self.sleep(WATCHDOG_EVERY_S)
            lane = self.lane
            if lane is None or lane.state != LaneState.FETCHING:
                continue
            if time.monotonic() - lane.progress_at > limit_s and await _has_lag(lane):
                raise Stuck(f"no progress for {limit_s:.0f} s with records waiting")

    async def on_stop(self) -> None:
        """Let the batch at hand finish."""
        if self.lane is not None:
            self.lane.stop()
            await self.lane.ended.wait()


class WorkerApp(faust.App):
    """A faust.App that hosts one lane."""

    BootStrategy = _LanesOnly

    def __init__(self, hosted: HostedLane, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hosted = hosted


def worker_app(
    service: str,
    build: BuildPlan,
    *,
    api: BuildApi | None = None,
    port: str = "",
    grouped: bool = False,
    event_sourced: bool = False,
) -> WorkerApp:
    """The service's faust.App: `faust -A services.<service> worker`, or `python -m services.<service> worker`.

    `api` builds an ASGI application served in the same process on the settings field named `port`.
    """
    schema = ServiceSchema.of(service, grouped=grouped, event_sourced=event_sourced)
    hosted = HostedLane(service, schema, build)
    app = WorkerApp(
        hosted,
        f"c360-{service}",
        broker="kafka://unused",
        web_enabled=False,
        topic_disable_leader=True,
        store="memory://",
        datadir=Path(tempfile.gettempdir()) / "c360-faust",
    )
    served: list[Any] = [hosted, Pages(lambda settings: worker_pages(hosted), OWN_PORT)]
    if api is not None:
        served.append(Pages(api, port))
    for one in served:
        app.service(one)
    return app


def collect_rarely() -> None:
    """Batches make many objects and hardly a cycle: looking for cycles less often costs no memory to speak of.

    What the imports have made is never looked at again: with caches of 100,000 entries a full look takes 100 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, *GARBAGE_ROUNDS)


def run_worker(app: WorkerApp) -> None:
    """Run until a signal, a crash (exit 1) or a halt (exit 78)."""
    settings = Settings()
    telemetry.configure_logging(app.hosted.service, settings.log_level, settings.log_json)
    collect_rarely()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = faust.Worker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        sys.exit(EX_HALTED if app.hosted.halt is not None else end.code)
