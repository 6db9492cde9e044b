"""A receiver of webhooks in a process of its own, which does what a test says: accept, refuse, redirect, hang.

Owns the process, the list of what came, and verifying it by Standard Webhooks' recipe, written out here once more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.running import free_port, until

CHECKOUT = Path(__file__).resolve().parents[2]
HANG_S = 60.0
TOLERANCE_S = 300


@dataclass(frozen=True)
class Got:
    """One request that came: its headers in lower case, its body, and what it was answered."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    answered: str

    @property
    def event(self) -> Any:
        """The CloudEvent."""
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Standard Webhooks: base64 HMAC-SHA256 of `id.timestamp.body`, not older than five minutes."""
        sent_id, sent_at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        if abs(time.time() - int(sent_at)) > TOLERANCE_S:
            return False
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{sent_id}.{sent_at}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


class Receiver:
    """The receiver's process, by its folder: `says` is what it answers, `got` what came."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def url(self, path: str) -> str:
        """Where it listens; each path is told on its own what to answer."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def says(self, path: str, answer: str) -> None:
        """From now on a status as text, or `hang`, or `redirect`."""
        fresh = self.folder / f"{path}.new"
        fresh.write_text(answer)
        fresh.rename(self.folder / f"{path}.says")

    def got(self, path: str, answered: str | None = None) -> list[Got]:
        """What came to a path, in order; only what was answered so, if that is given."""
        lines = (self.folder / "got").read_text().splitlines() if (self.folder / "got").exists() else []
        found = [Got(**{**one, "body": one["body"].encode()}) for one in map(json.loads, lines)]
        return [one for one in found if one.path == path and answered in (None, one.answered)]


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """A receiver that runs inside the block."""
    port = free_port()
    process = subprocess.Popen((sys.executable, "-m", "tests.support.receiver", str(folder), str(port)), cwd=CHECKOUT)
    try:
        until((folder / "ready").exists, "the receiver listens", 10.0)
        yield Receiver(folder, port)
    finally:
        process.kill()
        process.wait()


class _Handler(BaseHTTPRequestHandler):
    folder = Path()
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        path = self.path.strip("/")
        said = self.folder / f"{path}.says"
        answer = said.read_text() if said.exists() else "200"
        headers = {name.lower(): value for name, value in self.headers.items()}
        line = json.dumps({"path": path, "headers": headers, "body": body.decode(), "answered": answer})
        with (self.folder / "got").open("a") as got:
            got.write(line + "\n")
        if answer == "hang":
            time.sleep(HANG_S)
        self.send_response(302 if answer == "redirect" or answer == "hang" else int(answer))
        if answer == "redirect":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _serve(folder: Path, port: int) -> None:
    _Handler.folder = folder
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    (folder / "ready").touch()
    server.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
