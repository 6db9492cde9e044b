"""What profile does with a batch of states: already seen (older version)? → save → tell what changed.

Owns the order of these steps, and the form of a change; what it says is domain/changing.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import orjson

from schemas.codec import State, StateText, Version, decode_state, decode_state_text
from schemas.topics import (
    IDENTITY_BINDINGS,
    IDENTITY_CUSTOMERS,
    INTERACTION_CUSTOMERS,
    PROFILE_CHANGES,
    VALUE_CUSTOMERS,
)
from services.profile import store
from services.profile.domain import IDENTITY
from services.profile.domain.changing import UPDATED, folded, noted
from services.profile.store import fates, search
from services.runtime.batch import Batch, LanePlan, Tells, Told, Work
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings

SERVICE_OF = {
    IDENTITY_CUSTOMERS.name: "identity",
    INTERACTION_CUSTOMERS.name: "interaction",
    VALUE_CUSTOMERS.name: "value",
}


async def apply(batch: Batch, work: Work) -> None:
    """Apply one batch of bindings and sections."""
    bindings = _newest([(i.message.key, i.message) for i in batch.of(IDENTITY_BINDINGS.name)])
    sections = _newest(
        [((i.message.key, SERVICE_OF[i.topic]), i.message) for i in batch.records if i.topic in SERVICE_OF]
    )
    work.counts["applied"] += len(batch.records)
    connection = work.connection
    moves = await store.save_bindings(connection, bindings.values())
    # Where nobody was named after a moved record, or identity emptied him already, this finds none.
    lost = await store.superseded(connection, sorted(m.record for m in moves if m.record != m.customer))
    told_of = {customer for customer, service in sections if service == IDENTITY}
    concerned = await fates.concerned(connection, moves, told_of)
    customers = sorted({customer for customer, _ in sections} | lost | concerned)
    if not customers:
        return
    await store.lock_customers(connection, customers)
    existed = await store.bodies_told(connection, customers, IDENTITY)
    changed, versions = await store.save_sections(connection, sections)
    told_of = {customer for customer, service in changed if service == IDENTITY}
    lost = await store.superseded(connection, sorted(told_of | lost))
    versions |= await store.empty(connection, lost)
    await search.follow(connection, sections, changed, lost)
    details = (await fates.changes(connection, moves, sections, changed, existed, lost)).details()
    versions |= await store.count_on(connection, details.keys() - versions.keys())
    newest = dict.fromkeys(details, 0)
    for customer, service in changed:
        if customer in newest:
            newest[customer] = max(newest[customer], sections[customer, service].log_time_ms)
    for customer, detail in details.items():
        state = State(customer, Version(work.epoch, versions[customer]), {}, "", newest[customer])
        work.tell(PROFILE_CHANGES.name, state, noted(_text(state.version), detail))


S = TypeVar("S", State, StateText)


def _newest(states: Sequence[tuple[Any, S]]) -> dict[Any, S]:
    newest: dict[Any, S] = {}
    for key, state in states:
        known = newest.get(key)
        if known is None or state.version.newer_than(known.version):
            newest[key] = state
    return newest


async def current(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """Versions of these customers as committed now; what changed is in the marker's detail."""
    rows = await connection.fetch(
        "SELECT customer_id, n, log_time_ms FROM customer WHERE customer_id = any($1::uuid[])", keys
    )
    return [State(str(r["customer_id"]), Version(epoch, r["n"]), {}, "", r["log_time_ms"]) for r in rows]


def encode_change(told: Told) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """A change as a CloudEvent: id = customer and the version it made, so that a repeat is known as one."""
    customer = told.state.key
    version, detail = folded(told.detail or noted(_text(told.state.version), {"type": UPDATED}))
    data = {"customer_id": customer, "version": int(version.partition(".")[2]), **detail}
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{customer}:{version}".encode()),
        ("ce_source", b"customer360/profile"),
        ("ce_type", detail["type"].encode()),
        ("ce_subject", customer.encode()),
        ("content-type", b"application/json"),
    ]
    return customer.encode(), orjson.dumps(data), headers


def _text(version: Version) -> str:
    return f"{version.epoch}.{version.n}"


async def plan(_settings: Settings, _generation: Generation) -> LanePlan:
    """Profile's lane."""
    return LanePlan(
        service="profile",
        lane="main",
        decode={
            IDENTITY_BINDINGS.name: lambda r: decode_state(r.value),
            **{topic: lambda r: decode_state_text(r.value) for topic in SERVICE_OF},
        },
        apply=apply,
        tells={PROFILE_CHANGES.name: Tells("customer", "customer_id", current)},
        encode={PROFILE_CHANGES.name: encode_change},
    )
