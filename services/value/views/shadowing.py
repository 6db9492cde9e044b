"""Which events tell an order that another event tells with more right.

Owns reading SQL only. A shadowed event is kept and visible; it adds nothing to anybody's revenue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from services.runtime.postgres import Connection
from services.value.domain.entries import read_stored
from services.value.domain.orders import fold

MEETING = """
    SELECT e.order_id, e.body FROM entry e WHERE NOT e.withdrawn AND e.order_id IN (
        SELECT order_id FROM entry WHERE event_id = any($1::uuid[]))
"""


async def shadowed(connection: Connection, events: Sequence[str], zone: ZoneInfo) -> list[tuple[str, str]]:
    """(record id, event id) of those among the events that are shadowed."""
    orders: dict[Any, list[Any]] = defaultdict(list)
    for row in await connection.fetch(MEETING, events):
        orders[row["order_id"]].append(read_stored(row["body"]))
    asked, found = set(events), set()
    for entries in orders.values():
        order = fold(entries, zone)
        owner = (order.owner, order.owner_event)
        for entry in entries:
            place = (entry.record_id, entry.event_id)
            # what alone would be an order tells one; a refund or a cost does not
            if entry.event_id in asked and place != owner and fold([entry], zone).owner_event is not None:
                found.add(place)
    return sorted(found)
