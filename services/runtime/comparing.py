"""`diff` and `verify`: what a rebuild says otherwise than the live generation, at the same positions.

Owns counting and naming differences: of told states by key and field, of rows by key. Shows no content: ids only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.runtime.batch import Tells
from services.runtime.checksums import Table, differing_rows, sums, table_names, tables_of
from services.runtime.contents import BEFORE_ALL, Content, contents, fields, keys_after
from services.runtime.level import Level
from services.runtime.uncompared import Uncompared

KEYS_AT_ONCE = 500
SAMPLES_MAX = 100
ROWS_NAMED_MAX = 1_000

Progress = Callable[[str], None]


@dataclass(slots=True)
class Difference:
    """Of one topic: how many keys say the same, otherwise, only in live, only in the other; in which fields."""

    same: int = 0
    changed: int = 0
    only_live: int = 0
    only_rebuilt: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    samples: list[dict[str, Any]] = field(default_factory=list)

    def count(self, key: str, live: Content, other: Content, nothing: Any, samples_max: int) -> None:
        """One key of either."""
        if live == other:
            self.same += live.body != nothing
            return
        differing = fields(live.body, other.body) or ["members"]
        if live.body == nothing:
            self.only_rebuilt += 1
        elif other.body == nothing:
            self.only_live += 1
        else:
            self.changed += 1
            self.fields.update(differing)
        if len(self.samples) < samples_max:
            self.samples.append({"key": key, "fields": differing})

    @property
    def total(self) -> int:
        """How many keys differ."""
        return self.changed + self.only_live + self.only_rebuilt


async def diff(
    level: Level, tells: Mapping[str, Tells], samples_max: int, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Topic → what its told states say, as Difference's fields."""
    found = {}
    for topic in sorted(tells):
        one = Difference()
        after = BEFORE_ALL
        while keys := await keys_after(level.live, level.other, tells[topic], after, KEYS_AT_ONCE):
            live = await contents(level.live.connection, tells[topic], keys)
            other = await contents(level.other.connection, tells[topic], keys)
            for key in keys:
                one.count(key, live[key], other[key], tells[topic].emptied(key), samples_max)
            after = keys[-1]
            progress(f"{topic}: {one.same + one.total:,} compared, {one.total:,} differ")
        found[topic] = {
            "same": one.same, "changed": one.changed, "only_live": one.only_live, "only_rebuilt": one.only_rebuilt,
            "fields": dict(sorted(one.fields.items())), "samples": one.samples,
        }  # fmt: skip
    return found


async def verify(level: Level, uncompared: Uncompared, progress: Progress) -> dict[str, Any]:
    """Checksums of every table of both; the rows that differ, by their keys, and what was left out."""
    here = await tables_of(level.live.connection, level.live.schema, uncompared)
    there = await tables_of(level.other.connection, level.other.schema, uncompared)
    differing: list[dict[str, Any]] = []
    rows = 0
    for name in sorted(here.keys() | there.keys()):
        if here.get(name) != there.get(name):
            differing.append({"table": name, "only": "live" if name not in there else "rebuilt or other columns"})
            continue
        found, count = await _table(level, here[name])
        differing += found
        rows += count
        progress(f"{name}: {count:,} rows, {len(found):,} differ")
    return {
        "tables": len(here), "rows": rows, "differing": differing[:ROWS_NAMED_MAX], "differing_total": len(differing),
        "uncompared": uncompared.listed(await table_names(level.live.connection, level.live.schema)),
    }  # fmt: skip


async def _table(level: Level, table: Table) -> tuple[list[dict[str, Any]], int]:
    left = await sums(level.live.connection, level.live.schema, table)
    right = await sums(level.other.connection, level.other.schema, table)
    buckets = sorted(b for b in left.keys() | right.keys() if left.get(b) != right.get(b))
    rows = sum(count for count, _ in left.values())
    if not buckets:
        return [], rows
    one = await differing_rows(level.live.connection, level.live.schema, table, buckets)
    other = await differing_rows(level.other.connection, level.other.schema, table, buckets)
    found = []
    for key in sorted(one.keys() | other.keys()):
        if one.get(key) != other.get(key):
            where = "live" if key not in other else "rebuilt" if key not in one else "both"
            found.append({"table": table.name, "key": key, "in": where})
    return found, rows
