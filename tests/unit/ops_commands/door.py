"""A real HTTP server that answers as told and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.runtime.waiting import write_token

Answer = tuple[int, dict[str, str]]


@dataclass
class Door:
    """`answers` are given in order; afterwards 200."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @staticmethod
    def token(offset: int) -> str:
        """A position token."""
        return write_token({("channel.events", 0): offset})


@contextmanager
def open_door() -> Iterator[Door]:
    """The server, on a port of its own, until the block ends."""
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            door.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            door.paths.append(self.path)
            status, headers = door.answers.pop(0) if door.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
