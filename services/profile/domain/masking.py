"""What a key without `profile:pii` or `value:read` may see: masks over documents and over what identity answers.

Pure. Which fields of the contact are personal is marked in schemas/sections.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from schemas.personal import looks_like_an_address, mask, personal_paths
from schemas.sections import PERSONAL_IDENTIFIER_TYPES, Contact, CustomerDocument

CONTACT_PERSONAL = personal_paths(Contact)
HEARD_PERSONAL = sorted(
    path
    for path in personal_paths(CustomerDocument)
    if path.replace("[]", "").split(".")[0] in ("interaction", "needs", "preferences")
)
"""Paths within the document of what customers and our people said."""


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
    if groups:
        groups = [_masked_group(g) for g in groups]
        names += ["groups[].group_id", "groups[].name"]
    seen = {"identity": identity, "contact": contact, "groups": groups}
    for path in HEARD_PERSONAL:
        steps = path.replace("[]", ".[]").split(".")
        if doc.get(steps[0]):
            seen[steps[0]] = _masked_along(seen.get(steps[0], doc[steps[0]]), steps[1:])
            names.append(path)
    return {**doc, **{k: v for k, v in seen.items() if v}, "meta": {**doc["meta"], "masked": names}}


def masked_answer(found: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """An answer of this shape for a key without `profile:pii`: what the model marks is masked, and listed."""
    shown, paths = found, sorted(personal_paths(model))
    for path in paths:
        shown = _masked_along(shown, path.replace("[]", ".[]").split("."))
    return {**shown, "masked": paths}


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
REVIEW_PERSONAL = ("held[].*.value", "pairs[].*.value")
HOW_PERSONAL = ("steps[].link.*.value", "weakest.link.*.value", "hinge.link.*.value", "why")
HISTORY_PERSONAL = ("decisions[].records[].value", "decisions[].records[].because.with.value",
                    "decisions[].records[].because.reason", "decisions[].records[].because.actor",
                    "decisions[].cleared[].value", "decisions[].refused[].records[].value",
                    "decisions[].lifted[][].value", "why")  # fmt: skip
CONTRADICTS_PERSONAL = ("contradicts[].*.value", "contradicts[].reason", "contradicts[].actor")
_PERSONAL = {
    "contradicts": CONTRADICTS_PERSONAL,
    "steps": HOW_PERSONAL,
    "former": HISTORY_PERSONAL,
    "path": PATH_PERSONAL,
    "pairs": REVIEW_PERSONAL,
}
"""What only one of the answers has → which of its fields are personal."""
_NAMED = {"record_id", "type", "value"}
_SAID = ("reason", "actor", "words")


def masked_evidence(found: dict[str, Any]) -> dict[str, Any]:
    """What identity answers, for a key without `profile:pii`: every record's value and all that people wrote."""
    personal = next((those for name, those in _PERSONAL.items() if name in found), EVIDENCE_PERSONAL)
    return {**_masked_named(found), "masked": list(personal)}


def _masked_named(part: Any) -> Any:
    if isinstance(part, list):
        return [_masked_named(one) for one in part]
    if not isinstance(part, dict):
        return part
    shown = {k: _masked_value(v) if k in _SAID else _masked_named(v) for k, v in part.items()}
    return _masked_identifier(shown) if shown.keys() >= _NAMED else shown


def _masked_contact(contact: dict[str, Any]) -> dict[str, Any]:
    for path in CONTACT_PERSONAL:
        contact = _masked_along(contact, path.replace("[]", ".[]").split("."))
    return contact


def _masked_along(part: Any, steps: Sequence[str]) -> Any:
    """A copy masked at the end of the path; what is not of the shape that the path goes through is masked whole."""
    if not steps:
        return _masked_value(part)
    step, rest = steps[0], steps[1:]
    if step == "[]" and isinstance(part, list):
        return [_masked_along(one, rest) for one in part]
    if step == "*" and isinstance(part, dict):
        return {name: _masked_along(one, rest) for name, one in part.items()}
    if step not in ("[]", "*") and isinstance(part, dict):
        return {**part, step: _masked_along(part[step], rest)} if step in part else part
    return _masked_value(part)


def masked_issues(issues: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Issues of many customers."""
    return [{**one, "value": _masked_value(one["value"])} for one in issues]


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked_value(v) for v in value]
    if isinstance(value, dict):
        return {k: _masked_value(v) for k, v in value.items()}
    return value if value is None or isinstance(value, bool) else "•••"
