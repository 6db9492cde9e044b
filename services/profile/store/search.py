"""By what customers are listed and found: rows that follow the sections, in the transaction that keeps these.

Owns the tables `listed`, `sought` and `search_key`, written under the customer's lock and only where something of it
changed. Reading for people is views/search.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
import orjson

from schemas.codec import StateText
from services.profile.domain import IDENTITY
from services.profile.domain.changing import Detail, tier_changed
from services.profile.domain.listing import Found, found_by, seen_of, worth_of
from services.runtime.postgres import Connection


class Listed(msgspec.Struct, frozen=True):
    """A customer's row of the list."""

    shown: bool = False
    name: str = ""
    grade: str = ""
    revenue: Decimal = Decimal(0)
    seen: int = 0


async def follow(
    connection: Connection,
    sections: Mapping[tuple[str, str], StateText],
    changed: Iterable[tuple[str, str]],
    emptied: Collection[str],
) -> tuple[dict[str, list[Detail]], dict[str, bool]]:
    """Let the list follow these changed sections of (locked) customers; identity's of `emptied` are gone.

    Customer → that his tier changed, of those who are shown: whichever section comes first, it is told once. And
    each customer of whom anything changed → whether he is shown.
    """
    found = {c: found_by(sections[c, s].text) for c, s in changed if s == IDENTITY}
    found |= dict.fromkeys(emptied, Found())
    touched = sorted({customer for customer, _ in changed} | found.keys())
    if not touched:
        return {}, {}
    before = await _listed(connection, touched)
    after = {customer: before.get(customer, Listed()) for customer in touched}
    for customer, one in found.items():
        after[customer] = msgspec.structs.replace(after[customer], shown=one.shown, name=one.name)
    for customer, service in changed:
        text = sections[customer, service].text
        if service == "value":
            grade, revenue = worth_of(text)
            after[customer] = msgspec.structs.replace(after[customer], grade=grade, revenue=revenue)
        elif service == "interaction":
            after[customer] = msgspec.structs.replace(after[customer], seen=seen_of(text))
    await _save_listed(connection, {c: row for c, row in after.items() if row != before.get(c)})
    if found:
        renamed = {c for c, one in found.items() if one.name != before.get(c, Listed()).name}
        await _save_found(connection, found, renamed)
    tiers = {
        customer: [tier_changed(was, row.grade)]
        for customer, row in after.items()
        if row.shown and row.grade != (was := _grade(before.get(customer)))
    }
    return tiers, {customer: row.shown for customer, row in after.items()}


def _grade(row: Listed | None) -> str:
    """As it was shown: nobody's where nobody was."""
    return row.grade if row is not None and row.shown else ""


async def _listed(connection: Connection, customers: Sequence[str]) -> dict[str, Listed]:
    rows = await connection.fetch(
        "SELECT customer_id, shown, name, grade, revenue, seen FROM listed WHERE customer_id = any($1::uuid[])",
        customers,
    )
    return {str(r["customer_id"]): Listed(r["shown"], r["name"], r["grade"], r["revenue"], r["seen"]) for r in rows}


async def _save_listed(connection: Connection, rows: Mapping[str, Listed]) -> None:
    if not rows:
        return
    ids = sorted(rows)
    await connection.execute(
        """
        INSERT INTO listed (customer_id, shown, name, grade, revenue, seen)
        SELECT * FROM unnest($1::uuid[], $2::bool[], $3::text[], $4::text[], $5::numeric[], $6::int[])
        ON CONFLICT (customer_id) DO UPDATE SET shown = excluded.shown, name = excluded.name,
            grade = excluded.grade, revenue = excluded.revenue, seen = excluded.seen
        """,
        ids,
        [rows[i].shown for i in ids],
        [rows[i].name for i in ids],
        [rows[i].grade for i in ids],
        [rows[i].revenue for i in ids],
        [rows[i].seen for i in ids],
    )


async def _save_found(connection: Connection, found: Mapping[str, Found], renamed: Collection[str]) -> None:
    """Write what these customers are found by, where it is another than before."""
    stored = await connection.fetch(
        "SELECT customer_id, keys FROM sought WHERE customer_id = any($1::uuid[])", sorted(found)
    )
    before: dict[str, list[str]] = {str(r["customer_id"]): r["keys"] for r in stored}
    changed = sorted(c for c, one in found.items() if c in renamed or one.keys != before.get(c, []))
    if not changed:
        return
    gone = [(key, c) for c in changed for key in set(before.get(c, ())).difference(found[c].keys)]
    new = [(key, c) for c in changed for key in set(found[c].keys).difference(before.get(c, ()))]
    await _save_keys(connection, sorted(gone), sorted(new))
    # Arrays of arrays must be of one length: each customer's own travel as text.
    await connection.execute(
        """
        INSERT INTO sought (customer_id, name_keys, keys)
        SELECT c, n::int[], ARRAY(SELECT json_array_elements_text(k::json))
        FROM unnest($1::uuid[], $2::text[], $3::text[]) AS s (c, n, k)
        ON CONFLICT (customer_id) DO UPDATE SET name_keys = excluded.name_keys, keys = excluded.keys
        """,
        changed,
        ["{" + ",".join(map(str, found[c].name_keys)) + "}" for c in changed],
        [orjson.dumps(found[c].keys).decode() for c in changed],
    )


async def _save_keys(connection: Connection, gone: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> None:
    if gone:
        await connection.execute(
            "DELETE FROM search_key k USING unnest($1::text[], $2::uuid[]) AS g (key, customer_id)"
            " WHERE k.key = g.key AND k.customer_id = g.customer_id",
            [key for key, _ in gone],
            [customer for _, customer in gone],
        )
    if new:
        await connection.execute(
            "INSERT INTO search_key (key, customer_id) SELECT * FROM unnest($1::text[], $2::uuid[])"
            " ON CONFLICT DO NOTHING",
            [key for key, _ in new],
            [customer for _, customer in new],
        )
