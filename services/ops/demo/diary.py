"""The events of one household as they are written down: form, ids, time, and whose they are.

Owns the envelope of the demo's events. What happens is visits.py, contacts.py and mailings.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from schemas.envelope import rfc3339

CURRENCY = "USD"
Event = dict[str, Any]
Identifiers = Mapping[str, str]


class Sent(NamedTuple):
    """One event as an upstream sends it, and the truth about it, which the event does not tell.

    `event` is a structured CloudEvent with Decimals for money; `person` is who did it (people.Person.number).
    """

    person: int
    household: int
    event: Event


class Diary:
    """Collects the events of one household; ids count on and are unique in the demo."""

    def __init__(self, household: int) -> None:
        self.household = household
        self.sent: list[Sent] = []

    def add(
        self,
        person: int,
        at: datetime,
        source: str,
        type_: str,
        identifiers: Identifiers,
        properties: Mapping[str, Any] | None = None,
        *,
        channel: str = "",
        **common: Any,
    ) -> None:
        """One event. `channel` is the source unless named; `common` are fields beside properties."""
        data: dict[str, Any] = {"identifiers": dict(identifiers), "channel": channel or source}
        data |= {name: value for name, value in common.items() if value}
        data["properties"] = dict(properties or {})
        event = {
            "specversion": "1.0",
            "id": f"{self.household}-{len(self.sent)}",
            "source": source,
            "type": type_,
            "time": rfc3339(at.replace(microsecond=0)),
            "datacontenttype": "application/json",
            "data": data,
        }
        self.sent.append(Sent(person, self.household, event))


def dollars(cents: int) -> Decimal:
    """Cents as an exact amount with two digits."""
    return Decimal(cents).scaleb(-2)


def minutes(count: float) -> timedelta:
    """A span of minutes, to the second."""
    return timedelta(seconds=int(count * 60))
