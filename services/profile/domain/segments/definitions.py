"""Definitions of segments: their names, versions and conditions, all in one document that is set as a whole.

Owns reading it. A segment of another one is a condition with that one's in `all`: `within` names it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.conditions import BadCondition, Condition, Held, read_condition

SEGMENTS = "profile.segments"
"""The document's name."""
SEGMENTS_MAX = 500
NAME_CHARS_MAX = 200
DESCRIPTION_CHARS_MAX = 2_000
PARTS = frozenset({"name", "version", "where", "within", "description"})
ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. `within`: the segment it is a part of. `of_time`: whether waiting may change who is in it."""

    segment_id: str
    name: str
    version: int
    where: Condition
    of_time: bool
    within: str | None = None
    description: str | None = None

    def judged(self, document: Mapping[str, Any], now_us: int) -> Held:
        """Whether its own condition holds, and why."""
        return self.where(document, now_us)


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments by id."""

    by_id: Mapping[str, Segment]

    @property
    def any_ages(self) -> bool:
        """Whether waiting may change who is in any of them."""
        return any(segment.of_time for segment in self.by_id.values())

    def ages(self, segment: Segment) -> bool:
        """Whether waiting may change who is in it, or in what it is a part of."""
        around = [self.by_id[outer] for outer in self.around(segment) if outer in self.by_id]
        return any(one.of_time for one in (segment, *around))

    def of(self, document: Mapping[str, Any], now_us: int) -> dict[str, Segment]:
        """Those a customer belongs to, by id; of a part only who is in the whole."""
        own = {i: s for i, s in self.by_id.items() if s.judged(document, now_us).holds}
        return {i: s for i, s in own.items() if all(outer in own for outer in self.around(s))}

    def around(self, segment: Segment) -> list[str]:
        """The segments it is a part of, the nearest first."""
        found: list[str] = []
        outer = segment.within
        while outer is not None and outer not in found:
            found.append(outer)
            outer = self.by_id[outer].within if outer in self.by_id else None
        return found


def read_segment(segment_id: str, document: Any) -> Segment:
    """One segment. Raises ValueError naming every error with its path."""
    errors = [] if ID.fullmatch(segment_id) else [f"segment_id: {ID.pattern}"]
    if not isinstance(document, Mapping):
        raise ValueError("; ".join([*errors, "a segment is an object"]))
    errors += [f"{name}: a segment has no such part" for name in sorted(map(str, document.keys() - PARTS))]
    name, within, version = document.get("name"), document.get("within"), document.get("version", 1)
    described = document.get("description")
    if not _is_text(name, NAME_CHARS_MAX):
        errors.append(f"name: a text of at most {NAME_CHARS_MAX} characters")
    if described is not None and not _is_text(described, DESCRIPTION_CHARS_MAX):
        errors.append(f"description: a text of at most {DESCRIPTION_CHARS_MAX} characters")
    if within is not None and (not isinstance(within, str) or within == segment_id):
        errors.append("within: the id of another segment")
    if type(version) is not int or version < 1:
        errors.append("version: a whole number from 1")
    try:
        where, of_time = read_condition(document.get("where"))
    except BadCondition as wrong:
        raise ValueError("; ".join([*errors, str(wrong)])) from None
    if errors:
        raise ValueError("; ".join(errors))
    return Segment(segment_id, str(name), version, where, of_time, within, described)


def _is_text(value: Any, chars_max: int) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= chars_max:
        return False
    return value.replace("\n", " ").isprintable()


def read_segments(document: Any) -> Segments:
    """All segments of the document: {"segments": {id: segment}}. Raises ValueError naming what is wrong."""
    listed = document.get("segments") if isinstance(document, Mapping) else None
    if not isinstance(listed, Mapping) or len(listed) > SEGMENTS_MAX:
        raise ValueError(f"segments: a mapping of at most {SEGMENTS_MAX} ids to segments")
    found: dict[str, Segment] = {}
    errors = []
    for segment_id, one in listed.items():
        try:
            found[str(segment_id)] = read_segment(str(segment_id), one)
        except ValueError as wrong:
            errors.append(f"segments.{segment_id}: {wrong}")
    errors += _badly_within(Segments(found), listed)
    if errors:
        raise ValueError("; ".join(errors))
    return Segments(found)


def _badly_within(found: Segments, listed: Mapping[str, Any]) -> list[str]:
    """Parts of what is not there, and parts of themselves in a circle."""
    errors = []
    for one in found.by_id.values():
        if one.within is not None and one.within not in listed:
            errors.append(f"segments.{one.segment_id}.within: there is no segment {one.within}")
        elif one.segment_id in found.around(one):
            errors.append(f"segments.{one.segment_id}.within: {one.within} is a part of it")
    return errors
