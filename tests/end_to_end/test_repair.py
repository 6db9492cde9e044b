"""Customers whose rows are wrong are repaired by `c360 repair`: shown first, then put right and told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from schemas.envelope import rfc3339
from tests.support.doors import Doors, Named, Source

pytestmark = pytest.mark.faults
"""They have a copy of their own, or take long."""

CUSTOMERS = 3
UNKNOWN = "00000000-0000-4000-8000-000000000001"


def _bought(own: Named, n: int, order: int) -> dict[str, Any]:
    about = {"order_id": own(f"r{n}.{order}"), "currency": "USD", "subtotal": 40}
    return {"type": "order.completed", "identifiers": {"crm_id.acme": own(f"r{n}")}, "properties": about}


def _run(doors: Doors, service: str, sql: str, *arguments: Any) -> Any:
    """On the live generation of a service, past everybody."""

    async def act() -> Any:
        connection = await asyncpg.connect(doors.copy.database)
        try:
            live = await connection.fetchval(f"SELECT live FROM {service}.generation")
            await connection.execute(f"SET search_path TO {service}_g{live}")
            return await connection.fetchval(sql, *arguments)
        finally:
            await connection.close()

    return asyncio.run(act())


def _net(doors: Doors, customers: list[str], position: str | None = None) -> list[str]:
    return [doors.profile(one, position)["value"]["actual"]["revenue"] for one in customers]


MINE = "record_id IN (SELECT member_id FROM member WHERE group_id = any($1::uuid[]))"


@pytest.mark.feature("O1")
def test_wrong_rows_of_customers_and_of_a_time_are_shown_repaired_and_told(
    doors: Doors, web: Source, own: Named
) -> None:
    copy = doors.copy
    doors.profile(doors.customer_of("crm_id.acme", own("r9"), doors.send(web, _bought(own, 9, 0))))
    since = rfc3339(datetime.now(UTC))
    position = doors.send(web, *(_bought(own, n, 0) for n in range(CUSTOMERS)))
    customers = [doors.customer_of("crm_id.acme", own(f"r{n}"), position) for n in range(CUSTOMERS)]
    copy.command("wait")
    assert _net(doors, customers) == ["40.00"] * CUSTOMERS
    _run(doors, "value", f"UPDATE day SET net = net * 2 WHERE {MINE}", customers[:2])
    _run(doors, "interaction", f"DELETE FROM history WHERE {MINE}", customers[:1])

    shown = copy.run("repair", "value", "--customer", customers[0], "--json")
    assert shown.returncode == 1, shown.stderr
    assert customers[0] in shown.stdout
    done = copy.json("repair", "value", "--customer", customers[0], "--execute", "--reason", "doubled")
    assert (done["differing"], done["replaced"], done["tables"]) == (1, 1, {"day": 1})
    wrong = copy.run("repair", "value", "--from", since)
    assert (wrong.returncode, customers[1] in wrong.stdout, customers[2] in wrong.stdout) == (1, True, False)
    assert "say --execute" in wrong.stdout
    assert copy.json("repair", "value", "--from", since, "--execute")["replaced"] == 1
    assert copy.json("repair", "interaction", "--customer", customers[0], "--execute")["tables"] == {"history": 1}
    position = doors.send(web, *(_bought(own, n, 1) for n in range(CUSTOMERS)))
    assert _net(doors, customers, position) == ["80.00"] * CUSTOMERS
    assert "0 customers differ" in copy.command("repair", "value", "--from", since)
    told = [step for step in copy.json("replay", "status", "value")["steps"] if step["what"] == "repaired"]
    assert told[-2]["reason"] == "doubled"


def test_a_repair_that_cannot_be_says_why(doors: Doors, web: Source, own: Named) -> None:
    doors.send(web, _bought(own, 0, 0))
    doors.copy.command("wait")
    for words, why in (
        (("value", "--from", "2001-01-01T00:00:00Z"), "the log begins at"),
        (("value", "--customer", UNKNOWN), "nobody is known as"),
        (("value", "--customer", "ann"), "no customer id"),
        (("value", "--from", "yesterday"), "no time such as"),
        (("value",), "say either"),
        (("identity", "--customer", UNKNOWN), "replay start identity"),
        (("intake", "--customer", UNKNOWN), "nothing to rebuild"),
    ):
        done = doors.copy.run("repair", *words, "--execute")
        assert done.returncode != 0
        assert why in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
