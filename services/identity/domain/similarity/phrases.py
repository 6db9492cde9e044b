"""Places, streets and other phrases, and codes: their comparable forms, and how two of them agree.

Owns abbreviations and what a house number means; what is a trait of whom is not known here. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from services.identity.domain.remembering import remembered
from services.identity.domain.similarity.folding import fold, says_nothing
from services.identity.domain.similarity.resemblance import SLIP_CHARS_MIN, all_close, is_close, one_slip, similarity

PLACE_LEVELS = ("exact", "close", "contains", "different")
_SAME_PLACE, PLACE_CLOSE, PLACE_CONTAINS, PLACE_DIFFERENT = range(len(PLACE_LEVELS))
TEXT_LEVELS = ("exact", "close", "some", "different")
_SAME_TEXT, TEXT_CLOSE, TEXT_SOME, TEXT_DIFFERENT = range(len(TEXT_LEVELS))
CODE_LEVELS = ("exact", "slip", "different")
_SAME_CODE, CODE_SLIP, CODE_DIFFERENT = range(len(CODE_LEVELS))

TEXT_CLOSE_MIN, TEXT_SOME_MIN = 90.0, 70.0
"""Percent of letters in common, of the words that tell, in order of the alphabet."""
PHRASES_CACHED_MAX = 32_768

_NO_VALUES = frozenset({"na", "true", "false"})
_PLACE_WORDS = {
    "fort": "ft", "hts": "heights", "mount": "mt", "mtn": "mountain", "nth": "north", "pt": "port", "saint": "st",
    "sainte": "st", "sankt": "st", "sth": "south", "twp": "township",
}  # fmt: skip
_PLACE_PARTS = frozenset(
    {
        "city", "de", "del", "east", "el", "fort", "ft", "great", "heights", "la", "lake", "las", "le", "little",
        "los", "lower", "mountain", "mt", "new", "north", "of", "old", "port", "san", "santa", "south", "st", "the",
        "town", "township", "upper", "west",
    }
)  # fmt: skip
"""Words that many places share: one alone is no place within another."""
_TEXT_WORDS = {
    "apartment": "apt", "flat": "apt", "unit": "apt", "suite": "ste", "floor": "fl", "building": "bldg",
    "level": "fl", "number": "no", "street": "st", "str": "st", "strasse": "st", "road": "rd", "avenue": "ave",
    "av": "ave", "drive": "dr", "drv": "dr", "court": "ct", "crt": "ct", "place": "pl", "lane": "ln",
    "terrace": "tce", "terr": "tce", "ter": "tce", "crescent": "cres", "cr": "cres", "crs": "cres",
    "boulevard": "blvd", "highway": "hwy", "parade": "pde", "circuit": "cct", "close": "cl", "square": "sq",
    "parkway": "pkwy", "esplanade": "esp", "grove": "gr", "gve": "gr", "gardens": "gdns", "trail": "trl",
    "north": "n", "south": "s", "east": "e", "west": "w", "mount": "mt", "company": "co", "limited": "ltd",
    "incorporated": "inc", "corporation": "corp", "proprietary": "pty", "assistant": "asst", "manager": "mgr",
    "department": "dept", "university": "univ", "international": "intl", "brothers": "bros",
}  # fmt: skip
_TEXT_PARTS = frozenset(
    {
        "apt", "ste", "fl", "bldg", "no", "st", "rd", "ave", "dr", "ct", "pl", "ln", "tce", "cres", "blvd", "hwy",
        "pde", "cct", "cl", "sq", "pkwy", "esp", "gr", "gdns", "trl", "way", "co", "ltd", "inc", "corp", "pty",
        "gmbh", "llc", "ag", "sa", "plc", "of",
    }
)  # fmt: skip
"""Words that tell what sort of thing it is, not which."""
_TEXT_LEFT_OUT = frozenset({"and", "the"})
_STREET = "strasse"


class Phrase(NamedTuple):
    """A text's words with digits, those that tell which thing it is, and those that tell its sort."""

    numbers: frozenset[str]
    words: frozenset[str]
    spelled: str
    sorts: frozenset[str]


def place_form(text: str) -> str:
    """Folded place with Saint, Mount and the like abbreviated; "" for what is none."""
    return _form([_PLACE_WORDS.get(word, word) for word in fold(text).split(" ")])


def text_form(text: str) -> str:
    """Folded words, those of addresses and companies abbreviated; "" for what says nothing."""
    return _form([_text_word(word) for word in fold(text).split(" ") if word not in _TEXT_LEFT_OUT])


def code_form(text: str) -> str:
    """Upper-case letters and digits without any space; "" for what is none."""
    code = fold(text)
    if " " in code:
        code = fold(code.replace(" ", ""))
    if says_nothing(fold(text)) or says_nothing(code) or code in _NO_VALUES:
        return ""
    return code.upper() if code.isascii() else code


def _form(words: list[str]) -> str:
    form = " ".join(words)
    return "" if says_nothing(form) or form in _NO_VALUES else form


def _text_word(word: str) -> str:
    if len(word) > len(_STREET) and word.endswith(_STREET):
        return word.removesuffix(_STREET) + "str"
    return _TEXT_WORDS.get(word, word)


def compare_places(a: str, b: str) -> int:
    """Index into PLACE_LEVELS of two different forms, the smaller first."""
    if " " not in a and " " not in b:
        return PLACE_CLOSE if is_close(a, b, similarity(a, b)) else PLACE_DIFFERENT
    words_a, words_b = a.split(" "), b.split(" ")
    some, others = set(words_a), set(words_b)
    if some == others or all_close(words_a, words_b):
        return PLACE_CLOSE
    if (some <= others or others <= some) and (some & others) - _PLACE_PARTS:
        return PLACE_CONTAINS
    return PLACE_DIFFERENT


def compare_texts(a: str, b: str) -> int:
    """Index into TEXT_LEVELS of two different forms.

    Another house number is never close; in the same street it is still some agreement.
    """
    one, other = phrase(a), phrase(b)
    likeness = fuzz.ratio(one.spelled, other.spelled) if one.words and other.words else 0.0
    sorts_agree = not one.sorts or not other.sorts or one.sorts <= other.sorts or other.sorts <= one.sorts
    if sorts_agree and (likeness >= TEXT_CLOSE_MIN or one_slip(one.spelled, other.spelled)):
        return TEXT_CLOSE if one.numbers == other.numbers else TEXT_SOME
    if not (one.numbers <= other.numbers or other.numbers <= one.numbers):
        return TEXT_DIFFERENT
    if likeness >= TEXT_SOME_MIN:
        return TEXT_SOME
    common = len(one.words & other.words)
    if common:
        return TEXT_SOME if 2 * common >= min(len(one.words), len(other.words)) else TEXT_DIFFERENT
    only_numbers = not one.words and not other.words and one.numbers & other.numbers
    return TEXT_SOME if only_numbers else TEXT_DIFFERENT


def compare_codes(a: str, b: str) -> int:
    """Index into CODE_LEVELS of two different forms; zeros before a number get lost where it is kept as one."""
    if len(a) >= SLIP_CHARS_MIN and len(b) >= SLIP_CHARS_MIN and OSA.distance(a, b, score_cutoff=1) <= 1:
        return CODE_SLIP
    if (a[:1] == "0" or b[:1] == "0") and a.lstrip("0") == b.lstrip("0"):
        return CODE_SLIP
    return CODE_DIFFERENT


@remembered(PHRASES_CACHED_MAX)
def phrase(form: str) -> Phrase:
    """The parts of a text's form; where no word tells which thing it is, those of its sort do."""
    words = sorted(form.split(" "))
    numbers = frozenset(word for word in words if any(map(str.isdigit, word)))
    sorts = [word for word in words if word in _TEXT_PARTS]
    telling = [word for word in words if word not in numbers and word not in _TEXT_PARTS]
    if not telling:
        telling, sorts = sorts, []
    return Phrase(numbers, frozenset(telling), " ".join(telling), frozenset(sorts))
