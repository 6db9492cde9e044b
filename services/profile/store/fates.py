"""Who came and went: what moved bindings and changed sections, seen together, say of customers.

Owns reading what that takes, before and after the locks, and the column `binding.former`. A binding and the sections
it concerns come in any order, and maybe to two workers: both lock the customers concerned, and the later one tells.
What is told of it is domain/changing.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from schemas.codec import ERASED, StateText
from services.profile import store
from services.profile.domain import IDENTITY
from services.profile.domain.changing import Batch, Move
from services.profile.domain.listing import records_in
from services.runtime.postgres import Connection

Sections = Mapping[tuple[str, str], StateText]
"""(customer id, service) → section as told now."""


async def concerned(connection: Connection, moves: Iterable[Move], told_of: Iterable[str]) -> set[str]:
    """Customers beside `told_of` of whom these moves may tell something; to be locked.

    That is who was told of once and whose own record is another's now; and who came out of others, with those.
    """
    there = list(moves)
    away = [m.record for m in there if m.leads_away]
    found = set(await store.bodies_told(connection, away, IDENTITY)) if away else set()
    partings = await parting(connection, {*told_of, *(m.record for m in there if m.comes_home)})
    return found | partings.keys() | set(partings.values())


async def parting(connection: Connection, records: Iterable[str]) -> dict[str, str]:
    """Of these records, those that came to be their own customer, and whose they were, until it was told."""
    ids = sorted(records)
    if not ids:
        return {}
    rows = await connection.fetch(
        "SELECT record_id, former FROM binding WHERE record_id = any($1::uuid[]) AND former IS NOT NULL", ids
    )
    return {str(r["record_id"]): str(r["former"]) for r in rows}


async def changes(
    connection: Connection,
    moves: Iterable[Move],
    sections: Sections,
    changed: Iterable[tuple[str, str]],
    existed: Mapping[str, bool],
    lost: Collection[str],
) -> Batch:
    """What this batch changed of customers, all of them locked. `lost`: emptied for want of an owner."""
    services: dict[str, list[str]] = {}
    for customer, service in sorted(changed):
        services.setdefault(customer, []).append(service)
    exists = {**existed, **dict.fromkeys(lost, False)}
    exists |= {
        c: sections[c, IDENTITY].text is not None for c in services if IDENTITY in services[c] and c not in lost
    }
    late = {m.record for m in moves if m.leads_away and existed.get(m.record) is False and not exists[m.record]}
    batch = Batch(services, dict(existed), exists, late)
    gone = batch.gone
    if gone:
        batch.bound = await store.binding_of(connection, gone)
        batch.erased = await store.erased_among(connection, gone) | {
            c for c in gone if (c, IDENTITY) in sections and sections[c, IDENTITY].cause == ERASED
        }
        others = sorted(set(batch.bound.values()) - exists.keys())
        await _see(connection, others, batch)
    batch.parted = await _parted(connection, moves, sections, batch)
    return batch


async def _parted(
    connection: Connection, moves: Iterable[Move], sections: Sections, batch: Batch
) -> dict[str, list[str]]:
    """Customer → customers who came out of him and are shown now, without his record among theirs.

    Where it is among theirs, it is he who has another id. Each is told once.
    """
    homes = {m.record for m in moves if m.comes_home}
    shown = homes | {c for c, those in batch.services.items() if IDENTITY in those}
    partings = {b: a for b, a in (await parting(connection, shown)).items() if batch.exists.get(b)}
    if not partings:
        return {}
    await _know(connection, set(partings.values()) - batch.exists.keys(), batch)
    stored = await _texts(connection, [b for b in partings if IDENTITY not in batch.services.get(b, ())])
    found: dict[str, list[str]] = {}
    for b, a in partings.items():
        text = stored.get(b) or sections[b, IDENTITY].text or ""
        if a not in records_in(text) and batch.exists.get(a):
            found.setdefault(a, []).append(b)
    await connection.execute("UPDATE binding SET former = NULL WHERE record_id = any($1::uuid[])", sorted(partings))
    return found


async def _know(connection: Connection, customers: set[str], batch: Batch) -> None:
    """Another worker told of these partings while we waited for our locks."""
    if customers:
        await store.lock_customers(connection, customers)
        await _see(connection, sorted(customers), batch)


async def _see(connection: Connection, customers: Sequence[str], batch: Batch) -> None:
    """Whether customers are shown whom this batch does not change."""
    if customers:
        there = await store.bodies_told(connection, customers, IDENTITY)
        batch.existed, batch.exists = {**batch.existed, **there}, {**batch.exists, **there}


async def _texts(connection: Connection, customers: Sequence[str]) -> dict[str, str]:
    if not customers:
        return {}
    texts = "SELECT customer_id, body FROM section WHERE customer_id = any($1::uuid[]) AND service = $2"
    rows = await connection.fetch(texts, customers, IDENTITY)
    return {str(r["customer_id"]): r["body"] for r in rows}
