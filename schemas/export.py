"""The frozen JSON Schemas: what upstreams may rely on, written from the models and compared with them.

Owns schemas/frozen/. `python -m schemas.export` writes it, `--check` only compares; never edit it by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from schemas.events import EVENT_TYPES, EventData, EventType

FROZEN = Path(__file__).parent / "frozen"
COMMAND = "python -m schemas.export"
ENVELOPE = "envelope"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File stem → JSON Schema: one per type for its `data`, and the CloudEvents envelope."""
    return {ENVELOPE: _envelope(), **{name: _of_type(known) for name, known in sorted(EVENT_TYPES.items())}}


def differences() -> list[str]:
    """One sentence for each frozen file that differs from the models; empty when all agree."""
    wanted = {f"{stem}.json": _written(schema) for stem, schema in schemas().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in FROZEN.glob("*.json")}
    told = [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
    told += [f"{name} belongs to no type" for name in sorted(found.keys() - wanted.keys())]
    both = sorted(wanted.keys() & found.keys())
    return told + [f"{name} differs from its model" for name in both if wanted[name] != found[name]]


def write() -> None:
    """Write every schema and remove files of types that are gone."""
    FROZEN.mkdir(exist_ok=True)
    wanted = {f"{stem}.json": _written(schema) for stem, schema in schemas().items()}
    for path in FROZEN.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FROZEN / name).write_text(text, encoding="utf-8")


def _written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _of_type(known: EventType) -> dict[str, Any]:
    data = EventData.model_json_schema()
    own = known.properties.model_json_schema()
    definitions = {**data.pop("$defs", {}), **own.pop("$defs", {})}
    definitions.pop("Properties", None)
    data["properties"]["properties"] = own
    return {
        "$schema": _DIALECT,
        "$defs": definitions,
        **data,
        "title": known.name,
        "description": (known.properties.__doc__ or "").strip(),
        "x-incomplete-without": sorted(known.required),
        "x-direction": known.direction,
        "x-channel": known.channel,
        "x-feeds": list(known.feeds),
        "x-personal": sorted(known.personal),
    }


def _envelope() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": 256}
    return {
        "$schema": _DIALECT,
        "title": ENVELOPE,
        "description": "A CloudEvent as it is taken over HTTP and Kafka; `data` is described type by type.",
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "source": text,
            "type": {**text, "examples": sorted(EVENT_TYPES)},
            "time": {"type": "string", "format": "date-time"},
            "subject": text,
            "datacontenttype": {"type": "string"},
            "dataschema": {"type": "string"},
            "traceparent": {"type": "string"},
            "partitionkey": {"type": "string"},
            "sentat": {"type": "string", "format": "date-time"},
            "data": EventData.model_json_schema(),
        },
        "additionalProperties": {"type": ["string", "integer", "boolean", "null"]},
    }


def main(arguments: list[str]) -> int:
    """The command: 0 when written or equal, 1 when `--check` found differences."""
    if "--check" not in arguments:
        write()
        return 0
    told = differences()
    for sentence in told:
        sys.stderr.write(f"{sentence}\n")
    return 1 if told else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
