"""Segment's HTTP calls into raw events, by the mapping table; nothing that was sent is lost.

Owns the shape of Segment messages. A body that is no call at all raises `schemas.codec.Unreadable`; one bad
message of a batch is Parked beside the good ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.codec import Unreadable
from services.intake.domain.checking import type_name
from services.intake.domain.deriving import derived_id, part_id
from services.intake.domain.mapping import Found, Row, Table, table_of
from services.intake.domain.model import Parked, Raw, Refused
from services.intake.domain.reasons import Reason
from services.intake.domain.shaping import shaped

CALLS: tuple[str, ...] = ("track", "identify", "page", "screen", "group", "alias")
BATCH = "batch"
FAMILY = "segment"
TRACK = "track"
SHORT_NAMES: dict[str, str] = {name[0]: name for name in CALLS}
"""The browser library's paths; `b` is the batch."""

_NOT_CONTENT = frozenset({"sentAt", "sent_at", "receivedAt", "writeKey", "messageId"})
_IN_DATA = ("userId", "anonymousId", "user_id", "anonymous_id", "traits", "properties", "context")
_READ = frozenset({*_IN_DATA, *_NOT_CONTENT, "type", "groupId", "timestamp", "originalTimestamp"})
_READ_BY_CALL: dict[str, frozenset[str]] = {
    "track": _READ | {"event"},
    "page": _READ | {"name", "category"},
    "screen": _READ | {"name", "category"},
    "alias": _READ | {"previousId"},
}
_PAGE_FIELDS = ("name", "category", "url", "path", "title", "referrer", "search")


def write_key_of(body: Any) -> str | None:
    """The write key inside a body, or None: the batch's own, else the first message's."""
    if type(body) is not dict:
        return None
    messages = body.get(BATCH)
    first = messages[0] if type(messages) is list and messages else None
    for place in (body, first):
        key = place.get("writeKey") if type(place) is dict else None
        if type(key) is str and key.strip():
            return key.strip()
    return None


def read_calls(body: Any, call: str | None = None, own: Table | None = None) -> list[Raw | Parked]:
    """Raw events of a parsed body. `call` is the path's last part (`track`, `t`, `batch`, `b`) or None.

    `own` is the source's own table. Raises Unreadable: not_an_object, no_batch.
    """
    if type(body) is not dict:
        raise Unreadable(Reason.NOT_AN_OBJECT)
    table = table_of(FAMILY, own)
    if call in (BATCH, "b") or (call is None and BATCH in body):
        messages = body.get(BATCH)
        if type(messages) is not list:
            raise Unreadable(Reason.NO_BATCH)
        return [event for message in messages for event in _from_batch(message, body, table)]
    return _read(body, SHORT_NAMES.get(call or "", call), table)


def named_row(kind: str, name: str, table: Table) -> Found | None:
    """The row of an event: of a call by the call, of a tracked one by its name."""
    return table.found(name) if kind == TRACK else table.call(kind)


def type_by(row: Row, mapped: Mapping[str, Any]) -> str:
    """The type a row gives to an event it has shaped."""
    return row.type if row.without_traits is None or mapped.get("traits") else row.without_traits


def _from_batch(message: Any, body: Mapping[str, Any], table: Table) -> list[Raw | Parked]:
    if type(message) is not dict:
        return [Parked(Reason.NOT_AN_OBJECT)]
    shared = {key: body[key] for key in ("sentAt", "context") if key in body and key not in message}
    if type(body.get("context")) is dict and type(message.get("context")) is dict:
        shared["context"] = {**body["context"], **message["context"]}
    return _read({**message, **shared}, None, table)


def _read(message: dict[str, Any], call: str | None, table: Table) -> list[Raw | Parked]:
    try:
        name = call or message.get("type")
        if type(name) is not str or name.strip().lower() not in CALLS:
            raise Refused(Reason.BAD_CALL)
        name = name.strip().lower()
        sent_name = type_name(message.get("event")) if name == TRACK else name
        made = _events(message, name, sent_name, named_row(name, sent_name, table))
        return [one if isinstance(one, Parked) else replace(one, call=f"{FAMILY}/{name}") for one in made]
    except Refused as refused:
        return [refused.parked]


def _events(message: dict[str, Any], call: str, sent_name: str, found: Found | None) -> list[Raw | Parked]:
    """The events of a message. A `track` without a row keeps its own name as its type."""
    data = _data(message, call)
    message_id = message.get("messageId")
    if message_id is None or message_id == "":
        message_id = _derived_id(message, call)
    if found is None:
        return [_raw(message, message_id, sent_name, data, Row(sent_name), None)]
    row, version = found
    original = data.get("original")
    data["original"] = {**(original if type(original) is dict else {}), "event": sent_name}
    if row.each is not None:
        return _each_category(message, message_id, data, row, version)
    mapped = shaped(data, row)
    return [_raw(message, message_id, type_by(row, mapped), mapped, row, version)]


def _raw(
    message: Mapping[str, Any],
    message_id: Any,
    event_type: str,
    data: dict[str, Any],
    row: Row,
    version: str | None,
) -> Raw:
    timestamp = message.get("timestamp")
    sent_at = message.get("sentAt") or message.get("sent_at")
    return Raw(
        id=message_id,
        type=event_type,
        time=timestamp if timestamp is not None else message.get("originalTimestamp"),
        # what has been through Segment already carries a corrected timestamp
        sent_at=None if message.get("receivedAt") and timestamp is not None else sent_at,
        data=data,
        channel=row.channel,
        direction=row.direction,
        mapping=version,
    )


def _data(message: Mapping[str, Any], call: str) -> dict[str, Any]:
    """The message in the shape of `data`; what has no place there is kept under context.segment_message."""
    data: dict[str, Any] = {key: message[key] for key in _IN_DATA if message.get(key) is not None}
    unread = {key: data.pop(key) for key in ("properties", "context") if type(data.get(key, {})) is not dict}
    if unread:
        data["unread"] = unread
    context = data.get("context", {})
    read = _READ_BY_CALL.get(call, _READ)
    rest = {key: value for key, value in message.items() if key not in read and value not in (None, {}, "")}
    if rest:
        data["context"] = {**context, "segment_message": rest}
    for field in ("locale", "timezone", "campaign"):
        if context.get(field):
            data[field] = context[field]
    for group_id in (message.get("groupId"), context.get("groupId")):
        if group_id is not None:
            data.setdefault("group_id", group_id)
    properties = dict(data.get("properties", {}))
    if call in ("page", "screen"):
        _add_page(properties, message, context)
    if call == "alias":
        properties["previous"] = message.get("previousId")
    if properties:
        data["properties"] = properties
    return data


def _add_page(properties: dict[str, Any], message: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    page = context.get("page")
    for place in (message, page if type(page) is dict else {}):
        for field in _PAGE_FIELDS:
            if place.get(field) is not None:
                properties.setdefault(field, place[field])


def _derived_id(message: Mapping[str, Any], call: str) -> str:
    """An id from the content without the time of sending, so that a repeated message is the same event."""
    return derived_id(call, {key: value for key, value in message.items() if key not in _NOT_CONTENT})


def _each_category(
    message: Mapping[str, Any], message_id: Any, data: dict[str, Any], row: Row, version: str
) -> list[Raw | Parked]:
    """One event for every consent category, with ids derived from the message's."""
    context = data.get("context")
    consent = context.get("consent") if type(context) is dict else None
    categories = consent.get("categoryPreferences") if type(consent) is dict else None
    if type(categories) is not dict or not categories:
        return [_raw(message, message_id, row.type, shaped(data, row), row, version)]
    events: list[Raw | Parked] = []
    for category, allowed in sorted(categories.items()):
        event_type = row.type if allowed is True else row.otherwise or row.type
        own = {**data, "properties": {**(data.get("properties") or {}), "purpose": category}}
        events.append(_raw(message, part_id(message_id, category), event_type, own, row, version))
    return events
