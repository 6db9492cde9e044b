"""Search: by what a customer is found, what a query asks for, and how well a name fits it.

Owns folding of names, the keys of words that are nearly the same, and the ranks. Pure; where keys are kept is
store/search.py, how they are asked for is views/search.py.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from rapidfuzz.distance import OSA

from schemas.identifiers import Identifier, is_blocked, normalise, type_name
from schemas.personal import looks_like_an_address
from schemas.sections import PERSONAL_IDENTIFIER_TYPES

NAME_CHARS_MAX = 100
WORDS_MAX = 6
WORD_CHARS_MAX = 24
KEY_CHARS_MAX = 256
WORDS_REMEMBERED_MAX = 20_000
"""Many people have the same names."""
NEAR_CHARS_MIN = 4
"""Shorter words are found as they are: a letter makes another name of them."""
BEGINNINGS = (3, 4, 5)
"""Letters by which a word that is still being typed is found."""
PHONE_DIGITS_MIN, PHONE_DIGITS_SURE = 4, 7
"""Digits of a number's end by which it is sought, and by which it is the same number with another beginning."""
EMAIL_CHARS_MIN = 3
FOUND_OTHERWISE = frozenset({"anonymous_id", "device_id"})
"""Identifiers of machines: most customers have several, nobody types them; they are found by their record."""
UNNAMESPACED = ("user_id", "crm_id", "loyalty_id", "device_id", "anonymous_id")
"""Types of which a bare value is tried."""

EXACT, BEGINS, NEAR, INITIAL = 100, 90, 80, 60
"""How well one word fits."""

_SPELLED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
_JOINING = dict.fromkeys(map(ord, "'`\u00b4\u02bc\u2018\u2019"))
_NO_WORD = re.compile(r"[\W_]+")
_PHONE = re.compile(r"\+?[\d\s()./-]+")


def fold(name: str) -> str:
    """Lower-case words without accents and punctuation, one space between."""
    text = name[: 2 * NAME_CHARS_MAX].translate(_JOINING)
    if not text.isascii():
        bare = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in bare if not unicodedata.combining(c)).casefold().translate(_SPELLED)
    return _NO_WORD.sub(" ", text.lower()).strip()[:NAME_CHARS_MAX].rstrip()


def words_of(folded: str) -> list[str]:
    """The words of a folded name by which it is found."""
    return [word[:WORD_CHARS_MAX] for word in folded.split(" ")[:WORDS_MAX] if word]


# -- what a customer is found by -------------------------------------------------------------------------------------


def kept_keys(folded: str) -> list[int]:
    """Of a name's words: themselves, themselves less one letter, their beginnings; sorted, each once."""
    return sorted(frozenset().union(*map(_kept_of, words_of(folded))))


@lru_cache(WORDS_REMEMBERED_MAX)
def _kept_of(word: str) -> frozenset[int]:
    beginnings = (f"^{word[:length]}" for length in BEGINNINGS if len(word) >= length)
    return frozenset(map(_number, (*_near(word), *beginnings)))


def asked_keys(word: str, *, unfinished: bool = False, slips: bool = True) -> list[int]:
    """One of these is among the kept keys of every name with this word, or with one at most a slip away from it.

    `unfinished`: or with a word that begins so. Names that do not fit have some of them, too.
    """
    found = {_number(w) for w in _near(word)} if slips else {_number(word)}
    if unfinished and len(word) >= BEGINNINGS[0]:
        found.add(_number(f"^{word[: BEGINNINGS[-1]]}"))
    return sorted(found)


def telling(words: Sequence[str]) -> list[str]:
    """The words by whose keys a name is looked for, the rarest first, which mostly are the longest.

    Initials, and the first two letters of what is being typed, have no keys of their own unless they are whole words.
    """
    long = [word for word in words if len(word) >= BEGINNINGS[0]]
    return sorted(long or words, key=len, reverse=True)


def _near(word: str) -> set[str]:
    """A word, and what is left of it without one letter: words one slip apart share one of these."""
    if len(word) < NEAR_CHARS_MIN:
        return {word}
    return {word, *(word[:n] + word[n + 1 :] for n in range(len(word)))}


def _number(text: str) -> int:
    return zlib.crc32(text.encode()) - 2**31


def identifier_keys(identifiers: Iterable[Identifier]) -> list[str]:
    """Text keys of identifiers: `e` e-mail, `p` phone from its end, `i` any other; sorted, each once."""
    found = set()
    for kind, value in identifiers:
        base = kind.partition(".")[0]
        if base in FOUND_OTHERWISE or not value:
            continue
        if base == "email":
            found.add("e" + value[:KEY_CHARS_MAX])
        elif base == "phone":
            found.add("p" + value[::-1][:KEY_CHARS_MAX])
        else:
            found.add("i" + value.casefold()[:KEY_CHARS_MAX])
    return sorted(found)


# -- what is asked for -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """What a text may mean, all at once.

    `records`: identifiers whose record may be meant, or a record's id itself in `record_id`. `ids`: values of any
    other type. Personal: `email` (its beginning), `phone` (its last digits), `words` of a name.
    """

    record_id: str | None = None
    records: tuple[Identifier, ...] = ()
    ids: tuple[str, ...] = ()
    email: str | None = None
    phone: str | None = None
    words: tuple[str, ...] = ()

    @property
    def is_personal(self) -> bool:
        """Whether somebody who may not see addresses and names would learn of them by the answer."""
        personal = any(i.type.partition(".")[0] in PERSONAL_IDENTIFIER_TYPES for i in self.records)
        return personal or any((self.email, self.phone, self.words))


def read_query(text: str) -> Query:
    """What the text of a query may mean; nothing where it says nothing."""
    text = text.strip()
    try:
        exact = str(UUID(text))
    except ValueError:
        exact = None
    if exact is not None:
        # Cookies and devices are often named so.
        return Query(record_id=exact, records=_bare(text), ids=(text.casefold(),))
    named = _named(text)
    if named is not None:
        return Query(records=(named,))
    spaced = any(c.isspace() for c in text)
    phone = _digits(text) if _PHONE.fullmatch(text) else ""
    if phone:
        bare = () if spaced else _bare(text)
        number = phone.lstrip("0") if len(phone.lstrip("0")) >= PHONE_DIGITS_MIN else None
        return Query(records=bare, ids=(text.casefold(),), phone=number)
    if "@" in text:
        return Query(email=text.casefold(), ids=() if spaced else (text.casefold(),))
    has_digit = any(c.isdigit() for c in text)
    if not spaced and has_digit:
        return Query(records=_bare(text), ids=(text.casefold(),), email=_beginning(text), words=_words(text))
    return Query(ids=() if spaced else (text.casefold(),), email=_beginning(text), words=_words(text))


def only_ids(text: str) -> Query | None:
    """What the text means to somebody who may look for ids only; None where it can only be personal.

    An id has a digit and no space; it finds no e-mail, phone or name whatever it is.
    """
    asked = read_query(text)
    if asked.record_id is not None or (asked.records and not asked.ids):
        return None if asked.is_personal else asked
    text = text.strip()
    if any(c.isspace() for c in text) or not any(c.isdigit() for c in text) or looks_like_an_address(text):
        return None
    return Query(records=asked.records, ids=asked.ids)


def _named(text: str) -> Identifier | None:
    """`type:value`."""
    sent_type, colon, value = text.partition(":")
    kind = type_name(sent_type) if colon and sent_type.replace("_", "a").replace(".", "a").isalnum() else None
    found = Identifier(kind, normalise(kind, value)) if kind else None
    return found if found is not None and not is_blocked(found.value) else None


def _bare(text: str) -> tuple[Identifier, ...]:
    return tuple(Identifier(kind, normalise(kind, text)) for kind in UNNAMESPACED) if not is_blocked(text) else ()


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isascii() and c.isdigit())


def _beginning(text: str) -> str | None:
    fits = len(text) >= EMAIL_CHARS_MIN and not any(c.isspace() for c in text)
    return text.casefold() if fits else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words_of(fold(text))))


# -- how well it fits ------------------------------------------------------------------------------------------------


def is_same_phone(asked: str, kept: str) -> bool:
    """Whether a kept number ends as asked for, or both are one number, with and without its country's code."""
    kept = kept.lstrip("0")
    return kept.endswith(asked) or (len(kept) >= PHONE_DIGITS_SURE and asked.endswith(kept))


def fitness(asked: Sequence[str], folded: str, *, some: bool = False) -> int:
    """How well a name fits the words asked for, 0 (not at all) to 100.

    Each word asked for takes the name's word that fits it best, the last one as if it were still being typed; it must
    fit one, or with `some`, one of them must. Every word of the name that nobody asked for costs a little.
    """
    names = words_of(folded)
    if not asked or not names:
        return 0
    fits = [max(_fits(word, name, last=word is asked[-1]) for name in names) for word in asked]
    if not (any(fits) if some else all(fits)):
        return 0
    over = max(0, len(names) - len(asked))
    return max(1, sum(fits) // len(fits) - over)


def _fits(word: str, name: str, *, last: bool) -> int:
    if word == name:
        return EXACT
    if last and len(word) > 1 and name.startswith(word):
        return BEGINS
    if min(len(word), len(name)) == 1:
        return INITIAL if word[0] == name[0] else 0
    close = max(len(word), len(name)) >= NEAR_CHARS_MIN and OSA.distance(word, name, score_cutoff=1) <= 1
    return NEAR if close else 0
