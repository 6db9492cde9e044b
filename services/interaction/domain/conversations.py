"""Conversations: the threads of a customer's talks, those on one topic made one, as they are shown.

Owns the public shape of a conversation. Which threads are one is threads.py and topics.py, where one stands is
standing.py. A function of the set of facts: their order, copies, merges and splits make no difference. Nothing here
depends on the day. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.interaction.domain import promises as promising
from services.interaction.domain.facts import Fact, in_order
from services.interaction.domain.memory import Question, questions
from services.interaction.domain.promises import Promise
from services.interaction.domain.questions import CUSTOMER
from services.interaction.domain.sentiment import NO_WORDS, ToneWords, last_tone, mean_tone
from services.interaction.domain.standing import CLOSED, Point, last_said, open_points, state
from services.interaction.domain.threads import KINDS, SENT, TALK_KINDS, is_named, unite
from services.interaction.domain.topics import on_one_topic, topic_of

EVENTS_SHOWN_MAX = 100
ITEMS_SHOWN_MAX = 50
"""Open points, promises and questions of a conversation that are shown: the newest."""

Thread = list[Fact]
Rank = tuple[int, str, str, int]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. `facts` are all of it, in order; `asked` are {question, answer, at}; times in µs since 1970."""

    conversation_id: str
    state: str
    topic: str | None
    facts: tuple[Fact, ...]
    points: tuple[Point, ...]
    promises: tuple[Promise, ...]
    asked: tuple[dict[str, Any], ...]
    tone: str | None
    score: str | None

    @property
    def said(self) -> list[Fact]:
        """What makes it a conversation: turns, openings and closings."""
        return [f for f in self.facts if f.kind in TALK_KINDS]

    @property
    def channels(self) -> list[str]:
        """The channels it went over, in the order of their first use."""
        return list(dict.fromkeys(f.channel for f in self.said))

    @property
    def last(self) -> Fact:
        """The latest that happened in it."""
        return self.said[-1]

    @property
    def is_closed(self) -> bool:
        """Whether nobody waits any more."""
        return self.state == CLOSED


def conversations(facts: Iterable[Fact], tone_words: ToneWords = NO_WORDS) -> list[Conversation]:
    """All conversations, the one with the latest word first. `tone_words`: see sentiment.ToneWords."""
    every = [f for f in in_order(facts) if f.kind in KINDS]
    threads = [thread for thread in unite(every) if _is_conversation(thread)]
    promised = _by_thread(threads, promising.promises(every))
    groups = on_one_topic(threads, [promising.owed(promised[n]) for n in range(len(threads))])
    remembered = _by_fact(questions(every))
    found: list[Conversation] = []
    taken: set[str] = set()
    for group in groups:
        conversation_id = _id(threads[group[0]], taken)
        taken.add(conversation_id)
        promises = sorted((p for n in group for p in promised[n]), key=lambda p: p.first.rank)
        facts_of_it = in_order(f for n in group for f in threads[n])
        asked = _asked_in(facts_of_it, remembered)
        found.append(_conversation(conversation_id, facts_of_it, promises, asked, tone_words))
    return sorted(found, key=lambda c: c.last.rank, reverse=True)


def shown(conversation: Conversation) -> dict[str, Any]:
    """The conversation in its public shape; lists hold the newest, in the order in which they came."""
    events = list(dict.fromkeys(f.event_id for f in conversation.facts))
    return {
        **brief(conversation),
        "open_points": [point(p) for p in conversation.points[-ITEMS_SHOWN_MAX:]],
        "promises": [promising.shown(p) for p in conversation.promises[-ITEMS_SHOWN_MAX:]],
        "asked": list(conversation.asked[-ITEMS_SHOWN_MAX:]),
        "score": conversation.score,
        "event_ids": events[-EVENTS_SHOWN_MAX:],
    }


def brief(conversation: Conversation) -> dict[str, Any]:
    """What a line about it holds."""
    return {
        "conversation_id": conversation.conversation_id,
        "state": conversation.state,
        "channels": conversation.channels,
        "topic": conversation.topic,
        "opened_at": conversation.said[0].at,
        "last_at": conversation.last.at,
        "last_said": last_said(conversation.facts),
        "tone": conversation.tone,
    }


def point(open_point: Point) -> dict[str, Any]:
    """An open point in its public shape."""
    return {"text": open_point.text, "since": open_point.fact.at, "event_id": open_point.fact.event_id}


def _conversation(
    conversation_id: str,
    facts: Sequence[Fact],
    promises: Sequence[Promise],
    asked: Iterable[dict[str, Any]],
    tone_words: ToneWords,
) -> Conversation:
    standing = state(facts, owes=promising.owed(promises))
    return Conversation(
        conversation_id=conversation_id,
        state=standing,
        topic=topic_of(facts),
        facts=tuple(facts),
        points=tuple(open_points(facts, promises, standing)),
        promises=tuple(promises),
        asked=tuple(asked),
        tone=last_tone(facts, tone_words),
        score=mean_tone(facts, tone_words),
    )


def _is_conversation(thread: Thread) -> bool:
    """Something was said, opened or closed in it, and not only sent by us without naming a conversation."""
    return any(f.kind in TALK_KINDS and (f.body.get("what") != SENT or is_named(f)) for f in thread)


def _by_fact(asked: Iterable[Question]) -> dict[Rank, list[Question]]:
    found: dict[Rank, list[Question]] = defaultdict(list)
    for question in asked:
        for rank in {f.rank: None for f in (*question.asked, *question.answers)}:
            found[rank].append(question)
    return found


def _by_thread(threads: Sequence[Thread], promises: Iterable[Promise]) -> dict[int, list[Promise]]:
    """A promise belongs where it was made, else where it was first spoken of."""
    place = {f.rank: number for number, thread in enumerate(threads) for f in thread if f.kind == "promise"}
    found: dict[int, list[Promise]] = defaultdict(list)
    for promise in promises:
        words = [f for f in (promise.first, *promise.said) if f.rank in place]
        if words:
            found[place[words[0].rank]].append(promise)
    return found


def _id(thread: Thread, taken: set[str]) -> str:
    """As it was sent; where nobody sent one, or an earlier conversation has it, the id of its first event."""
    sent = (f.body["conversation_id"] for f in thread if "conversation_id" in f.body)
    first = next(f for f in thread if f.kind in TALK_KINDS)
    return next((one for one in sent if one not in taken), first.event_id)


def _asked_in(facts: Iterable[Fact], remembered: Mapping[Rank, Sequence[Question]]) -> list[dict[str, Any]]:
    """Each question that was asked or answered in it once, at its latest; the answer may have come elsewhere."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for fact in facts:
        if fact.kind == "question" and fact.body.get("by") == CUSTOMER:
            text = fact.body.get("question") or fact.body["question_id"]
            _put(found, (CUSTOMER, text), {"question": text, "answer": fact.body.get("answer"), "at": fact.at})
        for question in remembered.get(fact.rank, ()):
            answer = None if question.answer is None else question.answer.body["answer"]
            key = ("us", question.question_id or "", question.name)
            _put(found, key, {"question": question.name, "answer": answer, "at": fact.at})
    return list(found.values())


def _put(found: dict[tuple[str, ...], dict[str, Any]], key: tuple[str, ...], entry: dict[str, Any]) -> None:
    found.pop(key, None)
    found[key] = entry
