"""Members while a rebuild gathers: rows and bindings, without looking at any group (runtime/gathering.py).

Owns writing them, with the same outcome as grouping.py's, and reading which groups there are at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from schemas.codec import Version
from services.runtime.batch import Work
from services.runtime.grouping import Binding, newest_of
from services.runtime.postgres import Connection

KNOWN_MAX = 500_000
"""Members known to have a row; they are forgotten all at once."""


class Known:
    """Members that have a row for sure: nothing has to be written of them. Only what was committed is known."""

    def __init__(self, members_max: int = KNOWN_MAX) -> None:
        self.members_max = members_max
        self.members: set[str] = set()

    def take(self, members: Collection[str]) -> None:
        """These have one. Called after COMMIT."""
        if len(self.members) + len(members) > self.members_max:
            self.members.clear()
        self.members.update(members)


async def gather(work: Work, members: Collection[str], bindings: Iterable[Binding], known: Known) -> None:
    """Make rows of these members and bind them, as `lock` does, without looking at any group."""
    newest = newest_of(bindings)
    ids = sorted({m for m in members if m not in known.members} | newest.keys())
    if not ids:
        return
    own = [newest.get(i) or Binding(i, i, Version(0, 0)) for i in ids]
    await work.connection.execute(
        """
        INSERT INTO member AS m (member_id, group_id, epoch, n)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
        ON CONFLICT (member_id) DO UPDATE SET group_id = excluded.group_id, epoch = excluded.epoch, n = excluded.n
        WHERE (excluded.epoch, excluded.n) > (m.epoch, m.n)
        """,
        ids,
        [b.group for b in own],
        [b.version.epoch for b in own],
        [b.version.n for b in own],
    )
    work.after_commit.append(partial(known.take, ids))


async def groups_gathered(connection: Connection, after: str, count: int) -> list[str]:
    """The next groups that have members, by id."""
    rows = await connection.fetch(
        "SELECT DISTINCT group_id FROM member WHERE group_id > $1 ORDER BY group_id LIMIT $2", after, count
    )
    return [str(r["group_id"]) for r in rows]
