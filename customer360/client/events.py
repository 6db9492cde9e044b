"""Server-sent events (https://html.spec.whatwg.org, "Server-sent events") as changes, line by line.

Owns parsing; connecting and coming back is asking.py.
"""

from __future__ import annotations

import json

from customer360.client.models import Change

ENDED = "stream.ended"
COMES_BACK = ("slow-reader", "unavailable", "customer-gone")
"""Reasons of an end after which a stream is gone on with at its cursor."""


class Parser:
    """Fed with lines. `cursor`: where the stream is."""

    def __init__(self, cursor: str | None) -> None:
        self.cursor = cursor
        self._fields: dict[str, str] = {}

    def feed(self, line: str) -> Change | None:
        """The change that this line completes; `stream.ended` is one too."""
        if line:
            name, _, value = line.partition(":")
            if name:
                self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if "id" in fields:
            self.cursor = fields["id"]
        if "data" not in fields:
            return None
        return Change(self.cursor or "", fields.get("event", ""), json.loads(fields["data"]))


def why_ended(change: Change) -> str | None:
    """The reason, if it says that the stream ends."""
    return str(change.event["reason"]) if change.type == ENDED else None
