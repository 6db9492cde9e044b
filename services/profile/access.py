"""Who may ask: API keys as Bearer tokens, and the scopes a call needs.

Owns 401 and 403.
"""

from __future__ import annotations

import hashlib
import time

from starlette.requests import Request

from services.profile import inputs
from services.runtime.http import Database, Problem

REMEMBERED_S = 2.0
"""How long a key is believed without asking the database: a revoked key ends within this."""
REMEMBERED_MAX = 1_000


class Access:
    """Checks keys against the database, remembering each for a moment."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._seen: dict[bytes, tuple[float, inputs.ApiKey | None]] = {}

    async def check(self, request: Request, *scopes: str) -> inputs.ApiKey:
        """The caller's key. Raises Problem("unauthorised") or Problem("forbidden")."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = await self._key(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
        if key is None:
            raise Problem("unauthorised", "send an API key as Bearer", {"WWW-Authenticate": "Bearer"})
        lacking = sorted(set(scopes) - key.scopes)
        if lacking:
            raise Problem("forbidden", f"the key lacks {', '.join(lacking)}")
        return key

    async def _key(self, token: str) -> inputs.ApiKey | None:
        name = hashlib.sha256(token.encode()).digest()
        known = self._seen.get(name)
        if known is not None and time.monotonic() - known[0] < REMEMBERED_S:
            return known[1]
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            key = await inputs.read_key(connection, token)
        if len(self._seen) >= REMEMBERED_MAX:
            self._seen.clear()
        self._seen[name] = (time.monotonic(), key)
        return key
