"""The address of CloudEvents, in binary, structured and batch mode.

Owns its route; reading an event is domain/cloudevents.py.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.api.answers import readable
from services.intake.api.bodies import bounded_body
from services.intake.api.collector import Collector
from services.intake.domain.cloudevents import read_http


async def events(request: Request) -> Response:
    """CloudEvents in any mode."""
    collector: Collector = request.app.state.collector
    source = await collector.source(request)
    raw = await bounded_body(request)
    return await collector.take(source, readable(lambda: read_http(request.headers, raw)), raw)


ROUTES = [Route("/events", events, methods=["POST"])]
