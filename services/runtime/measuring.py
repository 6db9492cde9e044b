"""How long doors take to answer: any ASGI application, with a metric by route and status.

Owns the measure: from a request's arrival to the first byte of its answer. Never labels with what was asked for.
"""

from __future__ import annotations

import time
from typing import Any

from services.runtime import telemetry

NO_ROUTE = "none"
"""Of what no route serves: paths are anybody's text."""


class Measured:
    """An application whose answers are timed."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        began = time.monotonic()

        async def timed(message: Any) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", NO_ROUTE)
                telemetry.HTTP_SECONDS.labels(route, message["status"]).observe(time.monotonic() - began)
            await send(message)

        await self.application(scope, receive, timed)
