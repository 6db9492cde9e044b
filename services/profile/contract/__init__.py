"""The OpenAPI and AsyncAPI documents as published last, and as served now: what clients rely on, without its words.

Owns openapi.json and asyncapi.json beside this file. A change that takes nothing away is written with COMMAND and
reviewed as a difference; what would break a client is told in sentences (differences.py, events.py).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from services.profile.api import public
from services.profile.asyncapi import asyncapi
from services.profile.contract import differences, events
from services.runtime.settings import Settings

CALLS, EVENTS = (Path(__file__).parent / name for name in ("openapi.json", "asyncapi.json"))
COMMAND = "python -m services.profile.contract"
WORDS = frozenset({"title", "description", "examples", "summary", "operationId", "security"})
NOWHERE = {"KAFKA_BOOTSTRAP": "nowhere:1", "DATABASE_URL": "postgresql://nowhere", "deployment_key": "00" * 32}


def served(document: Path = CALLS) -> dict[str, Any]:
    """As the code has it; nothing is started or asked."""
    made = public(Settings.model_validate(NOWHERE)).openapi() if document == CALLS else asyncapi()
    found: dict[str, Any] = orjson.loads(orjson.dumps(made))
    return found


def relied_on(document: Any) -> Any:
    """The document less what nobody's code relies on: titles, descriptions, examples, and problems' one shape."""
    if isinstance(document, list):
        return [relied_on(one) for one in document]
    if not isinstance(document, dict):
        return document
    is_of_names = document.keys() & {"properties", "schemas"}
    return {
        name: {n: relied_on(one) for n, one in part.items()} if name in is_of_names else relied_on(part)
        for name, part in document.items()
        if name not in WORDS and not (name[:1] in ("4", "5") and name.isdigit())
    }


def published(document: Path = CALLS) -> dict[str, Any]:
    """As it was written last."""
    found: dict[str, Any] = orjson.loads(document.read_bytes())
    return found


def lost(document: Path) -> list[str]:
    """What is served now takes this away from whoever relies on what was published."""
    taken_away = differences.taken_away if document == CALLS else events.taken_away
    return taken_away(published(document), relied_on(served(document))) if document.exists() else []


def write() -> list[str]:
    """Write both as they are served; what this takes away from clients, nothing being written then."""
    found = [sentence for document in (CALLS, EVENTS) for sentence in lost(document)]
    if not found or "--break" in sys.argv:
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        for document in (CALLS, EVENTS):
            document.write_bytes(orjson.dumps(relied_on(served(document)), option=options))
    return found
