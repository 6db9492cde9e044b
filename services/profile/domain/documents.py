"""The document: sections put together, what is withheld while records move.

Pure: the day of the answer is given. Shapes are schemas/sections.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.envelope import rfc3339
from schemas.sections import PARTS
from services.profile.domain import dialogue
from services.profile.domain.contact import answered
from services.profile.domain.moments import Now

IDENTITY = "identity"
KNOWN = "known"
PARTS_OF: dict[str, tuple[str, ...]] = {
    IDENTITY: ("identity", "contact", "groups"),
    "interaction": ("interaction", "needs", "preferences", "consents"),
    "value": ("value",),
}
"""Service → the parts of the document it tells."""
UNSHOWN = frozenset({"by_record", "left_by"})
"""What value's section tells for our use alone."""


@dataclass(frozen=True, slots=True)
class Section:
    """What one service told of one customer. `members` is the hash of the records it combined."""

    service: str
    members: str
    body: dict[str, Any] | None
    log_time_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A customer's row and sections; `sections` by service, `segments` where they were asked for."""

    customer_id: str
    n: int
    log_time_ms: int
    sections: Mapping[str, Section]
    segments: Sequence[Mapping[str, Any]] | None = None

    @property
    def exists(self) -> bool:
        """Identity has told it, and it was not emptied."""
        identity = self.sections.get(IDENTITY)
        return identity is not None and identity.body is not None


def document(
    requested_id: str, told: Told, include: Sequence[str], lag_ms: int, position: str | None, now: Now
) -> dict[str, Any]:
    """The customer's document at this moment, with the parts asked for or all; nothing is masked yet."""
    wanted = [p for p in PARTS if not include or p in include]
    parts: dict[str, Any] = dict.fromkeys(wanted)
    regrouping = _regrouping(told)
    hidden = withheld(told)
    passed = told.sections.get("interaction")
    heard = passed.body if passed is not None and "interaction" not in hidden else None
    for service, section in told.sections.items():
        if section.body is None or service in hidden:
            continue
        for part in PARTS_OF[service]:
            if part in parts:
                parts[part] = _part(service, part, section.body, heard, now)
    if "segments" in parts and told.segments is not None:
        parts["segments"] = list(told.segments)
    if parts.get("identity"):
        parts["identity"] = _with_last_seen(parts["identity"], told.sections.get("interaction"))
    return {
        "requested_id": requested_id,
        "customer_id": told.customer_id,
        **parts,
        "meta": {
            "version": told.n,
            "updated_at": rfc3339(datetime.fromtimestamp(told.log_time_ms / 1000, UTC)) if told.log_time_ms else None,
            "lag_ms": lag_ms,
            "position": position,
            "missing": [p for p in wanted if parts[p] is None],
            "masked": [],
            "regrouping": regrouping,
        },
    }


def _part(service: str, part: str, body: dict[str, Any], heard: Mapping[str, Any] | None, now: Now) -> Any:
    if service == IDENTITY:
        return contact(body, heard, now) if part == "contact" else body.get(part)
    if service == "interaction":
        return dialogue.PARTS[part](body, now)
    return {k: v for k, v in body.items() if k not in UNSHOWN}


def contact(body: Mapping[str, Any], heard: Mapping[str, Any] | None, now: Now) -> dict[str, Any]:
    """The `contact` part of identity's section at this moment; `heard`: interaction's section, None: not known."""
    known = body["identity"]["status"] == KNOWN
    return answered(body["contact"], now.day, known=known, **dialogue.of_reaching(heard, now))


def _regrouping(told: Told) -> list[str]:
    """Services whose section was combined from other records than identity says belong to this customer."""
    expected = told.sections[IDENTITY].members
    return sorted(
        s for s, section in told.sections.items() if section.body is not None and section.members != expected
    )


def withheld(told: Told) -> set[str]:
    """Services whose section is not shown: while records move, it still speaks of some that identity took away."""
    return {service for service in _regrouping(told) if _holds_foreign_records(told, service)}


def _holds_foreign_records(told: Told, service: str) -> bool:
    """Whether a section still speaks of records that identity took away: another person's, maybe.

    `by_record` is keyed by record id, or lists the ids.
    """
    identity = told.sections[IDENTITY].body or {}
    mine = {r["record_id"] for r in identity["identity"]["records"]}
    listed = len(mine) == identity["identity"]["totals"]["records"]
    theirs = set((told.sections[service].body or {}).get("by_record", {}))
    # With more records than are listed it cannot be told; another person's words are the greater harm.
    return not listed or not theirs <= mine


def _with_last_seen(identity: dict[str, Any], interaction: Section | None) -> dict[str, Any]:
    records = with_last_seen(identity["records"], interaction)
    last_of = {(r["type"], r["value"]): r["last_seen"] for r in records}
    identifiers = [{**i, "last_seen": last_of.get((i["type"], i["value"]))} for i in identity["identifiers"]]
    return {**identity, "records": records, "identifiers": identifiers}


def with_last_seen(records: Sequence[dict[str, Any]], interaction: Section | None) -> list[dict[str, Any]]:
    """Counts and last sightings per record come from interaction, which sees every event."""
    seen = (interaction.body or {}).get("by_record", {}) if interaction else {}
    found = []
    for record in records:
        count, _, last = seen.get(record["record_id"], (0, None, None))
        found.append({**record, "last_seen": last or record["first_seen"], "events": count})
    return found


def sentence(parts: Sequence[str | dict[str, Any]]) -> str:
    """A sentence of identity's, whose parts are texts, records, and words that people wrote."""
    return "".join(
        p if isinstance(p, str) else p["words"] if "words" in p else f"{p['type']}:{p['value']}" for p in parts
    )


@dataclass(frozen=True, slots=True)
class BindingTold:
    """Where a record belongs, as identity told it; `rivals` are (customer id, weight)."""

    record_id: str
    customer_id: str
    generic: bool
    weight: int
    rivals: Sequence[tuple[str, int]]

    @property
    def ambiguous(self) -> bool:
        """A shared value: no customer weighs twice the next."""
        return bool(self.rivals) and self.weight < 2 * max(w for _, w in self.rivals)

    @property
    def candidates(self) -> list[tuple[str, int]]:
        """(customer id, weight), heaviest first; empty unless there is a choice."""
        if not self.rivals:
            return []
        return sorted([(self.customer_id, self.weight), *self.rivals], key=lambda c: (-c[1], c[0]))
