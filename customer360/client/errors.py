"""How a call fails: the API said no, or nobody answered in time.

Owns reading problem details (RFC 9457).
"""

from __future__ import annotations

import httpx


class ApiError(Exception):
    """The API's answer is a problem. `kind` is its type, as unknown-customer; `status` the HTTP status."""

    def __init__(self, status: int, kind: str, title: str, detail: str) -> None:
        super().__init__(f"{status} {kind}: {detail or title}")
        self.status, self.kind, self.title, self.detail = status, kind, title, detail


class NotAnswered(Exception):
    """No answer within the client's patience: the address is away, or does not take the call yet."""


def problem_of(response: httpx.Response) -> ApiError:
    """The problem of an answer that is none of success; its body must have been read."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    told = body if isinstance(body, dict) else {}
    kind, title, detail = (str(told.get(name, "")) for name in ("type", "title", "detail"))
    return ApiError(response.status_code, kind or "unreadable", title or response.reason_phrase, detail)
