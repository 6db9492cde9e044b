"""The nightly refit, in a process of its own beside the lane: `python -m services.value.refit`.

Owns the order of its steps: be the only one, look whether it is due, read, fit, and in one transaction put in force
what holds its guard rails and note what came of it. Whoever kills it loses nothing: what is not noted is due still.
"""

from __future__ import annotations

import asyncio
import os
import sys
from zoneinfo import ZoneInfo

from services.runtime import control, policies, telemetry
from services.runtime.exclusive import alone
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection, ServiceSchema, prepare
from services.runtime.settings import Settings
from services.value.domain.fitting import TooLittle
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import business_day
from services.value.domain.refitting import PROMOTED, REFUSED, TOO_LITTLE, Outcome, due_day, outcome_of
from services.value.handlers import POLICY, clock_us
from services.value.refits import DAY_US
from services.value.store import refits
from services.value.views import foreseeing

BY = "value.refit"
LESS_URGENT = 10
"""Nice: whoever answers and applies comes first."""
NOT_DUE, BUSY, OVERTAKEN = "not_due", "busy", "overtaken"
"""Nothing came of it: somebody else does it or has done it, or set another policy meanwhile."""


async def refit(settings: Settings, now_us: int) -> str:
    """Do what is due at this moment; what it came to. Raises what TRANSIENT lists."""
    generation = await prepare(settings, ServiceSchema.of("value", grouped=True, event_sourced=True))
    async with alone(settings, f"{generation.schema}, value", "c360.value.refit") as connection:
        if connection is None:
            return BUSY
        found = await _fit(settings, connection, now_us)
        if found == PROMOTED:
            await control.tell_or_later(settings, connection, "value")
        return found


async def _fit(settings: Settings, connection: Connection, now_us: int) -> str:
    zone, holder = ZoneInfo(settings.business_timezone), PolicyInForce[Policy](POLICY, read_policy)
    policy = await holder.hold(connection)
    day = due_day(now_us, holder.since_ms * 1_000, settings.value_refit_hour, zone)
    if day is None or policy.prediction is None or await refits.is_done(connection, day):
        return NOT_DUE
    document = (await policies.in_force(connection, POLICY))["document"]
    try:
        proposed = await foreseeing.fit(connection, document, policy, business_day(now_us, zone))
        outcome = outcome_of(proposed)
    except TooLittle as little:
        outcome = Outcome(TOO_LITTLE, reasons=(str(little),))
    return await _settle(connection, day, holder.number, outcome)


async def _settle(connection: Connection, day: int, number: int, outcome: Outcome) -> str:
    """What it came to counts and is noted, both or neither; not where the policy is another than it began with."""
    async with connection.transaction():
        now = await connection.fetchval("SELECT number FROM in_force WHERE name = $1 FOR UPDATE", POLICY)
        if now != number:
            return OVERTAKEN
        if outcome.outcome == PROMOTED and outcome.document is not None:
            read_policy(outcome.document)
            await policies.change(connection, POLICY, outcome.document, BY, f"nightly refit, model {outcome.version}")
        await refits.note(connection, day, outcome)
    if outcome.outcome == REFUSED:
        telemetry.log.warning("refit_refused", version=outcome.version, reasons=list(outcome.reasons))
    return outcome.outcome


def main() -> int:
    """Once, by the clock; 0 whatever it came to."""
    settings = Settings()
    telemetry.configure_logging("value", settings.log_level, settings.log_json)
    os.nice(LESS_URGENT)
    outcome = asyncio.run(refit(settings, clock_us() + settings.value_days_ahead * DAY_US))
    telemetry.log.info("refit_ended", outcome=outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
