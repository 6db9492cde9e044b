"""PostHog's captured events into raw events, by the mapping table; nothing that was sent is lost.

Owns the shape of PostHog messages and which of their ids is whose. A body that is no message at all raises
`schemas.codec.Unreadable`; one bad message of a batch is Parked beside the good ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.codec import Unreadable
from schemas.envelope import rfc3339
from schemas.events.fields import moment_of, text_of
from services.intake.domain.checking import type_name
from services.intake.domain.deriving import derived_id, part_id
from services.intake.domain.mapping import Found, Row, Table, table_of
from services.intake.domain.model import Parked, Raw, Refused
from services.intake.domain.reasons import Reason
from services.intake.domain.shaping import shaped

FAMILY = "posthog"
CALL = f"{FAMILY}/capture"
BATCH = "batch"
KEYS = ("api_key", "token", "$token")
"""Where a body or a message carries the write key."""
SET_ONCE = "$set_once"
LAST_YEAR = datetime(2100, 1, 1, tzinfo=UTC)
FIRST_YEAR = datetime(1970, 1, 1, tzinfo=UTC)

_MOVED = ("$set", SET_ONCE)
_READ = frozenset({"event", "distinct_id", "$distinct_id", "properties", "timestamp", "uuid", *_MOVED, *KEYS})
_NOT_CONTENT = frozenset({*KEYS, "uuid", "sent_at", "offset"})
_ALIAS, _MERGE = "$create_alias", "$merge_dangerously"
_GROUP = "$groupidentify"


@dataclass(frozen=True, slots=True)
class Sending:
    """What a request says of all its messages. `sent_at` is by the client's clock; `arrival` by ours."""

    arrival: datetime
    sent_at: Any = None


def keys_of(body: Any) -> list[str]:
    """The write keys a body carries: its own, else its first message's."""
    messages = _messages(body)
    first = messages[0] if messages and type(messages[0]) is dict else {}
    places = [body if type(body) is dict else {}, first, first.get("properties")]
    found = [place.get(key) for place in places if type(place) is dict for key in KEYS]
    return list(dict.fromkeys(key.strip() for key in found if type(key) is str and key.strip()))


def read_captured(body: Any, sending: Sending, own: Table | None = None) -> list[Raw | Parked]:
    """Raw events of a parsed body: a message, a list of them, or {"batch": […]}. Raises Unreadable(no_batch).

    `own` is the source's own table.
    """
    messages = _messages(body)
    if messages is None:
        raise Unreadable(Reason.NO_BATCH)
    if type(body) is dict and body.get("sent_at") is not None:
        sending = replace(sending, sent_at=body["sent_at"])
    table = table_of(FAMILY, own)
    return [event for message in messages for event in _read(message, sending, table)]


def uuid_of(message: Any) -> str | None:
    """The id a client tells its messages apart by, as it was sent."""
    return text_of(message.get("uuid")) if type(message) is dict else None


def _messages(body: Any) -> list[Any] | None:
    if type(body) is list:
        return body
    if type(body) is not dict:
        return None
    if BATCH in body:
        return body[BATCH] if type(body[BATCH]) is list else None
    return [body]


def _read(message: Any, sending: Sending, table: Table) -> list[Raw | Parked]:
    if type(message) is not dict:
        return [Parked(Reason.NOT_AN_OBJECT)]
    try:
        return list(_events(message, sending, table))
    except Refused as refused:
        return [refused.parked]


def _events(message: Mapping[str, Any], sending: Sending, table: Table) -> list[Raw]:
    name = type_name(message.get("event"))
    found = table.found(name)
    message_id = message.get("uuid") or _derived_id(message)
    main = _raw(message, sending, table, message_id, name, _data(message, name, table), found)
    once = _once(message)
    if not once or name == _GROUP:
        return [main]
    if name == SET_ONCE and not main.data.get("traits"):
        return [_weakest(main, once, main.data)]
    part = replace(main, id=part_id(message_id, SET_ONCE), type="contact.updated", mapping=table.version)
    beside = {"identifiers": main.data["identifiers"], "original": {"event": SET_ONCE}}
    return [main, _weakest(part, once, beside)]


def _raw(
    message: Mapping[str, Any], sending: Sending, table: Table, message_id: Any, name: str, data: dict[str, Any],
    found: Found | None,
) -> Raw:  # fmt: skip
    row, version = found or (Row(name), None)
    if found is not None:
        data["original"] = {"event": name}
        data = shaped(data, row)
    sent = message.get("properties")
    library = text_of(sent.get("$lib")) if type(sent) is dict else None
    time = _time(message, sending)
    return Raw(
        id=message_id,
        type=row.type,
        time=time,
        sent_at=None if _is_right(message, sent) else sending.sent_at,
        data=data,
        channel=row.channel or table.more["channels"].get(library),
        direction=row.direction,
        mapping=version,
        call=CALL,
    )


def _time(message: Mapping[str, Any], sending: Sending) -> Any:
    """The time as sent; a browser's library says instead how many ms before the sending it was."""
    offset: Any = message.get("offset")
    if message.get("timestamp") is not None or type(offset) not in (int, float, Decimal):
        return message.get("timestamp")
    try:
        return rfc3339(sending.arrival - timedelta(milliseconds=abs(float(offset))))
    except OverflowError:
        return None


def _is_right(message: Mapping[str, Any], properties: Any) -> bool:
    """Whether the time needs no correction: reckoned from arrival, or the client says so."""
    options = message.get("options")
    if type(options) is dict and options.get("disable_skew_correction") is True:
        return True
    if type(properties) is dict and properties.get("$ignore_sent_at") is True:
        return True
    return message.get("timestamp") is None and message.get("offset") is not None


def _data(message: Mapping[str, Any], name: str, table: Table) -> dict[str, Any]:
    """The message in the shape of `data`; what has no place there is kept under context.posthog_message."""
    sent = message.get("properties")
    properties = dict(sent) if type(sent) is dict else {}
    data: dict[str, Any] = {"identifiers": _identifiers(message, properties, name)}
    if sent is not None and type(sent) is not dict:
        data["unread"] = {"properties": sent}
    traits = _person(message, "$set")
    for moved in _MOVED:
        if type(properties.get(moved)) is dict:
            del properties[moved]
    for key in KEYS:
        properties.pop(key, None)
    rest = {key: value for key, value in message.items() if key not in _READ and value not in (None, {}, "")}
    once = _person(message, SET_ONCE)
    if once:
        rest[SET_ONCE] = once
    if traits and name == _GROUP:
        rest["$set"] = traits
    for moved in _MOVED:
        if message.get(moved) is not None and type(message[moved]) is not dict:
            rest[moved] = message[moved]
    if rest:
        data["context"] = {"posthog_message": rest}
    _add_common(data, properties, table)
    if name in (_ALIAS, _MERGE):
        _, properties["previous"] = _aliased(message, properties, name)
    if name == _GROUP:
        traits = _group(data, properties, table)
    if traits:
        data["traits"] = traits
    if properties:
        data["properties"] = properties
    return data


def _identifiers(message: Mapping[str, Any], properties: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Whose it is. A group's event is nobody's; an alias may name an account or a browser on either side."""
    if name == _GROUP:
        return {}
    if name in (_ALIAS, _MERGE):
        own, _ = _aliased(message, properties, name)
        return {"user_id": [own], "anonymous_id": [own]}
    own = _own(message, properties)
    found: dict[str, Any] = {"anonymous_id" if _is_anonymous(message, properties) else "user_id": [own]}
    before = properties.get("$anon_distinct_id")
    if before not in (None, "", own):
        found.setdefault("anonymous_id", []).append(before)
    return found


def _aliased(message: Mapping[str, Any], properties: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    """(The id to stay, the id before): an alias is a newer id of who sends, a merge takes the other one in."""
    own, other = _own(message, properties), properties.get("alias")
    if name == _MERGE or other in (None, ""):
        return own, other
    return other, own


def _own(message: Mapping[str, Any], properties: Mapping[str, Any]) -> Any:
    return next((v for v in _distinct(message, properties) if v not in (None, "")), None)


def _distinct(message: Mapping[str, Any], properties: Mapping[str, Any]) -> tuple[Any, ...]:
    return message.get("distinct_id"), message.get("$distinct_id"), properties.get("distinct_id")


def _is_anonymous(message: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    """Whether the client says that nobody has logged in: then the id is the browser's, else the account's."""
    options = message.get("options")
    if type(options) is dict and options.get("process_person_profile") is False:
        return True
    if properties.get("$process_person_profile") is False or properties.get("$is_identified") is False:
        return True
    device = properties.get("$device_id")
    return device not in (None, "") and device in _distinct(message, properties)


def _person(message: Mapping[str, Any], which: str) -> dict[str, Any]:
    """What is said of the person, beside the properties or among them; the first wins."""
    properties = message.get("properties")
    places = [properties.get(which) if type(properties) is dict else None, message.get(which)]
    return {key: value for place in places if type(place) is dict for key, value in place.items()}


def _once(message: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be set unless it is known; the library's own words ($initial_…) are no traits."""
    said, always = _person(message, SET_ONCE), _person(message, "$set")
    return {key: value for key, value in said.items() if not str(key).startswith("$") and key not in always}


def _weakest(update: Raw, once: Mapping[str, Any], data: Mapping[str, Any]) -> Raw:
    """An update that every other word on these traits beats, and of several such the earliest wins.

    The newest word on a trait counts, by the source's own change time. So this one's lies in 1970, the earlier the
    later it was said.
    """
    properties = dict(data.get("properties", {}))
    said_at = moment_of(update.time)
    if said_at is not None:
        properties["updated_at"] = rfc3339(FIRST_YEAR + (LAST_YEAR - min(said_at, LAST_YEAR)) / 1000)
    return replace(update, data={**data, "traits": dict(once), "properties": properties})


def _add_common(data: dict[str, Any], properties: Mapping[str, Any], table: Table) -> None:
    for sent, field in table.more["common"].items():
        if text_of(properties.get(sent)) is not None:
            data.setdefault(field, properties[sent])
    campaign = {
        field: properties[sent]
        for sent, field in table.more["campaign"].items()
        if text_of(properties.get(sent)) is not None
    }
    if campaign:
        data["campaign"] = campaign
    groups = properties.get("$groups")
    if type(groups) is dict:
        accounts = [groups[kind] for kind in table.more["accounts"] if text_of(groups.get(kind)) is not None]
        if accounts:
            data["group_id"] = accounts[0]


def _group(data: dict[str, Any], properties: dict[str, Any], table: Table) -> dict[str, Any]:
    """The group's id and kind; what is said of it."""
    kind, key = text_of(properties.get("$group_type")), text_of(properties.get("$group_key"))
    if key is not None:
        data["group_id"] = key if kind is None or kind in table.more["accounts"] else f"{kind}:{key}"
    if kind is not None:
        properties.setdefault("kind", kind)
    said = properties.get("$group_set")
    return dict(properties.pop("$group_set")) if type(said) is dict else {}


def _derived_id(message: Mapping[str, Any]) -> str:
    """An id from the content without the time of sending and the key."""
    content = {key: value for key, value in message.items() if key not in _NOT_CONTENT}
    if type(content.get("properties")) is dict:
        content["properties"] = {k: v for k, v in content["properties"].items() if k not in KEYS}
    return derived_id("posthog", content)
