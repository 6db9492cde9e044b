"""A file of events, read: JSON lines, a JSON array, or one object; CloudEvents and Segment calls, by body.

Owns telling forms apart and naming the line of what cannot be read. Bytes of a line are passed on as they
are, so that no amount goes through a float. Whether an event is valid is the collector's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from schemas.codec import Unreadable, read_json_exactly, write_json_exactly

Kind = Literal["cloudevent", "segment"]
SEGMENT_CALLS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
NEITHER = "neither a CloudEvent (specversion) nor a Segment call (type: track, identify, page, ...)"


@dataclass(frozen=True, slots=True)
class Item:
    """One event as it will be sent; `line` counts from 1 (in an array: the number of the item)."""

    line: int
    kind: Kind
    body: bytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """What cannot be sent, and why; never holds the content."""

    line: int
    why: str


def read_items(lines: Iterable[bytes]) -> Iterator[Item | BadLine]:
    """Items of a file given line by line, as they are asked for; an array or a wide object as a whole."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    number, line = first
    text = line.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"["):
        yield from _of_array(text, b"".join(rest for _, rest in numbered), number)
        return
    if not _is_json(text):
        rest = [(n, more) for n, more in numbered]
        whole = text + b"".join(more for _, more in rest)
        if rest and text.startswith(b"{") and _is_json(whole):
            yield from _of_value(number, whole)
            return
        numbered = ((n, more) for n, more in rest)
    yield from _of_value(number, text)
    for number, line in numbered:
        yield from _of_value(number, line)


def _is_json(text: bytes) -> bool:
    try:
        read_json_exactly(text)
    except Unreadable:
        return False
    return True


def _of_array(text: bytes, rest: bytes, line: int) -> Iterator[Item | BadLine]:
    try:
        value = read_json_exactly(text + rest)
    except Unreadable as broken:
        yield BadLine(line, f"no JSON array: {broken.detail}")
        return
    for number, one in enumerate(value, 1):
        yield from _of_parsed(number, one, write_json_exactly(one))


def _of_value(line: int, text: bytes) -> Iterator[Item | BadLine]:
    try:
        value = read_json_exactly(text)
    except Unreadable as broken:
        yield BadLine(line, f"no JSON: {broken.detail}")
        return
    yield from _of_parsed(line, value, text.strip())


def _of_parsed(line: int, value: Any, body: bytes) -> Iterator[Item | BadLine]:
    if isinstance(value, list):
        for one in value:
            yield from _of_parsed(line, one, write_json_exactly(one))
    elif not isinstance(value, dict):
        yield BadLine(line, "no JSON object")
    elif "specversion" in value:
        yield Item(line, "cloudevent", body)
    elif isinstance(value.get("batch"), list):
        for one in value["batch"]:
            yield from _of_parsed(line, one, write_json_exactly(one))
    elif value.get("type") in SEGMENT_CALLS:
        yield Item(line, "segment", body)
    else:
        yield BadLine(line, NEITHER)
