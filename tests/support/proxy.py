"""A TCP proxy in front of PostgreSQL that can make the outcome of a COMMIT unknown.

Owns its own thread and event loop, so that tests may block. Knows of the wire only what a COMMIT looks like.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
BEGIN = b"BEGIN;\x00"
CHUNK_BYTES = 256 * 1024
STATEMENTS_BYTES_LEAST = 4_000
"""A transaction that sent less carried no events: it is let through."""
START_TIMEOUT_S = 5.0
HELD_MAX_S = 30.0


@dataclass(slots=True)
class Interrupted:
    """One COMMIT of a client that never hears its outcome.

    `forward`: the server commits and its reply is swallowed; else the server never sees it. `reached` is set
    when that has happened; the connection is cut once `let_go` is set.
    """

    forward: bool
    reached: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Pair:
    """One client's connection and the server's."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    sent_bytes: int = 0
    swallowing: bool = False
    replied: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


class Proxy:
    """Passes bytes both ways from `with` to its end; `interrupt` takes the next COMMIT of a batch of events."""

    def __init__(self, database_url: str) -> None:
        self.target = urlsplit(database_url)
        self.port = 0
        self._waiting: deque[Interrupted | None] = deque()
        self._pairs: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    @property
    def database_url(self) -> str:
        """The database's address through the proxy."""
        name, _, _ = self.target.netloc.rpartition("@")
        return urlunsplit(self.target._replace(netloc=f"{name}@127.0.0.1:{self.port}"))

    def interrupt(self, *, forward: bool, after: int = 0) -> Interrupted:
        """A COMMIT of a transaction that carries events never tells its outcome: the next, or `after` some more."""
        interrupted = Interrupted(forward)
        self._waiting.extend([None] * after)
        self._waiting.append(interrupted)
        return interrupted

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(START_TIMEOUT_S), "the proxy does not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ending.wait()
        server.close()
        for task in self._pairs:
            task.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        try:
            await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._pairs.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(self.target.hostname, self.target.port)
        pair = _Pair(writer, to_server)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._requests(reader, pair))
                both.create_task(self._replies(from_server, pair))
        except* OSError:
            pass  # one side is gone: so is the other, below
        finally:
            pair.cut()

    async def _requests(self, reader: asyncio.StreamReader, pair: _Pair) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if BEGIN in chunk:
                pair.sent_bytes = 0
            pair.sent_bytes += len(chunk)
            if chunk.endswith(COMMIT) and pair.sent_bytes > STATEMENTS_BYTES_LEAST and self._waiting:
                interrupted = self._waiting.popleft()
                if interrupted is not None:
                    await self._interrupt(interrupted, chunk, pair)
            pair.server.write(chunk)
            await pair.server.drain()
        raise ConnectionResetError

    async def _interrupt(self, interrupted: Interrupted, chunk: bytes, pair: _Pair) -> None:
        if interrupted.forward:
            pair.swallowing = True
            pair.server.write(chunk)
            await pair.replied.wait()
        interrupted.reached.set()
        await asyncio.to_thread(interrupted.let_go.wait, HELD_MAX_S)
        raise ConnectionResetError

    async def _replies(self, reader: asyncio.StreamReader, pair: _Pair) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if pair.swallowing:
                pair.replied.set()
                continue
            pair.client.write(chunk)
            with contextlib.suppress(ConnectionError):
                await pair.client.drain()
        raise ConnectionResetError
