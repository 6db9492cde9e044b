"""Standing: where a conversation stands (open, waiting, closed), what was said last, and what is open in it.

Owns the rules of state over the facts of one conversation, in order. Which facts belong to one is not decided here,
nor anything of the day. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.interaction.domain.facts import Fact
from services.interaction.domain.promises import BROKEN, OPEN, Promise
from services.interaction.domain.questions import CUSTOMER
from services.interaction.domain.sentiment import BOTH_SPEAK
from services.interaction.domain.threads import SENT, TALK_KINDS

NOTHING_SAID, FOR_US, FOR_CUSTOMER, CLOSED = "open", "waiting_for_us", "waiting_for_customer", "closed"
"""States. Closed wins; else whoever has to speak next; open is what was opened and nothing said in."""

UNREACHED = frozenset({"missed", "abandoned", "voicemail"})
"""Outcomes of calls in which only one side was there."""
UNNAMED = "A promise"
"""What is shown of a promise of which only the id is known."""
_ASKS = ("?", "\uff1f", "\u061f")
_WORDS = {"missed": "Missed call", "abandoned": "Call abandoned", "voicemail": "Voicemail", "call": "Call"}


@dataclass(frozen=True, slots=True)
class Point:
    """Something open: its text, since when, and the fact that says so."""

    text: str
    fact: Fact


def state(facts: Sequence[Fact], *, owes: bool) -> str:
    """The state these facts give; `owes`: a promise of ours made in them is still open."""
    if is_closed(facts, owes=owes):
        return CLOSED
    last = next((w for f in reversed(facts) if (w := _waits_for(f, owes)) is not None), None)
    return last or NOTHING_SAID


def is_closed(facts: Iterable[Fact], *, owes: bool) -> bool:
    """Whether the latest closing is not earlier than all that was opened or said, and no ticket is open.

    A closing before its opening leaves it open, one without an opening closes; at one moment the closing counts.
    A message that is only sent (a survey, say) opens nothing again. A resolved call that owes nothing is a closing.
    """
    told = [f for f in facts if f.kind in TALK_KINDS]
    closings = [f.time_us for f in told if _closes(f, owes)]
    others = [f.time_us for f in told if not _closes(f, owes) and f.body.get("what") != SENT]
    return bool(closings) and max(closings) >= max(others, default=max(closings)) and not open_tickets(told)


def open_tickets(facts: Iterable[Fact]) -> list[Fact]:
    """Of each ticket that is open its first opening since it was last closed."""
    told = [f for f in facts if f.body.get("ticket") is not None]
    closed = {f.body["ticket"]: f.time_us for f in told if f.kind == "closed"}
    opened: dict[str, Fact] = {}
    for fact in told:
        ticket = fact.body["ticket"]
        if fact.kind == "opened" and (ticket not in closed or closed[ticket] < fact.time_us):
            opened.setdefault(ticket, fact)
    return list(opened.values())


def last_said(facts: Sequence[Fact]) -> dict[str, Any] | None:
    """Who said what last; None when nothing was said. A call nobody took has no text."""
    turns = [f for f in facts if f.kind == "turn" and (f.body.get("text") or f.body.get("what") == "call")]
    if not turns:
        return None
    last = turns[-1]
    return {"by": last.body.get("by"), "text": last.body.get("text"), "at": last.at}


def open_points(facts: Sequence[Fact], promises: Sequence[Promise], standing: str) -> list[Point]:
    """What is still to be done, the oldest first. A closed conversation leaves only promises that are still open."""
    open_states = (OPEN,) if standing == CLOSED else (OPEN, BROKEN)
    found = [Point(p.text or UNNAMED, p.first) for p in promises if p.state in open_states]
    if standing != CLOSED:
        tickets = _tickets(facts)
        opened = {p.fact.event_id for p in tickets}
        unanswered = [f for f in _unanswered(facts) if f.event_id not in opened]
        found += [*tickets, *_raised(facts), *(Point(_text(f), f) for f in unanswered)]
    each = {(p.fact.event_id, p.text): p for p in found}
    return sorted(each.values(), key=lambda p: (p.fact.rank, p.text))


def _closes(fact: Fact, owes: bool) -> bool:
    return fact.kind == "closed" or (fact.body.get("resolved") is True and not owes)


def _waits_for(fact: Fact, owes: bool) -> str | None:
    """Who has to speak after this; None where it says nothing of that. Words of a system answer nobody."""
    body = fact.body
    if fact.kind == "opened" and body.get("what") == "ticket":
        return FOR_US
    if fact.kind != "turn":
        return None
    if body.get("waits_for") == CUSTOMER:
        return FOR_CUSTOMER
    if body.get("what") in BOTH_SPEAK and body.get("outcome") not in UNREACHED:
        # Both spoke: it waits for us where something was left to do.
        return FOR_US if owes or body.get("resolved") is False else FOR_CUSTOMER
    if body.get("by") == "system":
        return None
    return FOR_US if body.get("by") == CUSTOMER else FOR_CUSTOMER


def _tickets(facts: Iterable[Fact]) -> list[Point]:
    told = list(facts)
    subjects = {f.body["ticket"]: f.body["text"] for f in told if f.kind != "turn" and _names_ticket(f)}
    return [
        Point(subjects.get(f.body["ticket"]) or f"Ticket {f.body['ticket']}", f)
        for f in open_tickets(told)
    ]  # fmt: skip


def _names_ticket(fact: Fact) -> bool:
    return fact.body.get("ticket") is not None and fact.body.get("text") is not None


def _raised(facts: Iterable[Fact]) -> list[Point]:
    """Questions the customer asked in a talk that got no answer there."""
    asked = (f for f in facts if f.kind == "question" and f.body.get("by") == CUSTOMER)
    return [Point(f.body["question"], f) for f in asked if f.body.get("question") and "answer" not in f.body]


def _unanswered(facts: Iterable[Fact]) -> list[Fact]:
    """The customer's turns since our last word: those that ask something, and the last.

    A talk in which both spoke was our word too; what was promised in it is a point of its own.
    """
    since: list[Fact] = []
    for fact in facts:
        waits_for = _waits_for(fact, owes=False)
        if waits_for == FOR_CUSTOMER or fact.kind == "closed":
            since = []
        elif waits_for == FOR_US and fact.kind == "turn":
            since.append(fact)
    return [f for f in since if f is since[-1] or any(mark in f.body.get("text", "") for mark in _ASKS)]


def _text(turn: Fact) -> str:
    text = turn.body.get("text")
    return text if text else _WORDS.get(turn.body.get("outcome") or "", _WORDS["call"])
