"""Lines of a customer's timeline: when two customers became one or were parted, and what operators said of them.

Owns which evidence makes a line and what it tells. Lines are a function of the evidence, as customers are: they stand
at the time of the event that made them, in any order of arrival the same. What was decided on the way, at the log's
time, is history.py's. Pure.

A link is a merge if by its time both sides had been seen without it, and nothing else had joined them. An operator's
"same" is one if nothing had joined the two by then, or if they had been parted; his "different" is a split if they
were held to be one. Any other word is told as what it is. Likeness has no time, and makes no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.envelope import event_id, moment_at, rfc3339
from schemas.identifiers import class_rank
from schemas.places import Place
from services.identity.domain.evidence import ALIAS, NEVER_US, Assertion, Link, Record, standing
from services.identity.domain.parts import Parts

MERGED, SPLIT = "customer.merged", "customer.split"
SAME, DIFFERENT = "customer.same_asserted", "customer.different_asserted"
TITLES = {
    MERGED: "Became one with another customer",
    SPLIT: "Parted from another customer",
    SAME: "Said to be the same person",
    DIFFERENT: "Said to be another person",
}
CHANNEL = "internal"
"""Channel and direction of every line: nobody said anything to anybody."""
SOURCE = "identity"
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `other`: the other customer's id, of a merge the one given up; None where both are this customer."""

    type: str
    time_us: int
    record_id: str
    other: str | None
    because: str
    event_id: str
    source: str | None
    reason: str | None
    actor: str | None
    pair: Pair

    @property
    def line_id(self) -> str:
        """The same whenever the line is told of the same evidence."""
        return event_id(SOURCE, f"{self.type} {' '.join(self.pair)} {self.because} {self.event_id}")

    @property
    def place(self) -> Place:
        """Where it stands in the timeline."""
        return moment_at(self.time_us), self.line_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of lines: at most `limit` of this type, from `since` to before `until`, below `after`."""

    limit: int
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Place | None = None

    def page(self, found: Iterable[Line]) -> list[Line]:
        """These of them, the newest first."""
        kept = [line for line in found if self._keeps(line)]
        return sorted(kept, key=lambda line: line.place, reverse=True)[: self.limit]

    def _keeps(self, line: Line) -> bool:
        place = line.place
        return (
            self.type in (None, line.type)
            and (self.since is None or place[0] >= self.since)
            and (self.until is None or place[0] < self.until)
            and (self.after is None or place < self.after)
        )


def lines(
    customer_id: str,
    records: Mapping[str, Record],
    customer_of: Mapping[str, str],
    links: Iterable[Link],
    words: Iterable[Assertion],
) -> list[Line]:
    """All lines of one customer, in no order. `links`: those that count; of records not given nothing is told."""
    said = list(words)
    told: list[Link | Assertion] = [*(k for k in links if k.first_us != NEVER_US), *said]
    telling = _Telling(customer_id, records, customer_of, {p for p, w in standing(said).items() if not w.same})
    for one in sorted((k for k in told if k.a in records and k.b in records), key=_order):
        if isinstance(one, Link):
            telling.link(one)
        else:
            telling.word(one)
    return telling.found


def _order(one: Link | Assertion) -> tuple[Any, ...]:
    if isinstance(one, Link):
        return one.first_us, one.event_id, one.a, one.b, 0, one.kind, ""
    return one.time_us, one.event_id, one.a, one.b, 1, not one.same, f"{one.reason}\x1f{one.actor}"


class _Telling:
    """Evidence taken in the order of its time."""

    def __init__(
        self, customer_id: str, records: Mapping[str, Record], customer_of: Mapping[str, str], apart: set[Pair]
    ) -> None:
        self._id, self._records, self._customer_of, self._apart = customer_id, records, customer_of, apart
        self._one, self._ever = Parts(), Parts()
        self.found: list[Line] = []
        self._said: dict[Pair, bool] = {}
        self._founder: dict[str, str] = {}
        self._seen_us: dict[str, int] = {}

    def link(self, k: Link) -> None:
        """One event named both."""
        self._ever.join(k.a, k.b)
        if not self._is_one(k.a, k.b):
            return
        apart = self._one.root(k.a) != self._one.root(k.b)
        known = all(self._seen(end) < k.first_us for end in (k.a, k.b))
        other = self._join(k.a, k.b)
        if apart and known and self._customer_of[k.a] == self._id:
            because = "alias" if k.kind == ALIAS else "seen_together"
            self.found.append(
                Line(MERGED, k.first_us, other, other, because, k.event_id, k.source, None, None, (k.a, k.b))
            )

    def word(self, w: Assertion) -> None:
        """An operator said it."""
        pair, parted = (w.a, w.b), self._said.get((w.a, w.b)) is False
        apart = self._ever.root(w.a) != self._ever.root(w.b)
        self._said[pair] = w.same
        if not w.same:
            self._tell(w, SPLIT if not apart and not parted else DIFFERENT, None)
            return
        self._ever.join(w.a, w.b)
        if not self._is_one(w.a, w.b):
            # It was true until a later word took it back; without such a word it was refused and joined nothing.
            self._tell(w, MERGED if pair in self._apart and (apart or parted) else SAME, None)
            return
        apart = self._one.root(w.a) != self._one.root(w.b)
        other = self._join(w.a, w.b)
        self._tell(w, MERGED if apart or parted else SAME, other if apart else None)

    def _tell(self, w: Assertion, type_: str, other: str | None) -> None:
        mine = [end for end in (w.a, w.b) if self._customer_of[end] == self._id]
        if not mine:
            return
        if len(mine) == 1:
            other = self._customer_of[w.b if mine[0] == w.a else w.a]
        because = "same_asserted" if w.same else "different_asserted"
        self.found.append(
            Line(type_, w.time_us, mine[0], other, because, w.event_id, None, w.reason, w.actor, (w.a, w.b))
        )

    def _is_one(self, a: str, b: str) -> bool:
        return self._customer_of[a] == self._customer_of[b]

    def _seen(self, record: str) -> int:
        root = self._one.root(record)
        return self._seen_us.get(root, self._records[root].first_us)

    def _join(self, a: str, b: str) -> str:
        """The part that gave its name up, by the record it was named after."""
        names = {self._founder.get(root, root) for root in (self._one.root(a), self._one.root(b))}
        ordered = sorted(names, key=self._naming)
        seen = min(self._seen(a), self._seen(b))
        self._one.join(a, b)
        root = self._one.root(a)
        self._founder[root], self._seen_us[root] = ordered[0], seen
        return ordered[-1]

    def _naming(self, record: str) -> tuple[int, int, str]:
        r = self._records[record]
        return class_rank(r.type), r.first_us, r.record_id


def shown(found: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines as a timeline's items."""
    return [
        {
            "event_id": line.line_id,
            "time": rfc3339(moment_at(line.time_us)),
            "channel": CHANNEL,
            "direction": CHANNEL,
            "type": line.type,
            "title": TITLES[line.type],
            "summary": line.reason,
            "source": line.source or SOURCE,
            "actor": {"kind": "staff", "id": line.actor} if line.actor else None,
            "record_id": line.record_id,
            "decision": {
                "customer_id": line.other,
                "because": line.because,
                "event_id": line.event_id,
                "reason": line.reason,
                "actor": line.actor,
            },
        }
        for line in found
    ]
