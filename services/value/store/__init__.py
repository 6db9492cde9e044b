"""Value's SQL for the lane: entries, orders, day rows. Members and groups are services/runtime/grouping.py.

Owns writing of money; what else was heard is heard.py's, what is combined of a customer customers.py's. Reading for
people is views/. Everything of an order is read and written under its row's lock, day rows under their record's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

import msgspec
import orjson

from services.runtime.forgetting import Erased, delete
from services.runtime.locking import hold
from services.runtime.postgres import Connection
from services.value.domain.entries import Entry, read_stored, write
from services.value.domain.orders import NEVER, Amounts, CellKey, Order, added
from services.value.store.customers import LEDGERS

__all__ = ["LEDGERS"]

Cells = dict[CellKey, Amounts]
_STORED_CELLS = msgspec.json.Decoder(list[tuple[CellKey, Amounts]])
_STORING = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Stored:
    """An order as stored: its entries that count, the cells it has added, its owner and its time as an order."""

    entries: list[Entry]
    cells: Cells
    owner: str | None
    ordered_us: int | None


def first_seen_at(order: Order) -> int | None:
    """When it was ordered, in µs; None for what counts as if it never had been."""
    return None if order.status == NEVER else order.ordered_us


def order_id(key: str) -> str:
    """The row of a business key, as a UUID's text."""
    return str(UUID(bytes=blake2b(key.encode(), digest_size=16).digest()))


async def insert_entries(
    connection: Connection, entries: Sequence[Entry], withdrawn: frozenset[str]
) -> set[tuple[str, str]]:
    """Keep the entries not kept yet; their (record id, event id). The first copy in the log wins."""
    if not entries:
        return set()
    rows = await connection.fetch(
        """
        INSERT INTO entry (event_id, record_id, order_id, body, withdrawn)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bool[])
        ON CONFLICT (event_id, record_id) DO NOTHING RETURNING record_id, event_id
        """,
        [e.event_id for e in entries],
        [e.record_id for e in entries],
        [order_id(e.key) for e in entries],
        [write(e) for e in entries],
        [e.event_id in withdrawn for e in entries],
    )
    return {(str(r["record_id"]), str(r["event_id"])) for r in rows}


async def withdraw(connection: Connection, event_ids: Iterable[str]) -> set[str]:
    """Mark these events' entries as taken back; the orders they were of."""
    rows = await connection.fetch(
        "UPDATE entry SET withdrawn = true WHERE event_id = any($1::uuid[]) AND NOT withdrawn RETURNING order_id",
        sorted(event_ids),
    )
    return {str(r["order_id"]) for r in rows}


async def forget(connection: Connection, erased: Erased) -> set[str]:
    """Delete the entries of what is erased; the orders they were of."""
    return {str(r["order_id"]) for r in await delete(connection, "entry", erased, "order_id")}


async def hold_orders(connection: Connection, orders: Iterable[str]) -> dict[str, Stored]:
    """Lock the orders' rows: order id → what is stored of it."""
    ids = sorted(orders)
    await hold(connection, "orders", "order_id", ids)
    rows = await connection.fetch(
        """
        SELECT order_id, cells, owner, ordered_us, ARRAY(
            SELECT body FROM entry e WHERE e.order_id = o.order_id AND NOT e.withdrawn) AS entries
        FROM orders o WHERE order_id = any($1::uuid[])
        """,
        ids,
    )
    return {
        str(r["order_id"]): Stored(
            [read_stored(body) for body in r["entries"]],
            read_cells(r["cells"]),
            None if r["owner"] is None else str(r["owner"]),
            r["ordered_us"],
        )
        for r in rows
    }


def read_cells(text: str) -> Cells:
    """From the stored form."""
    return dict(_STORED_CELLS.decode(text))


async def save_orders(connection: Connection, orders: Mapping[str, tuple[str, Order]]) -> None:
    """Write orders: order id → (business key, order)."""
    ids = sorted(orders)
    folded = [orders[i][1] for i in ids]
    await connection.execute(
        """
        UPDATE orders o SET key = n.key, owner = n.owner, currency = n.currency, ordered_us = n.ordered_us,
            status = n.status, shadowed = n.shadowed, flags = coalesce(string_to_array(n.flags, ','), '{}'),
            cells = n.cells, items = n.items
        FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::int[], $8::text[],
                    $9::text[], $10::text[])
            AS n (id, key, owner, currency, ordered_us, status, shadowed, flags, cells, items)
        WHERE o.order_id = n.id
        """,
        ids,
        [orders[i][0] for i in ids],
        [o.owner for o in folded],
        [o.currency for o in folded],
        [first_seen_at(o) for o in folded],
        [o.status for o in folded],
        [o.shadowed for o in folded],
        [",".join(o.flags) or None for o in folded],
        [_STORING.encode([*o.cells.items()]).decode() for o in folded],
        [orjson.dumps(o.items).decode() for o in folded],
    )


async def add_days(connection: Connection, changes: Cells) -> None:
    """Add to day rows, which may be negative; rows that come to nothing are deleted."""
    if not changes:
        return
    keys = sorted(changes)
    named = ", ".join(Amounts._fields)
    arrays = ", ".join(f"${n}::bigint[]" for n in range(5, 5 + len(Amounts._fields)))
    columns = [[k[part] for k in keys] for part in range(4)]
    await connection.execute(
        f"""
        INSERT INTO day AS d (record_id, day, area, currency, {named})
        SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], {arrays})
        ON CONFLICT (record_id, day, area, currency) DO UPDATE SET
            {", ".join(f"{name} = d.{name} + excluded.{name}" for name in Amounts._fields)}
        """,
        *columns,
        *([getattr(changes[k], name) for k in keys] for name in Amounts._fields),
    )
    less = [k for k in keys if min(changes[k]) < 0]
    if less:
        await connection.execute(
            f"""
            DELETE FROM day d USING unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) AS k (r, n, a, c)
            WHERE d.record_id = k.r AND d.day = k.n AND d.area = k.a AND d.currency = k.c
              AND {" AND ".join(f"d.{name} = 0" for name in Amounts._fields)}
            """,
            *([k[part] for k in less] for part in range(4)),
        )


def difference(new: Cells, old: Cells) -> Cells:
    """What has to be added to day rows that hold `old` so that they hold `new`."""
    if not old:
        return {key: amounts for key, amounts in new.items() if any(amounts)}
    found: Cells = {}
    for key in new.keys() | old.keys():
        negative = Amounts(*(-part for part in old.get(key, Amounts())))
        change = added(new.get(key, Amounts()), negative)
        if any(change):
            found[key] = change
    return found
