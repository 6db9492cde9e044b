"""Structured logs and metrics. Each metric is named once, here, with what it counts.

Owns how a process speaks to ops. Must not be given personal data: callers log codes, positions and counts;
an exception is logged as its type and place, because its text may hold a value.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("c360_records", "Records a lane finished, by outcome", ["service", "topic", "outcome"])
BATCH_SECONDS = Histogram(
    "c360_batch_seconds", "From a batch's BEGIN to its COMMIT", ["service"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)  # fmt: skip
BATCH_RECORDS = Histogram(
    "c360_batch_records", "Records in a batch", ["service"], buckets=(1, 5, 20, 50, 100, 200, 500, 1000)
)
LANE_EVENTS = Counter("c360_lane_events", "Fences, retries, adoptions, retellings of a lane", ["service", "what"])
LANE_STATE = Gauge("c360_lane_state", "1 for the state a lane is in", ["service", "state"])
LAG = Gauge(
    "c360_lag_records", "Records the broker holds that a lane has not applied, as its consumer knows", ["service"]
)
TOLD = Counter("c360_told", "States published, by topic", ["service", "topic"])
ACCEPTED = Counter("c360_accepted", "Events accepted at the door, by source kind", ["door"])
PARKED = Counter("c360_parked", "Records parked, by reason", ["service", "reason"])
STREAMS = Gauge("c360_streams", "Open streams of changes of a process")
WEBHOOKS = Counter("c360_webhooks", "Attempts to deliver to webhooks, by what became of it", ["outcome"])
HTTP_SECONDS = Histogram(
    "c360_http_seconds", "Time to answer, by route and status", ["route", "status"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)  # fmt: skip


def where(error: BaseException) -> str:
    """`ValueError at fold.py:31 in combine`: what may be said of an error without saying its text."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} at {last.filename.rsplit('/', 1)[-1]}:{last.lineno} in {last.name}"


def _drop_error_texts(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = where(error)
    for name, value in event.items():
        if isinstance(value, BaseException):
            event[name] = where(value)
    return event


def _foreign_without_values(_logger: Any, _method: str, event: Any) -> Any:
    """A library's line as it stands in its code: what it would have put into it may be anybody's."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["event"] = f"{record.name}: {str(record.msg).splitlines()[0] if record.msg else ''}"
    return event


def configure_logging(service: str, level: str = "info", json_lines: bool = False) -> None:
    """One line an event on stderr, for our own logs and the libraries' alike, without exception texts."""
    renderer: Any = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=False)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_error_texts,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_foreign_without_values, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiokafka", "kafka", "mode", "faust", "uvicorn", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


log: structlog.stdlib.BoundLogger = structlog.get_logger("c360")
