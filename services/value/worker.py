"""Value's worker: `faust -A services.value worker` or `python -m services.value worker`."""

from __future__ import annotations

from dataclasses import replace

from services.runtime.batch import LanePlan, Work
from services.runtime.host import worker_app
from services.runtime.postgres import Generation
from services.runtime.settings import Settings
from services.value.handlers import clock_us, plan
from services.value.refits import Refits


async def with_refits(settings: Settings, generation: Generation) -> LanePlan:
    """The lane's plan, and with its other spare work the nightly refit is started when it is due."""
    planned = await plan(settings, generation)
    refits, own = Refits(settings), planned.spare

    async def spare(work: Work) -> bool:
        if await refits.look(work.connection, clock_us()):
            work.counts["refit_started"] += 1
        return own is not None and await own(work)

    return replace(planned, spare=spare)


app = worker_app("value", with_refits, grouped=True, event_sourced=True)
