"""What a source may ask about itself.

Owns the route of its last events.
"""

from __future__ import annotations

from aiokafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.api.answers import Refusal
from services.intake.api.collector import Collector
from services.intake.recent import STATES
from services.runtime.http import answer


async def recent(request: Request) -> Response:
    """The last events of a source, newest first, with what became of each: `state` chooses one."""
    collector: Collector = request.app.state.collector
    source = await collector.source(request)
    if source.name != request.path_params["name"]:
        raise Refusal(403, "forbidden", "a write key may look at its own source")
    state = request.query_params.get("state")
    if state is not None and state not in STATES:
        raise Refusal(400, "bad_request", f"state is one of {', '.join(STATES)}")
    try:
        listed = await collector.door.recent.of(source.name)
    except KafkaError:
        raise Refusal(503, "unavailable", "the log does not answer; ask again", 1) from None
    applied = await collector.applied([one.event_id for one in listed if one.event_id is not None])
    shown = [one.shown(applied) for one in listed]
    return answer({"source": source.name, "events": [one for one in shown if state in (None, one["state"])]})


ROUTES = [Route("/v1/sources/{name}/recent", recent)]
