"""The list of customers: what of each section they are sorted, filtered and found by, and how one is shown in it.

Owns reading these few fields of a section's text. Pure. A section that cannot be read so lists nothing: it is shown
in the document all the same.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from schemas.identifiers import Identifier
from schemas.personal import mask
from services.profile.domain.documents import IDENTITY, Told, withheld
from services.profile.domain.finding import fold, identifier_keys, kept_keys

QUARTER_S = 900


class _Record(msgspec.Struct):
    record_id: str


class _Identifier(msgspec.Struct):
    type: str
    value: str


class _Who(msgspec.Struct):
    records: list[_Record]
    identifiers: list[_Identifier]


class _Contact(msgspec.Struct):
    name: str | None = None


class _Identity(msgspec.Struct):
    identity: _Who
    contact: _Contact


class _Tier(msgspec.Struct):
    grade: str = ""


class _Actual(msgspec.Struct):
    revenue: str = "0"


class _Value(msgspec.Struct):
    tier: _Tier | None = None
    actual: _Actual | None = None


class _Interaction(msgspec.Struct):
    last_at: str | None = None


_identity = msgspec.json.Decoder(_Identity)
_value = msgspec.json.Decoder(_Value)
_interaction = msgspec.json.Decoder(_Interaction)

UNREADABLE = (msgspec.DecodeError, ValueError, ArithmeticError)


class Found(msgspec.Struct, frozen=True):
    """By what identity's section lets a customer be found; nothing of one that was emptied."""

    shown: bool = False
    name: str = ""
    keys: list[str] = []

    @property
    def name_keys(self) -> list[int]:
        """Worked out when they are asked for: names hardly ever change."""
        return kept_keys(self.name)


def found_by(text: str | None) -> Found:
    """Of identity's section."""
    if text is None:
        return Found()
    try:
        body = _identity.decode(text)
    except UNREADABLE:
        return Found(shown=True)
    name = fold(body.contact.name or "")
    keys = identifier_keys(Identifier(i.type, i.value) for i in body.identity.identifiers)
    return Found(True, name, keys)


def records_in(text: str) -> set[str]:
    """The records that identity's section lists; a former founder is always among them."""
    try:
        return {record.record_id for record in _identity.decode(text).identity.records}
    except UNREADABLE:
        return set()


def worth_of(text: str | None) -> tuple[str, Decimal]:
    """(grade, revenue) of value's section; ("", 0) where there is none."""
    try:
        body = _value.decode(text or "{}")
        return body.tier.grade if body.tier else "", Decimal(body.actual.revenue if body.actual else 0)
    except UNREADABLE:
        return "", Decimal(0)


def seen_of(text: str | None) -> int:
    """Quarter hours since 1970 until the last event, of interaction's section; 0 for never."""
    try:
        last_at = _interaction.decode(text or "{}").last_at
        return int(datetime.fromisoformat(last_at).timestamp() // QUARTER_S) if last_at else 0
    except UNREADABLE:
        return 0


MASKED = ("items[].name", "items[].emails", "items[].phones")


def hidden(*, pii: bool, worth: bool) -> list[str]:
    """What `item` masks for whom."""
    masked = [] if pii else list(MASKED)
    return masked if worth else [*masked, "items[].tier"]


def item(told: Told, *, pii: bool, worth: bool) -> dict[str, Any]:
    """A customer that exists, as he is listed for who may see personal values (`pii`), and tiers (`worth`)."""
    body = told.sections[IDENTITY].body or {}
    contact = body["contact"]
    hidden = withheld(told)
    value, passed = (told.sections.get(s) if s not in hidden else None for s in ("value", "interaction"))
    tier = ((value.body or {}).get("tier") or {}).get("grade") if value is not None else None
    texts = {
        "emails": [one["value"] for one in contact["emails"][:1]],
        "phones": contact["phones"][:1],
    }
    name = contact["name"]
    return {
        "customer_id": told.customer_id,
        "name": name if pii or name is None else mask(name),
        "status": body["identity"]["status"],
        **(texts if pii else {part: [mask(one) for one in those] for part, those in texts.items()}),
        "tier": tier if worth else None,
        "last_seen": (passed.body or {}).get("last_at") if passed is not None else None,
    }
