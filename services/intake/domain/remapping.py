"""One event of the log as the tables in force today would have made it.

Owns the way back from a mapped event to what was sent, and what of it cannot be gone. Mapping is lossless: a mapped
event keeps its call, its sent name and what was renamed, so no table of that time is needed to undo it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from schemas.envelope import Event, rfc3339
from schemas.events.fields import text_of
from services.intake.domain import posthog, segment, snowplow
from services.intake.domain.accept import CALL, MAPPING, ORIGINAL, REMAPPED, accept
from services.intake.domain.deriving import part_id
from services.intake.domain.identifiers import gather
from services.intake.domain.mapping import Found, Row, Table, shipped, table_of
from services.intake.domain.model import Accepted, Parked, Raw, Received, Source
from services.intake.domain.own_mapping import number_of, version_of
from services.intake.domain.shaping import shaped, unshaped

_OF_ONE_TABLE = frozenset({MAPPING, CALL, ORIGINAL, REMAPPED, "c360plan", "c360violations"})
_COMPUTED = frozenset({"identifiers", "channel", "direction", "incomplete", "business_namespace"})


class Why(StrEnum):
    """Why an event is left as it is although its row changed; beside these stand the door's own reasons."""

    NAME_NOT_KEPT = "name_not_kept"
    ONE_OF_SEVERAL = "one_of_several"
    LINES_BY_TYPE = "lines_by_type"
    LED_BY_A_GROUP = "led_by_a_group"


EXPLAINED: dict[str, str] = {
    Why.NAME_NOT_KEPT: "it was mapped by a build that did not keep its sent name",
    Why.ONE_OF_SEVERAL: "one message made several events, and another row would make others of it",
    Why.LINES_BY_TYPE: "where Snowplow's line entities stand depends on the type; what stood there is not known",
    Why.LED_BY_A_GROUP: "it names nobody but a group, and a word that takes back needs an identifier of its own",
}


@dataclass(frozen=True, slots=True)
class Left:
    """The event stays as it is: its result is the same (`reason` None), or for this reason."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """A source's tables today: its own one, if it has one; the number set last (0: none ever); all before."""

    source: str
    number: int = 0
    own: Table | None = None
    past: Mapping[int, Table] | None = None

    def version(self, family: str) -> str:
        """The name of everything that decides: another one, perhaps another result."""
        return f"{version_of(self.source, self.number)} {shipped(family).version}"

    def at(self, family: str, version: str) -> Table | None:
        """The table of a header; None for one that is not known any more."""
        number = number_of(version, self.source)
        if number is not None:
            return (self.past or {}).get(number)
        base = shipped(family)
        return next((table for table in (base, *base.includes) if table.version == version), None)


def call_of(event: Event) -> tuple[str, str] | None:
    """(family of clients, call) by which it came; None for an event in our own words, which no table maps."""
    family, _, kind = event.extensions.get(CALL, "").partition("/")
    return (family, kind) if family in _READERS and kind else None


def sent_name(event: Event) -> str | None:
    """The event's name as its client sent it; None where that was not kept."""
    if MAPPING not in event.extensions:
        return event.type
    original = event.data.get("original")
    return text_of(original.get("event")) if type(original) is dict else None


def remapped(event: Event, tables: Tables, received: Received, deployment_key: bytes) -> Accepted | Left:
    """The event that stands for this one by today's tables, or why it stays. Call `call_of` first."""
    called = call_of(event)
    name = sent_name(event)
    if called is None or name is None:
        return Left(Why.NAME_NOT_KEPT)
    family, kind = called
    now = _named(event, family, kind, name, table_of(family, tables.own))
    before = _before(event, family, kind, name, tables)
    if before is not _UNKNOWN and before == (now[0] if now is not None else None):
        return Left()
    rows = [row for row in (before, now[0] if now is not None else None) if isinstance(row, Row)]
    if any(row.each for row in rows) or (family == posthog.FAMILY and name == posthog.SET_ONCE):
        return Left(Why.ONE_OF_SEVERAL)
    raw = _raw(event, family, name, now, received.source)
    if (
        family == snowplow.FAMILY
        and snowplow.has_lines(event.data)
        and _is_product(raw.type) != _is_product(event.type)
    ):
        return Left(Why.LINES_BY_TYPE)
    made = accept(replace(raw, id=_id(event, tables.version(family))), received, deployment_key)
    if isinstance(made, Parked):
        return Left(made.reason)
    if _content(made.event) == _content(event):
        return Left()
    return replace(made, event=_marked(made.event, event))


def root_of(event: Event) -> str:
    """The id under which it was first sent, whatever stands for it now."""
    return event.extensions.get(ORIGINAL, event.id)


def turn_of(event: Event) -> int:
    """How many times it was mapped anew: 0 for what was sent."""
    text = event.extensions.get(REMAPPED, "0")
    return int(text) if text.isascii() and text.isdigit() else 0


_UNKNOWN = object()


def _before(event: Event, family: str, kind: str, name: str, tables: Tables) -> Row | object | None:
    """The row the event was mapped by; None: no table knew it; _UNKNOWN: the table is not known any more."""
    version = event.extensions.get(MAPPING)
    if version is None:
        return None
    table = tables.at(family, version)
    found = _named(event, family, kind, name, table) if table is not None else None
    return found[0] if found is not None else _UNKNOWN


def _named(event: Event, family: str, kind: str, name: str, table: Table) -> Found | None:
    return _READERS[family](event, kind, name, table)


def _of_segment(_event: Event, kind: str, name: str, table: Table) -> Found | None:
    return segment.named_row(kind, name, table)


def _of_posthog(_event: Event, _kind: str, name: str, table: Table) -> Found | None:
    return table.found(name)


def _of_snowplow(event: Event, kind: str, name: str, table: Table) -> Found | None:
    return snowplow.named_row(kind, name, event.extensions.get("dataschema", ""), table)


_READERS = {segment.FAMILY: _of_segment, posthog.FAMILY: _of_posthog, snowplow.FAMILY: _of_snowplow}


def _raw(event: Event, family: str, name: str, found: Found | None, source: Source) -> Raw:
    """The event as its family's reader would give it today; its time and what was known of it stay."""
    sent = unshaped({key: value for key, value in event.data.items() if key not in _COMPUTED})
    data = {**sent, "identifiers": _sent_identifiers(event, family, sent, source)}
    library = _library(family, data)
    if found is None:
        row, mapping, event_type = Row(name), None, name
    else:
        row, mapping = found
        data = shaped({**data, "original": {**data.get("original", {}), "event": name}}, row)
        event_type = segment.type_by(row, data)
    return Raw(
        id=event.id,
        type=event_type,
        time=rfc3339(event.time),
        data=data,
        channel=row.channel or table_of(family).more.get("channels", {}).get(library),
        direction=row.direction,
        mapping=mapping,
        call=event.extensions[CALL],
        extensions={k: v for k, v in event.extensions.items() if k not in _OF_ONE_TABLE},
    )


def _sent_identifiers(event: Event, family: str, sent: Mapping[str, Any], source: Source) -> dict[str, list[str]]:
    """The identifiers the client named as such; those that were found elsewhere in the event are looked for again.

    Snowplow's entities name some that may stand elsewhere too: of those only what the mapping brought in goes.
    """
    given = {key: value for key, value in event.data.items() if key != "identifiers"}
    found = gather(Raw(id="", type="", data=given), event.type, source)
    named = gather(Raw(id="", type="", data=dict(sent)), "", source) if family == snowplow.FAMILY else {}
    kept = {}
    for type_, values in event.data.get("identifiers", {}).items():
        again = set(found.get(type_, ())) - set(named.get(type_, ()))
        kept[type_] = [value for value in values if value not in again]
    return {type_: values for type_, values in kept.items() if values}


def _library(family: str, data: Mapping[str, Any]) -> str | None:
    """What the client said it runs on, by which a family's table knows the channel."""
    if family == posthog.FAMILY:
        return text_of(data.get("properties", {}).get("$lib"))
    message = data.get("context", {}).get("snowplow_message") if family == snowplow.FAMILY else None
    return text_of(message.get("p")) if type(message) is dict else None


def _is_product(event_type: str) -> bool:
    return event_type.startswith("product.")


def _id(event: Event, version: str) -> str:
    """The same event mapped by the same tables is the same event, however often that is done."""
    return part_id(root_of(event), f"mapped anew by {version}")


def _marked(made: Event, old: Event) -> Event:
    extensions = {**made.extensions, ORIGINAL: root_of(old), REMAPPED: str(turn_of(old) + 1)}
    return msgspec.structs.replace(made, clamped=old.clamped, extensions=extensions)


def _content(event: Event) -> tuple[str, str, dict[str, Any]]:
    return event.type, event.record_id, {key: value for key, value in event.data.items() if key != "incomplete"}
