"""The client against an API in this process: it asks again when it may, waits as it is told, and misses no page."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from customer360.client import ApiError, AsyncClient, Client, NotAnswered, calls
from customer360.client.events import Parser
from customer360.client.patience import PAUSE_S_MAX, pause_s

SEGMENT = {"segment_id": "vip", "name": "VIP", "version": 1, "where": {}, "size": 3, "new_field": 1}
SEGMENTS = {"segments": [SEGMENT], "reviewed": True}
PROBLEM = {
    "type": "unknown-customer",
    "title": "No such customer",
    "status": 404,
    "detail": "no customer has this id",
}


class Api:
    """Answers in turn what it is given; keeps what was asked."""

    def __init__(self, *answers: Callable[[], Response]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Request, bytes]] = []
        self.app = Starlette(routes=[Route("/{rest:path}", self._answer, methods=["GET", "POST", "PUT"])])

    async def _answer(self, request: Request) -> Response:
        self.asked.append((request, await request.body()))
        return self.answers.pop(0)()

    def client(self, **more: Any) -> AsyncClient:
        """A client of it."""
        return AsyncClient("http://api", "c360_key", transport=httpx.ASGITransport(self.app), **more)


def json_of(body: Any, status: int = 200, **headers: str) -> Callable[[], Response]:
    return lambda: JSONResponse(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def frames(*texts: str) -> Callable[[], Response]:
    async def told() -> AsyncIterator[str]:
        for text in texts:
            yield text

    return lambda: StreamingResponse(told(), media_type="text/event-stream")


def change(cursor: str, kind: str = "customer.updated") -> str:
    event = {"subject": "ann", "id": cursor, "data": {"version": 1}}
    return f"id: {cursor}\nevent: {kind}\ndata: {json.dumps(event)}\n\n"


def ended(cursor: str, reason: str) -> str:
    return f"id: {cursor}\nevent: stream.ended\ndata: {json.dumps({'reason': reason})}\n\n"


@pytest.mark.asyncio
async def test_what_is_not_now_is_asked_again_and_as_late_as_it_asks_for() -> None:
    api = Api(json_of({}, 503), json_of({}, 429, Retry_After="1"), json_of(SEGMENTS))
    began = time.monotonic()
    async with api.client() as client:
        (segment,) = await client.ask(calls.segments())
    assert (segment.segment_id, segment.size) == ("vip", 3)
    assert time.monotonic() - began >= 1.0
    assert {request.headers["authorization"] for request, _ in api.asked} == {"Bearer c360_key"}


@pytest.mark.asyncio
async def test_a_refusal_is_told_at_once_with_its_kind_and_patience_has_an_end() -> None:
    api = Api(json_of(PROBLEM, 404), json_of(PROBLEM | {"type": "unavailable"}, 503, Retry_After="60"))
    async with api.client(patience_s=5.0) as client:
        with pytest.raises(ApiError) as refused:
            await client.ask(calls.customer("x/y"))
        assert (refused.value.status, refused.value.kind) == (404, "unknown-customer")
        assert api.asked[0][0].scope["raw_path"] == b"/v1/customers/x%2Fy"
        began = time.monotonic()
        with pytest.raises(ApiError) as refused:
            await client.ask(calls.segments())
    assert refused.value.kind == "unavailable"
    assert time.monotonic() - began < 5.0, "it asks for more patience than there is"


@pytest.mark.asyncio
async def test_a_command_repeated_is_the_same_command() -> None:
    said = {"event_id": "e", "position": "p"}
    api = Api(json_of({}, 503), json_of(said, 202))
    async with api.client() as client:
        assert (await client.ask(calls.say("ann", "note.added", {"text": "x"}))).position == "p"
    (first, body), (again, body_again) = api.asked
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert body == body_again
    assert calls.say("ann", "note.added", {}).headers != calls.say("ann", "note.added", {}).headers


@pytest.mark.asyncio
async def test_every_item_of_every_page_comes_once_and_pages_are_asked_for_as_they_are_taken() -> None:
    def item(name: str) -> dict[str, Any]:
        return {"customer_id": name, "name": None, "status": "known", "emails": [], "phones": [], "tier": None,
                "last_seen": None}  # fmt: skip

    pages: list[Any] = [([item("a"), item("b")], "2"), ([], "3"), ([item("c")], None)]
    api = Api(*(json_of({"items": items, "next_cursor": cursor}) for items, cursor in pages))
    async with api.client() as client:
        found = client.each(calls.search("ann", limit=2))
        assert (await anext(found)).customer_id == "a"
        assert len(api.asked) == 1
        assert [one.customer_id async for one in found] == ["b", "c"]
    assert [request.query_params.get("cursor") for request, _ in api.asked] == [None, "2", "3"]
    assert {request.query_params["query"] for request, _ in api.asked} == {"ann"}


@pytest.mark.asyncio
async def test_a_stream_that_ends_is_gone_on_with_at_its_cursor_until_the_key_ends() -> None:
    api = Api(
        frames("retry: 2000\nid: c0\n\n", change("c1"), ": ping\nid: c2\n\n", ended("c2", "slow-reader")),
        frames("id: c2\n\n", change("c3", "segment.entered"), "id: c4\nevent: customer.upd"),
        json_of({}, 503),
        frames(ended("c3", "key-ended")),
    )
    heard = []
    async with api.client() as client:
        changes = client.changes()
        for _ in range(2):
            one = await anext(changes)
            heard.append((one.cursor, one.type, one.customer_id))
        with pytest.raises(ApiError) as over:
            await anext(changes)
    assert over.value.kind == "key-ended"
    assert heard == [("c1", "customer.updated", "ann"), ("c3", "segment.entered", "ann")]
    assert [r.headers.get("last-event-id") for r, _ in api.asked] == [None, "c2", "c3", "c3"]


def test_nobody_at_the_address_is_not_answered_within_the_patience() -> None:
    began = time.monotonic()
    with Client("http://127.0.0.1:9", "k", patience_s=0.5) as client, pytest.raises(NotAnswered):
        client.ask(calls.segments())
    assert time.monotonic() - began < 5.0


@contextmanager
def sync(answers: list[httpx.Response]) -> Iterator[tuple[Client, list[httpx.Request]]]:
    """A sync client whose transport answers in turn."""
    asked: list[httpx.Request] = []

    class Transport(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return answers.pop(0)

    with Client("http://api", "k", transport=Transport()) as client:
        yield client, asked


def test_the_sync_client_does_as_the_async_one() -> None:
    streams = [httpx.Response(200, text=text) for text in (change("c1") + ended("c1", "unavailable"), change("c2"))]
    with sync([httpx.Response(503), httpx.Response(200, json=SEGMENTS), *streams]) as (client, asked):
        assert [one.name for one in client.ask(calls.segments())] == ["VIP"]
        changes = client.changes("ann", after="c0")
        assert [next(changes).cursor, next(changes).cursor] == ["c1", "c2"]
        changes.close()
    assert [request.headers.get("last-event-id") for request in asked] == [None, None, "c0", "c1"]
    assert asked[-1].url.path == "/v1/customers/ann/stream"


@given(st.integers(1, 1_000), st.floats(0, 1, exclude_max=True), st.sampled_from([None, "0", "2", "90", "x", "-1"]))
def test_a_pause_is_at_least_what_was_asked_for_and_never_longer_than_the_patience(
    failures: int, chance: float, retry_after: str | None
) -> None:
    asked_s = float(retry_after) if retry_after in ("0", "2", "90") else 0.0
    wait_s = pause_s(failures, retry_after, 30.0, chance)
    assert (wait_s is None) == (asked_s >= 30.0)
    assert wait_s is None or max(asked_s, 0.05) <= wait_s <= max(asked_s, PAUSE_S_MAX)


def test_a_half_received_event_is_no_event_and_moves_no_cursor() -> None:
    parser = Parser("c0")
    for line in change("c1").splitlines():
        heard = parser.feed(line)
    assert heard is not None
    assert parser.feed("id: c2") is None
    assert parser.cursor == "c1"


def test_two_clients_in_one_loop_do_not_wait_for_each_other() -> None:
    async def act() -> list[int]:
        slow, quick = Api(json_of({}, 503, Retry_After="1"), json_of(SEGMENTS)), Api(json_of(SEGMENTS))
        order: list[int] = []

        async def ask(api: Api, number: int) -> None:
            async with api.client() as client:
                await client.ask(calls.segments())
                order.append(number)

        await asyncio.gather(ask(slow, 1), ask(quick, 2))
        return order

    assert asyncio.run(act()) == [2, 1]
