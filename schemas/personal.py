"""Which fields carry personal data: the mark, the paths found from the marks, and the mask.

Owns the mark. Logs, masks, erasure and export are built from it; must not know any single event type.
"""

from __future__ import annotations

import re
import types
import typing
from typing import Any, Final, Union

from pydantic import BaseModel

MASK: Final = "•••"
PHONE_SHOWN_DIGITS: Final = 2

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_PHONE = re.compile(r"\+?[\d\s()./-]{5,}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Personal:
    """The mark itself; use the one instance `PERSONAL`."""

    def __repr__(self) -> str:
        return "PERSONAL"


PERSONAL: Final = Personal()
"""`Annotated[str, PERSONAL]`: this field, with all that is below it, says something about a person."""


def personal_paths(model: type[BaseModel]) -> frozenset[str]:
    """Dotted paths of the marked fields; `[]` is every item, `*` every name: `products[].name`, `by.*.address`."""
    return frozenset(_paths(model, "", ()))


def _paths(model: type[BaseModel], prefix: str, above: tuple[type[BaseModel], ...]) -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        if any(isinstance(mark, Personal) for mark in field.metadata):
            found.append(path)
            continue
        for nested, way in _models_in(field.annotation, ""):
            if nested not in above:
                found.extend(_paths(nested, f"{path}{way}.", (*above, model)))
    return found


def _models_in(annotation: Any, way: str) -> list[tuple[type[BaseModel], str]]:
    """Models in a field, with the way to each: through lists and mappings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, way)]
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        return _models_in(inside[1], f"{way}.*")
    if origin in (Union, types.UnionType, list, typing.Annotated):
        further = f"{way}[]" if origin is list else way
        return [hit for part in inside for hit in _models_in(part, further)]
    return []


def looks_like_an_address(value: str) -> bool:
    """Whether a value could be an e-mail address, whatever it is called."""
    return _EMAIL.fullmatch(value.strip()) is not None


def mask(value: str) -> str:
    """A value made unreadable but recognisable: `a•••@x.com`, `•••42` of a phone, `A•••` of the rest."""
    value = value.strip()
    if not value:
        return ""
    if _EMAIL.fullmatch(value):
        local, _, domain = value.rpartition("@")
        return f"{local[0]}{MASK}@{domain}"
    if _PHONE.fullmatch(value) and not _DATE.match(value):
        digits = "".join(c for c in value if c.isdigit())
        return f"{MASK}{digits[-PHONE_SHOWN_DIGITS:]}"
    return f"{value[0]}{MASK}"
