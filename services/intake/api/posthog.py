"""PostHog's addresses: captured events in all forms, and questions for flags, which have none here.

Owns their routes; reading a message is domain/posthog.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.api.answers import readable
from services.intake.api.bodies import bounded_body, unwrapped
from services.intake.api.collector import Collector, position, without_key
from services.intake.domain.mapping import Table
from services.intake.domain.model import Parked, Raw
from services.intake.domain.posthog import BATCH, Sending, keys_of, read_captured, uuid_of
from services.intake.domain.reading import read_body
from services.intake.domain.reasons import EXPLANATIONS
from services.intake.domain.timing import of_ms
from services.runtime.http import answer

CAPTURE_PATHS = ("/batch", "/capture", "/e", "/i/v0/e")
FLAG_PATHS = ("/flags", "/decide")
KEY_PARAMETERS = ("token", "api_key")
SENT_AT_PARAMETER = "_"
"""Browsers say in the address when they sent, in ms since 1970."""
SENT_AT_HEADER = "posthog-request-timestamp"
OK, DROP = "ok", "drop"

NO_FLAGS: dict[str, Any] = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
    "quotaLimited": [],
}
NOTHING_MORE: dict[str, Any] = {
    "supportedCompression": ["gzip", "gzip-js", "base64"],
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "surveys": False,
    "heatmaps": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "siteApps": [],
    "toolbarParams": {},
    "isAuthenticated": False,
    "defaultIdentifiedOnly": True,
}
"""What a browser's library should not do, because nobody would hear it."""


async def capture(request: Request) -> Response:
    """Events, single, in a list or in a batch, whatever they are wrapped in."""
    collector: Collector = request.app.state.collector
    raw = unwrapped(await bounded_body(request))
    body = readable(lambda: read_body(raw))
    source = await collector.source(request, *keys_of(body), *_key_parameters(request))
    sending = Sending(datetime.now(UTC), _sent_at(request))
    own = await collector.own_table(source)
    read = readable(lambda: read_captured(body, sending, own))
    return await collector.take(source, read, without_key(request, raw))


async def events(request: Request) -> Response:
    """A batch that is answered event by event: uuid → result, by which the client sends none again."""
    collector: Collector = request.app.state.collector
    raw = await bounded_body(request)
    body = readable(lambda: read_body(raw))
    source = await collector.source(request, *keys_of(body))
    sending = Sending(datetime.now(UTC), request.headers.get(SENT_AT_HEADER))
    events, of_message = _by_message(body, sending, await collector.own_table(source))
    taken = await collector.taken(source, events, without_key(request, raw))
    results: dict[str, dict[str, str]] = {}
    for uuid, indices in of_message:
        parked = [r for r in (taken.results[i] for i in indices) if isinstance(r, Parked)]
        results[uuid] = {"result": OK} if not parked else {"result": DROP, "details": _details(parked[0])}
    return answer({"results": results}, 200, position(taken.ends))


async def flags(_request: Request) -> Response:
    """No flags: nobody's behaviour here depends on PostHog's."""
    return answer({**NO_FLAGS, "config": {"enable_collect_everything": False}, **NOTHING_MORE})


async def remote_config(request: Request) -> Response:
    """What the browser's library asks before it sends."""
    return answer({"token": request.path_params["token"], **NOTHING_MORE})


def _by_message(
    body: Any, sending: Sending, own: Table | None
) -> tuple[list[Raw | Parked], list[tuple[str, list[int]]]]:
    """All events of a batch, and for each message that has an id: the id and where its events stand."""
    messages = body.get(BATCH) if isinstance(body, dict) else None
    if not isinstance(messages, list):
        return readable(lambda: read_captured({BATCH: None}, sending)), []
    events: list[Raw | Parked] = []
    places: list[tuple[str, list[int]]] = []
    for message in messages:
        made = read_captured([message], sending, own)
        uuid = uuid_of(message)
        if uuid is not None:
            places.append((uuid, list(range(len(events), len(events) + len(made)))))
        events += made
    return events, places


def _details(parked: Parked) -> str:
    return f"parked: {parked.reason}. {EXPLANATIONS.get(parked.reason, '')}".strip()


def _key_parameters(request: Request) -> list[str | None]:
    return [request.query_params.get(name) for name in KEY_PARAMETERS]


def _sent_at(request: Request) -> str | None:
    text = request.query_params.get(SENT_AT_PARAMETER, "")
    return of_ms(text) if text.isdecimal() else None


ROUTES = [
    *(Route(f"{path}{end}", capture, methods=["POST"]) for path in CAPTURE_PATHS for end in ("", "/")),
    *(Route(f"/i/v1/analytics/events{end}", events, methods=["POST"]) for end in ("", "/")),
    *(Route(f"{path}{end}", flags, methods=["GET", "POST"]) for path in FLAG_PATHS for end in ("", "/")),
    Route("/array/{token}/config", remote_config),
]
