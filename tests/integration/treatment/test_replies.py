"""A decision under a key is the same whoever asks again or dies meanwhile, and goes with who is erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from schemas.erasure import erased
from services.runtime.postgres import connect
from services.treatment.api import internal
from tests.support.house import NOON, House, an_event

pytestmark = pytest.mark.asyncio

ANN = an_event("x", {"user_id": ["ann"]}).record_id
OTHER = an_event("x", {"user_id": ["bob"]}).record_id
ASKED = {"channel": "web", "placement": "home", "identifier": {"type": "user_id", "value": "ann"}}
QUESTION: dict[str, Any] = {
    "request": ASKED, "subject": ANN, "record_id": ANN, "records": [ANN], "document": {}, "seen": {},
    "profile_version": 0, "profile_position": None, "key": "k",
}  # fmt: skip


@pytest_asyncio.fixture
async def pages(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Treatment's internal pages over the house's database, with its lane at work."""
    await house.hire("treatment")
    app = internal(house.settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://treatment") as client:
        yield client
    await app.state.database.close()


async def decided(pages: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await pages.post("/decisions", json={**QUESTION, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_who_asks_again_after_a_crash_has_the_same_decision_to_tell(pages: httpx.AsyncClient) -> None:
    first = await decided(pages)
    # The asker died before he published; by now another profile is known, and another record leads the customer.
    again = await decided(pages, document={"identity": {"status": "known"}}, record_id=OTHER)
    assert (first["is_repeated"], again["is_repeated"]) == (False, True)
    assert again["properties"] == first["properties"]
    assert again["told"]["decided_at"] == first["told"]["decided_at"]
    assert again["record_id"] == ANN


async def test_two_who_ask_at_once_under_one_key_are_told_one_decision(pages: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(decided(pages) for _ in range(8)))
    assert len({str(one["properties"]) for one in answers}) == 1
    assert [one["is_repeated"] for one in answers].count(False) == 1


async def test_without_a_key_every_answer_is_a_decision_of_its_own_and_nothing_is_kept(
    pages: httpx.AsyncClient, house: House
) -> None:
    ids = {(await decided(pages, key=None))["told"]["treatment_id"] for _ in range(3)}
    assert len(ids) == 3
    assert await kept(house) == 0


async def test_another_question_under_a_key_is_refused(pages: httpx.AsyncClient) -> None:
    await decided(pages)
    answer = await pages.post("/decisions", json={**QUESTION, "request": {**ASKED, "placement": "cart"}})
    assert (answer.status_code, answer.json()["type"]) == (400, "bad-request")


async def test_of_who_is_erased_nothing_stays_kept_and_nothing_is_decided(
    pages: httpx.AsyncClient, house: House
) -> None:
    await decided(pages)
    assert await kept(house) == 1
    house.publish(erased(ANN, "gone", "customer360", NOON))
    await house.settle()
    assert await kept(house) == 0
    for key in ("k", "another", None):
        answer = await pages.post("/decisions", json={**QUESTION, "key": key})
        assert (answer.status_code, answer.json()["type"]) == (410, "erased")


async def test_what_is_kept_under_a_key_holds_nothing_that_was_found_of_the_customer(
    pages: httpx.AsyncClient, house: House
) -> None:
    secret = {"contact": {"name": "Ann Lee"}, "value": {"churn": {"state": "Ann's own word"}}}
    question = {**ASKED, "context": {"note": "Ann's diary"}}
    told = (await decided(pages, document=secret, seen=secret, request=question))["told"]
    assert "Ann's own word" in str(told["left_out"]), "the answer says what was found"
    connection = await connect(house.settings, "treatment")
    try:
        assert "Ann" not in str(await connection.fetchval("SELECT told FROM reply"))
    finally:
        await connection.close()


async def test_a_change_of_the_policy_waits_for_nobody_and_counts_for_the_next_decision(
    pages: httpx.AsyncClient, house: House
) -> None:
    tea = {"kind": "offer", "value": 1}
    before = (await pages.get("/policy")).json()
    assert before["reviewed"], "nobody is looked at again"
    await house.enforce("treatment", "treatment.policy", {"currency": "EUR", "actions": {"tea": tea}})
    found = await decided(pages, key=None)
    assert (found["told"]["action"]["action_id"], found["told"]["policy_number"]) == ("tea", before["number"] + 1)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"request": {}}', b'{"request": {"placement": "x", "channel": 7}}']
)
async def test_a_question_that_cannot_be_read_is_refused(pages: httpx.AsyncClient, body: bytes) -> None:
    answer = await pages.post("/decisions", content=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "bad-request")


async def kept(house: House) -> int:
    connection = await connect(house.settings, "treatment")
    try:
        found: int = await connection.fetchval("SELECT count(*) FROM reply")
        return found
    finally:
        await connection.close()
