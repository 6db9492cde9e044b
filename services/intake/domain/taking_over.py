"""Which words a remap adds to the log: an event that stands for another, and the one that takes the other back.

Owns the order of the two and what an interrupted remap has left. The replacement comes first, and its ack is awaited:
whoever dies between the two has added an event, and lost none; the next run finds both and takes the old one back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from schemas.envelope import Event, event_id
from schemas.events.retraction import RETRACTED, named_by
from services.intake.domain.accept import accept
from services.intake.domain.deriving import part_id
from services.intake.domain.model import Accepted, Parked, Raw, Received
from services.intake.domain.remapping import Left, Tables, Why, call_of, remapped, root_of, turn_of


@dataclass(slots=True)
class Words:
    """What the whole log says about a source's events: which were taken back, which stand for others."""

    source: str
    taken_back: set[str] = field(default_factory=set)
    standing_in: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    """The id first sent → turn → the id of the event mapped anew in that turn."""

    def hear(self, event: Event) -> None:
        """Note a retraction, or an event that stands for another; anything else says nothing here."""
        if event.type == RETRACTED:
            target, _ = named_by(event.data)
            if target is not None:
                self.taken_back.add(target)
        elif event.source == self.source and turn_of(event):
            self.standing_in[root_of(event)][turn_of(event)] = event.id

    def successor(self, event: Event) -> str | None:
        """The id of the last living event that already stands for this one, or None."""
        turns = self.standing_in.get(root_of(event), {})
        later = {turn: sent_id for turn, sent_id in turns.items() if turn > turn_of(event)}
        living = [turn for turn, i in later.items() if event_id(self.source, i) not in self.taken_back]
        return later[max(living)] if living else None


@dataclass(frozen=True, slots=True)
class Change:
    """`replacement` None: it is in the log since an earlier run that did not get to the retraction."""

    old: Event
    replacement: Accepted | None
    retraction: Accepted


@dataclass(frozen=True, slots=True)
class Gone:
    """It was taken back before: nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """It came in our own words: no table maps it."""


def decided(
    event: Event, words: Words, tables: Tables, received: Received, deployment_key: bytes
) -> Change | Left | Gone | Foreign:
    """What becomes of one event of the source."""
    if call_of(event) is None:
        return Foreign()
    if event.event_id in words.taken_back:
        return Gone()
    successor = words.successor(event)
    made = remapped(event, tables, received, deployment_key) if successor is None else None
    if isinstance(made, Left):
        return made
    stands_for_it = successor if made is None else made.event.id
    retraction = _retraction(event, str(stands_for_it), tables, received, deployment_key)
    if isinstance(retraction, Parked):
        return Left(Why.LED_BY_A_GROUP)
    return Change(event, made, retraction)


def in_order(changes: Iterable[Change]) -> tuple[list[Accepted], list[Accepted]]:
    """(what is published first, what is published once all of that is acknowledged)."""
    listed = list(changes)
    return [c.replacement for c in listed if c.replacement is not None], [c.retraction for c in listed]


def _retraction(
    event: Event, replaced_by: str, tables: Tables, received: Received, deployment_key: bytes
) -> Accepted | Parked:
    """The word that takes the event back: always the same one, led by the event's own record."""
    raw = Raw(
        id=part_id(event.id, "taken back by a remap"),
        type=RETRACTED,
        data={
            "identifiers": event.data.get("identifiers", {}),
            "actor": {"kind": "system", "id": "c360 remap"},
            "properties": {
                "source": event.source,
                "id": event.id,
                "replaced_by": replaced_by,
                "reason": f"mapped anew, mapping {tables.number} of {tables.source}",
            },
        },
    )
    # A plan is about what the source sends; this it did not.
    return accept(raw, replace(received, plan=None), deployment_key)
