"""Input that repeats itself or is garbage: counted and set aside, and never in the way of what is good."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Any

import asyncpg
import orjson

from schemas.topics import CHANNEL_RAW
from services.intake.domain.model import Source
from services.intake.inputs import create_source
from tests.faults.sizes import Size, sizes
from tests.support.load import FLUSH_TIMEOUT_S, SOURCE, accepted, cloudevents, producer, publish, read
from tests.support.rig import SERVICES, Rig

ALL = ("intake", *SERVICES)
BIG_BYTES = 900 * 1024
Piece = tuple[bytes | None, bytes | None, list[tuple[str, bytes]], str]
"""Key, value, headers, and the reason it is parked for."""


@sizes("D7")
def test_D7_duplicates_of_every_kind_have_one_effect_and_are_counted(fresh_rig: Rig, size: Size) -> None:
    rig = fresh_rig
    rig.hire(*SERVICES)
    first = list(itertools.islice(cloudevents(size.seed()), size.count))
    distinct = {e["id"]: e for e in first}
    names = list(distinct)[:: max(1, len(distinct) // 20)]
    resent = [{**distinct[n], "sentat": "2024-06-01T00:00:00Z"} for n in names]
    other_body = [{**distinct[n], "type": "page.viewed"} for n in names if distinct[n]["type"] != "page.viewed"]
    order = _orders_of_browser_and_server()
    publish(rig.kafka, rig.ledger, map(accepted, [*first, *resent, *other_body, *order]))
    rig.zero()
    records = len(read(rig.kafka, "channel.events"))
    tally = _tally(rig)
    assert tally["applied"] == len(distinct) + len(order)
    assert tally["conflict"] == len(other_body)
    assert tally["duplicate"] == records - tally["applied"] - tally["conflict"]
    _deliver_all_again(rig)
    again = _tally(rig)
    assert again["applied"] == tally["applied"]
    assert again["duplicate"] + again["conflict"] == tally["duplicate"] + tally["conflict"] + records
    size.tell(f"{records} records: {tally}; after redelivery {again}")


def _orders_of_browser_and_server() -> list[dict[str, Any]]:
    """One order told by two sources: two events, each kept once."""
    properties = {"order_id": "twice-told", "total": 40, "currency": "EUR"}
    return [
        {
            "specversion": "1.0",
            "id": f"order-from-{source}",
            "source": source,
            "type": "order.completed",
            "time": "2024-02-01T10:00:00Z",
            "data": {"identifiers": {"user_id": ["twice"]}, "properties": properties},
        }
        for source in ("mix/browser", "mix/server")
    ]


def _tally(rig: Rig) -> dict[str, int]:
    rows = rig.rows("SELECT outcome, sum(count)::bigint AS count FROM interaction_g1.tally GROUP BY outcome")
    return {r["outcome"]: r["count"] for r in rows}


def _deliver_all_again(rig: Rig) -> None:
    """Set every stored position back to the beginning, as if no COMMIT of the lanes had ever been."""
    rig.end(*SERVICES)
    for service in SERVICES:
        rig.rows(f"UPDATE {service}_g1.position SET next_offset = 0")
    rig.start_all(*SERVICES)
    rig.zero()


def _garbage(chance: random.Random) -> list[Callable[[], Piece]]:
    """Every kind of garbage, with the reason it must be parked for."""
    event = next(cloudevents(chance.randrange(10**6)))
    whole = orjson.dumps(event)
    big = orjson.dumps({**event, "data": {**event["data"], "properties": {"filler": "x" * BIG_BYTES}}})
    return [
        lambda: (b"k", b"\xff" + chance.randbytes(chance.randint(1, 300)), [], "not_json"),  # a space alone is none
        lambda: (b"k", whole[: chance.randrange(1, len(whole))], [], "not_json"),
        lambda: (b"k", None, [], "no_value"),
        lambda: (None, None, [], "no_value"),
        lambda: (None, b"\x00", [], "not_json"),
        lambda: (b"k", b"x" * BIG_BYTES, [], "not_json"),
        lambda: (b"k", big, [], "event_too_large"),
        lambda: (b"k", b"[" * 10_000, [], "not_json"),
        lambda: (b"k", b"{}", [], "not_an_event"),
        lambda: (b"k", b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")], "bad_attribute"),
        lambda: (b"k", orjson.dumps({**event, "source": "nobody"}), [], "source_not_registered"),
    ]


@sizes("X7")
def test_X7_garbage_in_the_raw_topic_is_parked_and_the_good_arrives(rig: Rig, size: Size) -> None:
    chance = size.random()
    asyncio.run(_register(rig.database_url))
    rig.hire(*ALL)
    workers = {w.service: w.pid for s in ALL for w in rig.alive(s)}
    good = itertools.islice(cloudevents(chance.randrange(10**6)), size.count)
    kinds = _garbage(chance)
    client = producer(rig.kafka)
    reasons: list[str] = []
    for n, event in enumerate(good):
        key, value, headers, reason = kinds[n % len(kinds)]()
        reasons.append(reason)
        client.produce(CHANNEL_RAW.name, value, key, headers=list(headers))
        acked = rig.ledger.on_delivery((SOURCE, event["id"]))
        client.produce(CHANNEL_RAW.name, orjson.dumps(event), None if n % 2 else b"k", on_delivery=acked)
        client.poll(0)
    assert client.flush(FLUSH_TIMEOUT_S) == 0
    rig.caught_up(ALL)
    rows = rig.rows("SELECT reason, count(*) AS count FROM intake_g1.parked GROUP BY reason")
    parked = {r["reason"]: r["count"] for r in rows}
    assert parked == {reason: reasons.count(reason) for reason in reasons}
    assert {w.service: w.pid for s in ALL for w in rig.alive(s)} == workers
    size.tell(f"{sum(parked.values())} pieces parked: {parked}")
    rig.zero()


async def _register(database_url: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "intake"})
    try:
        await create_source(connection, Source(SOURCE))
    finally:
        await connection.close()
