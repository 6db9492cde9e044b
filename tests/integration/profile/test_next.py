"""What he needs next stands in the document that is asked for his value; where it comes too late, that is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import pytest

from services.profile.api.doors import Doors
from services.profile.api.recommendations import NEXT, foremost, with_next
from tests.support.databases import settings_for

ANN = "0b0f9a4e-8f6f-5c1b-9a3e-000000000001"
AGAIN = {"item": "tea", "score": 1.5, "reason": "bought once, last on 2026-01-01", "days": 1, "last_on": "2026-01-01",
         "every_days": None, "due_on": None}  # fmt: skip
LISTS = {"replenish": [AGAIN], "discover": []}
DOCUMENT: dict[str, Any] = {
    "customer_id": ANN, "value": {"currency": "EUR", "next": None}, "meta": {"missing": ["treatment"]},
}  # fmt: skip
HANG_S, DEADLINE_MS = 30.0, 300

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def answering(status: int, body: Any, *, silent: bool = False) -> Answer:
    """What a value service answers whatever it is asked; or it says nothing until whoever asked is gone."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        content = orjson.dumps(body)
        if silent:
            await reader.read()
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(content)) + content)
        writer.close()

    return answer


async def asked_of(answer: Answer, doc: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The document of a profile service beside such a value service, and the lists alone."""
    at_work: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_work.append(asyncio.create_task(answer(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    doors = Doors(
        settings_for(
            "postgresql://nobody@127.0.0.1:1/none", value_internal_url=f"http://127.0.0.1:{port}",
            part_deadline_ms=DEADLINE_MS,
        )
    )  # fmt: skip
    try:
        return await with_next(doors, doc), await foremost(doors, ANN)
    finally:
        await doors.close()
        await asyncio.gather(*at_work)
        server.close()


@pytest.mark.asyncio
async def test_the_lists_stand_in_the_value_that_was_asked_for() -> None:
    found, lists = await asked_of(answering(200, {"as_of": "2026-01-02", **LISTS}), DOCUMENT)
    assert lists == LISTS, "and no field of the answer that value.next does not have"
    assert found == {**DOCUMENT, "value": {**DOCUMENT["value"], "next": LISTS}}
    assert DOCUMENT["value"]["next"] is None, "what it was made of is as it was"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer", [answering(503, {"type": "unavailable"}), answering(200, LISTS, silent=True)], ids=["503", "silent"]
)
async def test_a_value_service_that_does_not_answer_in_time_costs_its_lists_and_nothing_else(answer: Answer) -> None:
    async with asyncio.timeout(HANG_S / 2):
        found, lists = await asked_of(answer, DOCUMENT)
    assert lists is None
    assert found == {**DOCUMENT, "meta": {"missing": ["treatment", NEXT]}}


@pytest.mark.asyncio
@pytest.mark.parametrize("value", [None, "not there"])
async def test_of_who_has_no_value_nobody_is_asked(value: Any) -> None:
    doc = {**DOCUMENT, "value": None} if value is None else {k: v for k, v in DOCUMENT.items() if k != "value"}
    doors = Doors(settings_for("postgresql://nobody@127.0.0.1:1/none", value_internal_url="http://127.0.0.1:1"))
    try:
        assert await with_next(doors, doc) is doc, "an address at which nobody is would be missing"
    finally:
        await doors.close()
