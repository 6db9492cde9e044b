"""The document: sections put together, what is withheld while records move, what a scope may see.

Pure. Shapes are schemas/sections.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.envelope import rfc3339
from schemas.personal import looks_like_an_address, mask, personal_paths
from schemas.sections import PARTS, PERSONAL_IDENTIFIER_TYPES, Contact

IDENTITY = "identity"
PARTS_OF: dict[str, tuple[str, ...]] = {
    IDENTITY: ("identity", "contact"),
    "interaction": ("interaction",),
    "value": ("value",),
}
"""Service → the parts of the document it tells."""

CONTACT_PERSONAL = personal_paths(Contact)


@dataclass(frozen=True, slots=True)
class Section:
    """What one service told of one customer. `members` is the hash of the records it combined."""

    service: str
    members: str
    body: dict[str, Any] | None
    log_time_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A customer's row and sections; `sections` by service."""

    customer_id: str
    n: int
    log_time_ms: int
    sections: Mapping[str, Section]

    @property
    def exists(self) -> bool:
        """Identity has told it, and it was not emptied."""
        identity = self.sections.get(IDENTITY)
        return identity is not None and identity.body is not None


def document(
    requested_id: str, told: Told, include: Sequence[str], lag_ms: int, position: str | None
) -> dict[str, Any]:
    """The customer's document with the parts asked for (all when `include` is empty), nothing masked yet."""
    wanted = [p for p in PARTS if not include or p in include]
    parts: dict[str, Any] = dict.fromkeys(wanted)
    regrouping = _regrouping(told)
    withheld = {s for s in regrouping if _holds_foreign_records(told, s)}
    for service, section in told.sections.items():
        if section.body is None or service in withheld:
            continue
        for part in PARTS_OF[service]:
            if part in parts:
                parts[part] = _part(service, part, section.body)
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


def _part(service: str, part: str, body: dict[str, Any]) -> Any:
    if service == IDENTITY:
        return body[part]
    return {k: v for k, v in body.items() if k != "by_record"}


def _regrouping(told: Told) -> list[str]:
    """Services whose section was combined from other records than identity says belong to this customer."""
    expected = told.sections[IDENTITY].members
    return sorted(
        s for s, section in told.sections.items() if section.body is not None and section.members != expected
    )


def _holds_foreign_records(told: Told, service: str) -> bool:
    """Whether a section still speaks of records that identity took away: another person's, maybe."""
    identity = told.sections[IDENTITY].body or {}
    mine = {r["record_id"] for r in identity["identity"]["records"]}
    listed = len(mine) == identity["identity"]["totals"]["records"]
    theirs = set((told.sections[service].body or {}).get("by_record", {}))
    # With more records than are listed it cannot be told; another person's words are the greater harm.
    return not listed or not theirs <= mine


def _with_last_seen(identity: dict[str, Any], interaction: Section | None) -> dict[str, Any]:
    """Counts and last sightings per record come from interaction, which sees every event."""
    seen = (interaction.body or {}).get("by_record", {}) if interaction else {}
    records, identifiers = [], []
    last_of: dict[tuple[str, str], str | None] = {}
    for record in identity["records"]:
        count, _, last = seen.get(record["record_id"], (0, None, None))
        last = last or record["first_seen"]
        last_of[record["type"], record["value"]] = last
        records.append({**record, "last_seen": last, "events": count})
    for identifier in identity["identifiers"]:
        last = last_of.get((identifier["type"], identifier["value"]))
        identifiers.append({**identifier, "last_seen": last})
    return {**identity, "records": records, "identifiers": identifiers}


def masked(doc: dict[str, Any]) -> dict[str, Any]:
    """The document for a key without `profile:pii`: personal fields masked and listed in meta.masked."""
    names: list[str] = []
    identity, contact = doc.get("identity"), doc.get("contact")
    if identity:
        identity = dict(identity)
        for part in ("records", "identifiers"):
            identity[part] = [_masked_identifier(i) for i in identity[part]]
            names.append(f"identity.{part}[].value")
    if contact:
        contact = _masked_contact(contact)
        names += [f"contact.{path}" for path in sorted(CONTACT_PERSONAL)]
        names.append("contact.provenance.rivals")
    return {**doc, **({"identity": identity} if identity else {}), **({"contact": contact} if contact else {}),
            "meta": {**doc["meta"], "masked": names}}  # fmt: skip


def _masked_identifier(identifier: dict[str, Any]) -> dict[str, Any]:
    named = identifier["type"].partition(".")[0] in PERSONAL_IDENTIFIER_TYPES
    if named or looks_like_an_address(identifier["value"]):
        return {**identifier, "value": mask(identifier["value"])}
    return identifier


def _masked_contact(contact: dict[str, Any]) -> dict[str, Any]:
    top = {path.partition(".")[0].removesuffix("[]") for path in CONTACT_PERSONAL}
    hidden = {k: _masked_value(v) if k in top else v for k, v in contact.items()}
    hidden["provenance"] = {k: {**v, "rivals": _masked_value(v["rivals"])} for k, v in contact["provenance"].items()}
    return hidden


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked_value(v) for v in value]
    if isinstance(value, dict):
        return {k: _masked_value(v) for k, v in value.items()}
    return value if value is None or isinstance(value, bool) else "•••"


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
