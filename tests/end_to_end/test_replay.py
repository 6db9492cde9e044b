"""A service that booked wrongly is rebuilt beside the live one, compared, put in place, taken back, while all ask."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from tests.support.doors import Doors, Named, Source
from tests.support.running import until

CUSTOMERS = 5
WRONG = 2
TIMEOUT_S = 40.0
RATE = "20000"


def _bought(own: Named, n: int, order: int) -> dict[str, Any]:
    about = {"order_id": own(f"o{n}.{order}"), "currency": "USD", "subtotal": 40}
    return {"type": "order.completed", "identifiers": {"crm_id.acme": own(f"c{n}")}, "properties": about}


def _refunded(own: Named, n: int) -> dict[str, Any]:
    about = {"order_id": own(f"o{n}.0"), "currency": "USD", "total": 10}
    return {"type": "order.refunded", "identifiers": {"crm_id.acme": own(f"c{n}")}, "properties": about}


def _book_twice(doors: Doors, customers: list[str]) -> None:
    """What a fault in the code would have done to these customers' rows."""

    async def act() -> None:
        connection = await asyncpg.connect(doors.copy.database)
        try:
            live = await connection.fetchval("SELECT live FROM value.generation")
            await connection.execute(
                f"UPDATE value_g{live}.day SET refunds = refunds * 2, net = net - refunds"
                f" WHERE record_id IN (SELECT member_id FROM value_g{live}.member WHERE group_id = any($1::uuid[]))",
                customers,
            )
        finally:
            await connection.close()

    asyncio.run(act())


def _refunds(doors: Doors, customers: list[str]) -> list[str]:
    return [doors.profile(customer)["value"]["actual"]["refunds"] for customer in customers]


@contextmanager
def _asked_all_the_time(doors: Doors, customer: str) -> Iterator[list[int]]:
    """Somebody asks for a profile and for its value again and again; the statuses he got."""
    seen: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            seen.append(doors.ask(f"/v1/customers/{customer}").status_code)
            seen.append(doors.ask(f"/v1/customers/{customer}/value").status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield seen
    finally:
        ended.set()
        asking.join()


def _is_level(doors: Doors) -> bool:
    beside = doors.copy.json("replay", "status", "value")["beside"]
    return beside is not None and beside["left"] == 0 and beside["worker"] == "fetching"


@pytest.fixture
def replaying(doors: Doors) -> Iterator[Doors]:
    """The copy, which has no other generation of value before and after."""
    yield doors
    doors.copy.run("replay", "abort", "value", "--execute")


@pytest.mark.faults
@pytest.mark.feature("O1")
def test_refunds_booked_twice_are_found_put_right_and_could_be_taken_back(
    replaying: Doors, web: Source, own: Named
) -> None:
    doors, copy = replaying, replaying.copy
    position = doors.send(web, *(_bought(own, n, 0) for n in range(CUSTOMERS)))
    doors.send(web, *(_refunded(own, n) for n in range(CUSTOMERS)))
    customers = [doors.customer_of("crm_id.acme", own(f"c{n}"), position) for n in range(CUSTOMERS)]
    copy.command("wait")
    _book_twice(doors, customers[:WRONG])
    doors.send(web, *(_bought(own, n, 1) for n in range(CUSTOMERS)))
    copy.command("wait")
    assert _refunds(doors, customers) == ["20.00"] * WRONG + ["10.00"] * (CUSTOMERS - WRONG)

    assert copy.json("replay", "plan", "value")["records"] > 0
    assert copy.json("replay", "start", "value", "--rate", RATE)["execute"] is False
    assert copy.json("replay", "status", "value")["beside"] is None, "without --execute nothing happens"
    with _asked_all_the_time(doors, customers[-1]) as seen:
        copy.command("replay", "start", "value", "--rate", RATE, "--execute", "--reason", "refunds booked twice")
        assert "is being built" in copy.run("replay", "start", "value", "--execute").stderr
        os.kill(until(lambda: copy.pids().get("value.rebuild", 0), "the rebuild runs", TIMEOUT_S), signal.SIGKILL)
        until(lambda: _is_level(doors), "the rebuild follows the tail", TIMEOUT_S)
        found = copy.run("replay", "diff", "value", "--json")
        assert found.returncode == 1, found.stderr
        _check_diff(found.stdout, customers[:WRONG])
        wrong = copy.run("verify", "value")
        assert wrong.returncode == 1, wrong.stderr
        assert "day " in wrong.stdout

        assert _put_in_place(doors, "swap")["retelling"]["told"] == WRONG
        assert _refunds(doors, customers) == ["10.00"] * CUSTOMERS
        _put_in_place(doors, "rollback")
        assert _refunds(doors, customers) == ["20.00"] * WRONG + ["10.00"] * (CUSTOMERS - WRONG)
        _put_in_place(doors, "swap")
        copy.command("replay", "abort", "value", "--execute", "--reason", "it is right")
        position = doors.send(web, _bought(own, 0, 2))
        assert doors.profile(customers[0], position)["value"]["actual"]["orders"] == 3
        assert _refunds(doors, customers) == ["10.00"] * CUSTOMERS
    assert seen.count(200) == len(seen) > 0, "somebody was not answered"
    steps = [step["what"] for step in copy.json("replay", "status", "value")["steps"]][-5:]
    assert steps == ["started", "swapped", "rolled_back", "swapped", "dropped"]


def _put_in_place(doors: Doors, step: str) -> dict[str, Any]:
    """Swap or roll back, as soon as the other generation is level, and wait until profiles show it."""
    until(lambda: _is_level(doors), "the other generation follows the tail", TIMEOUT_S)
    told: dict[str, Any] = doors.copy.json("replay", step, "value", "--execute")
    doors.copy.command("wait")
    return told


def _check_diff(text: str, customers: list[str]) -> None:
    found = json.loads(text)["topics"]["value.customers"]
    assert (found["changed"], found["only_live"], found["only_rebuilt"]) == (len(customers), 0, 0)
    assert {sample["key"] for sample in found["samples"]} == set(customers)
    assert "actual" in found["fields"]
