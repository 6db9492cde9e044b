"""Kinds of values that tell people apart: their comparable forms, and how far two of them agree.

Owns the kinds and the names of their levels; what a level weighs is not decided here. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from services.identity.domain.remembering import remembered
from services.identity.domain.similarity import dates, names, phrases
from services.identity.domain.similarity.folding import fold, said, says_nothing
from services.identity.domain.similarity.names import split_name
from services.identity.domain.similarity.sounds import sound

__all__ = ["LEVELS", "Kind", "compare", "normalise", "sound", "split_name"]

FORMS_CACHED_MAX = 32_768


class Kind(StrEnum):
    """What a value is to a person; DATE is a birthday, TEXT a street, employer or occupation."""

    GIVEN_NAME = "given_name"
    SURNAME = "surname"
    FULL_NAME = "full_name"
    DATE = "date"
    PLACE = "place"
    TEXT = "text"
    CODE = "code"
    EXACT = "exact"


LEVELS: Mapping[Kind, tuple[str, ...]] = {
    Kind.GIVEN_NAME: names.GIVEN_NAME_LEVELS,
    Kind.SURNAME: names.SURNAME_LEVELS,
    Kind.FULL_NAME: (),
    Kind.DATE: dates.LEVELS,
    Kind.PLACE: phrases.PLACE_LEVELS,
    Kind.TEXT: phrases.TEXT_LEVELS,
    Kind.CODE: phrases.CODE_LEVELS,
    Kind.EXACT: ("exact", "different"),
}
"""Kind → names of how far two values agree, most alike first. A full name has none: `split_name` it."""

_SEXES = {"man": "m", "male": "m", "woman": "f", "female": "f"}


def normalise(kind: Kind, value: Any) -> str:
    """The comparable form of a trait's value; "" where it says nothing. A form's form is itself.

    Says nothing: what is no single value, is empty or a placeholder ("n/a", zeros, 1900-01-01).
    """
    return _form(kind, said(value))


def compare(kind: Kind, a: str, b: str) -> int:
    """Index into LEVELS[kind] for two forms that say something; (a, b) and (b, a) give the same.

    Raises KeyError for FULL_NAME, which has no levels, unless both are the same.
    """
    if a == b:
        return 0
    return _COMPARISONS[kind](a, b) if a < b else _COMPARISONS[kind](b, a)


@remembered(FORMS_CACHED_MAX)
def _form(kind: Kind, text: str) -> str:
    return _FORMS[kind](text)


def _full_name_form(text: str) -> str:
    """Tells whether there is a name; its parts are found in what was sent."""
    form = fold(text)
    return "" if says_nothing(form) else form


def _exact_form(text: str) -> str:
    form = fold(text)
    return "" if says_nothing(form) else _SEXES.get(form, form)


def _differ(a: str, b: str) -> int:
    return 1


_FORMS: Mapping[Kind, Callable[[str], str]] = {
    Kind.GIVEN_NAME: names.given_name_form,
    Kind.SURNAME: names.surname_form,
    Kind.FULL_NAME: _full_name_form,
    Kind.DATE: dates.date_form,
    Kind.PLACE: phrases.place_form,
    Kind.TEXT: phrases.text_form,
    Kind.CODE: phrases.code_form,
    Kind.EXACT: _exact_form,
}
_COMPARISONS: Mapping[Kind, Callable[[str, str], int]] = {
    Kind.GIVEN_NAME: names.compare_given_names,
    Kind.SURNAME: names.compare_surnames,
    Kind.DATE: dates.compare_dates,
    Kind.PLACE: phrases.compare_places,
    Kind.TEXT: phrases.compare_texts,
    Kind.CODE: phrases.compare_codes,
    Kind.EXACT: _differ,
}
