"""The lane of value on the standard mix: what an event costs it, by the parts it is made of and as a whole.

Owns the clocks. The parts are the domain's own work in this process, without database and broker; the whole is the
CPU time of the worker of a running copy.
"""

from __future__ import annotations

import gc
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from schemas.codec import State, Version, encode_event, encode_state
from schemas.envelope import Event, microseconds, parse_rfc3339
from services.ops.generate.mix import Mix
from services.ops.generate.stream import labelled
from services.value.domain.entries import MONEY_TYPES, Entry
from services.value.domain.heard import heard_of
from services.value.domain.ledger import Cell, Known, Looking, worth
from services.value.domain.orders import Amounts, CellKey, Order, added, fold
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import read
from services.value.domain.statements import Statement, read_statement
from services.value.handlers import decoded, shipped_document
from services.value.store import difference
from tests.benchmarks import mix
from tests.benchmarks.deployment import running
from tests.unit.value.foreseen import MODEL

T = TypeVar("T")

EVENTS, SEED, TIMES = 20_000, 1, 3
WHOLE_EVENTS, WHOLE_CUSTOMERS = 20_000, 50_000
BAR_EVENT_US, BAR_MONEY_US = 30.0, 120.0
IDLE_S = 10.0
ZONE = ZoneInfo("UTC")


def lines(folder: Path) -> list[str]:
    """The tables, with the bars."""
    parts, events, money = _parts()
    own, with_model = sum(parts.values()) - parts["section, with a model"], sum(parts.values()) - parts["section"]
    result, idle_s = mix_on_a_copy(folder)
    whole = sum(us for name, us in result.cpu_us.items() if name.startswith("value"))
    own_us, idle_us = own / events * 1e6, idle_s * result.seconds / result.events * 1e6
    return [
        "",
        "## The lane, on the standard mix",
        f"Bars: {BAR_EVENT_US:.0f} µs client CPU an event of the mix, {BAR_MONEY_US:.0f} µs a money event."
        f" {events:,} events of which {money:,} are of money; the domain's own work, the best of {TIMES}.",
        "",
        "| part | CPU µs an event | CPU µs a money event |",
        "| --- " * 3 + "|",
        *(f"| {name} | {s / events * 1e6:.1f} | {s / money * 1e6:.1f} |" for name, s in parts.items()),
        f"| **all of it, without a model** | **{own / events * 1e6:.1f}** | **{own / money * 1e6:.1f}** |",
        f"| **all of it, with a model** | **{with_model / events * 1e6:.1f}** | **{with_model / money * 1e6:.1f}** |",
        "",
        f"The whole worker, on a copy: **{whole:.1f} µs** CPU an event of a mix of {result.events:,}"
        f" ({result.events_per_s:,.0f} events/s, no model; lost {result.findings.lost}, dup {result.findings.dup},"
        f" diverge {result.findings.diverge}). What bounds it:",
        "",
        "| of the worker | CPU µs an event | share |",
        "| --- " * 3 + "|",
        *(
            f"| {name} | {us:.1f} | {us / whole:.0%} |"
            for name, us in (
                ("value's own work, as above", own_us),
                ("being there: heartbeats, looking around, the wait pages of who measures", idle_us),
                ("the shared runtime: fetching, bindings, the transaction, clients of database and broker",
                 whole - own_us - idle_us),
            )
        ),
    ]  # fmt: skip


def mix_on_a_copy(folder: Path) -> tuple[mix.Result, float]:
    """The mix through a running copy, and what the worker costs a second while nothing comes (CPU seconds)."""
    with running(folder / "home") as at:
        before, started = at.cpu()["value"], time.monotonic()
        time.sleep(IDLE_S)
        idle_s = (at.cpu()["value"] - before) / (time.monotonic() - started)
        return mix.measure(at, mix.Sending(WHOLE_EVENTS, SEED, WHOLE_CUSTOMERS), folder / "ledger"), idle_s


def _parts() -> tuple[dict[str, float], int, int]:
    """Part → CPU seconds for all events; how many events, and how many of money."""
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], T]) -> T:
        # What this process holds for measuring is not walked again and again by the collector of garbage.
        gc.freeze()
        best = float("inf")
        for _ in range(TIMES):
            started = time.process_time()
            found = work()
            best = min(best, time.process_time() - started)
        spent[name] = best
        return found

    records = _records()
    events = [e for e in timed("skip or decode", lambda: [decoded(r) for r in records]) if e is not None]
    said = timed("contacts and statements", lambda: [heard_of(e, microseconds(e.time), ZONE) for e in events])
    bought = [e for e in events if e.type in MONEY_TYPES]
    read_all = timed("read", lambda: [read(e, microseconds(e.time), ZONE) for e in bought])
    entries = [e for e in read_all if e is not None]
    keyed: dict[str, list[Entry]] = {}
    for entry in entries:
        keyed.setdefault(entry.key, []).append(entry)
    orders = timed("fold orders", lambda: [fold(those, ZONE) for those in keyed.values()])
    timed("difference of days", lambda: [difference(one.cells, {}) for one in orders])
    statements = [(h.record_id, read_statement(h.said)) for h in said if h is not None and h.said is not None]
    known, last = _known(orders, statements)
    plain = read_policy({**shipped_document(), "reporting_currency": Mix.load().currency})
    grading = read_policy({**shipped_document(), "reporting_currency": Mix.load().currency, "prediction": MODEL})
    bodies = timed("section", lambda: _sections(known, plain, last))
    timed("section, with a model", lambda: _sections(known, grading, last))
    states = [State("k", Version(1, 1), body, "", 1) for body in bodies]
    timed("encode", lambda: [encode_state(state) for state in states])
    return spent, len(records), len(entries)


def _records() -> list[Any]:
    """The mix as the log has it; each customer has one record."""
    found = []
    for customer, sent in labelled(Mix.load(), SEED, EVENTS):
        at, data = parse_rfc3339(sent["time"]), sent["data"]
        identifiers = {k: [v] if isinstance(v, str) else v for k, v in data["identifiers"].items()}
        own = {**data, "identifiers": identifiers, "business_namespace": "mix"}
        event = Event(sent["id"], "mix", sent["type"], at, str(uuid.UUID(int=customer)), at, own)
        key, value, headers = encode_event(event)
        found.append(SimpleNamespace(key=key, value=value, headers=headers))
    return found


def _sections(known: Sequence[Known], policy: Policy, day: int) -> list[dict[str, Any] | None]:
    return [worth(one, policy, Looking(day, ZONE)).body for one in known]


def _known(orders: Iterable[Order], said: Iterable[tuple[str, Statement]]) -> tuple[list[Known], int]:
    """Each order's customer as he is known after it; and the last day of all."""
    statements: dict[str, list[Statement]] = {}
    for record, statement in said:
        statements.setdefault(record, []).append(statement)
    days: dict[str, dict[CellKey, Amounts]] = {}
    found, last = [], 0
    for order in orders:
        if order.owner is None:
            continue
        own = days.setdefault(order.owner, {})
        for key, amounts in order.cells.items():
            own[key] = added(own[key], amounts) if key in own else amounts
            last = max(last, key.day)
        rows = [Cell(key.day, key.area, key.currency, amounts) for key, amounts in own.items()]
        found.append(Known(rows, order.ordered_us, order.ordered_us, (), statements.get(order.owner, ())))
    return found, last
