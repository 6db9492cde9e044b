"""Who may ask: API keys as Bearer tokens, the scopes a call needs, how often, and from which web pages.

Owns 401, 403 and the 429 of a key. Counts in memory: a limit is a protection of this process, not an account.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection

from starlette.requests import Request

from services.profile import inputs
from services.profile.access.auditing import Auditing
from services.profile.domain import origins
from services.profile.domain.pacing import Pace, let_in, retry_after_s
from services.runtime.http import Database, Problem
from services.runtime.settings import Settings

REMEMBERED_S = 2.0
"""How long a key is believed without asking the database: a revoked key ends within this."""
REMEMBERED_MAX = 1_000
CHECKED = "c360.key"
"""In a request's scope: the key it came with, once that was found valid."""
PII = "profile:pii"


class Access:
    """Checks keys against the database, remembering each for a moment."""

    def __init__(self, database: Database, settings: Settings, auditing: Auditing) -> None:
        self.database = database
        self.settings = settings
        self.auditing = auditing
        self._seen: dict[bytes, tuple[float, inputs.ApiKey | None]] = {}
        self._due: dict[str, float] = {}
        self._origins: tuple[float, Collection[str]] = (-REMEMBERED_S, ())

    async def check(self, request: Request, *scopes: str) -> inputs.ApiKey:
        """The caller's key. Raises Problem (unauthorised, forbidden, too-many-requests)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = await self._key(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
        if key is None:
            raise Problem("unauthorised", "send an API key as Bearer", {"WWW-Authenticate": "Bearer"})
        if CHECKED not in request.scope:
            request.scope[CHECKED] = key
            self._from_a_page(request, key)
            self._in_time(key)
        lacking = sorted(set(scopes) - key.scopes)
        if lacking:
            raise Problem("forbidden", f"the key lacks {', '.join(lacking)}")
        if PII in key.scopes:
            self.auditing.check()
        return key

    def _from_a_page(self, request: Request, key: inputs.ApiKey) -> None:
        """A key that names origins is for their pages alone, if a browser says whose page asks."""
        origin = request.headers.get("origin")
        if origin is not None and key.origins and not origins.allows(key.origins, origin):
            raise Problem("forbidden", "the key does not allow this origin")

    def _in_time(self, key: inputs.ApiKey) -> None:
        per_s = self.settings.key_requests_per_s if key.requests_per_s is None else key.requests_per_s
        if not per_s:
            return
        burst = self.settings.key_requests_burst if key.requests_per_s is None else per_s
        due_s, wait_s = let_in(self._due.get(key.key_id), time.monotonic(), Pace(per_s, burst))
        self._due[key.key_id] = due_s
        if wait_s:
            headers = {"Retry-After": str(retry_after_s(wait_s))}
            raise Problem("too-many-requests", f"at most {per_s:,} requests a second with this key", headers)

    async def may_ask_from(self, origin: str) -> bool:
        """Whether any key allows pages of this origin: a browser asks before it sends one."""
        known_at, known = self._origins
        if time.monotonic() - known_at >= REMEMBERED_S:
            pool = await self.database.pool()
            async with pool.acquire() as connection:
                known = await inputs.all_origins(connection)
            self._origins = time.monotonic(), known
        return origins.allows(known, origin)

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
