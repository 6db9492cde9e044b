"""Events as they are heard in interaction's tests, the facts they say, and the shipped policy.

Owns the fixed day 0 of these tests, 2026-03-02T00:00:00Z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from schemas.envelope import Event, microseconds
from services.interaction.domain.facts import Fact, facts_about
from services.interaction.domain.policy import read_policy

SHIPPED: dict[str, Any] = yaml.safe_load((Path("services/interaction/policy.yaml")).read_text())
POLICY = read_policy(SHIPPED)
DAY_0 = datetime(2026, 3, 2, tzinfo=UTC)
ODD: tuple[Any, ...] = (
    None, "", " ", 0, -1, True, 1.5, float("nan"), 10**30, [], {}, [None], {"a": {}}, [[[[[[[1]]]]]]], "\x01\u202e",
    "x" * 30_000, "<b>ﷺ</b>" * 3_000, {"x" * 5_000: 1}, [{}] * 3_000,
)  # fmt: skip
"""What senders send where something else should stand. Intake parks NUL and halves of surrogate pairs."""

Say = Callable[[Event], list[tuple[str, str, dict[str, Any]]]]


def us(day: float) -> int:
    """The moment so many days after day 0, in µs."""
    return microseconds(DAY_0 + timedelta(days=day))


def at(day: float) -> str:
    """The same as RFC 3339."""
    return (DAY_0 + timedelta(days=day)).isoformat().replace("+00:00", "Z")


def event(
    event_type: str,
    properties: Any = None,
    *,
    day: float = 0,
    record: str = "a",
    sent_id: str | None = None,
    **data: Any,
) -> Event:
    """One event; `data` are common fields: channel, direction, timezone, actor and so on."""
    time = DAY_0 + timedelta(days=day)
    named = sent_id if sent_id is not None else f"{event_type} {day} {record}"
    return Event(
        named, data.pop("source", "shop"), event_type, time, record, time, {**data, "properties": properties}
    )


def facts(say: Say, *events: Event) -> list[Fact]:
    """What these events say."""
    return [fact for one in events for fact in facts_about(one, say(one))]


def apart(listed: Iterable[Fact], record: str) -> list[Fact]:
    """What one record says alone: the split."""
    return [fact for fact in listed if fact.record_id == record]
