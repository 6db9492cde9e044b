"""What is left of what was erased: nothing that says who they were.

Owns the SQL that deletes mentions for good, and empties what must stay so that versions go on. Runs under the writer
lock. Evidence that others gave of the same identifiers is theirs, and stays.
"""

from __future__ import annotations

from collections.abc import Collection

from services.identity.domain.mentions import Mention
from services.identity.store.mentions import mention_row
from services.runtime.eventstore import DECISIONS
from services.runtime.forgetting import Erased, delete
from services.runtime.postgres import Connection


async def forget(connection: Connection, erased: Erased) -> list[Mention]:
    """Delete what is erased of mentions; of it what was alive until now."""
    rows = await delete(connection, "mention", erased, "*")
    if erased.records:
        await connection.execute("DELETE FROM removal WHERE record_id = any($1::uuid[])", sorted(erased.records))
    return [mention_row(r) for r in rows if not r["dead"]]


async def empty(connection: Connection, records: Collection[str]) -> None:
    """Take what they were called from those erased that nobody speaks of any more, and what was decided of them.

    What others said may be taken back long after the record was erased: whoever takes anything back asks for this.
    """
    rows = await connection.fetch(
        """
        UPDATE record r SET type = '', value = '' FROM erased e
        WHERE r.record_id = e.record_id AND r.dead AND r.record_id = any($1::uuid[]) RETURNING r.record_id
        """,
        sorted(records),
    )
    if rows:
        ids = [r["record_id"] for r in rows]
        await connection.execute(f"DELETE FROM {DECISIONS} WHERE originator_id = any($1::uuid[])", ids)
