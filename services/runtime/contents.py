"""What two generations say of the same keys: read a page at a time, compared by content, not by version.

Owns what counts as the same. An emptied state and one that never was say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.codec import State
from services.runtime.batch import Body, Tells
from services.runtime.postgres import Connection

BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Content:
    """What a generation says of a key: its body (as emptied where there is nothing), and of whom it is combined.

    `known`: whether it has a row of it at all; no difference by itself.
    """

    body: Body
    members: str
    known: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A generation as one connection reads it."""

    connection: Connection
    schema: str


async def keys_after(one: Place, other: Place, tells: Tells, after: str, count: int) -> list[str]:
    """The next keys, in ascending order, that either generation ever told; at most `count` of them."""
    found = [await _told_after(place, tells, after, count) for place in (one, other)]
    return sorted({*found[0], *found[1]})[:count]


async def _told_after(place: Place, tells: Tells, after: str, count: int) -> list[str]:
    rows = await place.connection.fetch(
        f"SELECT {tells.key} AS key FROM {place.schema}.{tells.table} WHERE {tells.key} > $1 AND n > 0"
        f" ORDER BY {tells.key} LIMIT $2",
        after,
        count,
    )
    return [str(r["key"]) for r in rows]


async def states(connection: Connection, tells: Tells, keys: Sequence[str], epoch: int) -> dict[str, State]:
    """key → what is told of it, in the generation that the connection's search path names."""
    return {state.key: state for state in await tells.current(connection, keys, epoch)}


async def contents(
    connection: Connection, tells: Tells, keys: Sequence[str], told: Mapping[str, State] | None = None
) -> dict[str, Content]:
    """key → what the generation on the connection's search path says of it, for every key.

    `told`: the states, where the caller has them.
    """
    if tells.content is not None:
        told = {state.key: state for state in await tells.content(connection, keys, 0)}
    elif told is None:
        told = await states(connection, tells, keys, 0)
    nothing = {key: tells.emptied(key) for key in keys}
    found = {}
    for key in keys:
        state = told.get(key)
        body = nothing[key] if state is None or state.body is None else state.body
        members = "" if state is None or body == nothing[key] else state.members
        found[key] = Content(body, members, state is not None)
    return found


def fields(one: Body, other: Body) -> list[str]:
    """The top-level fields in which two bodies differ."""
    left, right = one or {}, other or {}
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
