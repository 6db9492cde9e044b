"""Promises: what was promised in talks, and whether it was kept.

Owns the states open, kept and broken. Whether one is overdue is a matter of the day (`due`), never stored. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.envelope import moment_at, rfc3339
from services.interaction.domain.facts import Fact, in_order
from services.interaction.domain.questions import CUSTOMER
from services.interaction.domain.threads import as_shown

OPEN, KEPT, BROKEN = "open", "kept", "broken"
MADE = "made"
US = "us"
SIDES = frozenset({CUSTOMER, US, "staff", "bot", "system"})
AWAITED_MAX = 50
"""Of one customer: those made before them are long overdue."""
_NEVER_US = 2**63
"""After every moment: promises without a day come last."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise as all words on it have it; times in µs since 1970. `said` are the words, the first first."""

    promise_id: str
    text: str | None
    due_us: int | None
    by: str | None
    state: str
    said: tuple[Fact, ...]

    @property
    def first(self) -> Fact:
        """The word that made it; where that was never heard, the first on it."""
        return next((f for f in self.said if f.body.get("word") == MADE), self.said[0])

    @property
    def soonest(self) -> tuple[int, tuple[int, str, str, int]]:
        """Orders promises: the soonest due first, those without a day last."""
        return _NEVER_US if self.due_us is None else self.due_us, self.first.rank


def promises(facts: Iterable[Fact]) -> list[Promise]:
    """All promises, the one made first first.

    That it was kept or broken counts whatever the order: the later of these words wins, and no repeated promise opens
    it again. Text, day and promiser are the latest that were said, those of the promise itself before the others.
    """
    words: dict[str, list[Fact]] = defaultdict(list)
    heard = in_order(f for f in facts if f.kind == "promise")
    meant = as_shown({f"promise:{fact.key}" for fact in heard})
    for fact in heard:
        key = f"promise:{fact.key}"
        words[meant.get(key, key)].append(fact)
    return sorted((_promise(said) for said in words.values()), key=lambda p: p.first.rank)


def owed(some: Iterable[Promise]) -> bool:
    """Whether one of these is ours and open."""
    return any(p.state == OPEN and p.by != CUSTOMER for p in some)


def due(of_all: Iterable[Promise], now_us: int) -> list[dict[str, Any]]:
    """Open promises as they are shown, with `overdue` as of `now_us` (µs); the soonest first, without a day last."""
    waiting = sorted((p for p in of_all if p.state == OPEN), key=lambda p: p.soonest)
    return [{**shown(p), "overdue": p.due_us is not None and p.due_us < now_us} for p in waiting]


def awaited(of_all: Iterable[Promise], place: Mapping[tuple[int, str, str, int], str]) -> list[dict[str, Any]]:
    """Open promises that are due some day, for whoever tells that the day has come: the AWAITED_MAX made last.

    `words` are the keys its words name it by: whichever of them stays, it is the same promise. Of the promiser only
    the side is told, since a name is personal. `place`: rank of the word that made it → conversation id.
    """
    waiting = [p for p in of_all if p.state == OPEN and p.due_us is not None]
    return [
        {
            "words": sorted({fact.key for fact in p.said}),
            "promise_id": p.promise_id,
            "due_us": p.due_us,
            "by": p.by if p.by in SIDES else None if p.by is None else US,
            "conversation_id": place.get(p.first.rank) or _named_conversation(p.first),
        }
        for p in sorted(waiting, key=lambda p: p.first.rank)[-AWAITED_MAX:]
    ]


def _named_conversation(word: Fact) -> str | None:
    """The conversation that it names, of which nothing else was heard."""
    named = (key.split(":", 2)[2] for key in word.body.get("threads", ()) if key.startswith("conversation:"))
    return next(named, None)


def shown(promise: Promise) -> dict[str, Any]:
    """The promise in its public shape."""
    return {
        "promise_id": promise.promise_id,
        "text": promise.text,
        "due_at": None if promise.due_us is None else rfc3339(moment_at(promise.due_us)),
        "by": promise.by,
        "state": promise.state,
    }


def _promise(said: list[Fact]) -> Promise:
    made = [f for f in said if f.body.get("word") == MADE]
    ends = [f.body["word"] for f in said if f.body.get("word") in (KEPT, BROKEN)]
    # The words that made it are asked first, the latest of them first.
    asked = [*reversed(made), *(f for f in reversed(said) if f.body.get("word") != MADE)]
    text, due_us, by, promise_id = (_latest(asked, name) for name in ("text", "due_us", "by", "promise_id"))
    return Promise(promise_id or said[0].key, text, due_us, by, ends[-1] if ends else OPEN, tuple(said))


def _latest(said: Iterable[Fact], name: str) -> Any:
    return next((f.body[name] for f in said if f.body.get(name) is not None), None)
