"""Being the only one under a name: nobody else is meanwhile, and however the holder ends, the name is free again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.runtime.exclusive import alone
from services.runtime.settings import Settings
from tests.support.databases import Databases, settings_for

pytestmark = pytest.mark.asyncio
NAME = "c360.test"
LOOKS, LOOK_S = 100, 0.05


@pytest_asyncio.fixture
async def settings(databases: Databases) -> AsyncIterator[Settings]:
    url = await databases.fresh()
    yield settings_for(url)
    await databases.drop(url)


async def _is_free(settings: Settings, name: str = NAME) -> bool:
    async with alone(settings, "public", name) as held:
        return held is not None


async def _becomes_free(settings: Settings) -> None:
    """The server hears of a broken connection a moment later."""
    for _ in range(LOOKS):
        if await _is_free(settings):
            return
        await asyncio.sleep(LOOK_S)
    pytest.fail(f"{NAME} is still held")


async def test_while_one_is_alone_another_is_not_and_other_names_are_free(settings: Settings) -> None:
    async with alone(settings, "public", NAME) as held:
        assert held is not None
        assert not await _is_free(settings)
        assert await _is_free(settings, "c360.other")
    assert await _is_free(settings)


async def test_the_name_is_free_when_its_holder_fails_is_cancelled_or_is_cut_off(settings: Settings) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        async with alone(settings, "public", NAME):
            raise RuntimeError("broken")
    assert await _is_free(settings)
    holds = asyncio.Event()

    async def hold() -> None:
        async with alone(settings, "public", NAME) as held:
            assert held is not None
            holds.set()
            await held.execute("SELECT pg_sleep(30)")

    task = asyncio.create_task(hold())
    await holds.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _becomes_free(settings)
    async with alone(settings, "public", NAME) as held:
        assert held is not None
        held.terminate()
        await _becomes_free(settings)
