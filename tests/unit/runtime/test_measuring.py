"""Answers are timed by route and status; what was asked for is in no label."""

from __future__ import annotations

import asyncio

import httpx
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from services.runtime.measuring import Measured
from services.runtime.telemetry import HTTP_SECONDS


async def _who(request: Request) -> PlainTextResponse:
    return PlainTextResponse("", 503 if request.path_params["name"] == "down" else 200)


def _counted(route: str, status: str) -> float:
    return REGISTRY.get_sample_value("c360_http_seconds_count", {"route": route, "status": status}) or 0


def test_answers_are_counted_by_their_routes_pattern_and_nobody_is_in_a_label() -> None:
    inner = Starlette(routes=[Route("/who/{name}", _who)])
    app = Measured(Starlette(routes=[Route("/who/{name}", _who), Mount("/deep", app=inner)]))
    before = {s: _counted("/who/{name}", s) for s in ("200", "503")}
    unserved = _counted("none", "404")

    async def act() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://c360") as client:
            for path in ("/who/ann@x.com", "/who/down", "/deep/who/ann@x.com", "/ann@x.com"):
                await client.get(path)

    asyncio.run(act())
    assert _counted("/who/{name}", "503") == before["503"] + 1
    assert _counted("/who/{name}", "200") == before["200"] + 2
    assert _counted("none", "404") == unserved + 1
    (metric,) = HTTP_SECONDS.collect()
    assert not any("ann" in value for sample in metric.samples for value in sample.labels.values())
