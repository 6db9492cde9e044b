"""What asyncpg takes for an array."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from asyncpg.protocol import protocol

from services.runtime import arrays, postgres


def test_whoever_opens_connections_has_quick_arrays() -> None:
    assert vars(postgres)["arrays"] is arrays
    assert (vars(protocol)[arrays.ITERABLE], vars(protocol)[arrays.SIZED]) == ((list, tuple), object)


def test_an_asyncpg_that_asks_otherwise_is_not_changed_in_silence() -> None:
    with pytest.raises(AttributeError):
        arrays.quicken(SimpleNamespace(IterableABC=list))
