"""Dialogue memory: what was asked, what was answered, and whether to ask again.

Owns which facts are of one question and which answer stands. Questions the customer asked us are no memory of his
answers: conversations have them. Whether an answer still holds is a matter of the day. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.envelope import moment_at, rfc3339
from services.interaction.domain.facts import Fact, in_order
from services.interaction.domain.questions import CUSTOMER, question_id_of
from services.interaction.domain.wording import folded, said

ASKED_RECENTLY_DAYS = 30
"""So long after it was asked without an answer a question is not asked again."""
ASKED_MAX = 10
QUESTIONS_SHOWN_MAX = 100

_DAY_US = 86_400_000_000

Key = tuple[str, str]
"""("id", question id) or ("text", folded text)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and all that was said of it, in order. `asked` are its askings, `answers` answers and refusals."""

    question_id: str | None
    text: str | None
    asked: tuple[Fact, ...] = ()
    answers: tuple[Fact, ...] = ()

    @property
    def name(self) -> str:
        """Its text, else its id."""
        return self.text or self.question_id or ""

    @property
    def answer(self) -> Fact | None:
        """The latest answer that is none of the refusals."""
        return next((f for f in reversed(self.answers) if not f.body.get("declined")), None)

    @property
    def declined(self) -> bool:
        """Whether the latest word on it is that he would not answer."""
        return bool(self.answers) and bool(self.answers[-1].body.get("declined"))

    @property
    def last(self) -> Fact:
        """The latest of all."""
        return max((*self.asked[-1:], *self.answers[-1:]), key=lambda f: f.rank)


def questions(facts: Iterable[Fact]) -> list[Question]:
    """All questions asked by us or answered, the one spoken of last first.

    What has an id is known by it; what has only a text is known by that, and joins the id that has the same text.
    An answer to a survey as a whole is that of its one question; a refusal is one of all its questions.
    """
    heard = in_order(f for f in facts if f.kind in ("question", "answer") and f.body.get("by") != CUSTOMER)
    owners = _owners(heard)
    surveys: dict[str, dict[Key, None]] = defaultdict(dict)
    found: dict[Key, list[Fact]] = defaultdict(list)
    whole: list[tuple[str, Fact]] = []
    for fact in heard:
        key, survey = _key(fact, owners), fact.body.get("survey")
        if key is not None:
            found[key].append(fact)
        elif survey is not None:
            whole.append((survey, fact))
        if key is not None and survey is not None and fact.kind == "question":
            surveys[survey][key] = None
    for survey, fact in whole:
        asked = list(surveys.get(survey, ()))
        for key in asked if asked and (len(asked) == 1 or fact.body.get("declined")) else [("id", survey)]:
            found[key].append(fact)
    made = [_question(key, in_order(said_of_it)) for key, said_of_it in found.items()]
    return sorted(made, key=lambda q: (q.last.rank, q.name), reverse=True)


def known(facts: Iterable[Fact], now_us: int, question: str | None = None) -> dict[str, Any]:
    """What is known of a question, given by id or text; without one of all, as {"questions": [the newest 100]}.

    `now_us` is the moment of the answer in µs: what holds and what may be asked again depends on it.
    """
    every = questions(facts)
    if question is None:
        return {"questions": [entry(q, now_us) for q in every[:QUESTIONS_SHOWN_MAX]]}
    wanted = question_id_of(question)
    by_id = [q for q in every if wanted is not None and q.question_id == wanted]
    text = folded(question)
    alike = by_id or [q for q in every if text and q.text is not None and text in _texts(q)]
    return entry(_together(alike), now_us) if alike else entry(Question(None, said(question)), now_us)


def entry(question: Question, now_us: int) -> dict[str, Any]:
    """What is known of it at `now_us` (µs) and whether it may be asked again.

    An answer that is known stays shown after a later refusal and after its expiry; `known` says whether it holds.
    """
    answer, because = question.answer, _because(question, now_us)
    holds = answer is not None and not _expired(answer, now_us)
    until = answer or (question.asked[-1] if question.asked else None)
    expires_us = None if until is None else until.body.get("expires_us")
    return {
        "question_id": question.question_id,
        "question": question.name,
        "known": holds,
        "answer": None if answer is None else answer.body["answer"],
        "at": None if answer is None else answer.at,
        "source": None if answer is None else answer.source,
        "channel": None if answer is None else answer.channel,
        "expires_at": None if expires_us is None else rfc3339(moment_at(expires_us)),
        "declined": question.declined,
        "asked_at": question.asked[-1].at if question.asked else None,
        "asked": [f.at for f in reversed(question.asked[-ASKED_MAX:])],
        "ask_again": because in ("never_asked", "expired"),
        "because": because,
    }


def _because(question: Question, now_us: int) -> str:
    """A refusal holds for good; an answer until it expires; an asking for ASKED_RECENTLY_DAYS."""
    answer = question.answer
    if question.declined:
        return "declined"
    if answer is not None and not _expired(answer, now_us):
        return "answered"
    later = [f for f in question.asked if answer is None or f.rank > answer.rank]
    if later and now_us - later[-1].time_us < ASKED_RECENTLY_DAYS * _DAY_US:
        return "asked_recently"
    return "expired" if question.asked or answer is not None else "never_asked"


def _expired(answer: Fact, now_us: int) -> bool:
    expires_us = answer.body.get("expires_us")
    return expires_us is not None and expires_us <= now_us


def _owners(heard: Iterable[Fact]) -> dict[str, str]:
    """Folded text → the id it was asked under; of several the smallest."""
    found: dict[str, str] = {}
    for fact in heard:
        question_id, text = fact.body.get("question_id"), fact.body.get("question")
        if question_id and text:
            found[folded(text)] = min(question_id, found.get(folded(text), question_id))
    return found


def _key(fact: Fact, owners: dict[str, str]) -> Key | None:
    if question_id := fact.body.get("question_id"):
        return "id", question_id
    if text := folded(fact.body.get("question")):
        return ("id", owners[text]) if text in owners else ("text", text)
    return None


def _question(key: Key, heard: list[Fact]) -> Question:
    texts = [f.body["question"] for f in heard if f.body.get("question")]
    return Question(
        question_id=key[1] if key[0] == "id" else None,
        text=texts[-1] if texts else None,
        asked=tuple(f for f in heard if f.kind == "question"),
        answers=tuple(f for f in heard if "answer" in f.body or f.body.get("declined")),
    )


def _texts(question: Question) -> set[str]:
    return {folded(f.body.get("question")) for f in (*question.asked, *question.answers)}


def _together(alike: list[Question]) -> Question:
    """Questions of several ids that share a text are one to whoever asks by it; the newest names it."""
    asked = in_order(f for q in alike for f in q.asked)
    answers = in_order(f for q in alike for f in q.answers)
    return Question(alike[0].question_id, alike[0].text, tuple(asked), tuple(answers))
