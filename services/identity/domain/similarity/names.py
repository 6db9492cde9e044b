"""Names of people: their parts, their comparable forms, and how two given names or surnames agree.

Owns titles, suffixes and short forms; what is a trait of whom is not known here. Pure.
"""

from __future__ import annotations

from typing import Any

import nicknames

from services.identity.domain.similarity.folding import fold, said, says_nothing
from services.identity.domain.similarity.resemblance import CLEAR_MAX, all_close, is_close, similarity, two_slips
from services.identity.domain.similarity.sounds import PARTICLES, sound

GIVEN_NAME_LEVELS = ("exact", "nickname", "close", "initial", "sounds", "different", "clearly_different")
_SAME, NICKNAME, CLOSE, INITIAL, SOUNDS, DIFFERENT, CLEARLY_DIFFERENT = range(len(GIVEN_NAME_LEVELS))
SHORT_FORM_CHARS_MIN = 3
SURNAME_LEVELS = ("exact", "close", "sounds", "different", "clearly_different")
_SAME_SURNAME, SURNAME_CLOSE, SURNAME_SOUNDS, SURNAME_DIFFERENT, SURNAME_CLEAR = range(len(SURNAME_LEVELS))

TITLES: frozenset[str] = frozenset(
    {
        "capt", "captain", "col", "dame", "dipling", "doctor", "dr", "drs", "frau", "herr", "ing", "lt", "madame",
        "mevr", "miss", "mlle", "mme", "monsieur", "mr", "mrs", "ms", "mx", "prof", "professor", "rev", "reverend",
        "sgt", "sir", "sra", "srta",
    }
)  # fmt: skip
SUFFIXES: frozenset[str] = frozenset(
    {
        "bsc", "cpa", "dds", "dphil", "esq", "esquire", "ii", "iii", "iv", "jnr", "jr", "junior", "llb", "llm", "mba",
        "md", "msc", "phd", "senior", "snr", "sr",
    }
)  # fmt: skip
# "na" is in neither: it is a name.
_NO_GIVEN_NAMES = frozenset({"customer", "first name", "firstname", "guest", "true", "false", "user"})
_NO_SURNAMES = frozenset({"customer", "last name", "lastname", "surname", "true", "false", "user"})


def _short_forms() -> dict[str, frozenset[str]]:
    """Name → the names it is short for or that are short for it; two short forms of one name are too far apart."""
    found: dict[str, set[str]] = {}
    for name, relationship, short in nicknames.name_triplets():
        if relationship == "has_nickname":
            one, other = fold(name), fold(short)
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {name: frozenset(others) for name, others in found.items()}


_SHORT_FORMS = _short_forms()
_NO_FORMS: frozenset[str] = frozenset()


def given_name_form(text: str) -> str:
    """Folded given names without titles; "" for what is none."""
    words = fold(text).split(" ")
    while len(words) > 1 and words[0] in TITLES:
        del words[0]
    form = " ".join(words)
    return "" if says_nothing(form) or form in _NO_GIVEN_NAMES else form


def surname_form(text: str) -> str:
    """Folded surname without suffixes; "" for what is none."""
    words = fold(text).split(" ")
    while len(words) > 1 and words[-1] in SUFFIXES:
        del words[-1]
    form = " ".join(words)
    return "" if says_nothing(form) or form in _NO_SURNAMES else form


def split_name(value: Any) -> tuple[str, str]:
    """(given names, surname) of a full name as it was sent, both normalised; "" for a part that is not there.

    "Dr. Anna Maria Smith-Jones jr" and "Smith-Jones, Anna Maria" are ("anna maria", "smith jones"). Give it what
    was sent, not a normalised form: hyphens and commas tell where a surname begins. A name of one word is a given
    name, unless a title goes before it.
    """
    parts = [_words(part) for part in said(value).split(",")]
    surname_first = len(parts) > 1 and len(parts[0]) == 1
    while len(parts) > 1 and all(_key(word) in SUFFIXES for word in parts[-1]):
        del parts[-1]
    if surname_first or len(parts) > 1:
        given, surname = _bare([word for part in parts[1:] for word in part], 1), parts[0]
    else:
        given, surname = _in_order(parts[0])
    return given_name_form(" ".join(given)), surname_form(" ".join(surname))


def _in_order(words: list[str]) -> tuple[list[str], list[str]]:
    """Given names and surname of a name written in this order."""
    bare = _bare(words, 2)
    if len(bare) < 2:
        return ([], bare) if len(words) > 1 else (bare, [])
    first = len(bare) - 1
    while first > 1 and bare[first - 1] in PARTICLES:
        first -= 1
    return bare[:first], bare[first:]


def _bare(words: list[str], names_min: int) -> list[str]:
    """Without titles before, and without suffixes after at least so many names."""
    first, last = 0, len(words)
    while first < last - 1 and _key(words[first]) in TITLES:
        first += 1
    while last - first > names_min and _key(words[last - 1]) in SUFFIXES:
        last -= 1
    return words[first:last]


def _words(part: str) -> list[str]:
    """Folded words between spaces; what a hyphen joins stays one."""
    return [folded for folded in map(fold, part.split()) if folded]


def _key(word: str) -> str:
    """Ph.D. is PhD."""
    return word.replace(" ", "")


def compare_given_names(a: str, b: str) -> int:
    """Index into GIVEN_NAME_LEVELS of two different forms, the smaller first."""
    if " " in a or " " in b:
        return _compare_several(a.split(" "), b.split(" "))
    if b in _SHORT_FORMS.get(a, _NO_FORMS):
        return NICKNAME
    if (len(a) == 1 or len(b) == 1) and a[:1] == b[:1]:
        return INITIAL
    measured = similarity(a, b)
    if is_close(a, b, measured):
        return CLOSE
    if len(a) >= SHORT_FORM_CHARS_MIN and b.startswith(a):
        return NICKNAME
    if _sound_alike(a, b) or two_slips(a, b):
        return SOUNDS
    return CLEARLY_DIFFERENT if measured < CLEAR_MAX else DIFFERENT


def compare_surnames(a: str, b: str) -> int:
    """Index into SURNAME_LEVELS of two different forms, the smaller first."""
    measured = similarity(a, b)
    several = " " in a or " " in b
    if _share_surname(a.split(" "), b.split(" ")) if several else is_close(a, b, measured):
        return SURNAME_CLOSE
    if _sound_alike(a, b) or two_slips(a, b):
        return SURNAME_SOUNDS
    return SURNAME_CLEAR if measured < CLEAR_MAX else SURNAME_DIFFERENT


def _compare_several(a: list[str], b: list[str]) -> int:
    """The first names decide where the others do not contradict: "anna m" may be "anna maria" and "ann"."""
    if all_close(a, b) or sorted(a) == sorted(b):
        return CLOSE
    first, other = a[0], b[0]
    level = compare_given_names(first, other) if first != other else CLOSE if len(first) > 1 else INITIAL
    if _fit(a, b):
        return level
    return SOUNDS if level < INITIAL else max(level, DIFFERENT)


def _fit(a: list[str], b: list[str]) -> bool:
    """Whether the further names are the same, or initials of each other, as far as both have them."""
    return all(x.startswith(y) if len(y) == 1 else x == y or x == y[:1] for x, y in zip(a[1:], b[1:], strict=False))


def _share_surname(a: list[str], b: list[str]) -> bool:
    """Whether one holds the other, or the only name of one is close to one of the other's."""
    core_a = [word for word in a if word not in PARTICLES] or a
    core_b = [word for word in b if word not in PARTICLES] or b
    if set(core_a) <= set(core_b) or set(core_b) <= set(core_a) or all_close(a, b) or all_close(core_a, core_b):
        return True
    if len(core_a) > 1 and len(core_b) > 1:
        return False
    return any(is_close(x, y, similarity(x, y)) for x in core_a for y in core_b)


def _sound_alike(a: str, b: str) -> bool:
    code = sound(a)
    return code != "" and code == sound(b)
