"""What people set for one source, its plan or its own mapping: reading a change of it, and saying what it changes.

Owns what both pages share; what each must contain is its domain's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request

from services.runtime.http import Problem


async def said(request: Request, what: str, bytes_max: int) -> tuple[Any, str, str]:
    """(document, by, reason) of a change of a `what`. Raises Problem (too-large, bad-request)."""
    content = await request.body()
    if len(content) > bytes_max:
        raise Problem("too-large", f"a {what} is at most {bytes_max} bytes")
    try:
        body = orjson.loads(content)
        return body["document"], str(body["by"]), str(body["reason"])
    except (TypeError, KeyError):
        raise Problem("bad-request", "say document, by and reason") from None
    except ValueError as wrong:
        raise Problem("bad-request", str(wrong)) from None


def is_meant(request: Request) -> bool:
    """Whether it is to be done, and not only read."""
    return request.query_params.get("execute") == "true"


def moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names that are new, gone, and other than before."""
    return {
        "added": sorted(now.keys() - before.keys()),
        "removed": sorted(before.keys() - now.keys()),
        "changed": sorted(name for name in now.keys() & before.keys() if now[name] != before[name]),
    }
