"""Occasions: what is told once of a customer because it came to pass: a promise is due, he is not content, he left.

Owns what sections say of them, and by which words each is known. It is told when none of its words was told of: so a
promise that is repeated, an answer that is corrected, and a customer who is merged or split make it no second one.
When it is told, and that it is, is store/occasions.py. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from schemas.envelope import moment_at, rfc3339
from services.profile.domain.changing import DEFECTED, DETRACTOR, PROMISE_DUE, Detail
from services.profile.domain.listing import UNREADABLE

AT_ONCE = 0
KINDS_OF: Mapping[str, tuple[str, ...]] = {"interaction": (PROMISE_DUE, DETRACTOR), "value": (DEFECTED,)}
"""Service → the occasions that its section tells."""


class Occasion(msgspec.Struct, frozen=True, order=True):
    """One occasion. `words`: by which it is known, sorted; `due_us`: when it is told, in µs since 1970, or AT_ONCE.

    `about` is what is told, as JSON; nothing in it is personal.
    """

    kind: str
    words: tuple[str, ...]
    due_us: int
    about: str

    @property
    def word(self) -> str:
        """The first of its words: names it."""
        return self.words[0]

    def as_move(self) -> Detail:
        """As it is told: under the same id whoever is told as the customer, and however often."""
        return {"type": self.kind, "id": f"{self.kind}:{self.word}", **msgspec.json.decode(self.about)}


class _Promise(msgspec.Struct):
    words: list[str]
    promise_id: str
    due_us: int
    by: str | None = None
    conversation_id: str | None = None


class _Answer(msgspec.Struct):
    words: list[str]
    event_id: str
    time: str
    survey_id: str | None = None
    response_id: str | None = None
    scale: str | None = None
    score: int | str | None = None
    follow_up: str | None = None


class _Interaction(msgspec.Struct):
    due: list[_Promise] = []
    detractors: list[_Answer] = []


class _Churn(msgspec.Struct):
    state: str
    since: str | None = None
    cause: str | None = None


class _Value(msgspec.Struct):
    left_by: list[str] = []
    churn: _Churn | None = None


_interaction = msgspec.json.Decoder(_Interaction)
_value = msgspec.json.Decoder(_Value)


def read(service: str, text: str | None) -> list[Occasion]:
    """What a section says came to pass, or will; nothing of one that was emptied, or cannot be read so."""
    try:
        if service == "interaction":
            passed = _interaction.decode(text or "{}")
            return [*map(_due, passed.due), *map(_detractor, passed.detractors)]
        if service == "value":
            return _left(_value.decode(text or "{}"))
    except UNREADABLE:
        return []
    return []


def _due(promise: _Promise) -> Occasion:
    about = {
        "promise_id": promise.promise_id,
        "due_at": rfc3339(moment_at(promise.due_us)),
        "by": promise.by,
        "conversation_id": promise.conversation_id,
    }
    # Put off to another day, it becomes due once more.
    words = (f"{word}:{promise.due_us}" for word in promise.words)
    return _occasion(PROMISE_DUE, words, promise.due_us, about)


def _detractor(answer: _Answer) -> Occasion:
    about = msgspec.structs.asdict(answer)
    return _occasion(DETRACTOR, about.pop("words"), AT_ONCE, about)


def _left(value: _Value) -> list[Occasion]:
    if not value.left_by or value.churn is None:
        return []
    return [_occasion(DEFECTED, value.left_by, AT_ONCE, msgspec.structs.asdict(value.churn))]


def _occasion(kind: str, words: Iterable[str], due_us: int, about: Mapping[str, Any]) -> Occasion:
    named = sorted({_named(f"{kind}:{word}") for word in words})
    return Occasion(kind, tuple(named), due_us, msgspec.json.encode(about).decode())


def _named(word: str) -> str:
    """As a UUID: what upstreams call their things is not told in ids, and may be long."""
    return str(UUID(bytes=hashlib.blake2b(word.encode(), digest_size=16).digest()))


def told_now(occasions: Iterable[Occasion], fresh: Collection[str]) -> list[bool]:
    """Whether each, in their order, is told: none of its words was told of before. `fresh`: those that were not."""
    left, found = set(fresh), list[bool]()
    for one in occasions:
        found.append(left.issuperset(one.words))
        left.difference_update(one.words)
    return found
