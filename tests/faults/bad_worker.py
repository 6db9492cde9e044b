"""`python -m tests.faults.bad_worker worker`: a real worker of BAD_SERVICE with a bug planted in its handler.

Owns the bug: BAD_ALL=1 raises on every record; else an event whose id is `bad-N-...` makes the handler raise N
times, `bad-ever-...` always. All else is the service's own, hosted as its own worker is.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from importlib import import_module

from schemas.envelope import Event
from services.runtime.batch import Batch, LanePlan, Work
from services.runtime.host import run_worker, worker_app
from services.runtime.postgres import Generation
from services.runtime.settings import Settings

SERVICE = os.environ["BAD_SERVICE"]
EVERY_RECORD = os.environ.get("BAD_ALL") == "1"


class PlantedError(Exception):
    """What a bug in a handler would raise."""


async def plan(settings: Settings, generation: Generation) -> LanePlan:
    """The service's plan with the bug in it."""
    real: LanePlan = await import_module(f"services.{SERVICE}.handlers").plan(settings, generation)
    raised: Counter[str] = Counter()

    async def apply(batch: Batch, work: Work) -> None:
        await real.apply(batch, work)
        if EVERY_RECORD and batch.records:
            raise PlantedError
        for incoming in batch.records:
            message = incoming.message
            if isinstance(message, Event) and message.id.startswith("bad-"):
                times = message.id.split("-")[1]
                if times == "ever" or raised[message.id] < int(times):
                    raised[message.id] += 1
                    raise PlantedError

    return dataclasses.replace(real, apply=apply)


if __name__ == "__main__":
    run_worker(worker_app(SERVICE, plan, grouped=SERVICE == "interaction", event_sourced=True))
