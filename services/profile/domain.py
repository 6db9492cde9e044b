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
    IDENTITY: ("identity", "contact", "groups"),
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
        return body.get(part)
    return {k: v for k, v in body.items() if k != "by_record"}


def _regrouping(told: Told) -> list[str]:
    """Services whose section was combined from other records than identity says belong to this customer."""
    expected = told.sections[IDENTITY].members
    return sorted(
        s for s, section in told.sections.items() if section.body is not None and section.members != expected
    )


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


def masked(doc: dict[str, Any]) -> dict[str, Any]:
    """The document for a key without `profile:pii`: personal fields masked and listed in meta.masked."""
    names: list[str] = []
    identity, contact, groups = doc.get("identity"), doc.get("contact"), doc.get("groups")
    if identity:
        identity = dict(identity)
        for part in ("records", "identifiers"):
            identity[part] = [_masked_identifier(i) for i in identity[part]]
            names.append(f"identity.{part}[].value")
    if contact:
        contact = _masked_contact(contact)
        names += [f"contact.{path}" for path in sorted(CONTACT_PERSONAL)]
        names.append("contact.provenance.rivals")
    if groups:
        groups = [_masked_group(g) for g in groups]
        names += ["groups[].group_id", "groups[].name"]
    seen = {"identity": identity, "contact": contact, "groups": groups}
    return {**doc, **{k: v for k, v in seen.items() if v}, "meta": {**doc["meta"], "masked": names}}


def without(doc: dict[str, Any], part: str) -> dict[str, Any]:
    """The document for a key that may not see a part: null, listed as masked whether there is anything or not."""
    if part not in doc:
        return doc
    meta = doc["meta"]
    missing = [name for name in meta["missing"] if name != part]
    return {**doc, part: None, "meta": {**meta, "missing": missing, "masked": [*meta["masked"], part]}}


def masked_orders(orders: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Orders for a key without `profile:pii`: an order's id that could be an address is masked."""
    return [{**o, "id": mask(o["id"])} if looks_like_an_address(o["id"]) else o for o in orders]


def _masked_identifier(identifier: dict[str, Any]) -> dict[str, Any]:
    named = identifier["type"].partition(".")[0] in PERSONAL_IDENTIFIER_TYPES
    if named or looks_like_an_address(identifier["value"]):
        return {**identifier, "value": mask(identifier["value"])}
    return identifier


def _masked_group(group: dict[str, Any]) -> dict[str, Any]:
    """A household is called after its people, and an address may stand for a group."""
    sent = group["group_id"]
    return {
        **group,
        "group_id": mask(sent) if looks_like_an_address(sent) else sent,
        "name": _masked_value(group["name"]),
    }


def masked_group(group: dict[str, Any]) -> dict[str, Any]:
    """What identity answers of a group, for a key without `profile:pii`."""
    seen = {**_masked_group(group), "traits": _masked_value(group["traits"])}
    return {**seen, "masked": ["group_id", "name", "traits"]}


EVIDENCE_PERSONAL = ("records[].value", "links[].*.value", "assertions[].*.value", "assertions[].reason",
                     "assertions[].actor", "refusals[].*.value")  # fmt: skip
PATH_PERSONAL = ("from.value", "to.value", "path[].*.value", "cut.*.value", "refused[].*.value", "why")
_NAMED = {"record_id", "type", "value"}
_SAID = ("reason", "actor", "words")


def masked_evidence(found: dict[str, Any]) -> dict[str, Any]:
    """What identity answers, for a key without `profile:pii`: every record's value and all that people wrote."""
    return {**_masked_named(found), "masked": list(PATH_PERSONAL if "why" in found else EVIDENCE_PERSONAL)}


def _masked_named(part: Any) -> Any:
    if isinstance(part, list):
        return [_masked_named(one) for one in part]
    if not isinstance(part, dict):
        return part
    shown = {k: _masked_value(v) if k in _SAID else _masked_named(v) for k, v in part.items()}
    return _masked_identifier(shown) if shown.keys() >= _NAMED else shown


def sentence(parts: Sequence[str | dict[str, Any]]) -> str:
    """A sentence of identity's, whose parts are texts, records, and words that people wrote."""
    return "".join(
        p if isinstance(p, str) else p["words"] if "words" in p else f"{p['type']}:{p['value']}" for p in parts
    )


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
