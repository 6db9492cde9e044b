"""What an event proves about an address: that it takes what we send, or that it does not.

Owns reading an event's word on an address (an e-mail or phone identifier, or the postal address of the record the
event belongs to). Pure.

A proof is what cannot happen unless the message or call came through: delivered, opened or clicked by a person,
replied to, an answered call, a complaint (whoever complains has read it), a check that ended well. Signing in or
ordering with an address proves nothing: a misspelt one is typed as easily. Nor does a machine that opens mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from schemas.envelope import OUTBOUND, Event
from schemas.events.fields import text_of
from schemas.identifiers import VALUE_CHARS_MAX, Identifier, is_blocked, normalise, usable
from services.identity.domain.reach import Kind, Medium, Word

_MEDIA = {"email": Medium.EMAIL, "sms": Medium.PHONE, "call": Medium.PHONE, "mail": Medium.POST}
"""By channel. A push token, a chat's or a network's name is no address of the contact."""
_OF_NO_MEDIUM = frozenset({"push", "app", "chat", "social"})
_SEEN = {
    "message.delivered": Kind.DELIVERED, "message.opened": Kind.OPENED, "message.clicked": Kind.CLICKED,
    "message.complained": Kind.COMPLAINED,
}  # fmt: skip
_SAID = frozenset({"message.replied", "conversation.message"})
_OTHERS = frozenset({"message.bounced", "call.held"})
_CHECKED = {"valid": Kind.VERIFIED, "invalid": Kind.INVALID, "unreachable": Kind.SOFT_BOUNCED}
_POSTAL_TYPES = frozenset({"address", "postal_address", "post", "mail"})
_IN_BRACKETS = re.compile(r"[^<>]*<([^<>]+)>\s*")


def word_of(event: Event, time_us: int, record_id: Callable[[Identifier], str]) -> tuple[Word, ...]:
    """The event's words, all on one address; several only where it names the address under several types.

    Which address: the message's `address`, or else the only e-mail or phone number the event names. Where it names
    two, nobody knows which was meant, and nothing is said.
    """
    if event.type == "identifier.verified":
        found = _checked(event)
    elif event.type in _SEEN or event.type in _SAID or event.type in _OTHERS:
        found = _heard(event)
    else:
        return ()
    if found is None:
        return ()
    medium, kind, addresses = found
    if medium is Medium.POST:
        return (Word(event.event_id, event.record_id, event.record_id, medium, kind, time_us),)
    records = sorted({record_id(address) for address in addresses})
    return tuple(Word(event.event_id, event.record_id, record, medium, kind, time_us) for record in records)


def _heard(event: Event) -> tuple[Medium, Kind, Sequence[Identifier]] | None:
    """What a message or a call says."""
    medium = _medium(event)
    kind = _kind(event, medium) if medium is not None else None
    return (medium, kind, _addresses(event, medium)) if medium is not None and kind is not None else None


def _properties(event: Event) -> Mapping[str, Any]:
    found = event.data.get("properties")
    return found if isinstance(found, Mapping) else {}


def _medium(event: Event) -> Medium | None:
    """By the channel; one that says nothing leaves e-mail, if the address is one or the type is e-mail's."""
    channel = event.data.get("channel")
    if channel in _MEDIA:
        return _MEDIA[channel]
    address = text_of(_properties(event).get("address"))
    mailed = "@" in address if address is not None else event.type == "message.bounced"
    return Medium.EMAIL if mailed and channel not in _OF_NO_MEDIUM else None


def _kind(event: Event, medium: Medium) -> Kind | None:
    properties = _properties(event)
    if event.type in _SEEN:
        return None if properties.get("machine_open") is True else _SEEN[event.type]
    if event.type == "message.bounced":
        if medium is Medium.POST:
            return Kind.RETURNED
        return Kind.BOUNCED if properties.get("kind") == "hard" else Kind.SOFT_BOUNCED
    if event.type in _SAID:
        actor = event.data.get("actor")
        ours = isinstance(actor, Mapping) and actor.get("kind") not in (None, "customer")
        return None if ours or event.data.get("direction") == OUTBOUND else Kind.REPLIED
    answered = medium is Medium.PHONE and properties.get("outcome") == "answered"
    return Kind.ANSWERED if answered else None


def _addresses(event: Event, medium: Medium) -> Sequence[Identifier]:
    named = [i for i in usable(event.data.get("identifiers", {})) if i.type.partition(".")[0] == medium]
    sent = text_of(_properties(event).get("address"))
    if sent is None:
        return named if len({i.value for i in named}) == 1 else ()
    return _same(named, _read(medium, medium, sent))


def _checked(event: Event) -> tuple[Medium, Kind, Sequence[Identifier]] | None:
    """What `identifier.verified` says; it names the address itself."""
    properties = _properties(event)
    kind = _CHECKED.get(str(properties.get("result")))
    type_, value = text_of(properties.get("type")), text_of(properties.get("value"))
    if kind is None or type_ is None:
        return None
    base = type_.partition(".")[0]
    if base in _POSTAL_TYPES:
        return Medium.POST, kind if kind is Kind.VERIFIED else Kind.RETURNED, ()
    if base not in (Medium.EMAIL, Medium.PHONE) or value is None:
        return None
    medium = Medium(base)
    named = [i for i in usable(event.data.get("identifiers", {})) if i.type.partition(".")[0] == medium]
    return medium, kind, _same(named, _read(medium, type_, value))


def _read(medium: Medium, type_: str, sent: str) -> Identifier | None:
    """The address as an identifier; "Ann <ann@x.com>" is one too."""
    bracketed = _IN_BRACKETS.fullmatch(sent) if medium is Medium.EMAIL else None
    value = normalise(medium, bracketed[1] if bracketed else sent)
    is_one = len(value) <= VALUE_CHARS_MAX and not is_blocked(value) and (medium is not Medium.EMAIL or "@" in value)
    return Identifier(type_, value) if is_one else None


def _same(named: Iterable[Identifier], address: Identifier | None) -> Sequence[Identifier]:
    """The address as the event's own identifiers name it, under whatever types; else as it is."""
    if address is None:
        return ()
    return [i for i in named if i.value == address.value] or [address]
