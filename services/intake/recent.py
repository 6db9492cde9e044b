"""What a source sent last, and what became of it: for whoever is setting the source up.

Owns a short memory per source and process; the log and the parked events are what lasts. Shows ids, types and times,
never what a person wrote.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.envelope import rfc3339
from services.intake.domain.model import Accepted, Parked

RECENT_MAX = 100
STATES = ("applied", "duplicate", "waiting", "parked")

Place = tuple[int, int]
"""(partition, offset) in the log."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event: where the log has it, or why it was parked."""

    received: datetime
    event_id: str | None
    sent_id: str | None
    type: str | None
    incomplete: tuple[str, ...]
    place: Place | None
    parked: Parked | None

    def shown(self, applied: Mapping[str, Place]) -> dict[str, Any]:
        """`applied`: event id → where the copy lies that counts; an event not in it still waits."""
        kept = applied.get(self.event_id or "")
        state = "parked" if self.parked else "waiting" if kept is None else "applied"
        if kept is not None and kept != self.place:
            state = "duplicate"
        return {
            "state": state,
            "reason": self.parked.reason if self.parked else None,
            "detail": self.parked.detail if self.parked else None,
            "event_id": self.event_id,
            "id": self.sent_id,
            "type": self.type,
            "received_at": rfc3339(self.received),
            "incomplete": list(self.incomplete),
        }


class Recent:
    """The last RECENT_MAX events of each source that this process heard."""

    def __init__(self) -> None:
        self._of: dict[str, deque[Arrived]] = {}

    def note(
        self, source: str, received: datetime, results: Sequence[Accepted | Parked], places: Sequence[Place]
    ) -> None:
        """Remember what came in one request; `places`: of the accepted ones, in order."""
        listed = self._of.setdefault(source, deque(maxlen=RECENT_MAX))
        # Only what stays is worth being made.
        skipped = max(0, len(results) - RECENT_MAX)
        at = iter(places[sum(isinstance(r, Accepted) for r in results[:skipped]) :])
        for result in results[skipped:]:
            if isinstance(result, Parked):
                listed.append(Arrived(received, None, None, None, (), None, result))
            else:
                event = result.event
                listed.append(
                    Arrived(received, event.event_id, event.id, event.type, result.incomplete, next(at), None)
                )

    def of(self, source: str) -> list[Arrived]:
        """The newest first."""
        return list(reversed(self._of.get(source, ())))
