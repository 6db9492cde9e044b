"""How long a client may take to send one request: whoever is slower is cut off, so that slow sockets hold nothing.

Owns the bound. Head and body together have to be here in time, counted from the connection's beginning, and on a
connection that is kept from the first byte of the next request; an answer may take as long as it takes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.runtime import telemetry

RECEIVED_WITHIN_S = 30.0
"""A batch of 500 KB at 17 KB/s."""


class Received(HttpToolsProtocol):
    """uvicorn's protocol with a clock on what it receives."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The first request is awaited."""
        super().connection_made(transport)
        self._begin()

    def on_message_begin(self) -> None:
        """The next one begins."""
        super().on_message_begin()
        self._begin()

    def on_message_complete(self) -> None:
        """All of it is here."""
        self._end()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._due = self.loop.call_later(RECEIVED_WITHIN_S, self._cut)

    def _end(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _cut(self) -> None:
        telemetry.log.info("slow_client_cut", after_s=RECEIVED_WITHIN_S)
        self.transport.abort()
