"""Who somebody is: identified, imported, updated, verified, aliased, removed, asserted the same or not.

Owns these types' properties only; what they do to identity is the identity service's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from schemas.events.common import Properties, TypedValue
from schemas.events.fields import Id, Moment, PersonalText, Text
from schemas.events.kinds import EventType
from schemas.personal import PERSONAL


class ContactIdentified(Properties):
    """Somebody signed up, signed in or was otherwise named by several identifiers or traits."""

    signup_type: Text = None
    method: Text = None


class ContactImported(Properties):
    """A source's own record as it stands there; `updated_at`, not arrival, says which state is newest."""

    updated_at: Moment = None
    source_status: Text = None


class ContactUpdated(Properties):
    """Changed traits (null removes one) and identifiers that are no longer the contact's."""

    removed_identifiers: list[TypedValue] | None = None
    updated_at: Moment = None


class ContactRemoved(Properties):
    """The source deleted its record: its evidence up to `until` is dead for identity."""

    until: Moment = None


class IdentifierVerified(Properties):
    """A check of one identifier and how it ended."""

    type: Text = None
    value: Annotated[Id, PERSONAL] = None
    result: Literal["valid", "invalid", "unreachable"] | None = None
    method: Literal["double_opt_in", "otp", "delivery", "letter", "agent"] | None = None


class Previous(TypedValue):
    """The id somebody had before; without a `type` it is tried as the types in `types`."""

    types: list[str] | None = None


class AliasAsserted(Properties):
    """The source says that the previous id and the event's own are one person."""

    previous: Previous | None = None
    reason: Text = None


class IdentityAsserted(Properties):
    """An operator says that two records are, or are not, one person; the latest word on a pair counts."""

    records: list[TypedValue] | None = None
    reason: PersonalText = None


IDENTITY = ("identity",)

TYPES: tuple[EventType, ...] = (
    EventType("contact.identified", ContactIdentified, IDENTITY, ("identifiers|traits",)),
    EventType("contact.imported", ContactImported, IDENTITY, ("identifiers.own",)),
    EventType("contact.updated", ContactUpdated, IDENTITY, ("traits|removed_identifiers",)),
    EventType("contact.removed", ContactRemoved, IDENTITY, ("identifiers.own",)),
    EventType("identifier.verified", IdentifierVerified, IDENTITY, ("type", "value", "result")),
    EventType("alias.asserted", AliasAsserted, IDENTITY, ("previous",)),
    EventType("identity.same_asserted", IdentityAsserted, IDENTITY, ("records", "reason")),
    EventType("identity.different_asserted", IdentityAsserted, IDENTITY, ("records", "reason")),
)
