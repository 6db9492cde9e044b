"""`python -m services.<name> worker|api|rebuild` and `python -m services.runtime.command serve`: start a process.

Owns the words of these commands. Applications are found by name, so that no service imports another.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from services.runtime import telemetry
from services.runtime.host import run_worker
from services.runtime.pages import metrics, server
from services.runtime.rebuilding import run_rebuild
from services.runtime.settings import Settings

USAGE = "usage: python -m services.NAME worker|api|rebuild, or python -m services.runtime.command serve NAME..."
EX_USAGE = 64


def main(service: str, words: list[str] | None = None) -> None:
    """Run what the first word says for one service. Exits 64 on other words."""
    match sys.argv[1:] if words is None else words:
        case ["worker"]:
            run_worker(import_module(f"services.{service}.worker").app)
        case ["api"]:
            serve([service])
        case ["rebuild"]:
            run_rebuild(import_module(f"services.{service}.worker").app.hosted)
        case _:
            sys.stderr.write(USAGE + "\n")
            sys.exit(EX_USAGE)


def serve(services: list[str]) -> None:
    """One process with the internal pages of several services, each under /<service>."""
    settings = Settings()
    telemetry.configure_logging("internal", settings.log_level, settings.log_json)
    telemetry.log.info("internal_pages_started", services=services, port=settings.internal_port)
    uvicorn.Server.run(server_of(settings, services))


def server_of(settings: Settings, services: list[str]) -> uvicorn.Server:
    """The server on C360_INTERNAL_PORT; stops on SIGTERM and SIGINT."""
    apps = {name: import_module(f"services.{name}.api").internal(settings) for name in services}
    return uvicorn.Server(server(together(apps), settings.host, settings.internal_port).config)


def together(apps: dict[str, Any]) -> Starlette:
    """Several applications in one, each with its own start and stop."""
    from contextlib import AsyncExitStack, asynccontextmanager

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        async with AsyncExitStack() as stack:
            for app in apps.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    mounts = [Mount(f"/{name}", app=app) for name, app in apps.items()]
    return Starlette(routes=[*mounts, Route("/metrics", metrics)], lifespan=lifespan)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"] and len(sys.argv) > 2:
        serve(sys.argv[2:])
    else:
        sys.stderr.write(USAGE + "\n")
        sys.exit(EX_USAGE)
