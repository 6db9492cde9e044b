"""The oracle's word on groups: who belongs to what, of all events of the log at once.

Knows nothing of batches, order or tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from functools import partial

from schemas.envelope import Event
from schemas.identifiers import record_id
from services.identity.domain.groups import Group, Membership, Part, Word, group_of, membership, part_of, word_of
from services.runtime.withdrawing import retracted_by
from tests.support.databases import KEY

IDS = partial(record_id, bytes.fromhex(KEY))


def words_in(events: Collection[Event], back: Collection[str] = ()) -> list[Word]:
    """What counts of what these events say of groups; each event is in it once. `back`: taken back by others."""
    withdrawn = {target for e in events if (target := retracted_by(e)) is not None} | set(back)
    said = (word_of(e, IDS) for e in events if e.event_id not in withdrawn)
    return [word for word in said if word is not None]


def groups_in(words: Iterable[Word]) -> dict[str, Group]:
    """record id → group."""
    found: dict[str, Group] = {}
    for word in words:
        found[word.group_id] = found[word.group_id].hearing(word) if word.group_id in found else group_of(word)
    return found


def parts_in(words: Iterable[Word]) -> dict[tuple[str, str], Part]:
    """(group's record id, member's record id) → his part."""
    about: dict[tuple[str, str], list[Word]] = {}
    for word in words:
        if word.member_id is not None:
            about.setdefault((word.group_id, word.member_id), []).append(word)
    return {pair: part_of(those) for pair, those in about.items()}


def memberships_in(events: Collection[Event], back: Collection[str] = ()) -> dict[str, list[Membership]]:
    """member's record id → where it belongs."""
    words = words_in(events, back)
    groups, parts = groups_in(words), parts_in(words)
    present = [(group, member, part) for (group, member), part in parts.items() if part.since is not None]
    members = Counter(group for group, _, _ in present)
    found: dict[str, list[Membership]] = {}
    for group, member, part in present:
        found.setdefault(member, []).append(membership(groups[group], members[group], part))
    return found
