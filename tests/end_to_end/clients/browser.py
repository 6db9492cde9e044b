"""A headless Chromium that walks through the pages of a web shop on an origin of its own.

Owns the shop's HTTP server, the browser's process and its empty profile. The browser can reach this machine only, so
that a library that calls somebody else fails; knows nothing of the collector but its address.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
LIBRARY = Path("node_modules", "@segment", "analytics-next", "dist", "umd", "standalone.js")
GO_ON = "/go-on"
END_TIMEOUT_S = 20.0
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)  # fmt: skip
"""The sandbox is not there for root; the pages are our own."""


@dataclass(frozen=True)
class Visit:
    """One page: what it calls on the library, how the library delivers, and where the visitor goes then.

    A slow page asks the shop's GO_ON before each call.
    """

    calls: list[list[Any]]
    delivery: Mapping[str, Any] | None = None
    next: str | None = None
    is_slow: bool = False


@dataclass
class Shop:
    """Pages by their paths; `noticed` is called with the path a browser asks for, before it is answered."""

    collector: str
    write_key: str
    visits: Mapping[str, Visit]
    library: bytes
    noticed: Callable[[str], object] = repr

    def page(self, path: str) -> bytes:
        """The page at this path, told where the collector is."""
        visit, at = self.visits[path], urlsplit(self.collector)
        segment: dict[str, Any] = {"apiHost": f"{at.netloc}/v1", "protocol": at.scheme}
        if visit.delivery is not None:
            segment["deliveryStrategy"] = visit.delivery
        told = {
            "writeKey": self.write_key,
            "cdn": self.collector,
            "options": {"integrations": {"Segment.io": segment}},
            "calls": visit.calls,
            "next": visit.next,
            "goOn": GO_ON if visit.is_slow else None,
        }
        return (HERE / "shop.html").read_text().replace("VISIT;", f"{json.dumps(told)};").encode()


def _request_to(shop: Shop) -> type[BaseHTTPRequestHandler]:
    """What answers one request to the shop."""

    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/standalone.js":
                self.tell(200, "text/javascript", shop.library)
            elif self.path == GO_ON:
                shop.noticed(self.path)
                self.tell(200, "text/plain", b"")
            elif self.path in shop.visits:
                shop.noticed(self.path)
                self.tell(200, "text/html", shop.page(self.path))
            else:
                self.tell(404, "text/plain", b"")

        def tell(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    return Request


@contextmanager
def walking(chromium: str, shop: Shop) -> Iterator[None]:
    """A browser that has opened the shop's first page and stays until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _request_to(shop))
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    first = f"http://localhost:{server.server_address[1]}{next(iter(shop.visits))}"
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            words = (chromium, *FLAGS, f"--user-data-dir={profile}", first)
            with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
                try:
                    yield
                finally:
                    _end(browser)
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def _end(browser: subprocess.Popen[bytes]) -> None:
    browser.terminate()
    try:
        browser.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        browser.kill()
