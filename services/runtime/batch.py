"""What a lane hands to a service's handlers: decoded records, and the transaction that applies them.

Owns the vocabulary between lane and handlers. Does no I/O itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.codec import Sealed, State, StateText, Unreadable
from services.runtime.positions import Partition
from services.runtime.postgres import Connection

Message = Any
"""What a topic's decoder returns: an Event, a State, or a service's own reading of a raw record."""


class Incoming(msgspec.Struct, frozen=True):
    """One decoded record with where it came from. `log_time_ms` is the broker's timestamp."""

    topic: str
    partition: int
    offset: int
    log_time_ms: int
    message: Message
    raw: Any

    @property
    def place(self) -> tuple[str, int, int]:
        """(topic, partition, offset)."""
        return self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one transaction, in the order of their partitions' offsets."""

    records: Sequence[Incoming]

    def of(self, topic: str) -> list[Incoming]:
        """The records of one topic."""
        return [r for r in self.records if r.topic == topic]

    def without(self, partitions: set[Partition]) -> Batch:
        """The batch less some partitions."""
        return Batch([r for r in self.records if (r.topic, r.partition) not in partitions])

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches that together are this one, in order."""
        middle = len(self.records) // 2
        return Batch(self.records[:middle]), Batch(self.records[middle:])


@dataclass(frozen=True, slots=True)
class Parked:
    """A record set aside with its reason; `detail` never holds content."""

    place: tuple[str, int, int]
    reason: str
    detail: str
    raw: Any
    source: str = ""


class Told(msgspec.Struct, frozen=True):
    """One state to publish after COMMIT."""

    topic: str
    state: State | StateText
    detail: dict[str, Any] | None = None


@dataclass(slots=True)
class Work:
    """One batch's transaction: its connection and epoch, and what it will tell, park, count and remember."""

    connection: Connection
    epoch: int
    told: dict[tuple[str, str], Told] = field(default_factory=dict)
    parked: list[Parked] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    def tell(self, topic: str, state: State | StateText, detail: dict[str, Any] | None = None) -> None:
        """Publish `state` after COMMIT; a marker is written in this transaction."""
        before = self.told.get((topic, state.key))
        if before and before.detail:
            detail = before.detail | (detail or {})
        self.told[topic, state.key] = Told(topic, state, detail)

    def park(self, record: Incoming, reason: str, detail: str = "", source: str = "") -> None:
        """Set a record aside; the rest of the batch goes on."""
        self.parked.append(Parked(record.place, reason, detail, record.raw, source))

    def mark_point(self) -> tuple[Any, ...]:
        """What `back_to` needs to forget what a failed part of the batch collected."""
        return dict(self.told), len(self.parked), Counter(self.counts), len(self.after_commit)

    def back_to(self, point: tuple[Any, ...]) -> None:
        """Forget what was collected since the point (its rows were rolled back to a savepoint)."""
        told, parked, counts, after = point
        self.told = told
        del self.parked[parked:]
        self.counts = counts
        del self.after_commit[after:]


CurrentStates = Callable[[Connection, Sequence[str], int], Awaitable[list[State]]]
"""(connection, keys, epoch) → their states as committed now, read in one statement, without locks."""


Body = dict[str, Any] | None


def _nothing(_key: str) -> Body:
    return None


@dataclass(frozen=True, slots=True)
class Tells:
    """A topic a service tells states to: the table whose `n` counts their versions, and how to read them.

    For telling what differs between two generations: `emptied` is the body that says a key is no more; `content`
    reads what is compared, where what is told is not the content itself; `retold` is the detail then told with a
    state, of the contents before and after; None: nothing.
    """

    table: str
    key: str
    current: CurrentStates
    emptied: Callable[[str], Body] = _nothing
    content: CurrentStates | None = None
    retold: Callable[[State, Body, Body], dict[str, Any] | None] | None = None


Combine = Callable[[Work, str, int], Awaitable[str | None]]
"""(transaction, id after which to go on, log time to tell in ms) → the last id combined; None: there were no more."""


@dataclass(frozen=True, slots=True)
class Gathers:
    """The halves of a batch's work that a rebuild does apart (runtime/gathering.py).

    `apply` keeps what a batch says of records; `combine` makes of all that what is told of some customers.
    """

    apply: Callable[[Batch, Work], Awaitable[None]]
    combine: Combine


@dataclass(frozen=True, slots=True)
class LanePlan:
    """What a service gives the lane: how to read its topics, apply a batch, and say a state again.

    `prepare` runs before BEGIN and may publish (intake); `forget` empties caches after a fence, a rebalance or a
    rollback. `lingers`: how many `batch_linger_ms` lie between two small batches. `begin` runs once on the lane's
    connection, before the first batch. `spare` is work that no record asks for, a piece of it in a transaction of
    its own; it says whether there is more. `gathers`: how a rebuild keeps records first and combines them at the end.
    """

    service: str
    lane: str
    decode: Mapping[str, Callable[[Any], Message | None]]
    apply: Callable[[Batch, Work], Awaitable[None]]
    tells: Mapping[str, Tells] = field(default_factory=dict)
    encode: Mapping[str, Callable[[Told], tuple[bytes, bytes, list[tuple[str, bytes]]]]] = field(default_factory=dict)
    prepare: Callable[[Batch], Awaitable[None]] | None = None
    lingers: int = 1
    begin: Callable[[Connection], Awaitable[None]] | None = None
    spare: Callable[[Work], Awaitable[bool]] | None = None
    forget: Callable[[], None] = lambda: None
    gathers: Gathers | None = None

    def read(self, records: Iterable[Any]) -> tuple[list[Incoming], list[Parked], list[str]]:
        """What the decoders make of raw records: messages, what cannot be read, topics of those that are sealed."""
        read: list[Incoming] = []
        unread: list[Parked] = []
        sealed: list[str] = []
        for raw in records:
            try:
                message = self.decode[raw.topic](raw)
            except Unreadable as broken:
                place = (raw.topic, raw.partition, raw.offset)
                unread.append(Parked(place, broken.reason, broken.detail, raw))
                continue
            except Sealed:
                sealed.append(raw.topic)
                continue
            if message is not None:
                read.append(Incoming(raw.topic, raw.partition, raw.offset, raw.timestamp, message, raw))
        return read, unread, sealed
