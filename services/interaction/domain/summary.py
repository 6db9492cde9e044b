"""Summaries of interactions: folded per record, combined per customer, in any order the same.

Pure: no clock, no I/O. A record's summary holds counts, first, last and the newest ten; combining is
commutative and associative, so records may be grouped, split and grouped again without a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from schemas.envelope import moment_at, rfc3339

LAST_ITEMS_MAX = 10
BY_RECORD_MAX = 200
MOMENTS_REMEMBERED_MAX = 50_000
"""The same ten moments are written again with every new event of a customer."""

Item = tuple[int, str, str, str, str, str, str]
"""(time in µs, event id, type, channel, direction, title, source): one line of the newest ten."""


@lru_cache(maxsize=MOMENTS_REMEMBERED_MAX)
def moment(time_us: int) -> str:
    """RFC 3339 of µs since 1970."""
    return rfc3339(moment_at(time_us))


@dataclass(slots=True)
class Summary:
    """What passed under one record. `first_us` and `last_us` are event times in µs; 0 events has neither."""

    count: int = 0
    first_us: int | None = None
    last_us: int | None = None
    by_channel: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, int] = field(default_factory=dict)
    last: list[Item] = field(default_factory=list)

    def add(self, item: Item) -> None:
        """Fold in one event that was not counted yet."""
        time_us, _, event_type, channel, *_ = item
        self.count_some(event_type, channel, 1, time_us, time_us)
        self.last = newest([*self.last, item])

    def count_some(self, event_type: str, channel: str, count: int, first_us: int, last_us: int) -> None:
        """Count so many events of one type and channel at once; `last` is the caller's."""
        self.count += count
        self.first_us = first_us if self.first_us is None else min(self.first_us, first_us)
        self.last_us = last_us if self.last_us is None else max(self.last_us, last_us)
        self.by_channel[channel] = self.by_channel.get(channel, 0) + count
        self.by_type[event_type] = self.by_type.get(event_type, 0) + count


def newest(items: Iterable[Item]) -> list[Item]:
    """The newest ten, latest first; equal times are ordered by event id."""
    return sorted(items, reverse=True)[:LAST_ITEMS_MAX]


def write(summary: Summary) -> str | None:
    """The stored form: the same text for the same summary, nothing for an empty one."""
    if not summary.count:
        return None
    return orjson.dumps(
        [
            summary.count,
            summary.first_us,
            summary.last_us,
            dict(sorted(summary.by_channel.items())),
            dict(sorted(summary.by_type.items())),
            summary.last,
        ]
    ).decode()


def read(stored: str | None) -> Summary:
    """From the stored form; nothing stored is an empty summary."""
    if stored is None:
        return Summary()
    count, first_us, last_us, by_channel, by_type, last = orjson.loads(stored)
    return Summary(count, first_us, last_us, by_channel, by_type, [tuple(item) for item in last])


def combine(summaries: Mapping[str, Summary]) -> dict[str, Any] | None:
    """The customer's section of his records' summaries (record id → summary); None when nothing passed."""
    parts = {record: s for record, s in summaries.items() if s.count}
    if not parts:
        return None
    return {
        "first_at": moment(min(s.first_us for s in parts.values() if s.first_us is not None)),
        "last_at": moment(max(s.last_us for s in parts.values() if s.last_us is not None)),
        "count": sum(s.count for s in parts.values()),
        "by_channel": _added(s.by_channel for s in parts.values()),
        "by_type": _added(s.by_type for s in parts.values()),
        "last": [_line(item) for item in newest(i for s in parts.values() for i in s.last)],
        "by_record": {
            record: [
                parts[record].count,
                moment(parts[record].first_us or 0),
                moment(parts[record].last_us or 0),
            ]
            for record in sorted(parts)[:BY_RECORD_MAX]
        },
    }


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in counts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items()))


def _line(item: Item) -> dict[str, str]:
    time_us, event_id, event_type, channel, direction, title, source = item
    return {
        "event_id": event_id,
        "time": moment(time_us),
        "channel": channel,
        "direction": direction,
        "type": event_type,
        "title": title,
        "source": source,
    }
