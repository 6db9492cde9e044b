"""A source's events mapped anew: read from the log, compared with what today's tables give, replaced where needed.

Owns reading the log twice (first what was taken back, then the events), publishing in the right order, and the
counts. What becomes of one event is domain/taking_over.py's. Shows nothing a person wrote.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas.codec import Sealed, Unreadable, decode_event, header
from schemas.envelope import Event, rfc3339
from schemas.events.retraction import RETRACTED
from services.intake.domain.accept import REMAPPED
from services.intake.domain.accounts import Answered, Cell, minute_of
from services.intake.domain.mapping import folded
from services.intake.domain.model import Accepted, Received, Source
from services.intake.domain.plans import Plan
from services.intake.domain.reasons import EXPLANATIONS
from services.intake.domain.remapping import EXPLAINED, Left, Tables, sent_name
from services.intake.domain.taking_over import Change, Foreign, Gone, Words, decided, in_order
from services.intake.door import Publisher, accounting, plans
from services.intake.stretch import Log, Stretch, TooMuch, opened, place_of
from services.intake.views import erased_among
from services.runtime.json_lines import Progress
from services.runtime.postgres import Connection
from services.runtime.settings import Settings

EVENTS_MAX = 2_000_000
"""Events of the source that one run looks at: their ids are held in memory."""
BATCH_EVENTS = 500
"""Events looked at in one go; of these, replacements are published before any of what they replace is taken back."""
EXAMPLES_MAX = 10
MOVES_MAX = 1_000
"""Pairs of types that are counted apart: names of unmapped events are the sender's own."""
TELL_EVERY_S = 1.0
OTHERS = "(others)"
_SOURCE, _TYPE = b"ce_source", b"ce_type"


class Nothing(ValueError):
    """There is nothing of the source in the stretch."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be mapped anew: a source's events that the log took in a time, of one name or type if it is said."""

    source: Source
    since: datetime | None = None
    until: datetime | None = None
    name: str | None = None
    type: str | None = None

    def fits(self, event: Event) -> bool:
        """Whether the event is asked about."""
        if self.type is not None and event.type != self.type:
            return False
        return self.name is None or folded(sent_name(event) or "") == folded(self.name)


@dataclass(slots=True)
class Counted:
    """What was found, and done."""

    read: int = 0
    unchanged: int = 0
    gone: int = 0
    foreign: int = 0
    erased: int = 0
    published: int = 0
    finished: int = 0
    left: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    incomplete: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def note(self, change: Change, place: str) -> None:
        """Count one that differs; one whose replacement is in the log already is only to be finished."""
        if change.replacement is None:
            self.finished += 1
            return
        made = change.replacement
        move = (change.old.type, made.event.type)
        if move not in self.moves and len(self.moves) >= MOVES_MAX:
            move = (OTHERS, OTHERS)
        self.moves[move] += 1
        self.incomplete[move] += bool(made.incomplete)
        if len(self.examples) < EXAMPLES_MAX:
            shown = {"event_id": change.old.event_id, "time": rfc3339(change.old.time), "place": place}
            of_types = {"from": change.old.type, "to": made.event.type, "lacks": list(made.incomplete)}
            self.examples.append({**shown, **of_types})


class Remap:
    """One run over a stretch of the log. Without a publisher it only counts.

    `plan` is the source's tracking plan; `connection` holds what the run says of itself in the database.
    """

    def __init__(
        self, settings: Settings, connection: Connection, tables: Tables, plan: Plan | None, wanted: Wanted,
        publisher: Publisher | None, progress: Progress,
    ) -> None:  # fmt: skip
        self.settings, self.connection, self.tables, self.plan = settings, connection, tables, plan
        self.wanted, self.publisher, self.progress = wanted, publisher, progress
        self.words = Words(wanted.source.name)
        self.counted = Counted()
        self._seen: set[bytes] = set()
        self._waiting: list[Change] = []
        self._told_at = time.monotonic()

    async def run(self) -> dict[str, Any]:
        """What was found and done. Raises TooMuch, Nothing, BrokerAway, KafkaError, or what TRANSIENT lists."""
        async with opened(self.settings, "c360-remap") as log:
            await self._hear_all(log)
            stretch = await log.between(self.wanted.since, self.wanted.until)
            await self._go_through(log, stretch)
        if not self.counted.read + self.counted.erased:
            raise Nothing(f"the log took nothing of {self.wanted.source.name} in that time that fits")
        return self._told()

    async def _hear_all(self, log: Log) -> None:
        """What was taken back anywhere in the log, before its event or long after it."""
        name = self.wanted.source.name.encode()
        whole = await log.between(None, None)
        read = 0
        async for record in log.records(whole):
            read += 1
            self._tell(f"{read:,} of {whole.records:,} records were looked at for what was taken back")
            kind, source, remade = _headers(record)
            if kind == RETRACTED.encode() or (remade and source == name):
                event = _event(record)
                if event is not None:
                    self.words.hear(event)

    async def _go_through(self, log: Log, stretch: Stretch) -> None:
        name = self.wanted.source.name.encode()
        read = 0
        found: list[tuple[Event, str]] = []
        async for record in log.records(stretch):
            read += 1
            self._tell(f"{read:,} of {stretch.records:,} records read, {self.counted.moves.total():,} differ")
            kind, source, _ = _headers(record)
            if source != name or kind == RETRACTED.encode():
                continue
            event = _event(record)
            if event is None or not self.wanted.fits(event):
                continue
            found.append((event, place_of(record.partition, record.offset)))
            if len(found) >= BATCH_EVENTS:
                await self._look_at(found)
                found = []
        await self._look_at(found)

    async def _look_at(self, found: Sequence[tuple[Event, str]]) -> None:
        """Of who was erased nothing is written anew: the log would say again what he had taken out of it."""
        erased = await erased_among(self.connection, ((event.record_id, event.event_id) for event, _ in found))
        for event, place in found:
            if (event.record_id, event.event_id) in erased:
                self.counted.erased += 1
            else:
                self._decide(event, place)
        await self._publish()

    def _decide(self, event: Event, place: str) -> None:
        copy = bytes.fromhex((event.record_id + event.event_id).replace("-", ""))
        if copy in self._seen:
            return  # of several copies the first counts, and the others with it
        if len(self._seen) >= EVENTS_MAX:
            raise TooMuch(f"more than {EVENTS_MAX:,} events of {self.wanted.source.name}; choose a shorter time")
        self._seen.add(copy)
        counted = self.counted
        counted.read += 1
        received = Received(datetime.now(UTC), self.wanted.source, self.plan)
        became = decided(event, self.words, self.tables, received, self.settings.key_bytes)
        if isinstance(became, Foreign):
            counted.foreign += 1
        elif isinstance(became, Gone):
            counted.gone += 1
        elif isinstance(became, Left):
            counted.left.update([became.reason] if became.reason else [])
            counted.unchanged += became.reason is None
        else:
            counted.note(became, place)
            self._waiting.append(became)

    async def _publish(self) -> None:
        """First what stands for the old ones, acknowledged; then what takes them back."""
        changes, self._waiting = self._waiting, []
        if self.publisher is None or not changes:
            return
        replacements, retractions = in_order(changes)
        if self.plan is not None and (broken := plans.broken_by(replacements)):
            await plans.note(self.connection, self.wanted.source.name, self.plan.version, broken)
        for events in (replacements, retractions):
            await self.publisher.place(events)
            await self._account(events)
        self.counted.published += len(changes)

    async def _account(self, events: Sequence[Accepted]) -> None:
        """What was published is in the account of the source, as what came by a door is."""
        cells = Counter(Cell(self.wanted.source.name, minute_of(made.event.received)) for made in events)
        if cells:
            await accounting.add(self.connection, {cell: Answered(taken=number) for cell, number in cells.items()})

    def _tell(self, text: str) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            self.progress(text)

    def _told(self) -> dict[str, Any]:
        counted = self.counted
        moves = [
            {"from": old, "to": new, "events": number, "incomplete": counted.incomplete[old, new]}
            for (old, new), number in counted.moves.most_common()
        ]
        left = [
            {"reason": reason, "events": number, "why": EXPLAINED.get(reason) or EXPLANATIONS.get(reason, "")}
            for reason, number in counted.left.most_common()
        ]
        return {
            "source": self.wanted.source.name,
            "mapping": self.tables.number,
            "read": counted.read,
            "unchanged": counted.unchanged,
            "differing": counted.moves.total(),
            "unfinished": counted.finished,
            "taken_back_before": counted.gone,
            "in_our_words": counted.foreign,
            "erased": counted.erased,
            "published": counted.published,
            "moves": moves,
            "left": left,
            "examples": counted.examples,
        }


def _headers(record: Any) -> tuple[bytes, bytes, bool]:
    """(type, source, whether it was mapped anew), without decoding anything."""
    kind = source = b""
    for name, value in record.headers:
        if name == "ce_type":
            kind = value
        elif name == "ce_source":
            source = value
    return kind, source, header(record.headers, f"ce_{REMAPPED}") is not None


def _event(record: Any) -> Event | None:
    """None for what no service can read either: it is parked there, and nothing stands for it."""
    try:
        return decode_event(record.key, record.value, record.headers, exact=True)
    except (Unreadable, Sealed):
        return None
