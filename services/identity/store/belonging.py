"""Groups and parts read: by the lane for its members' sections, and by answers in the same way.

Owns reading group_record and group_part; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from services.identity.domain.groups import NAMED_MEMBERS_MAX, Group, Membership, Part, Rank, membership
from services.runtime.postgres import Connection


def group_row(r: Any) -> Group:
    facts = {name: tuple(fact) for name, fact in orjson.loads(r["facts"]).items()}
    return Group(str(r["record_id"]), r["type"], r["value"], r["since_us"], facts)


def _rank(time_us: int | None, event_id: Any) -> Rank | None:
    return None if time_us is None else (time_us, str(event_id))


def part_row(r: Any) -> Part:
    return Part(
        _rank(r["since_us"], r["since_event"]),
        _rank(r["said_us"], r["said_event"]),
        r["role"],
        _rank(r["left_us"], r["left_event"]),
    )


async def groups(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[Group, int]]:
    """group's record id → the group and how many records belong to it, counted as far as it matters to a name."""
    rows = await connection.fetch(
        """
        SELECT g.*, (
            SELECT count(*) FROM (
                SELECT FROM group_part p WHERE p.group_id = g.record_id AND p.since_us IS NOT NULL LIMIT $2
            ) AS counted
        ) AS members
        FROM group_record g WHERE g.record_id = any($1::uuid[])
        """,
        list(ids),
        NAMED_MEMBERS_MAX + 1,
    )
    return {str(r["record_id"]): (group_row(r), r["members"]) for r in rows}


async def memberships(connection: Connection, records: Sequence[str]) -> dict[str, list[Membership]]:
    """record → the groups it belongs to now."""
    rows = await connection.fetch(
        "SELECT * FROM group_part WHERE member_id = any($1::uuid[]) AND since_us IS NOT NULL", records
    )
    known = await groups(connection, {str(r["group_id"]) for r in rows}) if rows else {}
    found: dict[str, list[Membership]] = {}
    for r in rows:
        group, members = known[str(r["group_id"])]
        found.setdefault(str(r["member_id"]), []).append(membership(group, members, part_row(r)))
    return found


# A record that identity knows is its customer's; any other stands for itself.
_OWNED = """
    WITH owned AS (
        SELECT coalesce(r.customer_id, p.member_id) AS customer_id, p.* FROM group_part p
        LEFT JOIN record r ON r.record_id = p.member_id AND NOT r.dead WHERE p.group_id = $1
    )
"""


async def members(connection: Connection, group_id: str, after: str | None, most: int) -> dict[str, list[Part]]:
    """customer → the parts of his records that belong to the group now; by customer id, `most` at most."""
    rows = await connection.fetch(
        _OWNED
        + """
        SELECT * FROM owned WHERE since_us IS NOT NULL AND customer_id IN (
            SELECT DISTINCT customer_id FROM owned
            WHERE since_us IS NOT NULL AND ($2::uuid IS NULL OR customer_id > $2) ORDER BY customer_id LIMIT $3
        )
        ORDER BY customer_id
        """,
        group_id,
        after,
        most,
    )
    found: dict[str, list[Part]] = {}
    for r in rows:
        found.setdefault(str(r["customer_id"]), []).append(part_row(r))
    return found


async def totals(connection: Connection, group_id: str) -> dict[str, int]:
    """How many customers belong to the group, and how many did and left it with all their records."""
    row = await connection.fetchrow(
        _OWNED
        + """
        SELECT count(*) FILTER (WHERE belongs) AS members, count(*) FILTER (WHERE NOT belongs) AS gone
        FROM (SELECT bool_or(since_us IS NOT NULL) AS belongs FROM owned GROUP BY customer_id) AS customer
        """,
        group_id,
    )
    assert row is not None
    return {"members": row["members"], "left": row["gone"]}


async def named_by_others(connection: Connection, records: Sequence[str]) -> list[list[str]]:
    """[record id, event id] of what was said under other records: who belongs to a group, who is whom."""
    rows = await connection.fetch(
        """
        SELECT group_id AS record_id, event_id FROM group_word WHERE member_id = any($1::uuid[])
        UNION
        SELECT m.record_id, m.event_id FROM mention m WHERE NOT m.seen AND m.record_id <> all($1::uuid[])
          AND m.event_id = any(ARRAY(SELECT event_id FROM assertion WHERE a = any($1::uuid[])
                                     UNION SELECT event_id FROM assertion WHERE b = any($1::uuid[])))
        ORDER BY 1, 2
        """,
        records,
    )
    return [[str(r["record_id"]), str(r["event_id"])] for r in rows]
