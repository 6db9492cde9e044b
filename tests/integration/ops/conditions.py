"""Waiting on conditions, and looking at the parts as a client does."""

import asyncio
import time
from collections.abc import Callable

import asyncpg

POLL_S = 0.05


def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    """Returns as soon as the condition holds; fails the test if it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not so within {timeout_s} s"
        time.sleep(POLL_S)


def query(database_url: str, sql: str) -> object:
    """The one value a query gives, over a connection of its own."""

    async def ask() -> object:
        connection = await asyncpg.connect(database_url, timeout=5)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())
