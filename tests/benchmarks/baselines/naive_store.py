"""The naive baseline's SQL: one event, one transaction, one row a statement.

Owns its tables, which are made like ours where they hold the same. What an event means is decided by the same pure
functions as in our services: whoever builds this needs such rules, and so both must come to the same result.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from schemas.envelope import Event, microseconds
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import FOLDED_MAX, Family, family_of, heard
from services.interaction.domain.policy import Policy
from services.interaction.domain.section import parts_of, read_parts, section, write_parts
from services.interaction.domain.summary import read, write
from services.interaction.handlers.hearing import item
from services.interaction.store.facts import fact_row
from services.interaction.store.history import HistoryRow
from services.runtime.postgres import Connection
from services.value.domain import entries, ledger
from services.value.domain.orders import Amounts, CellKey, fold
from services.value.domain.policy import Policy as ValuePolicy
from services.value.domain.reading import read as read_entry
from services.value.store import difference, first_seen_at, order_id, read_cells
from tests.support.ledgers import ZONE

SCHEMA = """
    CREATE SCHEMA naive;
    CREATE TABLE naive.history (LIKE interaction_g1.history INCLUDING ALL);
    CREATE TABLE naive.fact (LIKE interaction_g1.fact INCLUDING ALL);
    CREATE TABLE naive.entry (LIKE value_g1.entry INCLUDING ALL);
    CREATE TABLE naive.orders (LIKE value_g1.orders INCLUDING ALL);
    CREATE TABLE naive.day (LIKE value_g1.day INCLUDING ALL);
    CREATE TABLE naive.summary (record_id uuid PRIMARY KEY, state text, parts text);
    CREATE TABLE naive.section (customer_id uuid, service text, body text, PRIMARY KEY (customer_id, service));
"""
CELLS = msgspec.json.Encoder()
SUMS = ", ".join(f"{name} = d.{name} + excluded.{name}" for name in Amounts._fields)
EMPTY = " AND ".join(f"{name} = 0" for name in Amounts._fields)


async def keep(connection: Connection, event: Event, row: HistoryRow, policy: Policy) -> dict[str, Any] | None:
    """Keep an event; the section of its record, None when it was kept before."""
    is_new = await connection.fetchval(
        """
        INSERT INTO history (record_id, event_id, time, type, channel, direction, source, sent_id, title, data,
            log_partition, log_offset) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (event_id, record_id) DO NOTHING RETURNING true
        """,
        row.record_id, row.event_id, row.time, row.type, row.channel, row.direction, row.source, row.sent_id,
        row.title, row.data, row.log_partition, row.log_offset,
    )  # fmt: skip
    if not is_new:
        return None
    facts = heard(event)
    for fact in facts:
        await connection.execute(
            "INSERT INTO fact VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            fact.record_id, family_of(fact.kind), fact.time_us, fact.event_id, fact.part, fact.kind, fact.key,
            fact.channel, fact.direction, fact.source, orjson.dumps(fact.body).decode(),
        )  # fmt: skip
    known = await connection.fetchrow(
        "SELECT state, parts FROM summary WHERE record_id = $1 FOR UPDATE", event.record_id
    )
    state, standing = known or (None, None)
    summary, parts = read(state), read_parts(standing)
    summary.add(item(row))
    families = {family_of(fact.kind) for fact in facts}
    if families:
        parts = parts_of(await _facts(connection, event.record_id, families), families, policy, parts)
    await connection.execute(
        """
        INSERT INTO summary VALUES ($1, $2, $3)
        ON CONFLICT (record_id) DO UPDATE SET state = excluded.state, parts = excluded.parts
        """,
        event.record_id, write(summary), write_parts(parts),
    )  # fmt: skip
    return section({event.record_id: summary}, parts)


async def _facts(connection: Connection, record: str, families: set[Family]) -> list[Fact]:
    found: list[Fact] = []
    for family in families:
        rows = await connection.fetch(
            """
            SELECT * FROM fact WHERE record_id = $1 AND family = $2
            ORDER BY time_us DESC, event_id DESC, part DESC LIMIT $3
            """,
            record, family, FOLDED_MAX[family],
        )  # fmt: skip
        found += [fact_row(r) for r in rows]
    return found


async def book(connection: Connection, event: Event, policy: ValuePolicy) -> dict[str, dict[str, Any]]:
    """Book what an event says of money; record → its section, of each that it changes."""
    entry = read_entry(event, microseconds(event.time), ZONE)
    if entry is None:
        return {}
    key = order_id(entry.key)
    is_new = await connection.fetchval(
        "INSERT INTO entry VALUES ($1, $2, $3, $4, false) ON CONFLICT DO NOTHING RETURNING true",
        entry.event_id, entry.record_id, key, entries.write(entry),
    )  # fmt: skip
    if not is_new:
        return {}
    await connection.execute(
        "INSERT INTO orders (order_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, entry.key
    )
    sql = "SELECT owner, cells FROM orders WHERE order_id = $1 FOR UPDATE"
    ((owner, cells),) = await connection.fetch(sql, key)
    rows = await connection.fetch("SELECT body FROM entry WHERE order_id = $1", key)
    order = fold([entries.read_stored(r["body"]) for r in rows], ZONE)
    await connection.execute(
        "UPDATE orders SET owner = $2, ordered_us = $3, status = $4, cells = $5 WHERE order_id = $1",
        key, order.owner, first_seen_at(order), order.status, CELLS.encode([*order.cells.items()]).decode(),
    )  # fmt: skip
    changes = difference(order.cells, read_cells(cells))
    for cell, amounts in changes.items():
        await _add(connection, cell, amounts)
    touched = {cell.record_id for cell in changes} | {order.owner, str(owner) if owner else None}
    return {record: body for record in touched if record and (body := await _worth(connection, record, policy))}


async def _add(connection: Connection, cell: CellKey, amounts: Amounts) -> None:
    await connection.execute(
        f"""
        INSERT INTO day AS d VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (record_id, day, area, currency) DO UPDATE SET {SUMS}
        """,
        *cell, *amounts,
    )  # fmt: skip
    if min(amounts) < 0:
        await connection.execute(
            f"DELETE FROM day WHERE record_id = $1 AND day = $2 AND area = $3 AND currency = $4 AND {EMPTY}", *cell
        )


async def _worth(connection: Connection, record: str, policy: ValuePolicy) -> dict[str, Any] | None:
    names = ", ".join(Amounts._fields)
    days = await connection.fetch(f"SELECT day, area, currency, {names} FROM day WHERE record_id = $1", record)
    times = await connection.fetchrow("SELECT min(ordered_us), max(ordered_us) FROM orders WHERE owner = $1", record)
    cells = [ledger.Cell(r[0], r[1], r[2], Amounts(*list(r)[3:])) for r in days]
    body = ledger.section(cells, policy, *(times or (None, None)))
    return None if body is None else {**body, "by_record": [record]}


async def show(connection: Connection, customer: str, service: str, body: dict[str, Any]) -> None:
    """What a service tells of a customer becomes a part of his profile."""
    await connection.execute(
        """
        INSERT INTO section VALUES ($1, $2, $3)
        ON CONFLICT (customer_id, service) DO UPDATE SET body = excluded.body
        """,
        customer, service, orjson.dumps(body).decode(),
    )  # fmt: skip
