"""Feedback: what answers to surveys say, and the follow-up of those who are not content.

Owns what events say of surveys, and one customer's scores, topics and tones. A follow-up is opened by the answer
itself, closed by a later ticket.closed or conversation.closed, and told by a still later word of ours to him; both
name the answer's `response_id`. Questions and answers as dialogue memory are memory.py's. Must not decide a
treatment. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.envelope import Event, moment_at, rfc3339
from services.interaction.domain.facts import Fact, business_key, short
from services.interaction.domain.opinions import tone_of, topic_of
from services.interaction.domain.policy import Policy
from services.interaction.domain.replies import ASKED, CLOSED, FEEDBACK, FOLLOW_UP, OPEN, TOLD, Reply, replies
from services.interaction.domain.scores import (
    DETRACTOR,
    SCALES,
    Counts,
    category_of,
    count_score,
    figures,
    nothing,
    total,
)
from services.interaction.domain.sent import Reader, Said, is_outbound, moment_us, number, said_by, words
from services.interaction.domain.terms import name_of

LISTED_MAX = 100
"""Items listed of one customer, the newest; all are counted."""
DETRACTORS_TOLD_MAX = 50
MONTH_CHARS = 7
UNKNOWN_SCALE, OUT_OF_SCALE = "unknown_scale", "out_of_scale"
NOTHING: tuple[Any, ...] = (None, "", [], {})


def say(event: Event) -> list[Said]:
    """What the event says of surveys, feedback and follow-ups."""
    return said_by(event, TYPES)


def _asked(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    body: dict[str, Any] = words(properties, "survey_id", "trigger")
    ends = moment_us(properties.get("expires_at"))
    said = body if ends is None else {**body, "expires_us": ends}
    return [(ASKED, _key(event, properties), said)] if "survey_id" in body else []


def _given(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    """A score, a text, an answer (its content is memory's) or a refusal; without any of them, nothing."""
    score = number(properties.get("score"))
    said = {
        "score": score,
        "scale": name_of(properties.get("scale")) if score is not None else None,
        "text": short(properties.get("text")) or None,
        "answer": properties.get("answer") not in NOTHING or None,
    }
    found = {name: value for name, value in said.items() if value is not None}
    if not found:
        if properties.get("declined") is not True:
            return []
        found["declined"] = True
    if (topic := name_of(properties.get("topic"))) is not None:
        found["topic"] = topic
    return [(FEEDBACK, _key(event, properties), {**words(properties, "survey_id", "product_id"), **found})]


def _closed(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    key = _key(event, properties)
    return [(FOLLOW_UP, key, {"step": CLOSED})] if key else []


def _told(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    key = _key(event, properties)
    return [(FOLLOW_UP, key, {"step": TOLD})] if key and is_outbound(event) else []


def _key(event: Event, properties: Mapping[str, Any]) -> str:
    return business_key(event, properties.get("response_id")) or ""


@dataclass(frozen=True, slots=True)
class Item:
    """A reply on one scale; `answer` is the latest on it. Without a score `scale` is None."""

    reply: Reply
    answer: Fact | None
    scale: str | None
    category: str | None
    opens: bool
    """Whether the answer opens a follow-up."""
    words: tuple[Fact, ...] = ()
    """All that was answered in the reply on this scale; the answer is the last of them."""

    @property
    def detracts(self) -> bool:
        """Whether the answer makes him a detractor: a low score on nps, or one that has to be followed up."""
        return self.opens or self.category == DETRACTOR

    @property
    def newest(self) -> Fact:
        """By which items are ordered: the answer, else the latest of the reply."""
        return self.answer or self.reply.newest

    @property
    def score(self) -> int | str | None:
        """Whole, or a decimal as text."""
        return None if self.answer is None else self.answer.body.get("score")

    @property
    def follow_up(self) -> str | None:
        """open, closed or told; None where nobody has to follow up."""
        return self.reply.follow_up(self.answer) if self.opens and self.answer is not None else None


def items(found: Iterable[Reply], policy: Policy) -> list[Item]:
    """Of each reply one item a scale, one without a score where there is none; the newest first."""
    listed = [item for reply in found for item in _of_reply(reply, policy)]
    return sorted(listed, key=lambda i: (i.newest.rank, i.scale or ""), reverse=True)


def _of_reply(reply: Reply, policy: Policy) -> list[Item]:
    survey = policy.surveys.get(name_of(reply.survey_id) or "")
    usual = survey.scale if survey is not None else None
    scored: dict[str | None, list[Fact]] = {}
    for fact in reply.said:
        if "score" in fact.body:
            scored.setdefault(fact.body.get("scale", usual), []).append(fact)
    if not scored:
        return [Item(reply, reply.said[-1] if reply.said else None, None, None, False)]
    found = []
    for scale, answers in scored.items():
        answer = answers[-1]
        score = Decimal(answer.body["score"])
        category = category_of(scale, score)
        below = survey.follow_up_below if survey is not None and scale == usual else None
        opens = category == DETRACTOR if below is None else category is not None and score < below
        found.append(Item(reply, answer, scale, category, opens, tuple(answers)))
    return found


def feedback(facts: Iterable[Fact], policy: Policy) -> dict[str, Any]:
    """One customer's feedback in the public shape, of the facts of all his records; no day changes it.

    `surveys`: the newest LISTED_MAX items; beside them the figures of all. Texts are personal.
    """
    found = replies(facts)
    listed = items(found, policy)
    counts = total(_months(found, listed).values())
    return {"surveys": [_shown(item, policy) for item in listed[:LISTED_MAX]], **figures(counts)}


def summary(facts: Iterable[Fact], policy: Policy) -> dict[str, Counts]:
    """{month: counts} of one customer; `scores.totals` adds them up over many.

    Months are UTC's: the asking's where it was asked, else the answer's; scores are in the month of the answer.
    """
    found = replies(facts)
    return _months(found, items(found, policy))


def _months(found: Iterable[Reply], listed: Iterable[Item]) -> dict[str, Counts]:
    months: dict[str, Counts] = {}
    for reply in found:
        counts = months.setdefault((reply.asked or reply.said)[0].at[:MONTH_CHARS], nothing())
        counts["asked"] += bool(reply.asked)
        counts["answered"] += reply.answered
        counts["answered_of_asked"] += reply.answered and bool(reply.asked)
        counts["declined"] += reply.declined
    for item in listed:
        if item.scale is not None and item.category is not None and item.score is not None:
            month = months.setdefault(item.newest.at[:MONTH_CHARS], nothing())
            count_score(month, item.scale, item.category, Decimal(item.score))
    return dict(sorted(months.items()))


def told(facts: Iterable[Fact], policy: Policy) -> dict[str, Any]:
    """What the section tells of it: each scale's last score, counts, open follow-ups. No text stands in it."""
    found = replies(facts)
    listed = items(found, policy)
    counts = total(_months(found, listed).values())
    last = {item.scale: _score(item) for item in reversed(listed) if item.category is not None}
    newest = next((item for item in listed if item.answer is not None and not item.reply.declined), None)
    asked = [fact for reply in found for fact in reply.asked]
    return {
        **{scale: last.get(scale) for scale in SCALES},
        "open_follow_ups": sum(item.follow_up == OPEN for item in listed),
        **{name: counts[name] for name in ("asked", "answered", "declined")},
        "last_asked_at": max(asked, key=lambda f: f.rank).at if asked else None,
        "last": None if newest is None else {n: v for n, v in _shown(newest, policy).items() if n != "text"},
    }


def detractors(facts: Iterable[Fact], policy: Policy) -> list[dict[str, Any]]:
    """Answers that make him a detractor, for whoever tells of them: the newest DETRACTORS_TOLD_MAX. No text.

    `words` name all answers of the response on this scale: one that is corrected is the same response.
    """
    listed = [item for item in items(replies(facts), policy) if item.detracts]
    return [
        {
            "words": sorted(f"{word.record_id}:{word.event_id}:{item.scale}" for word in item.words),
            "event_id": item.newest.event_id,
            "survey_id": item.reply.survey_id,
            "response_id": item.reply.response_id,
            "scale": item.scale,
            "score": item.score,
            "follow_up": item.follow_up,
            "time": item.newest.at,
        }
        for item in listed[:DETRACTORS_TOLD_MAX]
    ]


def _score(item: Item) -> dict[str, Any]:
    return {"score": item.score, "at": item.newest.at, "category": item.category}


def _shown(item: Item, policy: Policy) -> dict[str, Any]:
    reply, answer, text = item.reply, item.answer, item.reply.last("text")
    unread = item.score is not None and item.category is None
    asked_at = reply.asked[0].at if reply.asked else None
    ends = reply.asked[-1].body.get("expires_us") if reply.asked else None
    return {
        "survey_id": reply.survey_id,
        "response_id": reply.response_id,
        "asked_at": asked_at,
        "expires_at": None if ends is None else rfc3339(moment_at(ends)),
        "answered_at": answer.at if answer is not None and reply.answered else None,
        "score": item.score,
        "scale": item.scale,
        "category": item.category,
        "flags": ([OUT_OF_SCALE] if item.scale in SCALES else [UNKNOWN_SCALE]) if unread else [],
        "topic": reply.last("topic") or (topic_of(text, policy.topics) if text is not None else None),
        "tone": tone_of(text, policy.tone) if text is not None else None,
        "text": text,
        "product_id": reply.last("product_id"),
        "declined": reply.declined,
        "follow_up": item.follow_up,
        "channel": item.newest.channel,
        "event_id": item.newest.event_id,
        "origin_record": item.newest.record_id,
    }


TYPES: dict[str, Reader] = {
    "survey.asked": _asked,
    "feedback.given": _given,
    "ticket.closed": _closed,
    "conversation.closed": _closed,
    "message.sent": _told,
    "call.held": _told,
    "conversation.message": _told,
}
