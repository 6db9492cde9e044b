"""The customer as identity tells it: records, identifiers, contact with provenance, groups.

Owns the shape of identity's section. Pure, and the same for the same evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import orjson

from schemas.identifiers import class_rank
from services.identity.domain import quality
from services.identity.domain.clustering import Binding
from services.identity.domain.evidence import Record, Trait
from services.identity.domain.groups import Membership, listed
from services.identity.domain.reach import Word, moment

LIST_ITEMS_MAX = 100
_KNOWN_FROM_RANK = class_rank("phone")
_said_last: Callable[[Trait], tuple[int, str, str]] = attrgetter("last_us", "last_event", "value")


def section(
    records: Sequence[Record],
    bindings: Mapping[str, Binding],
    traits: Iterable[Trait],
    memberships: Iterable[Membership] = (),
    words: Iterable[Word] = (),
) -> dict[str, Any]:
    """identity + contact + groups of one customer.

    From its records, what was said of them, where they belong, and `words` on their addresses.
    """
    said = list(traits)
    ordered = sorted(records, key=lambda r: (class_rank(r.type), r.first_us, r.record_id))
    return {
        "identity": _identity(ordered, bindings),
        "contact": {**contact(ordered, said), "facts": quality.facts(ordered, said, words)},
        "groups": listed(memberships),
    }


def _identity(ordered: Sequence[Record], bindings: Mapping[str, Binding]) -> dict[str, Any]:
    shown = ordered[:LIST_ITEMS_MAX]
    known = any(class_rank(r.type) <= _KNOWN_FROM_RANK and not bindings[r.record_id].generic for r in ordered)
    return {
        "status": "known" if known else "anonymous",
        "records": [
            {"record_id": r.record_id, "type": r.type, "value": r.value, "first_seen": moment(r.first_us)}
            for r in shown
        ],
        "identifiers": [
            {
                "type": r.type,
                "value": r.value,
                "first_seen": moment(r.first_us),
                "sources": sorted(r.sources),
                "generic": bindings[r.record_id].generic,
                "retired": False,
            }
            for r in shown
        ],
        "totals": {"records": len(ordered), "identifiers": len(ordered)},
    }


def contact(records: Sequence[Record], traits: Iterable[Trait]) -> dict[str, Any]:
    """Best value per trait: the one said last (time, then event id); null takes a trait away.

    E-mails and phones are those the customer is identified by. Whether they work is answered by the day.
    """
    by_name: dict[str, list[Trait]] = {}
    for trait in traits:
        by_name.setdefault(trait.name, []).append(trait)
    best: dict[str, tuple[Trait, Any]] = {}
    for name, said in sorted(by_name.items()):
        latest = said[0] if len(said) == 1 else max(said, key=_said_last)
        value = orjson.loads(latest.value)
        if value is not None and value != "":
            best[name] = (latest, value)
    values = {name: value for name, (_, value) in best.items()}
    emails, phones = _values(records, "email"), _values(records, "phone")
    addresses = [values["address"]] if "address" in values else []
    return {
        "name": _name(values),
        "emails": [{"value": e, "valid": None, "verified_at": None} for e in emails],
        "phones": phones,
        "addresses": addresses,
        "birthday": values.get("birthday"),
        "traits": {n: v for n, v in values.items() if n not in _OWN_FIELDS},
        "provenance": {n: _provenance(t, by_name[n]) for n, (t, _) in best.items()},
    }


_OWN_FIELDS = frozenset({"name", "firstName", "middleName", "lastName", "email", "phone", "address", "birthday"})


def _name(values: Mapping[str, Any]) -> str | None:
    parts = [str(values[p]) for p in ("firstName", "middleName", "lastName") if values.get(p)]
    whole = " ".join(parts) or values.get("name")
    return str(whole) if whole else None


def _values(records: Sequence[Record], kind: str) -> list[str]:
    """Addresses the customer is identified by; what was said but is junk is no identifier, and not shown."""
    return [r.value for r in records if r.type.partition(".")[0] == kind][:LIST_ITEMS_MAX]


def _provenance(best: Trait, said: Sequence[Trait]) -> dict[str, Any]:
    rivals = sorted({t.value for t in said} - {best.value, "null"}) if len(said) > 1 else []
    return {
        "source": best.source,
        "event_id": best.last_event,
        "time": moment(best.last_us),
        "rivals": [orjson.loads(r) for r in rivals[:5]],
    }
