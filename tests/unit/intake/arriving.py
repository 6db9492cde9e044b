"""An arrival, a source and small raw events, as all of intake's tests use them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.intake.domain.accept import accept
from services.intake.domain.model import Accepted, Parked, Raw, Received, Source

KEY = b"a deployment key of thirty-two b"
ARRIVAL = datetime(2026, 3, 2, 9, 15, 5, tzinfo=UTC)
SHOP = Source(name="shop")


def raw(data: Any = None, **fields: Any) -> Raw:
    """A page view by user 1 unless told otherwise."""
    sent = {"identifiers": {"user_id": "1"}, "properties": {"path": "/"}} if data is None else data
    return Raw(**{"id": "e1", "type": "page.viewed", "data": sent, "time": "2026-03-02T09:15:00Z", **fields})


def outcome(event: Raw | Parked, source: Source = SHOP) -> Accepted | Parked:
    """What becomes of it on arrival."""
    return accept(event, Received(ARRIVAL, source), KEY)


def accepted(event: Raw | Parked, source: Source = SHOP) -> Accepted:
    """The accepted event; fails the test when it was parked."""
    made = outcome(event, source)
    assert isinstance(made, Accepted), made
    return made


def parked(event: Raw | Parked, source: Source = SHOP) -> str:
    """The reason; fails the test when it was accepted."""
    made = outcome(event, source)
    assert isinstance(made, Parked), made
    return made.reason


def leaves(value: Any) -> set[str]:
    """All texts, numbers and flags in a value, as texts."""
    if isinstance(value, dict):
        return {leaf for item in value.values() for leaf in leaves(item)}
    if isinstance(value, list):
        return {leaf for item in value for leaf in leaves(item)}
    return {str(value)}
