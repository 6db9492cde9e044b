"""One raw event into one event of the log, or parked with its reason. The same raw event, arrival and source
always give the same event.

Owns the order of the checks. Must not decide what an event means.
"""

from __future__ import annotations

from typing import Any

from schemas.envelope import INBOUND, Event
from schemas.events import EVENT_TYPES, EventType
from schemas.events.fields import text_of
from schemas.identifiers import leading, record_id
from services.intake.domain.channels import CONTENT_NOT_CHANNEL, channel_named, channel_of, direction_of
from services.intake.domain.checking import check_content, check_size, printable, type_name
from services.intake.domain.identifiers import SEGMENT_IDS, gather
from services.intake.domain.model import (
    ID_CHARS_MAX,
    SOURCE_CHARS_MAX,
    Accepted,
    Parked,
    Raw,
    Received,
    Refused,
    Source,
)
from services.intake.domain.permissions import check_permitted
from services.intake.domain.plans import Broken, Plan, check_plan, told
from services.intake.domain.reasons import Reason
from services.intake.domain.references import with_namespaces
from services.intake.domain.shaping import note_added
from services.intake.domain.timing import Timed, time_of

OBJECTS = frozenset({"traits", "properties", "context", "actor", "campaign", "original", "unread"})
TEXTS = frozenset({"conversation_id", "reply_to", "group_id", "locale", "timezone", "country"})
BUSINESS_KEYS = frozenset(
    {
        "order_id", "invoice_id", "subscription_id", "ticket_id", "message_id", "conversation_id",
        "promise_id", "refund_id", "reply_to", "call_id", "meeting_id", "response_id",
    }
)  # fmt: skip
"""Properties that are unique in the source's business namespace only, or name such a one (`reply_to`)."""
_BUSINESS_FIELDS = frozenset({"conversation_id", "reply_to"})
"""Those that may stand among the common fields."""

MAPPING, CALL = "c360mapping", "c360call"
ORIGINAL, REMAPPED = "c360original", "c360remapped"
OURS_TO_SAY = frozenset({CALL, ORIGINAL, REMAPPED})
"""Attributes by which a remap knows what it may touch: nobody's word but ours, also where a sender has such ones."""

_OURS = frozenset({"identifiers", "channel", "direction", "incomplete", "business_namespace", *SEGMENT_IDS})


def accept(raw: Raw | Parked, received: Received, deployment_key: bytes) -> Accepted | Parked:
    """The event with the fields it lacks, or why it was parked. Never raises for what was sent."""
    if isinstance(raw, Parked):
        return raw
    try:
        return _accept(raw, received, deployment_key)
    except Refused as refused:
        return refused.parked


def _accept(raw: Raw, received: Received, deployment_key: bytes) -> Accepted:
    settings = received.source
    source, sent_id, event_type = _source(raw, settings), _id(raw.id), type_name(raw.type)
    if type(raw.data) is not dict:
        raise Refused(Reason.DATA_NOT_AN_OBJECT)
    check_content([raw.data, raw.extensions, raw.time, raw.sent_at, raw.subject])
    identifiers = gather(raw, event_type, settings)
    leader = leading(identifiers, event_type)
    if leader is None:
        raise Refused(Reason.NO_IDENTIFIER)
    known = EVENT_TYPES.get(event_type)
    timed = time_of(raw.time, raw.sent_at, received.arrival)
    data = _data(raw, event_type, known, settings)
    check_permitted(event_type, data["properties"], settings)
    data["identifiers"] = identifiers
    _keep_sent_times(data, raw, timed)
    incomplete = tuple(known.missing(data)) if known is not None else ()
    if incomplete:
        data["incomplete"] = list(incomplete)
    check_size(data)
    broken = check_plan(received.plan, event_type, data)
    event = Event(
        id=sent_id,
        source=source,
        type=event_type,
        time=timed.time,
        record_id=record_id(deployment_key, leader),
        received=received.arrival,
        data=data,
        clamped=timed.clamped,
        extensions=_extensions(raw, received.plan, broken),
    )
    return Accepted(event, incomplete, broken)


def _id(sent: Any) -> str:
    text = text_of(sent)
    if text is None:
        raise Refused(Reason.NO_ID)
    if len(text) > ID_CHARS_MAX:
        raise Refused(Reason.ID_TOO_LONG, f"{len(text)} characters")
    if "\0" in text:
        raise Refused(Reason.NUL_IN_TEXT, "in the id")
    if not text.isprintable():
        # a Kafka header is bytes: half a surrogate pair cannot be written there
        _check_encodable(text, "in the id")
    return text


def _source(raw: Raw, settings: Source) -> str:
    """The source's name; a CloudEvent's own source goes below it unless it already stands there."""
    name = settings.name
    if not raw.source or raw.source == name:
        return name
    source = raw.source if raw.source.startswith(f"{name}/") else f"{name}/{raw.source}"
    if not printable(source, SOURCE_CHARS_MAX):
        raise Refused(Reason.BAD_SOURCE)
    return source


def _check_encodable(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(Reason.LONE_SURROGATE, where) from None


def _data(raw: Raw, event_type: str, known: EventType | None, settings: Source) -> dict[str, Any]:
    """The sent data in our shape; what has another shape than its field stays readable under `unread`."""
    sent = raw.data
    data: dict[str, Any] = {"identifiers": {}}
    unread: dict[str, Any] = {}
    for key, value in sent.items():
        if key in _OURS:
            if key == "identifiers" and type(value) is not dict and value is not None:
                unread[key] = value
        elif key in OBJECTS:
            if type(value) is dict:
                data[key] = value
            elif value is not None:
                unread[key] = value
        elif key in TEXTS:
            text = text_of(value)
            if text is not None:
                data[key] = text
            elif value is not None and value != "":
                unread[key] = value
        else:
            data[key] = value
    if unread:
        data["unread"] = {**data.get("unread", {}), **unread}
    data["properties"] = with_namespaces(event_type, data.get("properties") or {}, settings.identifier_namespace)
    _set_channel(data, raw, event_type, known, settings)
    _set_defaults(data, raw, known, settings)
    if settings.subject_type is None and raw.subject is not None:
        data["context"] = {**data.get("context", {}), "subject": raw.subject}
    return data


def _set_channel(data: dict[str, Any], raw: Raw, event_type: str, known: EventType | None, settings: Source) -> None:
    sent = raw.data.get("channel")
    named = None if event_type in CONTENT_NOT_CHANNEL else data["properties"].get("channel")
    of_type = known.channel if known is not None else None
    data["channel"] = channel_of((sent, named, raw.channel, of_type, settings.channel))
    usual = known.direction if known is not None else INBOUND
    data["direction"] = direction_of(raw.data.get("direction"), raw.direction, usual)
    if sent is not None and channel_named(sent) is None:
        data["original"] = {**data.get("original", {}), "channel": sent}


def _set_defaults(data: dict[str, Any], raw: Raw, known: EventType | None, settings: Source) -> None:
    """What the source's settings say where the event is silent; later readers do not know the settings."""
    properties = data["properties"]
    if settings.timezone is not None:
        data.setdefault("timezone", settings.timezone)
    if settings.country is not None:
        data.setdefault("country", settings.country)
    if not _BUSINESS_FIELDS.isdisjoint(data) or not BUSINESS_KEYS.isdisjoint(properties):
        data["business_namespace"] = settings.business_namespace or settings.name
    if settings.currency is None or known is None or not known.has_currency:
        return
    if properties.get("currency") in (None, ""):
        data["properties"] = {**properties, "currency": settings.currency}
        if raw.call is not None:
            note_added(data, "properties.currency")


def _keep_sent_times(data: dict[str, Any], raw: Raw, timed: Timed) -> None:
    if timed.changed:
        data["original"] = {**data.get("original", {}), "time": raw.time}
    if raw.sent_at is not None:
        data["context"] = {**data.get("context", {}), "sentAt": raw.sent_at}


def _extensions(raw: Raw, plan: Plan | None, broken: Broken) -> dict[str, str]:
    for value in raw.extensions.values():
        if not value.isprintable():
            _check_encodable(value, "in an attribute")
    found = {name: value for name, value in raw.extensions.items() if name not in OURS_TO_SAY}
    if raw.mapping is not None:
        found[MAPPING] = raw.mapping
    if raw.call is not None:
        found[CALL] = raw.call
    if plan is not None:
        found["c360plan"] = str(plan.version)
    if broken:
        found["c360violations"] = told(broken)
    return found
