"""Recall: facts as they were last read or written, taken from memory while nobody else wrote of their record.

Owns when a memory counts. Every transaction that changes a record's facts writes the record's row of `member` too, so
facts count as long as PostgreSQL names the same writer of that row (xmin): what another worker wrote, and what was
rolled back, is not recalled, whoever forgot to say so. Must not change what is folded, only what it costs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping

import msgspec

from services.interaction.domain.facts import Fact
from services.interaction.domain.families import FOLDED_MAX, Family, family_of
from services.interaction.store.facts import FactsOf, facts_of
from services.runtime.grouping import Locked
from services.runtime.postgres import Connection

RECALLED_FACTS_MAX = 40_000
"""Facts kept in mind, about a kilobyte each; records not heard of for longest are forgotten first."""
NOTHING: dict[Family, list[Fact]] = {}


class Kept(msgspec.Struct):
    """What is known of a record: the `writer` of its row then, and its facts by family, the newest first.

    `is_all`: it has none of the families that are not there; else these are not known.
    """

    writer: int
    facts: dict[Family, list[Fact]]
    is_all: bool

    @property
    def size(self) -> int:
        """In facts; a record without any costs something as well."""
        return 1 + sum(map(len, self.facts.values()))


class Recall:
    """record → what is known of it. One per lane."""

    def __init__(self, facts_max: int = RECALLED_FACTS_MAX) -> None:
        self.facts_max = facts_max
        self.count = 0
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    async def facts_of(
        self, connection: Connection, asked: Mapping[str, Collection[Family]], locked: Locked, new: FactsOf
    ) -> FactsOf:
        """record → family → its facts, `new` ones of this batch among them; what is not recalled is read."""
        found: FactsOf = {}
        missing: dict[str, list[Family]] = {}
        for record, families in asked.items():
            known, added = self._known(record, locked), new.get(record, NOTHING)
            mine = found[record] = {}
            for family in families:
                if known is not None and (known.is_all or family in known.facts):
                    mine[family] = _with(known.facts.get(family, []), added.get(family), family)
                else:
                    missing.setdefault(record, []).append(family)
        for record, read in (await facts_of(connection, missing)).items():
            found[record] |= read
        return found

    def keep(
        self, found: FactsOf, locked: Locked, new: FactsOf, written: Collection[str], writer: int | None
    ) -> None:
        """Keep what was found; rows of `written` are the writer's now, and their records' facts are with the new."""
        for record in {*found, *written}:
            known = self._known(record, locked)
            self.forget(record)
            facts = {} if known is None else known.facts
            for family, added in new.get(record, NOTHING).items():
                if known is not None and (known.is_all or family in facts):
                    facts[family] = _with(facts.get(family, []), added, family)
            facts |= found.get(record, NOTHING)
            last = writer if record in written else locked.writers.get(record)
            if last is not None:
                kept = self._kept[record] = Kept(last, facts, known is not None and known.is_all)
                self.count += kept.size
        while self.count > self.facts_max:
            self.count -= self._kept.popitem(last=False)[1].size

    def forget(self, record: str) -> None:
        """What is not kept is read."""
        kept = self._kept.pop(record, None)
        if kept is not None:
            self.count -= kept.size

    def _known(self, record: str, locked: Locked) -> Kept | None:
        """What it had said before this batch; None where that must be read."""
        if record in locked.new:
            return Kept(0, {}, True)
        kept = self._kept.get(record)
        return kept if kept is not None and kept.writer == locked.writers.get(record) else None


def by_record(facts: Iterable[Fact]) -> FactsOf:
    """record → family → these facts."""
    found: FactsOf = {}
    for fact in facts:
        found.setdefault(fact.record_id, {}).setdefault(family_of(fact.kind), []).append(fact)
    return found


def _with(known: list[Fact], added: list[Fact] | None, family: Family) -> list[Fact]:
    """As they would be read."""
    if not added:
        return known
    return sorted([*added, *known], key=_rank, reverse=True)[: FOLDED_MAX[family]]


def _rank(fact: Fact) -> tuple[int, str, int]:
    return fact.time_us, fact.event_id, fact.part
