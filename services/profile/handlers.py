"""What profile does with a batch of states: already seen (older version)? → save → tell what changed.

Owns the order of these steps, and what a change is called.
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
    moved = await store.save_bindings(work.connection, bindings.values())
    # Where nobody was named after a moved record, or identity emptied him already, this finds none.
    lost = await store.superseded(work.connection, sorted(moved))
    customers = sorted({customer for customer, _ in sections} | lost)
    if not customers:
        return
    await store.lock_customers(work.connection, customers)
    existed = await store.bodies_told(work.connection, customers, IDENTITY)
    changed, versions = await store.save_sections(work.connection, sections)
    told_of = {customer for customer, service in changed if service == IDENTITY}
    lost = await store.superseded(work.connection, sorted(told_of | lost))
    versions |= await store.empty(work.connection, lost)
    await _tell(work, sections, changed, versions, existed, lost)


S = TypeVar("S", State, StateText)


def _newest(states: Sequence[tuple[Any, S]]) -> dict[Any, S]:
    newest: dict[Any, S] = {}
    for key, state in states:
        known = newest.get(key)
        if known is None or state.version.newer_than(known.version):
            newest[key] = state
    return newest


async def _tell(
    work: Work,
    sections: dict[tuple[str, str], StateText],
    changed: set[tuple[str, str]],
    versions: dict[str, int],
    existed: dict[str, bool],
    lost: set[str],
) -> None:
    """The change of each customer that exists or did."""
    newest: dict[str, int] = dict.fromkeys(lost, 0)
    services: dict[str, list[str]] = {}
    for customer, service in sorted(changed):
        services.setdefault(customer, []).append(service)
        newest[customer] = max(newest.get(customer, 0), sections[customer, service].log_time_ms)
    exists = existed | {c: sections[c, s].text is not None for c, s in changed if s == IDENTITY}
    exists |= dict.fromkeys(lost, False)
    gone = sorted(c for c in versions if existed.get(c) and not exists.get(c))
    into = await store.binding_of(work.connection, gone) if gone else {}
    for customer, n in versions.items():
        if not exists.get(customer) and not existed.get(customer):
            continue
        if customer in into or customer in gone:
            detail = {"type": "customer.merged", "from": [customer], "into": into.get(customer)}
        elif existed.get(customer):
            detail = {"type": "customer.updated", "sections": services[customer]}
        else:
            detail = {"type": "customer.created", "sections": services[customer]}
        state = State(customer, Version(work.epoch, n), {}, "", newest[customer])
        work.tell(PROFILE_CHANGES.name, state, detail)


async def current(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """Versions of these customers as committed now; what changed is in the marker's detail."""
    rows = await connection.fetch(
        "SELECT customer_id, n, log_time_ms FROM customer WHERE customer_id = any($1::uuid[])", keys
    )
    return [State(str(r["customer_id"]), Version(epoch, r["n"]), {}, "", r["log_time_ms"]) for r in rows]


def encode_change(told: Told) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """A change as a CloudEvent: id = customer and version, so that a repeat is known as one."""
    detail = told.detail or {"type": "customer.updated", "sections": []}
    version = f"{told.state.version.epoch}.{told.state.version.n}"
    data = {"customer_id": told.state.key, "version": told.state.version.n, **detail}
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{told.state.key}:{version}".encode()),
        ("ce_source", b"customer360/profile"),
        ("ce_type", str(detail["type"]).encode()),
        ("ce_subject", told.state.key.encode()),
        ("content-type", b"application/json"),
    ]
    return told.state.key.encode(), orjson.dumps(data), headers


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
