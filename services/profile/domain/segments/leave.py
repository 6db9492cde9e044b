"""What a key must be allowed to see to define a segment: who is in it would tell it otherwise.

Owns which conditions ask for personal values and for what customers are worth. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.personal import personal_paths
from schemas.sections import CustomerDocument

PII, WORTH = "profile:pii", "value:read"
NAMED_BY_TYPE = ("identity.records.value", "identity.identifiers.value", "groups.group_id")
"""Personal where their type or their look says so (domain/masking.py)."""
_PERSONAL = tuple(
    tuple(path.replace("[]", "").split(".")) for path in (*personal_paths(CustomerDocument), *NAMED_BY_TYPE)
)
_PERSONAL_ROOTS = frozenset(path[0] for path in _PERSONAL)
_WORD = re.compile(r"[A-Za-z_]\w*")


def scopes_needed(where: Any) -> set[str]:
    """The scopes beside `segments:write` that a condition needs; an expression, by the parts that it names."""
    found = set()
    for path in _asked(where):
        if path[0] == "value":
            found.add(WORTH)
        elif path[0] in _PERSONAL_ROOTS and (len(path) == 1 or any(_overlap(path, one) for one in _PERSONAL)):
            found.add(PII)
    return found


def _asked(where: Any) -> Iterator[Sequence[str]]:
    """Paths of every field, and the bare names of every expression; of what can be read as a condition."""
    if "field" in where:
        yield where["field"].split(".")
    elif "cel" in where:
        yield from ([name] for name in _WORD.findall(where["cel"]))
    elif "not" in where:
        yield from _asked(where["not"])
    else:
        for one in where.get("all") or where.get("any"):
            yield from _asked(one)


def _overlap(asked: Sequence[str], personal: Sequence[str]) -> bool:
    """Whether one is in the other; `*` stands for any name."""
    return all(one in (other, "*") or other == "*" for one, other in zip(asked, personal, strict=False))
