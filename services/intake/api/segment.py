"""Segment's and RudderStack's addresses: single calls, batches, the browser's letters, imports.

Owns their routes; reading a call is domain/segment.py.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.api.answers import Refusal, readable
from services.intake.api.bodies import bounded_body
from services.intake.api.collector import Collector, without_key
from services.intake.domain.importing import read_import
from services.intake.domain.reading import read_body
from services.intake.domain.segment import BATCH, CALLS, SHORT_NAMES, read_calls, write_key_of
from services.runtime.http import answer


async def calls(request: Request) -> Response:
    """Segment's calls, single or in a batch; the key may stand in the body."""
    collector: Collector = request.app.state.collector
    raw = await bounded_body(request)
    body = readable(lambda: read_body(raw))
    source = await collector.source(request, write_key_of(body))
    call = request.url.path.rsplit("/", 1)[-1]
    own = await collector.own_table(source)
    return await collector.take(source, readable(lambda: read_calls(body, call, own)), without_key(request, raw))


async def imports(request: Request) -> Response:
    """Segment's batch, or JSON lines."""
    collector: Collector = request.app.state.collector
    raw = await bounded_body(request)
    key = None
    if not request.headers.get("authorization"):
        key = write_key_of(readable(lambda: read_body(raw)))
    source = await collector.source(request, key)
    own = await collector.own_table(source)
    return await collector.take(source, readable(lambda: read_import(raw, own)), without_key(request, raw))


async def project_settings(request: Request) -> Response:
    """What Segment's browser library asks first."""
    collector: Collector = request.app.state.collector
    source = await collector.door.sources.of_key(request.path_params["key"])
    if source is None:
        raise Refusal(404, "not_found", "no such write key")
    key = {"apiKey": request.path_params["key"]}
    # Without a rate the library sends counters of its own, which nobody here reads.
    return answer({"integrations": {"Segment.io": key}, "plan": {}, "metrics": {"sampleRate": 0}})


ROUTES = [
    *(Route(f"/v1/{call}", calls, methods=["POST"]) for call in (BATCH, "b", *CALLS, *SHORT_NAMES)),
    Route("/v1/import", imports, methods=["POST"]),
    Route("/v1/projects/{key}/settings", project_settings),
]
