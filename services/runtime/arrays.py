"""Arrays on their way to PostgreSQL: asyncpg asks less of each element than it would.

Owns one change of asyncpg 0.32: before it writes an array, it asks of every element whether that is an array too, and
asks abstract classes, which takes twice as long as writing it (.48 µs an element, .17 so; a batch of a lane has many
thousands). Here lists and tuples are arrays, and nothing else is: sets and views are refused with a TypeError, as
anything else was. Must not change what is written.
"""

from __future__ import annotations

from typing import Any

from asyncpg.protocol import protocol

ITERABLE, SIZED = "IterableABC", "SizedABC"
"""What asyncpg's encoder calls the classes it asks: an array is an instance of both."""


def quicken(encoder: Any = protocol) -> None:
    """Let lists and tuples be arrays from now on, in this process. Raises AttributeError in an asyncpg without it."""
    for name in (ITERABLE, SIZED):
        getattr(encoder, name)
    setattr(encoder, ITERABLE, (list, tuple))
    setattr(encoder, SIZED, object)
