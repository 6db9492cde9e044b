"""Groups: accounts, households and teams; what is said of them, and who belongs to them.

Owns reading a group event, and how the words of many make one group and one part in it. A group is a record that no
customer owns. Pure, and the same for the same words in any order: what was said last (time, then event id) stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from schemas.envelope import Event, microseconds, moment_at, rfc3339
from schemas.events.fields import text_of
from schemas.identifiers import GROUP_TYPE, Identifier, leading
from services.identity.domain.observing import TRAIT_CHARS_MAX, traits_said

BELONGS = {"group.identified": True, "group.joined": True, "group.left": False}
"""Type → whether the person in the event belongs to the group from then on."""
NAMED_MEMBERS_MAX = 1_000
"""Records that may belong to a group and still be told its name: all of them are told anew when it changes."""
LISTED_MAX = 100
TRAIT = "traits."

Rank = tuple[int, str]
"""(time in µs, event id): the greater of two words was said later."""
Facts = Mapping[str, tuple[int, str, str]]
"""`kind`, `name` or `traits.NAME` → (time in µs, event id, canonical JSON) of the word that stands."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one event says of a group, and of one record's part in it; of nobody's where `member_id` is None."""

    event_id: str
    group_id: str
    type: str
    value: str
    time_us: int
    facts: Mapping[str, str]
    member_id: str | None
    joins: bool
    role: str | None

    @property
    def rank(self) -> Rank:
        """The later word counts."""
        return self.time_us, self.event_id

    @property
    def place(self) -> tuple[str, str]:
        """(group's record id, event id)."""
        return self.group_id, self.event_id


def word_of(event: Event, record_id: Callable[[Identifier], str]) -> Word | None:
    """The word of an event that a group leads. The person is the strongest identifier beside the group's."""
    if event.type not in BELONGS:
        return None
    identifiers = event.data.get("identifiers", {})
    group, person = leading(identifiers, event.type), leading(identifiers)
    if group is None or group.type.partition(".")[0] != GROUP_TYPE:
        return None
    role = text_of(event.data.get("properties", {}).get("role"))
    return Word(
        event.event_id,
        event.record_id,
        group.type,
        group.value,
        microseconds(event.time),
        _facts(event),
        record_id(person) if person else None,
        BELONGS[event.type],
        role if role is None or len(role) <= TRAIT_CHARS_MAX else None,
    )


def _facts(event: Event) -> dict[str, str]:
    """Field → canonical JSON. A group's traits say nothing about a person; its name may stand among them."""
    traits = dict(traits_said(event))
    said = {f"{TRAIT}{name}": value for name, value in traits.items() if name != "name"}
    named = orjson.loads(traits.get("name", '""'))
    if named is None or text_of(named) is not None:
        said["name"] = orjson.dumps(text_of(named)).decode()
    properties = event.data.get("properties", {})
    for name in ("kind", "name"):
        if (text := text_of(properties.get(name))) is not None:
            said[name] = orjson.dumps(text).decode()
    return {name: value for name, value in said.items() if len(value) <= TRAIT_CHARS_MAX}


@dataclass(frozen=True, slots=True)
class Group:
    """A group by all that was said of it; `since_us`: when it was first spoken of."""

    record_id: str
    type: str
    value: str
    since_us: int
    facts: Facts = field(default_factory=dict)

    def hearing(self, word: Word) -> Group:
        """The group when this is said of it too."""
        later = {
            name: (*word.rank, value)
            for name, value in word.facts.items()
            if name not in self.facts or self.facts[name][:2] < word.rank
        }
        return replace(self, since_us=min(self.since_us, word.time_us), facts={**self.facts, **later})

    def fact(self, name: str) -> Any:
        """What stands of one field; None where nothing does."""
        return orjson.loads(self.facts[name][2]) if name in self.facts else None

    @property
    def traits(self) -> dict[str, Any]:
        """By name; what was taken away is none."""
        said = {name.removeprefix(TRAIT): self.fact(name) for name in sorted(self.facts) if name.startswith(TRAIT)}
        return {name: value for name, value in said.items() if value is not None}


def group_of(word: Word) -> Group:
    """The group when this is all that was said of it."""
    return Group(word.group_id, word.type, word.value, word.time_us).hearing(word)


@dataclass(frozen=True, slots=True)
class Part:
    """One record's part in a group: member since his first word after he last left; None: no member.

    The role is the last one said since then; a word without a role takes none away.
    """

    since: Rank | None = None
    said: Rank | None = None
    role: str | None = None
    left: Rank | None = None

    @property
    def shown(self) -> tuple[Any, ...]:
        """What others see of it."""
        return self.since, self.said, self.role

    def joining(self, word: Word) -> Part:
        """The part when he joins once more, perhaps before what is known."""
        if self.left is not None and word.rank < self.left:
            return self
        part = replace(self, since=min(self.since or word.rank, word.rank))
        if word.role is not None and (self.said is None or self.said < word.rank):
            part = replace(part, said=word.rank, role=word.role)
        return part


def part_of(words: Iterable[Word]) -> Part:
    """The part of the record that all these words are about."""
    listed = list(words)
    part = Part(left=max((w.rank for w in listed if not w.joins), default=None))
    for word in listed:
        part = part.joining(word) if word.joins else part
    return part


def as_one(parts: Iterable[Part]) -> tuple[int, str | None]:
    """(since, role) of a customer whose records these are, all of them members: the earliest, the last one said."""
    listed = list(parts)
    last = max(listed, key=lambda p: p.said or (-1, ""))
    return min(p.since[0] for p in listed if p.since is not None), last.role


@dataclass(frozen=True, slots=True)
class Membership:
    """A member's part in a group, and what his section calls the group."""

    group: Group
    part: Part
    kind: str | None
    name: str | None


def called(group: Group, members: int) -> tuple[str | None, str | None]:
    """(kind, name) as its members are told, `members` being how many records belong to it; one of too many is not."""
    return (group.fact("kind"), group.fact("name")) if members <= NAMED_MEMBERS_MAX else (None, None)


def membership(group: Group, members: int, part: Part) -> Membership:
    """This part in a group to which that many records belong."""
    return Membership(group, part, *called(group, members))


def listed(memberships: Iterable[Membership]) -> list[dict[str, Any]]:
    """The groups of one customer, from his records' memberships; of a hundred at most."""
    found: dict[str, list[Membership]] = {}
    for one in memberships:
        found.setdefault(one.group.record_id, []).append(one)
    shown = sorted(found.values(), key=lambda those: (those[0].group.value, those[0].group.record_id))
    return [_listed(those) for those in shown[:LISTED_MAX]]


def _listed(those: Sequence[Membership]) -> dict[str, Any]:
    since_us, role = as_one(m.part for m in those)
    one = those[0]
    return {
        "group_id": one.group.value,
        "record_id": one.group.record_id,
        "kind": one.kind,
        "name": one.name,
        "role": role,
        "since": moment(since_us),
    }


def shown(group: Group) -> dict[str, Any]:
    """A group as it is answered for itself, however many belong to it."""
    return {
        "group_id": group.value,
        "record_id": group.record_id,
        "type": group.type,
        "kind": group.fact("kind"),
        "name": group.fact("name"),
        "traits": group.traits,
        "since": moment(group.since_us),
    }


def member(customer_id: str, parts: Sequence[Part]) -> dict[str, Any]:
    """A customer who belongs to a group by these of his records."""
    since_us, role = as_one(parts)
    return {"customer_id": customer_id, "role": role, "since": moment(since_us), "records": len(parts)}


def moment(time_us: int) -> str:
    """As answers write it."""
    return rfc3339(moment_at(time_us))
