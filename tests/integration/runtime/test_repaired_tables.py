"""Whose every table's rows are is said: a repair that did not know a table would leave its rows wrong."""

from __future__ import annotations

import pytest

from services.runtime.beside import Refused
from services.runtime.postgres import connect
from services.runtime.repair.owned import Owned, columns_of, known, owned
from tests.support.house import House

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("service", ["interaction", "value"])
async def test_every_table_of_a_generation_is_somebodys_or_nobodys_for_a_reason(house: House, service: str) -> None:
    await house.hire(service)
    connection = await connect(house.settings, f"{service}_g1")
    try:
        columns = await columns_of(connection, f"{service}_g1")
        assert owned(service).keys() == columns.keys()
        for one in known(service, columns):
            assert {one.column, *(column for column, _ in one.ties)} <= set(columns[one.table])
        # Any column that holds an id of a record or of a group says whose its rows are.
        ids = {"record_id", "member_id", "group_id"}
        for table, said in owned(service).items():
            if ids & set(columns[table]):
                assert isinstance(said, Owned), table
        await connection.execute("CREATE TABLE fresh (record_id uuid)")
        with pytest.raises(Refused, match="fresh"):
            known(service, await columns_of(connection, f"{service}_g1"))
    finally:
        await connection.close()
