"""CloudEvents 1.0 into raw events: binary, structured and batch mode, over HTTP and Kafka.

Owns the CloudEvents attributes. A body that cannot be read at all raises `schemas.codec.Unreadable`; one bad
event of a batch is Parked beside the good ones.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from schemas.codec import Unreadable
from services.intake.domain.model import (
    ATTRIBUTE_CHARS_MAX,
    ATTRIBUTE_NAME_CHARS_MAX,
    ATTRIBUTES_MAX,
    Parked,
    Raw,
    Refused,
)
from services.intake.domain.reading import read_body
from services.intake.domain.reasons import Reason

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
SPECVERSION = "1.0"
SENT_AT = "sentat"
"""Extension attribute: when the client sent it, by its own clock; corrects it like Segment's sentAt."""

HTTP_PREFIX, KAFKA_PREFIX = "ce-", "ce_"

_NAME = re.compile(rf"[a-z0-9_-]{{1,{ATTRIBUTE_NAME_CHARS_MAX}}}")
_CORE = frozenset({"specversion", "id", "source", "type", "time", "subject", "datacontenttype"})
_NOT_EXTENSIONS = _CORE | {"data", "data_base64", SENT_AT}
_INT_MAX = 2**63


def read_http(headers: Mapping[str, str], body: bytes) -> list[Raw | Parked]:
    """Events of one POST: binary mode by its `ce-` headers, else structured or batch (a list), by body.

    Raises Unreadable: no_value, not_json, duplicate_key, not_an_event.
    """
    attributes = {
        name[len(HTTP_PREFIX) :]: _unquoted(value)
        for name, value in ((n.lower(), v) for n, v in headers.items())
        if name.startswith(HTTP_PREFIX)
    }
    if attributes:
        data = read_body(body) if body.strip() else None
        return [_parked_or(attributes, data)]
    return read_structured(read_body(body))


def read_kafka(headers: Sequence[tuple[str, bytes]], value: bytes | None) -> list[Raw | Parked]:
    """Events of one Kafka record. `ce_` headers mean binary mode; else the value says structured or batch.

    Raises Unreadable: no_value, not_json, duplicate_key, not_an_event, bad_attribute.
    """
    if value is None:
        raise Unreadable(Reason.NO_VALUE)
    attributes: dict[str, Any] = {}
    content_type = ""
    for name, raw in headers:
        lowered = name.lower()
        if lowered == "content-type":
            content_type = (raw or b"").decode("utf-8", "replace")
        elif lowered.startswith(KAFKA_PREFIX):
            attributes[lowered[len(KAFKA_PREFIX) :]] = _header_text(raw)
    if attributes and not content_type.lower().startswith("application/cloudevents"):
        return [_parked_or(attributes, read_body(value) if value.strip() else None)]
    return read_structured(read_body(value))


def read_structured(body: Any) -> list[Raw | Parked]:
    """Events of a parsed body: one object, or a list of them. Raises Unreadable(not_an_event)."""
    if type(body) is list:
        return [_one(item) for item in body]
    if not is_cloudevent(body):
        raise Unreadable(Reason.NOT_AN_EVENT)
    return [_one(body)]


def is_cloudevent(value: Any) -> bool:
    """Whether a JSON value means to be a CloudEvent."""
    return type(value) is dict and "specversion" in value


def _one(item: Any) -> Raw | Parked:
    if type(item) is not dict:
        return Parked(Reason.NOT_AN_OBJECT)
    if "specversion" not in item:
        return Parked(Reason.NOT_AN_EVENT)
    try:
        return _raw(item, _data_of(item))
    except Refused as refused:
        return refused.parked


def _parked_or(attributes: Mapping[str, Any], data: Any) -> Raw | Parked:
    try:
        return _raw(attributes, data)
    except Refused as refused:
        return refused.parked


def _raw(attributes: Mapping[str, Any], data: Any) -> Raw:
    if attributes.get("specversion") != SPECVERSION:
        raise Refused(Reason.BAD_SPECVERSION)
    if data is None:
        data = {}
    if type(data) is not dict:
        raise Refused(Reason.DATA_NOT_AN_OBJECT)
    source = attributes.get("source")
    if source is not None and type(source) is not str:
        raise Refused(Reason.BAD_SOURCE)
    return Raw(
        id=attributes.get("id"),
        source=(source or "").strip(),
        type=attributes.get("type"),
        time=attributes.get("time"),
        sent_at=attributes.get(SENT_AT),
        subject=attributes.get("subject"),
        data=data,
        extensions=_extensions(attributes.items()),
    )


def _extensions(attributes: Iterable[tuple[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in attributes:
        if name in _NOT_EXTENSIONS or value is None:
            continue
        lowered = name.lower()
        # `Time` beside `time` would overwrite the attribute of that name in the log's headers
        if not _NAME.fullmatch(lowered) or lowered in _NOT_EXTENSIONS or lowered in found:
            raise Refused(Reason.BAD_ATTRIBUTE, "name")
        found[lowered] = _attribute_text(value)
    if len(found) > ATTRIBUTES_MAX:
        raise Refused(Reason.BAD_ATTRIBUTE, f"more than {ATTRIBUTES_MAX}")
    return found


def _attribute_text(value: Any) -> str:
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int and -_INT_MAX <= value < _INT_MAX:
        return str(value)
    if kind is not str:
        raise Refused(Reason.BAD_ATTRIBUTE, "not a text, number or flag")
    if len(value) > ATTRIBUTE_CHARS_MAX:
        raise Refused(Reason.BAD_ATTRIBUTE, f"longer than {ATTRIBUTE_CHARS_MAX} characters")
    return str(value)


def _data_of(item: Mapping[str, Any]) -> Any:
    encoded = item.get("data_base64")
    if encoded is None:
        return item.get("data")
    try:
        return read_body(base64.b64decode(encoded, validate=True))
    except (binascii.Error, TypeError, ValueError):
        raise Refused(Reason.NOT_JSON, "data_base64") from None


def _header_text(raw: bytes | None) -> str:
    try:
        return (raw or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(Reason.BAD_ATTRIBUTE, "not UTF-8") from None


def _unquoted(value: str) -> str:
    """CloudEvents' HTTP rule: a value may stand in double quotes; what is not plain is percent-encoded."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return unquote(value)
