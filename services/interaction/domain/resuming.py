"""Resuming: what a person or a bot needs to go on where the last talk ended, and what is told of it.

Owns the summary, which is extracted, never written, and what is listed first for a channel. `resume` depends on the
day (what is overdue, what may be asked again); `told` does not. Who he is and what to ask next is for the profile
service to say. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.interaction.domain import memory, promises
from services.interaction.domain.conversations import Conversation, brief, conversations, point
from services.interaction.domain.facts import Fact, in_order
from services.interaction.domain.preferences import PREFERENCE
from services.interaction.domain.questions import CUSTOMER
from services.interaction.domain.sentiment import NO_WORDS, ToneWords, last_tone
from services.interaction.domain.standing import UNNAMED, last_said
from services.interaction.domain.wording import line

OPEN_TOLD_MAX = 20
PROMISES_TOLD_MAX = 50
ITEMS_SHOWN_MAX = 50
"""Open points, promises and questions of an answer."""
SUMMARY_ITEMS_MAX = 3
"""Open points and promises in the summary."""
DAY_CHARS = 10

Shown = dict[str, Any]


def resume(
    facts: Iterable[Fact], now_us: int, channel: str | None = None, tone_words: ToneWords = NO_WORDS
) -> dict[str, Any]:
    """Where we left off, as of `now_us` (µs), in the public shape; conversations that touch `channel` come first.

    `greeting_name` and `ask_next` are left to the profile service. Nothing open: the newest conversation, if any, is
    summed up.
    """
    every = in_order(facts)
    found = conversations(every, tone_words)
    open_ones = [c for c in found if not c.is_closed]
    first = sorted(open_ones, key=lambda c: channel is not None and channel not in c.channels)
    # A closed conversation may have left a promise.
    points = [point(p) for c in (*first, *(c for c in found if c.is_closed)) for p in reversed(c.points)]
    points += [_promised_alone(p) for p in _alone(every, found)]
    promised = promises.due(promises.promises(every), now_us)
    return {
        "summary": _summary([*first, *found][:1], points, promised),
        "greeting_name": None,
        "open_points": points[:ITEMS_SHOWN_MAX],
        "promises_due": promised[:ITEMS_SHOWN_MAX],
        "do_not_ask": _do_not_ask(every, now_us),
        "ask_next": [],
        "language": _preferred(every, "language", now_us) or _locale(every),
        "preferred_channel": _preferred(every, "channel", now_us),
        "tone": last_tone(every, tone_words),
        "since": max((c.last for c in open_ones), key=lambda f: f.rank).at if open_ones else None,
    }


QUESTIONS_TOLD_MAX = 50


def told(facts: Iterable[Fact], tone_words: ToneWords = NO_WORDS) -> dict[str, Any]:
    """What the section holds: the newest open conversations, the open promises, the soonest due first, and which
    questions (by id) were answered or declined. `due`: the promises that become due, where there are any.
    """
    every = in_order(facts)
    found = conversations(every, tone_words)
    open_ones = [c for c in found if not c.is_closed]
    promised = promises.promises(every)
    waiting = sorted((p for p in promised if p.state == promises.OPEN), key=lambda p: p.soonest)
    due = promises.awaited(promised, {p.first.rank: c.conversation_id for c in found for p in c.promises})
    asked = [q for q in memory.questions(every) if q.question_id and q.answers][:QUESTIONS_TOLD_MAX]
    return {
        "open_conversations": [brief(c) for c in open_ones[:OPEN_TOLD_MAX]],
        "promises": [promises.shown(p) for p in waiting[:PROMISES_TOLD_MAX]],
        "answers": {
            str(q.question_id): {
                "declined": q.declined,
                "until_us": q.answer.body.get("expires_us") if q.answer is not None else None,
            }
            for q in asked
        },
        **({"due": due} if due else {}),
    }


def _alone(facts: Iterable[Fact], found: Iterable[Conversation]) -> list[promises.Promise]:
    """Open promises that belong to no conversation, the one made last first."""
    placed = {p.first.rank for c in found for p in c.promises}
    waiting = (p for p in promises.promises(facts) if p.state == promises.OPEN and p.first.rank not in placed)
    return sorted(waiting, key=lambda p: p.first.rank, reverse=True)


def _promised_alone(promise: promises.Promise) -> dict[str, Any]:
    return {"text": promise.text or UNNAMED, "since": promise.first.at, "event_id": promise.first.event_id}


def _summary(about: Iterable[Conversation], points: Sequence[Shown], promised: Sequence[Shown]) -> str:
    """At most five lines: where the conversation stands, what each side said last, what is open, what is promised.

    Dates are UTC days.
    """
    lines = [text for conversation in about for text in _of_conversation(conversation)]
    promise_texts = {p["text"] or UNNAMED for p in promised}
    for name, texts in [
        ("Open", [p["text"] for p in points if p["text"] not in promise_texts]),
        ("Promised", [_promise_line(p) for p in promised]),
    ]:
        if texts:
            lines.append(line(f"{name}: {'; '.join(list(dict.fromkeys(texts))[:SUMMARY_ITEMS_MAX])}"))
    return "\n".join(lines)


def _of_conversation(conversation: Conversation) -> list[str]:
    told_of = brief(conversation)
    standing = conversation.state.replace("_", " ").capitalize()
    about = f"{standing} since {told_of['last_at'][:DAY_CHARS]}"
    over = ", ".join(conversation.channels)
    lines = [line(f"{about}: {conversation.topic} ({over})" if conversation.topic else f"{about} ({over})")]
    theirs = [f for f in conversation.facts if f.body.get("by") == CUSTOMER]
    ours = [f for f in conversation.facts if f.body.get("by") != CUSTOMER]
    both = [said for side in (theirs, ours) if (said := last_said(side)) is not None and said["text"]]
    for said in sorted(both, key=lambda s: s["at"].rstrip("Z")):
        lines.append(line(f"{said['by']}, {said['at'][:DAY_CHARS]}: {said['text']}"))
    return lines


def _promise_line(promised: dict[str, Any]) -> str:
    due_at = f", due {promised['due_at'][:DAY_CHARS]}" if promised["due_at"] else ""
    return f"{promised['text'] or UNNAMED}{due_at}{' (overdue)' if promised['overdue'] else ''}"


def _do_not_ask(facts: Iterable[Fact], now_us: int) -> list[dict[str, Any]]:
    """Questions answered, declined or asked of late, the newest first."""
    entries = (memory.entry(question, now_us) for question in memory.questions(facts))
    names = ("question_id", "question", "answer", "because", "at")
    return [{name: e[name] for name in names} for e in entries if not e["ask_again"]][:ITEMS_SHOWN_MAX]


def _preferred(facts: Sequence[Fact], name: str, now_us: int) -> str | None:
    """What he stated last of this field, on whatever topic, and has not ended."""
    for fact in reversed(facts):
        ends_us = fact.body.get("until_us")
        said = fact.body.get("fields", {}).get(name) if fact.kind == PREFERENCE else None
        if isinstance(said, str) and (ends_us is None or ends_us > now_us):
            return said
    return None


def _locale(facts: Sequence[Fact]) -> str | None:
    his = (f.body.get("locale") for f in reversed(facts) if f.kind == "turn" and f.body.get("by") == CUSTOMER)
    return next((locale for locale in his if locale), None)
