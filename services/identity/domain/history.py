"""A customer's decisions as its history tells them: records by name, operators' words with who said them and why.

Owns that answer's shape and its sentence; what was decided is decisions.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.identity.domain import explain
from services.identity.domain.decisions import told
from services.identity.domain.evidence import Assertion, Record

LISTED_MAX = explain.LISTED_MAX

Words = Mapping[tuple[str, str, str], Assertion]
"""(a, b, event id) → the operator's word, while it is not taken back."""


def mentioned(decisions: Iterable[Any]) -> tuple[set[str], set[str]]:
    """Ids of the records these decisions speak of, and of the events that are their reasons."""
    records: set[str] = set()
    events: set[str] = set()
    for decision in decisions:
        shown = told(decision)
        for row in (*shown.get("records", ()), *shown.get("cleared", ())):
            records.add(_id(row))
            because = row.get("because") if isinstance(row, dict) else None
            if because:
                records.add(because["with"])
                events |= {because["event_id"]} - {None}
        for pair in (*(r["records"] for r in shown.get("refused", ())), *shown.get("lifted", ())):
            records |= set(pair)
    return records, events


def history(
    customer_id: str, of: str, page: Sequence[Any], total: int, names: Mapping[str, Record], words: Words
) -> dict[str, Any]:
    """A page of decisions. `of`: whose stream it is, the customer's or that of an id it had before."""
    return {
        "customer_id": customer_id,
        "of": of,
        "decisions": [_shown(decision, names, words) for decision in page],
        "totals": {"decisions": total},
        "why": _why(of, page, total, names),
    }


def _shown(decision: Any, names: Mapping[str, Record], words: Words) -> dict[str, Any]:
    """A decision with its version; of each of its lists LISTED_MAX at most, `total` counts them all."""
    shown = told(decision)
    lists = {name: rows for name, rows in shown.items() if isinstance(rows, list)}
    named = {name: [_row(row, names, words) for row in rows[:LISTED_MAX]] for name, rows in lists.items()}
    total = sum(len(rows) for rows in lists.values())
    return {"version": decision.originator_version, **shown, **named, "total": total}


def _row(row: Any, names: Mapping[str, Record], words: Words) -> Any:
    """A record, a pair of records, or a record or pair with what is said of it."""
    if isinstance(row, str):
        return _named(row, names)
    if isinstance(row, list):
        return [_named(r, names) for r in row]
    if "records" in row:
        return {**row, "records": [_named(r, names) for r in row["records"]]}
    shown = {**row, **_named(row["record_id"], names)}
    return {**shown, "because": _because(row, names, words)} if "because" in row else shown


def _because(row: Mapping[str, Any], names: Mapping[str, Record], words: Words) -> dict[str, Any] | None:
    because = row["because"]
    if because is None:
        return None
    a, b = sorted((row["record_id"], because["with"]))
    word = words.get((a, b, because["event_id"] or ""))
    return {
        "kind": because["kind"],
        "with": _named(because["with"], names),
        "event_id": because["event_id"],
        "source": because["source"],
        "bits": because.get("bits"),
        "reason": word.reason if word else None,
        "actor": word.actor if word else None,
    }


def _id(row: Any) -> str:
    found: str = row if isinstance(row, str) else row["record_id"]
    return found


def _named(record_id: str, names: Mapping[str, Record]) -> dict[str, Any]:
    """By id and name; a record whose row is gone keeps its id only."""
    found = names.get(record_id)
    return explain.record(found) if found else {"record_id": record_id, "type": "", "value": ""}


def _why(of: str, page: Sequence[Any], total: int, names: Mapping[str, Record]) -> list[str | dict[str, Any]]:
    if not total:
        never = " never was more than one record, and no link was refused to it: nothing was decided."
        return [_named(of, names), never]
    count = "1 decision was" if total == 1 else f"{total} decisions were"
    newest = f", the latest of these {told(page[0])['at']}" if page else ""
    return [f"{count} made about ", _named(of, names), newest, "."]
