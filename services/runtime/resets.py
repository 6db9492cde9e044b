"""Connections to the broker that were reset: aiokafka hears of it in words it knows.

Owns one change of aiokafka 0.14 under uvloop. Between the reset of a connection and the moment at which aiokafka's
reader sees it, a request may still be written to it. asyncio's transport swallows that, uvloop's raises RuntimeError,
which aiokafka expects nowhere: its task that keeps metadata ends in silence, and whoever waits for metadata waits for
ever. So a consumer went on reading what it had and never heard of a rebalance again (found by
tests/faults/test_random_faults.py). Must not change anything else.
"""

from __future__ import annotations

from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send = AIOKafkaConnection.send


def _sent(self: Any, request: Any, expect_response: bool = True) -> Any:
    """As aiokafka does where the write itself fails. Raises KafkaConnectionError."""
    try:
        return _send(self, request, expect_response)
    except RuntimeError as closed:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError("the connection to the broker was reset") from closed


def notice() -> None:
    """From now on, in this process, a request on a connection that was reset fails as one that is broken."""
    AIOKafkaConnection.send = _sent
