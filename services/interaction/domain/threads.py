"""Threads: by which ids things said belong together, and the uniting of those that share one.

Owns thread keys: `<kind>:<namespace>:<id>` of a sent id, `event:<event id>` of an event. A fact names all its event
names, so a reply that comes before what it answers, or a ticket that names a conversation, unites them in any order.
What a thread means is not decided here. Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from schemas.envelope import Event, event_id
from schemas.events.fields import text_of
from services.interaction.domain.facts import Fact, business_key, in_order
from services.interaction.domain.wording import properties_of

K = TypeVar("K", str, int)

TALK_KINDS = frozenset({"turn", "opened", "closed"})
"""Facts that make a conversation."""
KINDS = TALK_KINDS | {"promise", "question", "answer"}
"""Facts that may belong to one."""
SENT = "sent"
"""What a turn is that is only a message of ours on its way."""

OWN_NAMESPACE = "customer360"
"""What apps write through the profile API: they name ids as we showed them, without their namespace."""

_NAMED = {
    "conversation": "conversation_id", "ticket": "ticket_id", "call": "call_id", "meeting": "meeting_id",
    "message": "message_id",
}  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def conversation_id_of(event: Event) -> str | None:
    """The conversation's id as it was sent, among the properties or the common fields."""
    return text_of(properties_of(event).get("conversation_id")) or text_of(event.data.get("conversation_id"))


def names(event: Event) -> list[str]:
    """Keys of all threads the event names, the one it belongs to first; none when it names none."""
    properties = properties_of(event)
    conversation = conversation_id_of(event)
    sent: dict[str, Any] = {kind: properties.get(name) for kind, name in _NAMED.items()}
    sent["conversation"] = conversation
    found = [_key(kind, event, sent_id) for kind, sent_id in sent.items()]
    found += [_shown_before(conversation)]
    for place in (properties, event.data):
        found += _answered(event, text_of(place.get("reply_to")))
    return list(dict.fromkeys(key for key in found if key is not None))


def unite(facts: Iterable[Fact]) -> list[list[Fact]]:
    """The facts by thread, each thread in order, the thread that began first first.

    Messages of ours that nothing else names are left out: they are no talk, and there may be thousands of them.
    """
    ordered = [(fact, is_alone(fact)) for fact in in_order(f for f in facts if f.kind in KINDS)]
    named = {_bare(key) for fact, alone in ordered if not alone for key in _keys(fact)}
    told = [fact for fact, alone in ordered if not alone or not named.isdisjoint(map(_bare, _keys(fact)))]
    above: dict[str, str] = {}
    for fact in told:
        first, *rest = _keys(fact)
        for key in rest:
            join(above, first, key)
    for own, other in as_shown(above).items():
        join(above, own, other)
    threads: dict[str, list[Fact]] = defaultdict(list)
    for fact in told:
        threads[top(above, _keys(fact)[0])].append(fact)
    return list(threads.values())


def top(above: dict[K, K], key: K) -> K:
    """What stands for all that were joined with this one."""
    while (higher := above.setdefault(key, key)) != key:
        above[key] = above.setdefault(higher, higher)
        key = higher
    return key


def join(above: dict[K, K], one: K, other: K) -> None:
    """From now on both, and all that were joined with either, have one top."""
    above[top(above, other)] = top(above, one)


def is_named(fact: Fact) -> bool:
    """Whether it names a conversation or a ticket."""
    return any(key.startswith(("conversation:", "ticket:")) for key in fact.body.get("threads", ()))


def as_shown(keys: Iterable[str]) -> dict[str, str]:
    """Keys an app named as we showed them → the key that was meant, where exactly one has that kind and id."""
    listed = sorted(keys)
    own = [key for key in listed if _namespace(key) == OWN_NAMESPACE]
    others: dict[str, list[str]] = defaultdict(list)
    for key in listed if own else ():
        if _namespace(key) != OWN_NAMESPACE:
            others[_bare(key)].append(key)
    return {key: others[_bare(key)][0] for key in own if len(others[_bare(key)]) == 1}


def _keys(fact: Fact) -> list[str]:
    return [f"event:{fact.event_id}", *fact.body.get("threads", ())]


def _namespace(key: str) -> str:
    return key.split(":", 2)[1]


def _bare(key: str) -> str:
    """Kind and id, without the namespace."""
    kind, _, rest = key.partition(":")
    return f"{kind}:{rest.partition(':')[2] or rest}"


def is_alone(fact: Fact) -> bool:
    """Whether it is a message of ours that names no conversation and answers nothing."""
    threads = fact.body.get("threads", ())
    return fact.body.get("what") == SENT and len(threads) <= 1 and not is_named(fact)


def _key(kind: str, event: Event, sent_id: Any) -> str | None:
    key = business_key(event, sent_id)
    return None if key is None else f"{kind}:{key}"


def _shown_before(sent_id: str | None) -> str | None:
    """A conversation without an id of its own is shown under that of its first event."""
    return f"event:{sent_id}" if sent_id is not None and _UUID.fullmatch(sent_id) else None


def _answered(event: Event, reply_to: str | None) -> list[str | None]:
    """What is answered may be named by message id, by its sender's event id, or by the event id we show."""
    if reply_to is None:
        return []
    return [_key("message", event, reply_to), f"event:{event_id(event.source, reply_to)}", _shown_before(reply_to)]
