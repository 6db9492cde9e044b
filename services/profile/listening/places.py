"""Cursors: how far somebody has heard, and the newest changes of each partition, to know repeats by.

Owns the form of a cursor. A cursor is the next offset of each partition; where a message says several things, it adds
how many of them were told already: `3-0-7-…`, or `3-0-7-….2.1`: of the next message of partition 2, one. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.topics import PARTITIONS
from services.runtime.http import Problem

REMEMBERED = 2_000
"""A crash makes at most one batch of a partition be told again."""
BEGIN = "begin"
OFFSET_DIGITS_MAX = 18
TOLD_DIGITS_MAX = 4

Places = tuple[int, ...]
"""The next offset of each partition."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """`places`, and how many events of partition `within`'s next message were told."""

    places: Places
    within: int = 0
    told: int = 0

    def skips(self, partition: int, offset: int) -> int:
        """How many events of this message whoever holds the cursor has heard."""
        return self.told if partition == self.within and offset == self.places[partition] else 0

    def __str__(self) -> str:
        """Without the characters that would need care in a header or a URL."""
        text = "-".join(map(str, self.places))
        return f"{text}.{self.within}.{self.told}" if self.told else text


def read_cursor(text: str) -> Cursor:
    """What a cursor says. Raises Problem("bad-request")."""
    places, *more = text.split(".")
    parts = places.split("-")
    good = len(parts) == PARTITIONS and all(_is_number(part, OFFSET_DIGITS_MAX) for part in parts)
    if good and not more:
        return Cursor(tuple(map(int, parts)))
    within = len(more) == 2 and all(_is_number(part, TOLD_DIGITS_MAX) for part in more)
    if good and within and int(more[0]) < PARTITIONS:
        return Cursor(tuple(map(int, parts)), int(more[0]), int(more[1]))
    raise Problem("bad-request", "the cursor is the id of an event of a stream of changes")


def _is_number(text: str, digits_max: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits_max


def after(places: Places, partition: int, offset: int) -> Places:
    """The places after a message."""
    return (*places[:partition], offset + 1, *places[partition + 1 :])


class Remembered:
    """The ids of the newest changes of each partition."""

    def __init__(self) -> None:
        self._ids: dict[int, dict[str, None]] = {}

    def is_new(self, partition: int, change_id: str) -> bool:
        """Whether it was not met among the last ones; it is remembered."""
        ids = self._ids.setdefault(partition, {})
        if change_id in ids:
            return False
        ids[change_id] = None
        if len(ids) > REMEMBERED:
            del ids[next(iter(ids))]
        return True
