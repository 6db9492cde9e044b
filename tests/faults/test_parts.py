"""The database and the broker fail under load: answers stay honest, and lanes go on by themselves."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request

import asyncpg
import pytest

from services.intake.domain.model import Source
from services.intake.inputs import create_source
from tests.faults.sizes import RECOVERY_MAX_S, Size, sizes
from tests.support.door import DoorLoad
from tests.support.load import SOURCE, Load
from tests.support.proxy import Proxy
from tests.support.rig import SERVICES, Rig, Rigs
from tests.support.running import free_port, until

COMMIT_TIMEOUT_S = 30.0
ANSWER_MAX_S = 2.0
BROKER_RECOVERY_MAX_S = 30.0
BROKER_LOST = [r"\] aiokafka[.:]", r"\] kafka\.(net\.|cluster:)"]
"""Both clients call it an error, again and again, that their broker is away."""


@sizes("P6")
def test_P6_a_commit_whose_outcome_is_unknown_has_its_effect_exactly_once(rig: Rig, size: Size) -> None:
    rig.end(*SERVICES)
    with Proxy(rig.database_url) as proxy:
        workers = [rig.start(s, ready=False, DATABASE_URL=proxy.database_url) for s in SERVICES]
        for worker in workers:
            until(worker.is_ready, f"{worker.log.name} is ready", COMMIT_TIMEOUT_S)
        with Load(rig.kafka, rig.ledger, size.seed(), size.events_per_s):
            for turn in range(size.count):
                held = proxy.interrupt(forward=turn % 2 == 0)
                assert held.reached.wait(COMMIT_TIMEOUT_S), f"COMMIT {turn} of {size.count} does not come"
                held.let_go.set()
        rig.zero()
        started_over = sum(worker.count("started_over") for worker in workers)
        rig.end(*SERVICES)
    size.tell(f"{size.count} COMMITs interrupted, lanes started over {started_over} times")
    assert started_over >= size.count


@sizes("P1")
def test_P1_lanes_go_on_after_the_postmaster_was_killed(rigs: Rigs, rig: Rig, size: Size) -> None:
    if not rigs.own_parts:
        pytest.skip("only a PostgreSQL of our own is killed")
    port = free_port()
    rig.end("profile")
    profile = rig.start("profile", ready=False, profile_port=port)
    rig.hire(*SERVICES)
    until(profile.is_ready, "profile is ready", COMMIT_TIMEOUT_S)
    assert _ask(port)[0] == 401
    with Load(rig.kafka, rig.ledger, size.seed(), size.events_per_s) as load:
        load.wait_more(1.0)
        with rigs.down("postgres"):
            load.wait_more(size.count)
            status, took_s = _ask(port)
            assert (status, took_s < ANSWER_MAX_S) == (503, True), (status, took_s)
        began = time.monotonic()
        for service in SERVICES:
            rig.reach(service, RECOVERY_MAX_S - (time.monotonic() - began))
        recovery_s = time.monotonic() - began
    size.tell(f"down for {size.count} s: the API said {status} in {took_s:.2f} s, on again in {recovery_s:.1f} s")
    rig.zero()


def _ask(port: int) -> tuple[int, float]:
    """Status and seconds of a read that needs the database."""
    url = f"http://127.0.0.1:{port}/v1/customers/00000000-0000-0000-0000-000000000000"
    request = urllib.request.Request(url, headers={"Authorization": "Bearer c360_unknown_key"})
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status), time.monotonic() - began
    except urllib.error.HTTPError as refused:
        return refused.code, time.monotonic() - began


@sizes("B1")
def test_B1_what_the_collector_acknowledged_survives_the_brokers_death(rigs: Rigs, rig: Rig, size: Size) -> None:
    if not rigs.own_parts:
        pytest.skip("only a Kafka of our own is killed")
    port = free_port()
    rig.end("intake")
    intake = rig.start("intake", ready=False, intake_port=port)
    rig.hire(*SERVICES)
    until(intake.is_ready, "intake is ready", COMMIT_TIMEOUT_S)
    key = asyncio.run(_write_key(rig.database_url))
    with DoorLoad(f"http://127.0.0.1:{port}", key, rig.ledger, size.seed()) as door:
        until(lambda: door.answers[200] > 10, "the collector takes events", COMMIT_TIMEOUT_S)
        with rigs.down("kafka"):
            killed_at = time.monotonic()
            until(lambda: door.answers[503] > 0, "the collector says 503", COMMIT_TIMEOUT_S)
            until(lambda: time.monotonic() > killed_at + size.count, "the outage is over", size.count + 1)
        began, before = time.monotonic(), door.answers[200]
        until(lambda: door.answers[200] > before, "the collector takes events again", BROKER_RECOVERY_MAX_S)
        for service in SERVICES:
            rig.reach(service, BROKER_RECOVERY_MAX_S - (time.monotonic() - began))
        recovery_s = time.monotonic() - began
    size.tell(f"answers {dict(door.answers)}, all went on {recovery_s:.1f} s after the broker was back")
    assert door.answers.keys() <= {200, 503}, door.answers
    rig.expected_complaints += BROKER_LOST
    rig.zero()


async def _write_key(database_url: str) -> str:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "intake"})
    try:
        return await create_source(connection, Source(SOURCE))
    finally:
        await connection.close()
