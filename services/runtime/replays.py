"""Replays: what people did about a generation beside the live one, as an event-sourced aggregate.

Owns the aggregate, one for each generation that was ever begun, and its table `replay_event`. What a step does to
tables is generations.py. Not told on control.events: a lost database has lost its generations too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from eventsourcing.domain import AggregateCreated, AggregateEvent, BaseAggregate

from schemas.envelope import rfc3339
from services.runtime.aggregates import MAPPER, load, save
from services.runtime.documents import NAMESPACE
from services.runtime.eventstore import notifications
from services.runtime.postgres import Connection

SHOWN_MAX = 1_000


class Replay(BaseAggregate[UUID]):
    """One generation's way beside the live one, to the top, and back."""

    TOPIC = "replay"

    service: str
    generation: int
    state: str

    class Event(AggregateEvent):
        """A step, at the time that its caller says."""

        by: str
        reason: str

        @staticmethod
        def create_timestamp() -> datetime:
            """Raises TypeError: who takes a step says when."""
            raise TypeError("a step of a replay is taken at a time that its caller says")

    class Started(Event, AggregateCreated):
        """Its tables were made, empty; a rebuild fills them."""

        TOPIC = "replay:started"

        service: str
        generation: int
        state: str
        events_per_s: int
        build: str
        by: str
        reason: str

    class Step(Event):
        """Anything later; `state` is where it stands after it."""

        TOPIC = "replay:step"

        what: str
        state: str
        detail: dict[str, Any]
        by: str
        reason: str

        def apply(self, aggregate: Replay) -> None:
            """It stands there now."""
            aggregate.state = self.state

    def __init__(
        self, service: str, generation: int, state: str, events_per_s: int, build: str, by: str, reason: str
    ) -> None:
        self.service, self.generation, self.state = service, generation, state

    @classmethod
    def start(
        cls, service: str, generation: int, events_per_s: int, build: str, by: str, reason: str, at: datetime
    ) -> Replay:
        """The first step."""
        return cls._create(
            cls.Started,
            id=id_of(service, generation),
            timestamp=at,
            service=service,
            generation=generation,
            state="running",
            events_per_s=events_per_s,
            build=build,
            by=by,
            reason=reason,
        )

    def take(self, what: str, state: str, by: str, reason: str, at: datetime, **detail: Any) -> None:
        """A later step: paused, resumed, aborted, swapped, rolled_back, retired."""
        self.trigger_event(
            self.Step,
            timestamp=at,
            what=what,
            state=state,
            detail=detail,
            by=by,
            reason=reason,
        )


class Repair(BaseAggregate[UUID]):
    """Some customers' rows that were replaced by what the log comes to: one event, as it is done."""

    TOPIC = "repair"

    class Event(AggregateEvent):
        """At the time that its caller says."""

        by: str
        reason: str

        @staticmethod
        def create_timestamp() -> datetime:
            """Raises TypeError: who repairs says when."""
            raise TypeError("a repair is done at a time that its caller says")

    class Done(Event, AggregateCreated):
        """Their rows were replaced, in the same transaction."""

        TOPIC = "repair:done"

        service: str
        generation: int
        of: str
        customers: int
        by: str
        reason: str

    def __init__(self, service: str, generation: int, of: str, customers: int, by: str, reason: str) -> None:
        self.service, self.generation, self.of, self.customers = service, generation, of, customers


def id_of(service: str, generation: int) -> UUID:
    """The aggregate id of a generation's replay."""
    return uuid5(NAMESPACE, f"replay.{service}.{generation}")


def table(service: str) -> str:
    """Where a service's replays are stored."""
    return f"{service}.replay_event"


async def record(connection: Connection, replay: Replay) -> None:
    """Append its new steps, in the caller's transaction."""
    await save(connection, table(replay.service), [replay])


async def repaired(
    connection: Connection, service: str, generation: int, of: str, customers: int, by: str, reason: str
) -> None:
    """Tell, in the transaction that replaced their rows, who had some customers repaired and why."""
    repair = Repair._create(
        Repair.Done,
        id=uuid4(),
        timestamp=datetime.now(UTC),
        service=service,
        generation=generation,
        of=of,
        customers=customers,
        by=by,
        reason=reason,
    )
    await save(connection, table(service), [repair])


async def stored(connection: Connection, service: str, generation: int) -> Replay | None:
    """A generation's replay; None for the first one, which nobody started."""
    found = id_of(service, generation)
    return (await load(connection, table(service), Replay, [found])).get(found)


async def steps(connection: Connection, service: str) -> list[dict[str, Any]]:
    """Every step ever taken, oldest first: {at, generation, what, by, reason, …}."""
    found: list[dict[str, Any]] = []
    numbers: dict[UUID, int] = {}
    for note in await notifications(connection, table(service), None, SHOWN_MAX):
        event: Any = MAPPER.to_domain_event(note)
        if isinstance(event, Repair.Done):
            found.append(
                {"at": rfc3339(event.timestamp), "generation": event.generation, "what": "repaired", "by": event.by,
                 "reason": event.reason, "of": event.of, "customers": event.customers}
            )  # fmt: skip
            continue
        if isinstance(event, Replay.Started):
            numbers[event.originator_id] = event.generation
        what = "started" if isinstance(event, Replay.Started) else event.what
        detail = {"events_per_s": event.events_per_s} if isinstance(event, Replay.Started) else event.detail
        found.append(
            {"at": rfc3339(event.timestamp), "generation": numbers[event.originator_id], "what": what,
             "by": event.by, "reason": event.reason, **detail}
        )  # fmt: skip
    return found
