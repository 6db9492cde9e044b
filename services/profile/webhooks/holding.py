"""An endpoint while this process delivers to it: what is known of it, and until when nobody else does.

Owns nothing in the database; leases are written by delivering.py.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from services.profile.inputs.webhooks import Endpoint

LEASE_S = 8.0
"""How long a lease lasts beyond one attempt."""
RENEW_S = 2.0
"""How often leases are renewed, and how soon a new endpoint, or a change of one, is noticed."""
SURE_S = 2.0
"""So long before a lease ends, and one attempt more, nothing is begun any more: an attempt must not outlast it."""


class Held:
    """`waiting` is set when something was queued, `moved` when people set the cursor.

    `asked_s`: when its lease was asked for, by time.monotonic; it lasts from then at least.
    """

    def __init__(self, endpoint: Endpoint, holder: str, asked_s: float) -> None:
        self.endpoint = endpoint
        self.holder = holder
        self.waiting = asyncio.Event()
        self.moved = asyncio.Event()
        self._until = asked_s + LEASE_S - SURE_S
        self._paused_until = time.monotonic() + endpoint.paused_s

    @property
    def paused_s(self) -> float:
        """For how long it is left alone."""
        return max(0.0, self._paused_until - time.monotonic())

    @property
    def lasts(self) -> bool:
        """Whether it is surely held. A process that was stopped for a while holds nothing."""
        return time.monotonic() < self._until

    def renew(self, endpoint: Endpoint, asked_s: float) -> None:
        """It was claimed again just now, as it stands now."""
        self._until = asked_s + LEASE_S - SURE_S
        if endpoint.round != self.endpoint.round:
            self.moved.set()
        else:
            # Queuing is ahead of what was read here.
            endpoint = replace(endpoint, cursor=self.endpoint.cursor)
        self.endpoint = endpoint
        self._paused_until = time.monotonic() + endpoint.paused_s
        self.waiting.set()

    def end(self) -> None:
        """It is held no more."""
        self._until = 0.0

    def works(self, now_s: float) -> None:
        """It took a delivery."""
        self.endpoint = replace(self.endpoint, failures=0, failing_since_s=None, taken_at_s=now_s)

    def fails(self, pause_s: float, now_s: float) -> None:
        """It took nothing, and is left alone for a while."""
        since_s = now_s if self.endpoint.failing_since_s is None else self.endpoint.failing_since_s
        failures = self.endpoint.failures + 1
        self.endpoint = replace(self.endpoint, failures=failures, failing_since_s=since_s)
        self._paused_until = time.monotonic() + pause_s

    def failing_s(self, now_s: float) -> float:
        """For how long it has taken nothing."""
        return now_s - (self.endpoint.failing_since_s or now_s)

    def reached(self, endpoint: Endpoint) -> None:
        """Queuing has come so far, unless people moved it meanwhile."""
        if endpoint.round == self.endpoint.round:
            self.endpoint = replace(self.endpoint, cursor=endpoint.cursor)
