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
    """Take what they were called from records that nobody else speaks of, and what was decided of them."""
    if records:
        await connection.execute(
            "UPDATE record SET type = '', value = '' WHERE dead AND record_id = any($1::uuid[])", sorted(records)
        )
        await connection.execute(f"DELETE FROM {DECISIONS} WHERE originator_id = any($1::uuid[])", sorted(records))
