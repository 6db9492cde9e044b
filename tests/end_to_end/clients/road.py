"""A bad road to the collector: every second request of those that carry events meets the next trouble.

Owns an HTTP server of its own that passes requests on, answers 429 or 503 itself, or cuts the connection, before the
collector has heard the request or after it has answered. Remembers the positions the collector answered, and what was
sent. Browsers' questions whether they may send meet no trouble.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

TOO_FAST, AWAY, CUT_BEFORE, CUT_AFTER = "429", "503", "cut before", "cut after"
TROUBLES = (TOO_FAST, CUT_AFTER, AWAY, CUT_BEFORE)
ASKING = ("/flags", "/decide", "/v1/projects/")
"""Paths of questions, which meet no trouble: nobody sends them again."""
PASSED_ON = (
    "authorization", "content-type", "content-encoding", "user-agent", "posthog-request-timestamp", "origin",
    "access-control-request-method", "access-control-request-headers",
)  # fmt: skip
PASSED_BACK = ("content-type", "access-control-", "vary")
"""How names of headers begin that an answer keeps."""
READABLE = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
"""Lets a page of another origin read a trouble, as the collector lets it read its own."""
TIMEOUT_S = 20.0


class Road:
    """What passed: how often each trouble was met, what the collector was asked and what it said.

    `sent` are the bodies that came along it, `heard` those whose sender was told the collector's answer, `preflights`
    the paths that browsers asked about. While it `is_shut` whatever carries events meets 503.
    """

    def __init__(self, collector: str, *, is_bad: bool) -> None:
        self.collector, self.is_bad = collector, is_bad
        self.is_shut = False
        self.met: Counter[str] = Counter()
        self.answered: Counter[int] = Counter()
        self.positions: list[str] = []
        self.sent: list[bytes] = []
        self.heard: list[bytes] = []
        self.preflights: Counter[str] = Counter()
        self.address = ""
        self._lock = threading.Lock()
        self._requests = 0
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """Let the collector go."""
        self._http.close()

    def trouble(self, path: str) -> str | None:
        """What this request meets."""
        if not self.is_bad or path.startswith(ASKING):
            return None
        with self._lock:
            if self.is_shut:
                self.met[AWAY] += 1
                return AWAY
            self._requests += 1
            if self._requests % 2 == 0:
                return None
            met = TROUBLES[self._requests // 2 % len(TROUBLES)]
            self.met[met] += 1
            return met

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """The collector's answer."""
        kept = {name: value for name, value in headers.items() if name.lower() in PASSED_ON or name.startswith("ce-")}
        answer = self._http.request(method, f"{self.collector}{path}", headers=kept, content=body)
        with self._lock:
            self.answered[answer.status_code] += 1
            self.preflights[path] += method == "OPTIONS"
            if "C360-Position" in answer.headers:
                self.positions.append(answer.headers["C360-Position"])
        return answer


def _passed_back(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith(PASSED_BACK)}


def _request_on(way: Road) -> type[BaseHTTPRequestHandler]:
    """What carries one request along this road."""

    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            met = None if self.command == "OPTIONS" else way.trouble(self.path)
            way.sent += [body] if body else []
            if met in (TOO_FAST, AWAY):
                self.tell(int(met), b'{"code": "trouble", "message": "send again"}', {"Retry-After": "1", **READABLE})
            elif met == CUT_BEFORE:
                self.cut()
            else:
                answer = way.pass_on(self.command, self.path, dict(self.headers), body)
                if met == CUT_AFTER:
                    self.cut()
                else:
                    self.tell(answer.status_code, answer.content, _passed_back(answer))
                    way.heard += [body] if body else []

        def tell(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def cut(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

        do_GET = do_POST = do_OPTIONS = carry

    return Request


@contextmanager
def road(collector: str, *, is_bad: bool = True) -> Iterator[Road]:
    """A road that is open inside the block."""
    way = Road(collector, is_bad=is_bad)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _request_on(way))
    server.daemon_threads = True
    way.address = f"http://127.0.0.1:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield way
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
        way.close()
