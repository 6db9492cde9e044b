"""What makes a worker halt on purpose, on a real Kafka and PostgreSQL: exit code 78, and the reason in its log."""

from __future__ import annotations

import itertools

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.cimpl import NewTopic

from schemas.topics import CHANNEL_EVENTS, PARTITIONS
from tests.support.load import accepted, admin, cloudevents, ends, publish
from tests.support.rig import EX_HALTED, Rig
from tests.support.running import Running, until

SEED = 7
EVENTS = 80
HALT_TIMEOUT_S = 30.0
ADMIN_TIMEOUT_S = 30.0
LOG = CHANNEL_EVENTS.name
SERVICE = "identity"


def _filled(rig: Rig) -> Running:
    """A worker that has applied the whole log."""
    worker = rig.start(SERVICE)
    _publish(rig)
    rig.caught_up([SERVICE])
    return worker


def _publish(rig: Rig, seed: int = SEED) -> None:
    publish(rig.kafka, rig.ledger, map(accepted, itertools.islice(cloudevents(seed), EVENTS)))


def _halts(worker: Running, reason: str) -> str:
    """The worker's log, once it has halted for this reason."""
    assert worker.wait_ended(HALT_TIMEOUT_S) == EX_HALTED, worker.log.read_text()
    log = worker.log.read_text()
    assert f"reason={reason}" in log, log
    return log


def _delete_log(rig: Rig) -> None:
    admin(rig.kafka).delete_topics([LOG])[LOG].result(ADMIN_TIMEOUT_S)
    until(lambda: LOG not in admin(rig.kafka).list_topics(timeout=10).topics, "the topic is gone", ADMIN_TIMEOUT_S)


def _make_log(rig: Rig, partitions: int) -> None:
    admin(rig.kafka).create_topics([NewTopic(LOG, partitions, 1)])[LOG].result(ADMIN_TIMEOUT_S)


@pytest.mark.faults
def test_records_removed_unread_halt_the_lane_with_their_range(rig: Rig) -> None:
    _filled(rig).end()
    before = rig.positions(SERVICE)
    _publish(rig, SEED + 1)
    partition, end = max(ends(rig.kafka, [LOG]).items(), key=lambda item: item[1])
    removed = TopicPartition(*partition, end)
    admin(rig.kafka).delete_records([removed])[removed].result(ADMIN_TIMEOUT_S)
    log = _halts(rig.start(SERVICE, ready=False), "position_lost")
    expected, count = before[partition], end - before[partition]
    assert f"partition {partition[1]}: offsets {expected} to {end - 1} ({count} records)" in log
    assert rig.positions(SERVICE)[partition] == expected


def test_a_log_deleted_and_made_again_halts_a_worker_that_starts(rig: Rig) -> None:
    _filled(rig).end()
    before = rig.positions(SERVICE)
    _delete_log(rig)
    _make_log(rig, PARTITIONS)
    _halts(rig.start(SERVICE, ready=False), "topic_replaced")
    assert rig.positions(SERVICE) == before


@pytest.mark.faults
def test_a_log_deleted_and_made_again_halts_a_worker_that_runs(rig: Rig) -> None:
    worker = _filled(rig)
    before = rig.positions(SERVICE)
    _delete_log(rig)
    _make_log(rig, PARTITIONS)
    _publish(rig, SEED + 1)
    _halts(worker, "topic_replaced")
    assert rig.positions(SERVICE) == before


def test_a_topic_with_another_number_of_partitions_halts_at_the_start(rig: Rig) -> None:
    _delete_log(rig)
    _make_log(rig, PARTITIONS // 2)
    log = _halts(rig.start(SERVICE, ready=False), "other_partition_count")
    assert f"{LOG} has {PARTITIONS // 2} partitions, not {PARTITIONS}" in log


def test_another_deployment_key_halts_at_the_start(rig: Rig) -> None:
    _halts(rig.start(SERVICE, ready=False, deployment_key="77" * 32), "other_deployment_key")


def test_tables_of_another_build_halt_at_the_start(rig: Rig) -> None:
    rig.rows(f"UPDATE {SERVICE}.generation SET tables = 'of another build'")
    _halts(rig.start(SERVICE, ready=False), "other_tables")


@pytest.mark.faults
def test_a_second_worker_with_the_same_index_halts_and_the_first_goes_on(rig: Rig) -> None:
    first = _filled(rig)
    _halts(rig.start(SERVICE, ready=False), "worker_index_taken")
    assert first.exit_code is None
    _publish(rig, SEED + 1)
    rig.caught_up([SERVICE])
