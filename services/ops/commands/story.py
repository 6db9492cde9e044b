"""A story: what happened to somebody, step by step in plain words, and what must be true then; from a YAML file.

Owns the file's form and turning a step into what is sent; pure but for reading the file. What must be true is
expecting.py, telling it is telling.py.

    title: ...
    sources: [{name: web, channel: web, currency: EUR}]
    steps:
      - at: 2026-03-02T09:00:00Z
        say: Somebody looks at a tent.
        event: {source: web, type: page.viewed, identifiers: {anonymous_id: b-1}, properties: {...}}
        expect: [{say: He is nobody we know., customer: anonymous_id:b-1, is: {identity.status: anonymous}}]
      - at: 2026-03-02T10:00:00Z
        say: An operator parts two.
        assert: {kind: different, records: [user_id:1, crm_id:2], reason: Father and son., actor: olga}

An event with `specversion` is a CloudEvent as it stands; else everything beside source, type and id is data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from schemas.envelope import parse_rfc3339, rfc3339
from schemas.identifiers import usable
from services.ops.commands.expecting import Expectation, Named, read_expectation, read_named
from services.ops.commands.failures import UsageMistake

STEPS_MAX = 1_000
SOURCE_SETTINGS = frozenset(
    {
        "identifier_namespace",
        "business_namespace",
        "channel",
        "currency",
        "country",
        "timezone",
        "subject_type",
        "may",
    }
)
OWN_SOURCE = "customer360"
"""The source of operators' words."""

_ENVELOPE = ("source", "type", "id")
_KINDS = ("same", "different")


@dataclass(frozen=True, slots=True)
class Word:
    """An operator's word on two records."""

    kind: str
    records: tuple[Named, Named]
    reason: str
    actor: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What happened and what must be true then. `event` is a structured CloudEvent; else it is an operator's word.

    `id` is the event's, or the word's Idempotency-Key.
    """

    at: str
    say: str
    id: str
    event: dict[str, Any] | None
    word: Word | None = None
    expect: tuple[Expectation, ...] = ()

    @property
    def source(self) -> str:
        """Who sends it."""
        return OWN_SOURCE if self.event is None else str(self.event["source"])

    @property
    def identifiers(self) -> list[Named]:
        """Whom it is about; of an event the leading one first."""
        if self.word is not None:
            return list(self.word.records)
        given = ((self.event or {}).get("data") or {}).get("identifiers") or {}
        as_lists = {
            name: list(map(str, value)) if isinstance(value, list) else [str(value)] for name, value in given.items()
        }
        return [(one.type, one.value) for one in usable(as_lists)]


@dataclass(frozen=True, slots=True)
class Story:
    """`sources`: settings by name, as `source create` takes them."""

    title: str
    sources: dict[str, dict[str, Any]]
    steps: tuple[Step, ...]


def read_story(path: Path) -> Story:
    """The story in a file. Raises UsageMistake naming what cannot be read."""
    try:
        told = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise UsageMistake(f"{path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise UsageMistake(f"{path} is no YAML" + (f", line {where.line + 1}" if where else "")) from None
    try:
        return story_of(told)
    except UsageMistake as mistake:
        raise UsageMistake(f"{path}: {mistake}") from None


def story_of(told: Any) -> Story:
    """The story of a parsed file. Raises UsageMistake."""
    told = _texts(told)
    if not isinstance(told, dict) or not isinstance(told.get("steps"), list) or not told["steps"]:
        raise UsageMistake("a story has a title, sources and steps")
    if len(told["steps"]) > STEPS_MAX:
        raise UsageMistake(f"a story has {STEPS_MAX} steps at most")
    title = str(told.get("title") or "A story")
    sources = dict(_source(one) for one in told.get("sources") or ())
    steps = tuple(_step(title, number, one) for number, one in enumerate(told["steps"], 1))
    for number, step in enumerate(steps, 1):
        if step.event is not None and step.source not in sources:
            raise UsageMistake(f"step {number} names the source {step.source}, which is not in sources")
    return Story(title, sources, steps)


def _texts(told: Any) -> Any:
    """The same with times and dates as texts: YAML reads them by itself, one without a zone as UTC."""
    if isinstance(told, datetime):
        return rfc3339(told if told.tzinfo else parse_rfc3339(f"{told.isoformat()}Z"))
    if isinstance(told, date):
        return told.isoformat()
    if isinstance(told, dict):
        return {name: _texts(value) for name, value in told.items()}
    return [_texts(value) for value in told] if isinstance(told, list) else told


def _source(told: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(told, str):
        return told, {}
    if not isinstance(told, dict) or not told.get("name"):
        raise UsageMistake("each source has a name")
    about = {name: value for name, value in told.items() if name != "name"}
    unknown = sorted(about.keys() - SOURCE_SETTINGS)
    if unknown:
        raise UsageMistake(f"the source {told['name']} has unknown settings: {', '.join(unknown)}")
    return str(told["name"]), about


def _step(title: str, number: int, told: Any) -> Step:
    """Its id is of the story and the step unless it has one, so telling it twice is once."""
    if not isinstance(told, dict) or isinstance(told.get("event"), dict) == isinstance(told.get("assert"), dict):
        raise UsageMistake(f"step {number} has one of event and assert")
    at = _moment(number, told.get("at"))
    own_id = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") + f"-{number}"
    try:
        expected = tuple(map(read_expectation, told.get("expect") or ()))
        if "assert" in told:
            word = _word(told["assert"])
            said = str(told.get("say") or f"{word.kind} asserted")
            return Step(at, said, str(told["assert"].get("id") or own_id), None, word, expected)
    except UsageMistake as mistake:
        raise UsageMistake(f"step {number}: {mistake}") from None
    short = told["event"]
    event = dict(short) if "specversion" in short else _spelled_out(own_id, short)
    missing = [name for name in _ENVELOPE if not event.get(name)]
    if missing:
        raise UsageMistake(f"step {number}: the event has no {', '.join(missing)}")
    event.setdefault("time", at)
    return Step(at, str(told.get("say") or event["type"]), str(event["id"]), event, None, expected)


def _word(told: Mapping[str, Any]) -> Word:
    pair = tuple(map(read_named, told.get("records") or ()))
    if told.get("kind") not in _KINDS or len(pair) != 2 or not str(told.get("reason") or "").strip():
        raise UsageMistake(f"assert has kind ({' or '.join(_KINDS)}), two records as TYPE:VALUE, and a reason")
    return Word(told["kind"], (pair[0], pair[1]), str(told["reason"]), told.get("actor"))


def _spelled_out(own_id: str, short: Mapping[str, Any]) -> dict[str, Any]:
    """The short form as a CloudEvent."""
    return {
        "specversion": "1.0",
        "id": str(short.get("id") or own_id),
        "source": short.get("source"),
        "type": short.get("type"),
        "datacontenttype": "application/json",
        "data": {name: value for name, value in short.items() if name not in _ENVELOPE},
    }


def _moment(number: int, at: Any) -> str:
    try:
        return rfc3339(parse_rfc3339(str(at)))
    except ValueError:
        raise UsageMistake(f"step {number}: at is an RFC 3339 time, as 2026-03-02T09:00:00Z") from None
