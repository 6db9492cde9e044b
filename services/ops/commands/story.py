"""A story: a few events with what happened in plain words, read from a YAML file.

Owns the file's form and turning a step into a CloudEvent; pure but for reading the file. Telling it is
telling.py.

    title: ...
    sources: [{name: web, channel: web, currency: EUR}]
    steps:
      - at: 2026-03-02T09:00:00Z
        say: Somebody looks at a tent.
        event: {source: web, type: page.viewed, identifiers: {anonymous_id: b-1}, properties: {...}}

An event with `specversion` is a CloudEvent as it stands; else everything beside source, type and id is data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from schemas.envelope import parse_rfc3339, rfc3339
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
_ENVELOPE = ("source", "type", "id")


@dataclass(frozen=True, slots=True)
class Step:
    """One event and what happened; `event` is a structured CloudEvent."""

    at: str
    say: str
    event: dict[str, Any]


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
    if not isinstance(told, dict) or not isinstance(told.get("steps"), list) or not told["steps"]:
        raise UsageMistake("a story has a title, sources and steps")
    if len(told["steps"]) > STEPS_MAX:
        raise UsageMistake(f"a story has {STEPS_MAX} steps at most")
    title = str(told.get("title") or "A story")
    sources = dict(_source(one) for one in told.get("sources") or ())
    steps = tuple(_step(title, number, one) for number, one in enumerate(told["steps"], 1))
    for number, step in enumerate(steps, 1):
        if step.event["source"] not in sources:
            raise UsageMistake(f"step {number} names the source {step.event['source']}, which is not in sources")
    return Story(title, sources, steps)


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
    if not isinstance(told, dict) or not isinstance(told.get("event"), dict):
        raise UsageMistake(f"step {number} has no event")
    at = _moment(number, told.get("at"))
    short = told["event"]
    event = dict(short) if "specversion" in short else _spelled_out(title, number, short)
    missing = [name for name in _ENVELOPE if not event.get(name)]
    if missing:
        raise UsageMistake(f"step {number}: the event has no {', '.join(missing)}")
    event.setdefault("time", at)
    return Step(at, str(told.get("say") or event["type"]), event)


def _spelled_out(title: str, number: int, short: Mapping[str, Any]) -> dict[str, Any]:
    """The short form as a CloudEvent; its id is of the story and the step, so telling it twice is once."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return {
        "specversion": "1.0",
        "id": str(short.get("id") or f"{slug}-{number}"),
        "source": short.get("source"),
        "type": short.get("type"),
        "datacontenttype": "application/json",
        "data": {name: value for name, value in short.items() if name not in _ENVELOPE},
    }


def _moment(number: int, at: Any) -> str:
    """YAML reads times by itself; one without a zone is taken as UTC, as YAML does."""
    if isinstance(at, datetime):
        return rfc3339(at if at.tzinfo else parse_rfc3339(f"{at.isoformat()}Z"))
    try:
        return rfc3339(parse_rfc3339(str(at)))
    except ValueError:
        raise UsageMistake(f"step {number}: at is an RFC 3339 time, as 2026-03-02T09:00:00Z") from None
