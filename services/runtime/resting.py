"""What a lane does while people have it paused: it tells what it committed, reads nothing, asks whether it lasts.

Owns one turn of that. The lane stays a member of its group; its position stays where it is in the database, and from
there it goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.runtime import applying, pauses
from services.runtime.postgres import SchemaHalt

if TYPE_CHECKING:
    from services.runtime.lane import Lane

REST_MS = 200
"""How long a paused lane waits before it asks again; it goes on within this time."""


async def look(lane: Lane) -> None:
    """See whether it is paused; a rebuild never is, it rests in a way of its own.

    Raises SchemaHalt when another generation is live by now.
    """
    if not lane.is_live:
        return
    live, lane.paused = await pauses.standing(lane.connection, lane.plan.service, lane.plan.lane)
    if live != lane.generation.number:
        raise SchemaHalt(applying.SUPERSEDED, f"generation {live} is live")


async def rest(lane: Lane) -> None:
    """One turn. Raises what flushing a batch raises, and what `look` raises."""
    await lane.outbox.settle()
    if lane.outbox.acked.numbers:
        lane.told(await applying.flush(lane, {}))
        return
    lane.rest()
    await lane.feed.rest(REST_MS)
    await look(lane)
    if not lane.paused:
        # Whatever was fetched and not applied is read again, from the position in the database.
        lane.feed.ready.clear()
        lane.plan.forget()
