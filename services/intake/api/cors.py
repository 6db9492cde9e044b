"""Which browsers may send from other origins: all of them, everywhere.

Owns CORS. Snowplow's tracker sends with credentials, which browsers allow only where the answer names their origin.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PREFLIGHT_S = 86_400
METHODS = ["GET", "POST", "OPTIONS"]
EXPOSED = ["Retry-After", "C360-Position"]
WITH_CREDENTIALS = ("/com.snowplowanalytics.snowplow/", "/i")
"""Paths that name the origin; nothing here depends on a cookie, so that this lets nobody do more."""


class Cors:
    """Answers preflight questions and marks answers, by path."""

    def __init__(self, app: ASGIApp) -> None:
        self._everybody = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=PREFLIGHT_S,
        )
        self._named = CORSMiddleware(
            app,
            allow_origin_regex=".*",
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=PREFLIGHT_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope.get("path", "")
        named = path == WITH_CREDENTIALS[1] or path.startswith(WITH_CREDENTIALS[0])
        await (self._named if named else self._everybody)(scope, receive, send)
