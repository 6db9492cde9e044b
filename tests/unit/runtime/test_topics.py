"""The table of topics, and that services hear and tell what it says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from schemas.topics import PARTITIONS, TOPICS, Kind
from services.runtime.batch import LanePlan
from services.runtime.postgres import Generation
from services.runtime.topics import TopicHalt, _check
from tests.support.databases import settings_for
from tests.support.house import PLANS

SETTINGS = settings_for("postgresql://127.0.0.1:1/none")


def plan_of(service: str) -> LanePlan:
    """A service's lane."""
    return asyncio.run(PLANS[service](SETTINGS, Generation(1, 1, f"{service}_g1")))


@pytest.mark.parametrize("service", sorted(PLANS))
def test_a_lane_hears_exactly_what_the_table_says(service: str) -> None:
    assert set(plan_of(service).decode) == {t.name for t in TOPICS.values() if service in t.read_by}


@pytest.mark.parametrize("service", sorted(PLANS))
def test_a_lane_tells_exactly_what_the_table_says(service: str) -> None:
    written = {t.name for t in TOPICS.values() if service in t.written_by and t.kind is not Kind.CONTROL}
    assert set(plan_of(service).tells) == written


def test_a_topic_is_named_like_its_entry_and_has_a_writer_and_a_reader() -> None:
    for name, topic in TOPICS.items():
        assert topic.name == name
        assert topic.written_by
        assert topic.read_by
        assert topic.meaning
        assert topic.key


def test_the_log_and_control_are_kept_for_ever_and_states_are_compacted() -> None:
    for topic in TOPICS.values():
        if topic.kind in (Kind.LOG, Kind.CONTROL):
            assert topic.config["retention.ms"] == topic.config["retention.bytes"] == "-1"
            assert topic.config["cleanup.policy"] == "delete"
        elif topic.kind is Kind.STATE:
            assert topic.config["cleanup.policy"] == "compact"
        else:
            assert int(topic.config["retention.ms"]) == 7 * 24 * 3600 * 1000


def test_the_log_and_states_carry_the_brokers_time() -> None:
    for topic in TOPICS.values():
        if topic.kind in (Kind.LOG, Kind.STATE):
            assert topic.config["message.timestamp.type"] == "LogAppendTime"


def test_a_config_can_be_changed_without_changing_the_table() -> None:
    topic = TOPICS["channel.events"]
    topic.config["retention.ms"] = "1"
    assert topic.config["retention.ms"] == "-1"


def described(partitions: int = PARTITIONS, replicas: int = 3) -> list[dict[str, Any]]:
    """A topic as the broker describes it."""
    return [{"name": "channel.events", "partitions": [{"replica_nodes": list(range(replicas))}] * partitions}]


@pytest.mark.parametrize("partitions", [1, 7, 9, 16])
def test_another_number_of_partitions_halts(partitions: int) -> None:
    with pytest.raises(TopicHalt, match="its keys would move") as halt:
        _check(described(partitions), SETTINGS)
    assert halt.value.reason == "other_partition_count"


def test_too_few_replicas_halt_unless_one_node_is_accepted() -> None:
    _check(described(replicas=1), SETTINGS)
    production = settings_for("postgresql://127.0.0.1:1/none", single_node=False)
    _check(described(replicas=3), production)
    with pytest.raises(TopicHalt) as halt:
        _check(described(replicas=2), production)
    assert halt.value.reason == "too_few_replicas"
