"""A stream of changes as an app reads it: server-sent events over HTTP.

Owns parsing; what is asked for comes from doors.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.profile.asyncapi import ENDED
from services.profile.change_shapes import DATA, StreamEnded
from tests.support.doors import Doors

READ_TIMEOUT_S = 20.0
"""Longer than there is between two pings."""
EVENT_TIMEOUT_S = 25.0


@dataclass(frozen=True)
class Sent:
    """One event of a stream."""

    id: str
    type: str
    data: dict[str, Any]


def promised(sent: Sent) -> None:
    """It is what the AsyncAPI document says of its type. Raises ValidationError."""
    if sent.type == ENDED:
        StreamEnded.model_validate(sent.data)
    else:
        DATA[sent.type].model_validate(sent.data["data"])


class Stream:
    """An open stream. `cursor` is where it is: the last id that came."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.cursor = ""
        self._lines = response.iter_lines()
        self._open()

    def _open(self) -> None:
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.cursor = value
            if not line:
                return

    def events(self) -> Iterator[Sent]:
        """Events as they come; ends with the stream. Raises AssertionError when none comes for EVENT_TIMEOUT_S."""
        fields: dict[str, str] = {}
        came = time.monotonic()
        for line in self._lines:
            assert time.monotonic() - came < EVENT_TIMEOUT_S, "nothing but pings"
            name, colon, value = line.partition(": ")
            if line and colon and name:
                fields[name] = value
            if line:
                continue
            self.cursor = fields.get("id", self.cursor)
            if "data" in fields:
                sent = Sent(fields["id"], fields["event"], json.loads(fields["data"]))
                promised(sent)
                yield sent
                came = time.monotonic()
            fields = {}

    def until(self, is_last: Callable[[Sent], bool]) -> list[Sent]:
        """Events up to one, with it. Raises AssertionError where the stream ends before."""
        found: list[Sent] = []
        for event in self.events():
            found.append(event)
            if is_last(event):
                return found
        raise AssertionError(f"the stream ended: {found[-3:]}")


@contextmanager
def listening(
    doors: Doors,
    path: str = "/v1/changes",
    *,
    key: str | None = None,
    last_event_id: str | None = None,
    **params: Any,
) -> Iterator[Stream]:
    """A stream that is open inside the block."""
    headers = {"Authorization": f"Bearer {doors.copy.operator_key if key is None else key}"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    url = doors.copy.profile + path
    with doors.http.stream("GET", url, headers=headers, params=params, timeout=READ_TIMEOUT_S) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)
