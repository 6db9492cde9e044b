"""Contact quality, the stored half: what identity's section keeps of how good a customer's contact is.

Owns `facts`, which stand in the section under `contact.facts`: proofs, bounces, times, values that contradict each
other. They know no day: the same evidence gives the same section. What a day makes of them (stale, valid, issues,
completeness, ask_next, reachable) is for whom answers to say: the profile service. Pure.
Personal values stand only in `facts.doubts[].values`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import combinations
from operator import attrgetter
from typing import Any

import orjson

from schemas.identifiers import class_rank
from services.identity.domain import reach
from services.identity.domain.evidence import Record, Trait
from services.identity.domain.reach import moment
from services.identity.domain.remembering import remembered
from services.identity.domain.similarity.kinds import LEVELS, Kind, compare, normalise, split_name

CLAIMS_MAX = 10
"""Values of one trait, those said last, that are compared with each other."""
FULL_DATE_CHARS = 10
PAIRS_REMEMBERED_MAX = 16_384
_KNOWN_FROM_RANK = class_rank("phone")
_rank: Callable[[Trait], tuple[int, str, str]] = attrgetter("last_us", "last_event", "value")
ADDRESS = "address"
"""The trait that is a postal address."""
SOUND_CHARS_MIN = 4
"""Shorter words that sound alike are rather two names: Tim and Tom."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa"})


def addresses(records: Iterable[Record], traits: Iterable[Trait]) -> list[reach.Address]:
    """All that `facts` tells of; where a postal address was said, what letters to any of his records came to."""
    listed = list(records)
    media = ((r.record_id, reach.own_medium(r)) for r in listed)
    found = [(record, medium) for record, medium in media if medium is not None]
    lettered = any(t.name == ADDRESS for t in traits)
    return [*found, *((r.record_id, reach.Medium.POST) for r in listed if lettered)]


def facts(records: Iterable[Record], traits: Iterable[Trait], words: Iterable[reach.Word]) -> dict[str, Any]:
    """What the section keeps of one customer; `records` in the order in which the section lists his addresses."""
    listed, said, heard = list(records), list(traits), list(words)
    known = [r.first_us for r in listed if class_rank(r.type) <= _KNOWN_FROM_RANK]
    asked = frozenset(addresses(listed, said)) if heard else frozenset()
    found = reach.facts(listed, (w for w in heard if w.address in asked))
    homes = [t for t in said if t.name == ADDRESS]
    last = max(homes, key=_rank, default=None)
    told = [t.first_us for t in homes if last is not None and t.value == last.value]
    if (since := moment(min(told, default=None))) is not None:
        found["address"]["said_at"] = since
    return {**found, "known_since": moment(min(known, default=None)), "doubts": doubts(said)}


def doubts(traits: Iterable[Trait]) -> list[dict[str, Any]]:
    """Values of which only one can be right, the one said last first; `since`: when the second was first said."""
    said: dict[str, list[Trait]] = {}
    for trait in traits:
        said.setdefault(trait.name, []).append(trait)
    kinds = {"firstName": Kind.GIVEN_NAME, "lastName": Kind.SURNAME}
    found = [_doubt("name_conflict", n, said.get(n, ()), partial(misspelt, kind)) for n, kind in kinds.items()]
    if not said.keys() & kinds.keys():
        found.append(_doubt("name_conflict", "name", said.get("name", ()), _misspelt_whole))
    found.append(_doubt("birthday_conflict", "birthday", said.get("birthday", ()), _other_date))
    return [one for one in found if one is not None]


@remembered(PAIRS_REMEMBERED_MAX)
def misspelt(kind: Kind, a: str, b: str) -> bool:
    """Whether one of two given names or surnames is likely the other mistyped.

    Initials, short forms, further names, accents and where words end are no slips; nor is quite another name, which a
    person may have taken. Remembered, as it is asked with every change of their customer.
    """
    one, other = normalise(kind, a), normalise(kind, b)
    if not one or not other or _spellings(kind, a) & _spellings(kind, b):
        return False
    names, others = one.split(" "), other.split(" ")
    if set(names) <= set(others) or set(others) <= set(names):
        return False
    if kind is Kind.SURNAME and len(names) != len(others):
        return False
    apart = [(x, y, LEVELS[kind][compare(kind, x, y)]) for x, y in zip(names, others, strict=False)]
    slips = [one for one in apart if one[2] not in ("exact", "nickname", "initial")]
    return bool(slips) and all(
        level == "close" or (level == "sounds" and min(len(x), len(y)) >= SOUND_CHARS_MIN) for x, y, level in slips
    )


def _spellings(kind: Kind, sent: str) -> set[str]:
    """Müller is written Muller and Mueller."""
    return {normalise(kind, text).replace(" ", "") for text in (sent, sent.translate(_UMLAUTS))}


def _misspelt_whole(a: str, b: str) -> bool:
    parts = list(zip((Kind.GIVEN_NAME, Kind.SURNAME), split_name(a), split_name(b), strict=True))
    wrong = [misspelt(*part) for part in parts]
    same = [x == y or not x or not y for _, x, y in parts]
    return any(wrong) and all(w or s for w, s in zip(wrong, same, strict=True))


def _other_date(a: str, b: str) -> bool:
    one, other = normalise(Kind.DATE, a), normalise(Kind.DATE, b)
    return one != other and len(one) == len(other) == FULL_DATE_CHARS


def _doubt(
    code: str, ask_for: str, said: Sequence[Trait], differ: Callable[[str, str], bool]
) -> dict[str, Any] | None:
    if len({trait.value for trait in said}) < 2:
        return None
    claims = _standing(said)
    pairs = [(a, b) for a, b in combinations(claims, 2) if differ(a, b)]
    if not pairs:
        return None
    doubtful = {value for pair in pairs for value in pair}
    since = min(max(claims[a], claims[b]) for a, b in pairs)
    values = [value for value in claims if value in doubtful]
    return {"code": code, "ask_for": ask_for, "values": values, "since": moment(since)}


def _standing(said: Sequence[Trait]) -> dict[str, int]:
    """Text → when it was first said: of each record and source its last word, the latest first.

    What its source corrected is no claim any more, and none is where the trait was last taken away.
    """
    last: dict[tuple[str, str], Trait] = {}
    for trait in sorted(said, key=_rank, reverse=True):
        last.setdefault((trait.record_id, trait.source), trait)
    latest = list(last.values())
    first: dict[str, int] = {}
    for trait in latest if latest and orjson.loads(latest[0].value) is not None else ():
        value = orjson.loads(trait.value)
        if isinstance(value, str) and value:
            first[value] = min(trait.first_us, first.get(value, trait.first_us))
    return dict(list(first.items())[:CLAIMS_MAX])
