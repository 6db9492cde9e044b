"""Snowplow's addresses: the tracker protocol by POST, and by GET as a picture of one pixel.

Owns their routes and how an app is told to be a source; reading an event is domain/snowplow.py.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.api.answers import readable
from services.intake.api.bodies import bounded_body
from services.intake.api.collector import Collector, position, success, unauthorised, without, without_key
from services.intake.domain.model import Parked, Raw, Source
from services.intake.domain.reading import read_body
from services.intake.domain.reasons import Reason
from services.intake.domain.snowplow import app_id_of, events_of, read_tracked
from services.runtime.waiting import Ends, merge

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
KEY_PARAMETERS = ("writeKey", "write_key")
APPS_MAX = 20
"""Apps of one request that are looked up; events of more are of an unknown app."""


async def posted(request: Request) -> Response:
    """A self-describing JSON with a list of events."""
    raw = await bounded_body(request)
    sent = readable(lambda: events_of(read_body(raw)))
    return success(await _take(request, sent, raw))


async def pixel(request: Request) -> Response:
    """One event in the address."""
    sent = {k: v for k, v in request.query_params.items() if k not in KEY_PARAMETERS}
    ends = await _take(request, [sent], orjson.dumps({"data": [sent]}))
    return Response(PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store", **position(ends)})


async def _take(request: Request, sent: Sequence[Any], raw: bytes) -> Ends:
    """Take the events for the source of the request's key, else each for that of its app. Raises Refusal."""
    collector: Collector = request.app.state.collector
    keys = [request.query_params.get(name) for name in KEY_PARAMETERS]
    if any(keys) or "authorization" in request.headers:
        source = await collector.source(request, *keys)
        read = read_tracked(sent, await collector.own_table(source))
        return (await collector.taken(source, read, without_key(request, raw))).ends
    apps = [app_id_of(one) for one in sent]
    by_key: dict[str, Source] = {}
    by_app: dict[str, Source] = {}
    for app in [app for app in dict.fromkeys(apps) if app is not None][:APPS_MAX]:
        await _look_up(collector, app, by_key, by_app)
    known = by_app | by_key
    first = next((known[app] for app in apps if app is not None and app in known), None)
    if first is None:
        raise unauthorised()
    # An app id that is a write key is a secret: it goes neither into the log nor among what is parked.
    for key in by_key:
        raw = without(raw, key)
    of_source: dict[str, tuple[Source, list[Any]]] = {}
    for named, one in zip(apps, sent, strict=True):
        of_app = known.get(named or "")
        if of_app is not None:
            told = _without_app(one) if named in by_key else one
            of_source.setdefault(of_app.name, (of_app, []))[1].append(told)
    unknown: list[Raw | Parked] = [Parked(Reason.UNKNOWN_APP) for named in apps if (named or "") not in known]
    ends: Ends = {}
    for source, told_by_it in of_source.values():
        read = read_tracked(told_by_it, await collector.own_table(source))
        read += unknown if source.name == first.name else []
        ends = merge(ends, (await collector.taken(source, read, raw)).ends)
    return ends


async def _look_up(collector: Collector, app: str, by_key: dict[str, Source], by_app: dict[str, Source]) -> None:
    """Note whose this app is: its id may be a write key, or listed by a source."""
    of_key = await collector.door.sources.of_key(app)
    of_app = await collector.door.sources.of_app(app)
    if of_key is not None:
        by_key[app] = of_key
    if of_app is not None:
        by_app[app] = of_app


def _without_app(sent: Any) -> Any:
    return {name: value for name, value in sent.items() if name != "aid"}


ROUTES = [
    *(Route(f"/com.snowplowanalytics.snowplow/tp2{end}", posted, methods=["POST"]) for end in ("", "/")),
    Route("/i", pixel, methods=["GET"]),
]
