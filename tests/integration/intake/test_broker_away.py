"""While Kafka does not answer, the collector says so within bounded time, and takes nothing."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.intake.api import internal, public
from services.intake.door import ACK_TIMEOUT_S
from tests.support.databases import settings_for
from tests.support.doors import Doors, Source
from tests.support.running import free_port

ANSWERED_WITHIN_S = ACK_TIMEOUT_S + 3.0
BATCH = {"batch": [{"type": "track", "userId": "u", "event": "A", "messageId": "m"}]}


@asynccontextmanager
async def collector(doors: Doors, kafka: str) -> AsyncIterator[httpx.AsyncClient]:
    """The collector in this process, on the copy's database and another Kafka."""
    app = public(settings_for(doors.copy.database, kafka))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://intake", timeout=60) as client,
    ):
        yield client


async def refused(doors: Doors, web: Source, kafka: str, requests: int = 1) -> None:
    """Every one of so many requests at once is answered 503 with Retry-After, in time."""
    async with collector(doors, kafka) as client:
        began = time.monotonic()
        posts = [client.post("/v1/batch", json=BATCH, auth=(web.write_key, "")) for _ in range(requests)]
        for response in await asyncio.gather(*posts):
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert set(response.json()) == {"code", "message"}
            assert "C360-Position" not in response.headers
        assert time.monotonic() - began <= ANSWERED_WITHIN_S


@pytest.mark.parametrize("requests", [1, 20])
def test_a_closed_port_is_answered_503(doors: Doors, web: Source, requests: int) -> None:
    asyncio.run(refused(doors, web, f"127.0.0.1:{free_port()}", requests))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_kafka_that_says_nothing_is_answered_503(doors: Doors, web: Source, silent_port: int) -> None:
    asyncio.run(refused(doors, web, f"127.0.0.1:{silent_port}", 3))


def test_a_command_is_answered_that_the_log_is_away(doors: Doors) -> None:
    command = {"type": "note.added", "identifiers": {"user_id": "u"}, "properties": {"text": "x"}}

    async def give() -> httpx.Response:
        app = internal(settings_for(doors.copy.database, f"127.0.0.1:{free_port()}"))
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://intake", timeout=60) as client,
        ):
            return await client.post("/commands", json=command)

    response = asyncio.run(give())
    assert (response.status_code, response.json()["type"]) == (503, "unavailable")
    assert int(response.headers["Retry-After"]) >= 1


def test_without_kafka_the_collector_is_not_healthy_and_refuses_what_it_always_refuses(
    doors: Doors, web: Source
) -> None:
    async def ask() -> None:
        async with collector(doors, f"127.0.0.1:{free_port()}") as client:
            assert (await client.get("/healthz")).status_code == 503
            assert (await client.post("/v1/batch", json=BATCH, auth=("nobody", ""))).status_code == 401
            assert (await client.post("/v1/batch", content=b"{", auth=(web.write_key, ""))).status_code == 400

    asyncio.run(ask())


def test_without_a_database_the_sender_must_send_again(doors: Doors, web: Source) -> None:
    async def ask() -> None:
        app = public(settings_for(f"postgresql://nobody@127.0.0.1:{free_port()}/none", doors.copy.kafka))
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://intake", timeout=60) as client,
        ):
            began = time.monotonic()
            response = await client.post("/v1/batch", json=BATCH, auth=(web.write_key, ""))
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert time.monotonic() - began <= 3.0

    asyncio.run(ask())
