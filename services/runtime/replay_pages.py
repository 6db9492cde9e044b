"""A service's internal pages of replays: GET /replay, /replay/plan, /replay/diff, /verify; POST /replay/{step}.

Owns the answers. diff and verify answer in JSON lines, {"progress"} while they work and {"result"} or {"refused"} at
the end. They work whatever tables the live generation has, so a build whose tables are others can replace it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from schemas.topics import TOPICS
from services.runtime.batch import LanePlan
from services.runtime.beside import Refused
from services.runtime.comparing import SAMPLES_MAX, diff, verify
from services.runtime.generations import By, Generations
from services.runtime.host import BuildPlan
from services.runtime.http import Problem, answer, whole
from services.runtime.json_lines import Progress, in_lines
from services.runtime.level import Level, level
from services.runtime.planning import planned, standing
from services.runtime.postgres import Generation, ServiceSchema
from services.runtime.settings import Settings
from services.runtime.uncompared import uncompared
from services.runtime.watch import Ending

RATE_DEFAULT, RATE_MAX = 2_000, 1_000_000
SAMPLES_DEFAULT = 10
STEPS = ("start", "pause", "resume", "abort", "swap", "rollback")

Compare = Callable[[Level, Callable[[str], None]], Awaitable[dict[str, Any]]]


def replay_pages(settings: Settings, schema: ServiceSchema, build: BuildPlan, ending: Ending) -> list[BaseRoute]:
    """The routes of one service."""
    pages = ReplayPages(settings, schema, build, ending)
    return [
        Route("/replay", pages.status),
        Route("/replay/plan", pages.plan),
        Route("/replay/diff", pages.diff),
        Route("/verify", pages.verify),
        *(Route(f"/replay/{step}", pages.step, methods=["POST"], name=step) for step in STEPS),
    ]


class ReplayPages:
    """What the routes answer."""

    def __init__(self, settings: Settings, schema: ServiceSchema, build: BuildPlan, ending: Ending) -> None:
        self.settings = settings
        self.schema = schema
        self.build = build
        self.ending = ending
        self.generations = Generations(settings, schema)
        self.heard = sorted(t.name for t in TOPICS.values() if schema.service in t.read_by)

    async def status(self, _request: Request) -> Response:
        """What is live, what is beside it and how far, what is still told after a swap, every step taken."""
        async with self.generations.inputs() as connection:
            return answer(await standing(connection, self.schema, await self.ending.ends(self.heard)))

    async def plan(self, request: Request) -> Response:
        """What a rebuild would read, how long it would take at `rate`, and how large it would be."""
        rate = whole(request.query_params.get("rate"), RATE_DEFAULT, 1, RATE_MAX)
        async with self.generations.inputs() as connection:
            try:
                return answer(await planned(connection, self.schema, await self.ending.ends(self.heard), rate))
            except Refused as refused:
                raise Problem("refused", str(refused)) from None

    async def step(self, request: Request) -> Response:
        """One step: {by, reason, execute, rate}. Without `execute` it only tells whether it could be taken."""
        what = request.url.path.rpartition("/")[2]
        by, execute, rate = await _sent(request)
        try:
            return answer({"execute": execute, **await self._taken(what, by, execute, rate)})
        except Refused as refused:
            raise Problem("refused", str(refused)) from None

    async def _taken(self, what: str, by: By, execute: bool, rate: int | None) -> dict[str, Any]:
        steps = self.generations
        if what == "start":
            return {"generation": await steps.start(rate or RATE_DEFAULT, by, execute=execute)}
        if what == "abort":
            return {"generation": await steps.abort(by, execute=execute)}
        if what in ("swap", "rollback"):
            done = await steps.swap(by, back=what == "rollback", execute=execute)
            return {"live": done.live, "other": done.other, "epoch": done.epoch, "waited_ms": done.waited_ms}
        if not execute:
            async with steps.inputs() as connection:
                return {"standing": (await standing(connection, self.schema, {}))["beside"]}
        return {"generation": await (steps.pause(by) if what == "pause" else steps.resume(by, rate))}

    async def diff(self, request: Request) -> Response:
        """Told states of both generations at the same positions."""
        samples = whole(request.query_params.get("samples"), SAMPLES_DEFAULT, 0, SAMPLES_MAX)
        plan = await self._plan()

        async def compare(both: Level, progress: Callable[[str], None]) -> dict[str, Any]:
            return {"topics": await diff(both, plan.tells, samples, progress)}

        return self._compared(compare)

    async def verify(self, _request: Request) -> Response:
        """Checksums of both generations' tables at the same positions."""

        async def compare(both: Level, progress: Callable[[str], None]) -> dict[str, Any]:
            return await verify(both, uncompared(self.schema.service), progress)

        return self._compared(compare)

    async def _plan(self) -> LanePlan:
        """The service's plan, for how it reads what it tells; nothing runs by it."""
        return await self.build(self.settings, Generation(0, 0, self.schema.service))

    def _compared(self, compare: Compare) -> Response:
        async def act(progress: Progress) -> dict[str, Any]:
            async with level(self.generations) as both:
                result = await compare(both, progress)
                return result | {"live": both.live_number, "rebuilt": both.other_number, "at": _listed(both)}

        return in_lines(act)


def _listed(both: Level) -> list[list[Any]]:
    return [[topic, partition, offset] for (topic, partition), offset in sorted(both.at.items())]


async def _sent(request: Request) -> tuple[By, bool, int | None]:
    try:
        body = orjson.loads(await request.body())
        by = By(str(body["by"]), str(body.get("reason") or ""))
        rate = body.get("rate")
        if rate is not None and not (type(rate) is int and 1 <= rate <= RATE_MAX):
            raise ValueError
        return by, body.get("execute") is True, rate
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Problem("bad-request", f"a step has by, reason, execute and rate (1 to {RATE_MAX:,})") from None
