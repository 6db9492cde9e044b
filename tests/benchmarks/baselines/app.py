"""The faust.App of a baseline's worker, and what a measurement asks of it.

Owns the settings that both baselines share; what agents do is naive.py's and expert.py's. A worker that is asked to
end says when it last did something, for what it has done is told to Kafka only every few seconds.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import faust

from tests.support.memory_broker import Record

SESSION_TIMEOUT_S = 10.0
"""As ours. By default it is 60: so long the partitions of a worker that was killed would wait for it."""
LAST_AT = "last record at "


class BaselineApp(faust.App):
    """One agent of one service. It calls `note` whenever it has done something."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            os.environ["BASELINE_GROUP"],
            broker=f"kafka://{os.environ['KAFKA_BOOTSTRAP']}",
            broker_session_timeout=SESSION_TIMEOUT_S,
            web_enabled=False,
            topic_disable_leader=True,
            store="memory://",
            datadir=Path(tempfile.gettempdir()) / "c360-baselines",
            **settings,
        )
        self.last_at = 0.0

    def note(self) -> None:
        """Something was done."""
        self.last_at = time.time()

    def work(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Run until a signal, as Faust's command does."""
        faust.Worker(self, loop=loop, loglevel="WARN", quiet=True, redirect_stdouts=False).execute_from_commandline()

    async def on_stop(self) -> None:
        """Say when that was last."""
        await super().on_stop()
        print(f"{LAST_AT}{self.last_at}", file=sys.__stdout__, flush=True)


def last_at(log: Path) -> float:
    """When the worker with this log last did something, in seconds since 1970; 0 when it never said so."""
    said = re.findall(f"{LAST_AT}([0-9.]+)", log.read_text(errors="replace"))
    return float(said[-1]) if said else 0.0


def record_of(event: Any) -> Record:
    """Faust's event as our decoders read a record."""
    m = event.message
    return Record(m.topic, m.partition, m.offset, int(m.timestamp * 1000), m.key, m.value, list(m.headers or ()))
