"""Snowplow's tracker protocol into raw events, by the mapping table; nothing that was sent is lost.

Owns the shape of tracked events: parameters by abbreviation, JSON in base64 or plain, schemas, transactions told in
pieces. A body that holds no events at all raises `schemas.codec.Unreadable`; a bad one is Parked beside good ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.codec import Unreadable
from schemas.events.fields import text_of
from services.intake.domain.checking import printable
from services.intake.domain.deriving import derived_id
from services.intake.domain.mapping import Found, Row, Table, shipped, table_of
from services.intake.domain.model import TYPE_CHARS_MAX, Parked, Raw, Refused
from services.intake.domain.reading import from_base64, read_body
from services.intake.domain.reasons import Reason
from services.intake.domain.shaping import shaped
from services.intake.domain.timing import of_ms

FAMILY = "snowplow"
STRUCTURED, SELF_DESCRIBING, TRANSACTION, ITEM = "se", "ue", "tr", "ti"
SCHEMA_PREFIX = "iglu:"

_JSON_IN = {"cx": "co", "ue_px": "ue_pr"}
"""Parameter in base64 → the same in plain."""
_READ = frozenset({"e", "eid", "dtm", "ttm", "stm", *_JSON_IN, *_JSON_IN.values()})
_NOT_CONTENT = frozenset({"stm", "eid"})


class Described(NamedTuple):
    """A self-describing JSON: its schema's address, that schema's vendor/name and name, and what it holds."""

    schema: str
    path: str
    name: str
    data: Any


def events_of(body: Any) -> list[Any]:
    """The events of a parsed POST body, each its parameters. Raises Unreadable(no_batch)."""
    events = body.get("data") if type(body) is dict else None
    if type(events) is not list:
        raise Unreadable(Reason.NO_BATCH)
    return events


def read_tracked(events: Sequence[Any], own: Table | None = None) -> list[Raw | Parked]:
    """Raw events, one for each; items of a transaction sent beside it are its lines too.

    `own` is the source's own table.
    """
    table = table_of(FAMILY, own)
    items: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for sent in events:
        if type(sent) is dict and sent.get("e") == ITEM and text_of(sent.get("ti_id")) is not None:
            line = _fields(sent, table, ITEM)
            items[str(line.pop("order_id"))].append(line)
    return [_read(sent, table, items) for sent in events]


def app_id_of(sent: Any) -> str | None:
    """The app an event says it comes from."""
    return text_of(sent.get("aid")) if type(sent) is dict else None


def _read(sent: Any, table: Table, items: Mapping[str, list[dict[str, Any]]]) -> Raw | Parked:
    if type(sent) is not dict:
        return Parked(Reason.NOT_AN_OBJECT)
    try:
        return _raw(sent, table, items)
    except Refused as refused:
        return refused.parked


def _raw(sent: Mapping[str, Any], table: Table, items: Mapping[str, list[dict[str, Any]]]) -> Raw:
    kind = text_of(sent.get("e"))
    if kind is None:
        raise Refused(Reason.BAD_TYPE)
    described = _described(_json_of(sent, "ue_px")) if kind == SELF_DESCRIBING else None
    if kind == SELF_DESCRIBING and described is None:
        raise Refused(Reason.NOT_AN_EVENT, "ue_pr")
    name, found = _named(sent, kind, described, table)
    row, version = found or (Row(name), None)
    data = _data(sent, kind, described, table, items)
    _add_entities(data, sent, row, table)
    if found is not None:
        data["original"] = {"event": name}
        data = shaped(data, row)
    true_time = sent.get("ttm")
    return Raw(
        id=sent.get("eid") or _derived_id(sent),
        type=row.type,
        time=_moment(true_time if true_time is not None else sent.get("dtm")),
        sent_at=_moment(sent.get("stm")) if true_time is None else None,
        data=data,
        channel=row.channel or table.more["channels"].get(text_of(sent.get("p"))),
        direction=row.direction,
        mapping=version,
        call=f"{FAMILY}/{kind}",
        extensions={"dataschema": described.schema} if described is not None else {},
    )


def named_row(kind: str, name: str, schema: str, table: Table) -> Found | None:
    """The row of an event: by its schema's vendor and its name, by its name, or by its kind."""
    if kind == SELF_DESCRIBING:
        vendor = schema.removeprefix(SCHEMA_PREFIX).partition("/")[0]
        return table.found(f"{vendor}/{name}") or table.found(name)
    return table.found(name) if kind == STRUCTURED else table.call(kind)


def _named(sent: Mapping[str, Any], kind: str, described: Described | None, table: Table) -> tuple[str, Found | None]:
    """The event's own name and its row."""
    schema = ""
    if described is not None:
        name, schema = described.name, described.schema
        told = described.data.get("type") if type(described.data) is dict else None
        if described.path in table.more["by_type"] and type(told) is str and told:
            name = told
    elif kind == STRUCTURED:
        name = text_of(sent.get("se_ac")) or ""
    else:
        name = table.more["names"].get(kind, kind)
    name = _checked(name)
    return name, named_row(kind, name, schema, table)


def _checked(name: Any) -> str:
    if not printable(name, TYPE_CHARS_MAX):
        raise Refused(Reason.BAD_TYPE)
    return str(name)


def _data(
    sent: Mapping[str, Any], kind: str, described: Described | None, table: Table,
    items: Mapping[str, list[dict[str, Any]]],
) -> dict[str, Any]:  # fmt: skip
    """The event in the shape of `data`; parameters without a place there are kept under context.snowplow_message."""
    whose: dict[str, Any] = defaultdict(list)
    for name, type_ in table.more["identifiers"].items():
        whose[type_].append(sent.get(name))
    data: dict[str, Any] = {"identifiers": dict(whose)}
    properties = _fields(sent, table, kind)
    if described is not None:
        if type(described.data) is dict:
            properties = dict(described.data)
        elif described.data is not None:
            data["unread"] = {"properties": described.data}
    lines = items.get(str(properties.get("order_id"))) if kind == TRANSACTION else None
    if lines:
        properties["products"] = [dict(line) for line in lines]
    if properties:
        data["properties"] = properties
    for name, field in table.more["common"].items():
        if text_of(sent.get(name)) is not None:
            data[field] = sent[name]
    read = _READ | table.more["fields"].get(kind, {}).keys() | table.more["identifiers"].keys()
    rest = {key: value for key, value in sent.items() if key not in read and value not in (None, {}, "")}
    if rest:
        data["context"] = {"snowplow_message": rest}
    return data


def _fields(sent: Mapping[str, Any], table: Table, kind: str) -> dict[str, Any]:
    names = table.more["fields"].get(kind, {})
    return {ours: sent[name] for name, ours in names.items() if sent.get(name) not in (None, "")}


def _add_entities(data: dict[str, Any], sent: Mapping[str, Any], row: Row, table: Table) -> None:
    """What the entities say of person, event and lines, each kept whole under context.snowplow_entities."""
    try:
        told = _json_of(sent, "cx")
    except Refused:
        data["unread"] = {**data.get("unread", {}), "contexts": sent.get("cx") or sent.get("co")}
        return
    entities = told.get("data") if type(told) is dict else None
    if type(entities) is not list:
        if told is not None:
            data["unread"] = {**data.get("unread", {}), "contexts": told}
        return
    data["context"] = {**data.get("context", {}), "snowplow_entities": entities}
    lines: list[dict[str, Any]] = []
    for entity, about in _known(entities, table):
        for name, type_ in about.get("identifiers", {}).items():
            data["identifiers"].setdefault(type_, []).append(entity.data.get(name))
        if about.get("traits"):
            data["traits"] = {**entity.data, **data.get("traits", {})}
        if about.get("properties"):
            data["properties"] = {**entity.data, **data.get("properties", {})}
        if about.get("line"):
            lines.append(entity.data)
    if lines:
        of_one = row.type.startswith("product.") and len(lines) == 1
        data["properties"] = {**(lines[0] if of_one else {"products": lines}), **data.get("properties", {})}


def _known(entities: Sequence[Any], table: Table) -> Iterator[tuple[Described, Mapping[str, Any]]]:
    """The entities that can be read, and what the table says they are about."""
    known = table.more["entities"]
    for entity in map(_described, entities):
        if entity is not None and type(entity.data) is dict:
            yield entity, known.get(entity.path) or known.get(entity.name) or {}


def has_lines(data: Mapping[str, Any]) -> bool:
    """Whether entities of a read event are lines, whose place depends on the event's type."""
    context = data.get("context")
    entities = context.get("snowplow_entities") if type(context) is dict else None
    known = _known(entities, shipped(FAMILY)) if type(entities) is list else ()
    return any(about.get("line") for _, about in known)


def _described(value: Any) -> Described | None:
    """What stands in a self-describing JSON; the envelope of an event is opened. None where it is none."""
    if type(value) is not dict or type(value.get("schema")) is not str:
        return None
    schema, data = value["schema"], value.get("data")
    vendor, _, rest = schema.removeprefix(SCHEMA_PREFIX).partition("/")
    name = rest.partition("/")[0]
    if name == "unstruct_event":
        return _described(data)
    return Described(schema, f"{vendor}/{name}", name, data) if name else None


def _json_of(sent: Mapping[str, Any], packed: str) -> Any:
    """The JSON of a parameter that may come in base64 or plain; None without it. Raises Refused(not_json)."""
    plain = _JSON_IN[packed]
    text = sent.get(packed) if sent.get(packed) not in (None, "") else sent.get(plain)
    if text in (None, "") or type(text) is dict:
        return text or None
    try:
        if sent.get(packed) not in (None, ""):
            return read_body(from_base64(str(text).encode()))
        return read_body(str(text).encode())
    except (Unreadable, ValueError):
        raise Refused(Reason.NOT_JSON, packed) from None


def _moment(ms: Any) -> Any:
    """Milliseconds since 1970 as a time; what is none stays as it was sent, to be clamped as such."""
    moment = of_ms(ms)
    return ms if moment is None else moment


def _derived_id(sent: Mapping[str, Any]) -> str:
    """An id from the content without the time of sending."""
    return derived_id("snowplow", {key: value for key, value in sent.items() if key not in _NOT_CONTENT})
