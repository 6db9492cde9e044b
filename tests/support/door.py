"""Load through the HTTP collector: what was answered 200 is in the ledger, what was not is sent again.

Owns one client thread and what it was answered.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from typing import Any

import httpx
import orjson

from tests.support.load import SOURCE, Ledger, cloudevents

BATCH_EVENTS = 20
ANSWER_TIMEOUT_S = 30.0
PAUSE_S = 0.05
JOIN_TIMEOUT_S = 60.0


class DoorLoad:
    """Posts batches of the mix one after the other, from `with` to its end; the last one begun is answered 200.

    `answers` counts status codes; 0 is a request that got none.
    """

    def __init__(self, url: str, write_key: str, ledger: Ledger, seed: int) -> None:
        self.url, self.ledger = url, ledger
        self.answers: Counter[int] = Counter()
        self._headers = {
            "authorization": f"Bearer {write_key}",
            "content-type": "application/cloudevents-batch+json",
        }
        self._events = cloudevents(seed)
        self._ending = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def __enter__(self) -> DoorLoad:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(JOIN_TIMEOUT_S)
        assert not self._thread.is_alive(), f"the collector takes no more: {self.answers}"
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            with httpx.Client(base_url=self.url, timeout=ANSWER_TIMEOUT_S, headers=self._headers) as client:
                while not self._ending.is_set():
                    self._send(client, list(itertools.islice(self._events, BATCH_EVENTS)))
        except BaseException as failure:
            self._failure = failure

    def _send(self, client: httpx.Client, batch: list[dict[str, Any]]) -> None:
        body = orjson.dumps(batch)
        while not self._ending.wait(PAUSE_S):
            try:
                status = client.post("/events", content=body).status_code
            except httpx.TransportError:
                status = 0
            self.answers[status] += 1
            if status == 200:
                self.ledger.acked |= {(SOURCE, event["id"]) for event in batch}
                return
