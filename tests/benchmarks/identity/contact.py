"""One record of a labelled set, its half, and the events that bring it in.

Owns the form all labelled sets share. The true person is in the record for measuring, and never in an event.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Half = Literal["train", "test"]
IMPORTED_AT = "2026-01-15T06:00:00Z"


@dataclass(frozen=True, slots=True)
class Contact:
    """What one source holds of one person; empty where it holds nothing. Values are as the source wrote them."""

    record_key: str
    source: str
    person: int
    household: int
    given_name: str = ""
    surname: str = ""
    birth_date: str = ""
    gender: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    street_2: str = ""
    city: str = ""
    postal_code: str = ""
    state: str = ""
    country: str = ""
    national_id: str = ""
    updated_at: str = ""


FIELDS = (
    "given_name", "surname", "birth_date", "gender", "email", "phone",
    "street", "street_2", "city", "postal_code", "state", "national_id",
)  # fmt: skip
"""What a record says of its person."""


def half(contact: Contact) -> Half:
    """By household, so that kin stay together: "train" to tune on, "test" to measure on and nothing else."""
    return "test" if zlib.crc32(f"half:{contact.household}".encode()) & 1 else "train"


def truth(contacts: Iterable[Contact]) -> dict[str, int]:
    """Record key → person."""
    return {one.record_key: one.person for one in contacts}


def lead_type(contact: Contact) -> str:
    """The identifier type of the record's own id."""
    return f"crm_id.{contact.source}"


def events(contacts: Iterable[Contact], reach_identifies: bool = True) -> list[dict[str, Any]]:
    """A `contact.imported` per record; its e-mail and phone are identifiers, or else traits."""
    return [_event(one, reach_identifies) for one in contacts]


def _event(one: Contact, reach_identifies: bool) -> dict[str, Any]:
    reach = _said(email=one.email, phone=one.phone)
    address = _said(
        street=one.street,
        street2=one.street_2,
        city=one.city,
        postalCode=one.postal_code,
        state=one.state,
        country=one.country,
    )
    traits: dict[str, Any] = _said(
        firstName=one.given_name,
        lastName=one.surname,
        birthday=one.birth_date,
        gender=one.gender,
        nationalId=one.national_id,
    )
    if len(address) > bool(one.country):
        traits["address"] = address
    return {
        "specversion": "1.0",
        "id": f"import-{one.record_key}",
        "source": one.source,
        "type": "contact.imported",
        "time": IMPORTED_AT,
        "datacontenttype": "application/json",
        "data": {
            "identifiers": {lead_type(one): one.record_key, **(reach if reach_identifies else {})},
            "traits": traits if reach_identifies else {**traits, **reach},
            "channel": "import",
            "properties": _said(updated_at=one.updated_at),
        },
    }


def _said(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
