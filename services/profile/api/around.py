"""What is done around every call: browsers are told which pages may ask, and reads of personal data are noted.

Owns the headers of CORS and when a read is noted; what is noted and kept is access/auditing.py.
"""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.profile.access import CHECKED, PII
from services.profile.api.doors import TELLS_OF, Doors
from services.profile.domain import origins
from services.profile.inputs import ApiKey
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.postgres import AWAY

TELL_NOTHING = ("/stream",)
"""Ends of paths of calls that tell nothing personal."""


class Around:
    """ASGI around the application."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self.app, self.doors = app, doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        if origin is not None and scope["method"] == "OPTIONS":
            await self._preflight(origin, scope, receive, send)
            return

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                key = scope.get(CHECKED)
                if origin is not None and key is not None and origins.allows(key.origins, origin):
                    told = origins.answered(origin).items()
                    message["headers"] += [(name.lower().encode(), value.encode()) for name, value in told]
                if message["status"] == 200 and key is not None and PII in key.scopes:
                    self._note(scope, key)
            await send(message)

        await self.app(scope, receive, answered)

    async def _preflight(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            allowed = await self.doors.access.may_ask_from(origin)
        except AWAY as error:
            telemetry.log.warning("database_unavailable", error=telemetry.where(error))
            response = Problem("unavailable", "the database does not answer", {"Retry-After": "1"}).answer()
        else:
            refused = Problem("forbidden", "no key allows this origin")
            response = Response(status_code=204, headers=origins.preflight(origin)) if allowed else refused.answer()
        await response(scope, receive, send)

    def _note(self, scope: Scope, key: ApiKey) -> None:
        """Who is named in the path of a GET, and whom the call itself names."""
        path = getattr(scope.get("route"), "path", "")
        customers: set[str] = scope.get(TELLS_OF, set())
        named = scope.get("path_params", {}).get("customer_id")
        if named is not None and scope["method"] == "GET" and not path.endswith(TELL_NOTHING):
            customers = {*customers, str(UUID(named))}
        if customers:
            self.doors.auditing.note(key, f"{scope['method']} {path}", customers)
