"""A request on a connection that the broker has just reset fails as aiokafka expects it, also under uvloop."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from services.runtime import feed, outbox, resets

RESET_AT_ONCE = struct.pack("ii", 1, 0)
VERSIONS = ((18, 0, 0), (3, 0, 1))
"""What the broker of this test speaks: (api key, least, most) of api versions and metadata."""


async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says which versions it speaks, and resets the connection at the next request."""
    request = await reader.readexactly(*struct.unpack(">i", await reader.readexactly(4)))
    (correlation_id,) = struct.unpack(">i", request[4:8])
    body = struct.pack(">ihi", correlation_id, 0, len(VERSIONS))
    body += b"".join(struct.pack(">hhh", *version) for version in VERSIONS)
    writer.write(struct.pack(">i", len(body)) + body)
    await writer.drain()
    await reader.readexactly(4)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
    writer.transport.abort()


async def asked_right_after_a_reset() -> BaseException | None:
    """What a request meets that is sent in the moment in which only the transport knows of the reset."""
    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    async with server:
        connection: AIOKafkaConnection = await create_conn(*server.sockets[0].getsockname(), request_timeout_ms=5_000)
        loop, met = asyncio.get_running_loop(), asyncio.Event()
        outcome: list[BaseException | None] = []
        lost = connection._protocol.connection_lost

        def ask() -> None:
            assert connection.connected(), "the reader knows already: this is another moment"
            try:
                connection.send(MetadataRequest([])).close()
                outcome.append(None)
            except BaseException as error:
                outcome.append(error)
            met.set()

        def losing(error: Exception | None) -> None:
            lost(error)
            loop.call_soon(ask)

        connection._protocol.connection_lost = losing
        with pytest.raises(KafkaConnectionError):
            await connection.send(MetadataRequest([]))
        await asyncio.wait_for(met.wait(), 5)
        return outcome[0]


def test_a_request_on_a_connection_that_was_reset_fails_as_one_that_is_broken() -> None:
    assert {vars(module)["resets"] for module in (feed, outbox)} == {resets}
    assert isinstance(uvloop.run(asked_right_after_a_reset()), KafkaConnectionError)


def test_without_that_it_would_be_an_error_that_nobody_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AIOKafkaConnection, "send", resets._send)
    assert isinstance(uvloop.run(asked_right_after_a_reset()), RuntimeError)
