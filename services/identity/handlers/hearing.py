"""Already seen? What an event mentions, whether that may be new, and whether it was taken back before it came.

Owns the cache of what adds nothing; it holds only what was committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
import orjson

from schemas.envelope import Event, microseconds
from schemas.identifiers import Identifier, record_id
from services.identity import store
from services.identity.domain.evidence import NEVER_US, Evidence
from services.identity.domain.mentions import Mention, mention_of
from services.identity.domain.observing import ABOUT_EVIDENCE, ASSERTIONS, observe
from services.runtime.postgres import Connection
from services.runtime.withdrawing import Withdrawals

KNOWN_MAX = 100_000
"""Entries of the cache of evidence that is stored; it is emptied when full."""

Key = tuple[str, str, bytes]
"""(record, source, identifiers as JSON)."""
_ALWAYS_READ = frozenset({"alias.asserted", *ASSERTIONS, *ABOUT_EVIDENCE})


class Known(msgspec.Struct, frozen=True, gc=False):
    """Of what events of one kind mention: the earliest time from which another adds nothing, and their `said`."""

    since_us: int
    said: str | None


class Heard(msgspec.Struct, frozen=True, gc=False):
    """An event's mention, and its evidence where that may be new. `key` names all events that mention the same."""

    event: Event
    mention: Mention
    evidence: Evidence | None
    key: Key | None


class Hearing:
    """Turns events into mentions. `known` holds for as long as nothing is taken back (`withdrawals`)."""

    def __init__(self, deployment_key: bytes) -> None:
        self.known: dict[Key, Known] = {}
        self.withdrawals = 0
        self._record_id = partial(record_id, deployment_key)
        self._ids: dict[Identifier, str] = {}

    def forget(self) -> None:
        """Empty the cache: after a fence, a rebalance or a rollback it may hold what was never stored."""
        self.known.clear()

    def forget_if_taken_back(self, held: Withdrawals) -> None:
        """Empty the cache when anything was taken back since the last batch."""
        if held.count != self.withdrawals:
            self.forget()
            self.withdrawals = held.count

    def hear(self, event: Event) -> Heard | None:
        """The event's mention; None where it has no evidence."""
        time_us = microseconds(event.time)
        key = _key(event)
        known = self.known.get(key) if key is not None else None
        if known is not None and (event.clamped or time_us > known.since_us):
            first_us = NEVER_US if event.clamped else time_us
            mention = Mention(event.event_id, event.record_id, event.source, time_us, first_us, True, known.said)
            return Heard(event, mention, None, key)
        evidence = observe(event, time_us, self.id_of)
        found = mention_of(event, time_us, evidence)
        return Heard(event, found, evidence, key) if found is not None else None

    def remember(self, heard: Sequence[Heard]) -> None:
        """After COMMIT: what these mention adds nothing from now on."""
        if len(self.known) + len(heard) > KNOWN_MAX:
            self.known.clear()
        for one in heard:
            if one.key is None or one.mention.first_us == NEVER_US:
                continue
            known = self.known.get(one.key)
            if known is None or one.mention.first_us < known.since_us:
                self.known[one.key] = Known(one.mention.first_us, one.mention.said)

    def id_of(self, identifier: Identifier) -> str:
        """The identifier's record id."""
        found = self._ids.get(identifier)
        if found is None:
            if len(self._ids) >= KNOWN_MAX:
                self._ids.clear()
            found = self._ids[identifier] = self._record_id(identifier)
        return found


def _key(event: Event) -> Key | None:
    data = event.data
    if data.get("traits") or event.type in _ALWAYS_READ or event.type.startswith("group."):
        return None
    identifiers = orjson.dumps(data.get("identifiers", {}), option=orjson.OPT_SORT_KEYS)
    return event.record_id, event.source, identifiers


async def dead_on_arrival(connection: Connection, heard: Sequence[Heard], held: Withdrawals) -> set[tuple[str, str]]:
    """(record id, event id) of what was taken back, or removed by its source, before it came."""
    if not held.count:
        return set()
    mentions = [h.mention for h in heard]
    until = await store.removed_until(connection, (m.record_id for m in mentions))
    return {
        m.place
        for m in mentions
        if m.event_id in held.here or (m.seen and m.time_us <= until.get((m.record_id, m.source), -NEVER_US))
    }
