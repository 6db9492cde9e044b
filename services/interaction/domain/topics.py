"""Topics: what threads are about, and which of them are one conversation because of it.

Owns how close threads on one topic must lie. A function of the set of threads. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.interaction.domain.facts import Fact
from services.interaction.domain.standing import is_closed
from services.interaction.domain.threads import SENT, TALK_KINDS, join, top
from services.interaction.domain.wording import folded

CLOSENESS_DAYS = 7
"""Threads on one topic are one conversation when no more than this lies between one's end and the other's start."""
CLOSE_THREADS_MAX = 100
"""Of threads on one topic that are still close, only so many of the latest are looked at."""

_DAY_US = 86_400_000_000


def topic_of(facts: Iterable[Fact]) -> str | None:
    """The topic named last, else the subject written last; None where nobody named one. `facts` are in order."""
    said = [f for f in facts if f.kind in TALK_KINDS]
    named = next((f.body["topics"][0] for f in reversed(said) if f.body.get("topics")), None)
    subject = next((f.body["subject"] for f in reversed(said) if f.body.get("subject")), None)
    sent = next((f.body["text"] for f in said if f.body.get("what") == SENT and f.body.get("text")), None)
    return named or subject or sent


def on_one_topic(threads: Sequence[Sequence[Fact]], owes: Sequence[bool]) -> list[list[int]]:
    """Numbers of the threads that are one conversation, the one that began first first.

    Two that name one topic are one when they lie close and the earlier was not closed when the later began: what was
    settled before is another matter, what is settled later was the same one. `owes` tells of each thread whether a
    promise of ours in it is open.
    """
    said = [[f for f in thread if f.kind in TALK_KINDS] for thread in threads]
    above = {number: number for number in range(len(threads))}
    on_topic: dict[str, list[int]] = defaultdict(list)
    for number in sorted(above, key=lambda n: said[n][0].rank):
        start_us = said[number][0].time_us
        for topic in _topics(said[number]):
            near = [n for n in on_topic[topic] if start_us - said[n][-1].time_us <= CLOSENESS_DAYS * _DAY_US]
            for earlier in near[-CLOSE_THREADS_MAX:]:
                joined = top(above, earlier) == top(above, number)
                if not joined and _was_open(said[earlier], start_us, owes=owes[earlier]):
                    join(above, earlier, number)
            on_topic[topic] = [*near, number]
    groups: dict[int, list[int]] = defaultdict(list)
    for number in sorted(above, key=lambda n: said[n][0].rank):
        groups[top(above, number)].append(number)
    return list(groups.values())


def _was_open(said: Iterable[Fact], at_us: int, *, owes: bool) -> bool:
    return not is_closed((f for f in said if f.time_us <= at_us), owes=owes)


def _topics(said: Iterable[Fact]) -> list[str]:
    found = {folded(topic) for f in said for topic in f.body.get("topics", ())}
    return sorted(found - {""})
