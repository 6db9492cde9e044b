"""Keys on a running copy: how often they may ask, from which pages, and who read personal data of whom."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.doors import Doors, Named, Source
from tests.support.running import until

NOTED_WITHIN_S = 10.0
PAGE = "https://shop.example"
READS = "/v1/audit/reads"


@pytest.fixture
def ann(doors: Doors, web: Source, own: Named) -> str:
    who = {"user_id": own("ann"), "email": f"{own('ann')}@mail.example"}
    event = {"type": "contact.identified", "identifiers": who, "traits": {"name": "Ann Example"}}
    return doors.customer_of("user_id", own("ann"), doors.send(web, event))


def made(doors: Doors, own: Named, name: str, *more: str) -> Any:
    """A key of this test's own, by the command."""
    return doors.copy.json("key", "create", own(name), "--scope", "profile:read", *more)


def test_who_asks_too_often_is_told_when_to_come_back_and_others_are_not(doors: Doors, own: Named, ann: str) -> None:
    slow = made(doors, own, "slow", "--requests-per-s", "2")["key"]
    path = f"/v1/customers/{ann}"
    with ThreadPoolExecutor(8) as several:
        answers: list[httpx.Response] = list(several.map(lambda _: doors.ask(path, key=slow), range(24)))
    refused = [one for one in answers if one.status_code == 429]
    assert refused
    assert {one.status_code for one in answers} == {200, 429}
    assert {one.json()["type"] for one in refused} == {"too-many-requests"}
    assert all(int(one.headers["Retry-After"]) >= 1 for one in refused)
    assert doors.ask(path, key=doors.key("profile:read")).status_code == 200
    until(lambda: doors.ask(path, key=slow).status_code == 200, "it may ask again", NOTED_WITHIN_S)


def test_a_browser_is_told_which_pages_may_ask_and_a_key_is_for_its_pages_alone(
    doors: Doors, own: Named, ann: str
) -> None:
    key = made(doors, own, "browser", "--origin", PAGE)["key"]
    path = f"/v1/customers/{ann}"
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}

    def preflight(origin: str) -> httpx.Response:
        return doors.http.options(doors.copy.profile + path, headers={**asks, "Origin": origin})

    until(lambda: preflight(PAGE).status_code == 204, "the new key is known", NOTED_WITHIN_S)
    told = preflight(PAGE)
    assert told.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Authorization" in told.headers["Access-Control-Allow-Headers"]
    assert preflight("https://evil.example").status_code == 403
    answered = doors.ask(path, key=key, headers={"Origin": PAGE})
    assert (answered.status_code, answered.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert "C360-Position" in answered.headers["Access-Control-Expose-Headers"]
    refused = doors.ask(path, key=key, headers={"Origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert doors.ask(path, key=key).status_code == 200, "a server sends no origin"
    plain = doors.ask(path, key=doors.key("profile:read"), headers={"Origin": PAGE})
    assert (plain.status_code, "Access-Control-Allow-Origin" in plain.headers) == (200, False)
    bad = doors.copy.run("key", "create", own("x"), "--scope", "profile:read", "--origin", "shop.example")
    assert bad.returncode != 0
    assert "origins" in bad.stderr


def test_reads_of_personal_data_are_noted_without_any_and_reads_of_masked_data_are_not(
    doors: Doors, own: Named, ann: str
) -> None:
    agent = made(doors, own, "agent", "--scope", "profile:pii")
    for _ in range(3):
        doors.ask(f"/v1/customers/{ann}", key=agent["key"])
    doors.ask(f"/v1/customers/{ann}/identity", key=agent["key"])
    found = doors.ask("/v1/customers", key=agent["key"], query=f"{own('ann')}@mail.example").json()["items"]
    assert [one["customer_id"] for one in found] == [ann]
    doors.ask(f"/v1/customers/{ann}", key=doors.key("profile:read"))
    answer = doors.ask(READS, customer_id=ann)
    assert answer.status_code == 200, answer.text
    mine = [one for one in answer.json()["reads"] if one["key_id"] == agent["key_id"]]
    calls: dict[str, int] = {}
    for one in mine:
        calls[one["call"]] = calls.get(one["call"], 0) + one["reads"]
    assert calls == {
        "GET /v1/customers/{customer_id}": 3,
        "GET /v1/customers/{customer_id}/identity": 1,
        "GET /v1/customers": 1,
    }
    assert {tuple(one["scopes"]) for one in mine} == {("profile:pii", "profile:read")}
    masked = {one["key_id"] for one in answer.json()["reads"] if "profile:pii" not in one["scopes"]}
    assert masked == set(), "what was masked is not personal"
    assert "Ann" not in json.dumps(mine).replace(own("agent"), "")
    by_command = doors.copy.json("reads", "--key", agent["key_id"])["reads"]
    assert {one["call"] for one in by_command} == calls.keys()
    assert doors.ask(READS, key=agent["key"]).status_code == 403


def test_reads_are_paged_without_a_gap_and_found_under_a_former_id(
    doors: Doors, web: Source, own: Named, ann: str
) -> None:
    cookie = {"anonymous_id": own("c")}
    seen = {"type": "page.viewed", "identifiers": cookie, "properties": {"path": "/"}}
    visitor = doors.customer_of("anonymous_id", own("c"), doors.send(web, seen))
    agent = made(doors, own, "agent", "--scope", "profile:pii", "--scope", "events:read")
    for path in (f"/v1/customers/{visitor}", f"/v1/customers/{visitor}/timeline", f"/v1/customers/{ann}"):
        assert doors.ask(path, key=agent["key"]).status_code == 200
    both = {"type": "contact.identified", "identifiers": {**cookie, "user_id": own("ann")}}
    doors.customer_of("anonymous_id", own("c"), doors.send(web, both))
    pages: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = doors.ask(READS, customer_id=ann, key_id=agent["key_id"], limit=1, **cursor).json()
        pages += page["reads"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert {one["customer_id"] for one in pages} == {ann, visitor}
    assert len(pages) == 3
    for wrong in ({"cursor": "x"}, {"from": "yesterday"}, {"customer_id": "ann"}, {"limit": 0}):
        assert doors.ask(READS, **wrong).status_code == 400
