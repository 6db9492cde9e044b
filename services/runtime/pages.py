"""HTTP inside a worker process: uvicorn under Faust's supervision, and a worker's own pages.

Owns serving; what is served comes from the service's api module.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import mode
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.runtime.measuring import Measured
from services.runtime.receiving import Received
from services.runtime.settings import Settings

if TYPE_CHECKING:
    from services.runtime.host import HostedLane

KEEP_ALIVE_S = 75
BACKLOG = 512
SHUTDOWN_S = 3
OWN_PORT = "worker_port"
"""The settings field of the port of a worker's own pages."""


class Server(uvicorn.Server):
    """uvicorn without signal handlers: the worker's host owns them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def server(application: Any, host: str, port: int) -> Server:
    """A server for one ASGI application, whose answers are timed."""
    return Server(
        uvicorn.Config(
            Measured(application),
            http=Received,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_S,
            server_header=False,
        )
    )


def shared_socket(host: str, port: int) -> socket.socket:
    """A socket of a port on which others of this service listen too. Raises OSError where somebody else does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(f"port {port} is taken") from error
    return listening


class Pages(mode.Service):
    """Serves an ASGI application on the port that a settings field names; nothing when it is 0."""

    abstract = False

    def __init__(self, build: Callable[[Settings], Any], port_field: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.build = build
        self.port_field = port_field
        self._server: Server | None = None
        self._ended = asyncio.Event()

    @mode.Service.task
    async def _serve(self) -> None:
        settings = Settings()
        port = getattr(settings, self.port_field)
        if not port:
            self._ended.set()
            return
        self._server = server(self.build(settings), settings.host, port)
        # A worker's own pages are nobody else's; a service's address is.
        is_shared = settings.port_shared and self.port_field != OWN_PORT
        try:
            await self._server.serve([shared_socket(settings.host, port)] if is_shared else None)
        except SystemExit as end:
            raise OSError(f"port {port} is taken") from end
        finally:
            self._ended.set()

    async def on_stop(self) -> None:
        """Answer what is under way, then close."""
        if self._server is not None:
            self._server.should_exit = True
            await self._ended.wait()


def worker_pages(hosted: HostedLane) -> Starlette:
    """/healthz looks at the lane itself; /metrics is Prometheus text."""

    async def healthz(_request: Request) -> Response:
        lane = hosted.lane
        state = str(lane.state) if lane else "starting"
        ok = state not in ("halted", "starting")
        body = {"service": hosted.service, "state": state, "applied": lane.applied if lane else 0}
        return JSONResponse(body, status_code=200 if ok else 503)

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])


async def metrics(_request: Request) -> Response:
    """Prometheus text of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
