"""Origins of web pages that may ask with a key: what one is, and what a browser is told.

Owns the CORS protocol's headers (https://fetch.spec.whatwg.org, "CORS protocol"). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection

ANY = "*"
ORIGINS_MAX = 50
ORIGIN = re.compile(r"https?://([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
METHODS = "GET, POST, PUT, PATCH, DELETE"
ASKED_WITH = "Authorization, Content-Type, If-None-Match, Idempotency-Key, Last-Event-ID"
EXPOSED = "C360-Position, C360-Lag-Ms, ETag, Retry-After"
PREFLIGHT_KEPT_S = 600


def read_origins(texts: Collection[str]) -> list[str]:
    """Origins as they are compared. Raises ValueError for what is none."""
    found = sorted({text.strip().lower().rstrip("/") for text in texts})
    if len(found) > ORIGINS_MAX:
        raise ValueError(f"origins: at most {ORIGINS_MAX}")
    for one in found:
        if one != ANY and not ORIGIN.fullmatch(one):
            raise ValueError("origins are https://HOST, with a port where it is another, or *")
    return found


def allows(origins: Collection[str], origin: str) -> bool:
    """Whether a page of this origin may ask."""
    return ANY in origins or origin.lower() in origins


def answered(origin: str) -> dict[str, str]:
    """Headers by which a browser hands an answer to the page."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": EXPOSED,
        "Vary": "Origin",
    }


def preflight(origin: str) -> dict[str, str]:
    """Headers by which a browser asks at all."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": ASKED_WITH,
        "Access-Control-Max-Age": str(PREFLIGHT_KEPT_S),
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
