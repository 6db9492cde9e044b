"""Replies: which asking, answers and follow-up steps belong to one response of a survey.

Owns the pairing: by response id; without one an answer belongs to the latest asking of its survey that is open. An
asking, or an answer nobody asked for, is a reply too. What an answer is worth is not decided here. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.interaction.domain.facts import Fact, in_order

ASKED, FEEDBACK, FOLLOW_UP = "asked", "feedback", "follow_up"
KINDS = frozenset({ASKED, FEEDBACK, FOLLOW_UP})
OPEN, CLOSED, TOLD = "open", "closed", "told"
OWN_NAMESPACE = "customer360"
"""What apps write through the profile API: they name ids as we showed them, without their namespace."""


@dataclass(slots=True)
class Reply:
    """One response: its askings, what was said in it and the steps of its follow-up, each in order.

    It has at least an asking or something said.
    """

    key: str
    asked: list[Fact] = field(default_factory=list)
    said: list[Fact] = field(default_factory=list)
    steps: list[Fact] = field(default_factory=list)

    @property
    def response_id(self) -> str | None:
        """As it was sent; None where there was none."""
        return _bare(self.key) or None

    @property
    def survey_id(self) -> str | None:
        """As it was asked, else as the latest answer names it."""
        named = (f.body["survey_id"] for f in (*self.asked, *reversed(self.said)) if "survey_id" in f.body)
        return next(named, None)

    @property
    def newest(self) -> Fact:
        """The latest of it, the steps apart."""
        return max((*self.asked, *self.said), key=lambda f: f.rank)

    @property
    def answered(self) -> bool:
        """Whether anything was said in it but a refusal."""
        return any(not f.body.get("declined") for f in self.said)

    @property
    def declined(self) -> bool:
        """Whether a refusal is all that was said."""
        return bool(self.said) and not self.answered

    def follow_up(self, answer: Fact) -> str:
        """How far the follow-up of this answer is; a step counts only after the one before it, by time."""
        closed = next((f for f in self.steps if f.body["step"] == CLOSED and f.rank > answer.rank), None)
        if closed is None:
            return OPEN
        return TOLD if any(f.body["step"] == TOLD and f.rank > closed.rank for f in self.steps) else CLOSED

    def last(self, name: str) -> str | None:
        """What was said last of this."""
        return next((f.body[name] for f in reversed(self.said) if name in f.body), None)


def replies(facts: Iterable[Fact]) -> list[Reply]:
    """All replies of one customer, of the facts of all his records."""
    listed = in_order(f for f in facts if f.kind in KINDS)
    found: dict[str, Reply] = {}
    for fact in (f for f in listed if f.kind == ASKED):
        _of(found, fact.key or f"asked {fact.event_id}").asked.append(fact)
    asked = _by_id(found)
    for fact in (f for f in listed if f.kind == FEEDBACK and f.key):
        own = fact.key.startswith(f"{OWN_NAMESPACE}:") and fact.key not in found
        _of(found, _only(asked, fact.key) if own else fact.key).said.append(fact)
    still_open = _open(found.values())
    for fact in (f for f in listed if f.kind == FEEDBACK and not f.key):
        meant = _latest(still_open.get(fact.body.get("survey_id"), []), fact)
        (_of(found, f"said {fact.event_id}") if meant is None else meant).said.append(fact)
    all_ids = _by_id(found)
    for fact in (f for f in listed if f.kind == FOLLOW_UP):
        # A help desk names the survey tool's id: it is in another namespace as a rule.
        key = fact.key if fact.key in found else _only(all_ids, fact.key)
        if key in found:
            found[key].steps.append(fact)
    for reply in found.values():
        reply.said.sort(key=lambda f: f.rank)
    return list(found.values())


def _of(found: dict[str, Reply], key: str) -> Reply:
    return found.setdefault(key, Reply(key))


def _open(found: Iterable[Reply]) -> dict[str | None, list[Reply]]:
    """Askings to which nothing was said, by survey, the earliest first."""
    by_survey: dict[str | None, list[Reply]] = {}
    for reply in sorted((r for r in found if r.asked and not r.said), key=lambda r: r.asked[0].rank):
        by_survey.setdefault(reply.survey_id, []).append(reply)
    return by_survey


def _latest(still_open: list[Reply], answer: Fact) -> Reply | None:
    """The latest asked before the answer; it is open no longer."""
    for n in range(len(still_open) - 1, -1, -1):
        if still_open[n].asked[0].rank < answer.rank:
            return still_open.pop(n)
    return None


def _bare(key: str) -> str:
    """A response's id without its namespace; empty for a reply without one."""
    return key.partition(":")[2]


def _by_id(found: Iterable[str]) -> dict[str, list[str]]:
    by_id: dict[str, list[str]] = {}
    for key in sorted(found):
        by_id.setdefault(_bare(key), []).append(key)
    return by_id


def _only(by_id: dict[str, list[str]], key: str) -> str:
    """The one key with this id, whatever its namespace; where there are several or none, the key itself."""
    meant = by_id.get(_bare(key), [])
    return meant[0] if len(meant) == 1 else key
