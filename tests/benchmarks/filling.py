"""Filling the log faster than through the door: records of the mix by intake's own rules, written by librdkafka.

Owns the writing. What is measured must not be filled this way: the door is a part of what an event costs.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator

from schemas.codec import encode_event
from schemas.topics import CHANNEL_EVENTS
from services.ops.generate import Mix, events
from tests.benchmarks.deployment import Deployment
from tests.support import load

Encoded = tuple[bytes, bytes, list[tuple[str, bytes]]]
QUEUE_FULL_WAIT_S = 0.05
WAIT_AT_ONCE_S = 120
"""A command may take 180 s."""


def encoded(count: int, seed: int, customers: int) -> Iterator[Encoded]:
    """The standard mix as records of the log."""
    mix = dataclasses.replace(Mix.load(), customers=customers)
    return (encode_event(load.accepted(event)) for event in events(mix, seed, count))


def append(kafka: str, records: Iterable[Encoded]) -> None:
    """Write to the log; returns when all is acknowledged. Raises AssertionError when something is not."""
    client = load.producer(kafka)
    for key, value, headers in records:
        while True:
            try:
                client.produce(CHANNEL_EVENTS.name, value, key, headers=list(headers))
            except BufferError:
                client.poll(QUEUE_FULL_WAIT_S)
                continue
            break
        client.poll(0)
    assert client.flush(load.FLUSH_TIMEOUT_S) == 0, "the broker does not acknowledge"


def settle(at: Deployment, timeout_s: float) -> None:
    """Wait until profiles show all that is in the log. Raises RuntimeError when they do not in time."""
    deadline = time.monotonic() + timeout_s
    while (done := at.run("wait", "--timeout", str(WAIT_AT_ONCE_S))).returncode != 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not caught up: {done.stderr.strip() or done.stdout.strip()}")
