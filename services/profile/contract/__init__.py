"""The OpenAPI document as it was published last, and as it is served now: what clients rely on, without its words.

Owns the file openapi.json beside this one. A change that takes nothing away is written with COMMAND and reviewed as a
difference; what would break a client is told in sentences (differences.py).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from services.profile.api import public
from services.profile.contract.differences import taken_away
from services.runtime.settings import Settings

PUBLISHED = Path(__file__).parent / "openapi.json"
COMMAND = "python -m services.profile.contract"
WORDS = frozenset({"title", "description", "examples", "summary", "operationId", "security"})
NOWHERE = {"KAFKA_BOOTSTRAP": "nowhere:1", "DATABASE_URL": "postgresql://nowhere", "deployment_key": "00" * 32}


def served() -> dict[str, Any]:
    """As the code has it; nothing is started or asked."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(public(Settings.model_validate(NOWHERE)).openapi()))
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


def published() -> dict[str, Any]:
    """As it was written last."""
    found: dict[str, Any] = orjson.loads(PUBLISHED.read_bytes())
    return found


def write() -> list[str]:
    """Write it as it is served; what this takes away from clients, nothing being written then."""
    fresh = relied_on(served())
    lost = taken_away(published(), fresh) if PUBLISHED.exists() else []
    if not lost or "--break" in sys.argv:
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        PUBLISHED.write_bytes(orjson.dumps(fresh, option=options))
    return lost
