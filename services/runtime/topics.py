"""Topics on the broker: made when missing, checked always, and their ids.

Owns start-up checks of Kafka. Blocking calls (kafka-python's admin) run in a thread.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiokafka.errors import KafkaConnectionError
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError as AdminError
from kafka.errors import TopicAlreadyExistsError

from schemas.topics import PARTITIONS, TOPICS
from services.runtime.settings import Settings

ADMIN_TIMEOUT_MS = 10_000
BOOTSTRAP_TIMEOUT_MS = 2_000
DESCRIBE_PAUSE_S = 0.1
REPLICAS_MIN = 3


class TopicHalt(RuntimeError):
    """The broker's topics do not fit; starting would move keys or lose data."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def _admin(settings: Settings) -> KafkaAdminClient:
    return KafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id="c360-admin",
        request_timeout_ms=ADMIN_TIMEOUT_MS,
        bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
    )


def _ensure(settings: Settings) -> None:
    admin = _admin(settings)
    try:
        there = set(admin.list_topics())
        replicas = 1 if settings.single_node else REPLICAS_MIN
        for topic in TOPICS.values():
            if topic.name in there:
                continue
            config = topic.config | ({} if settings.single_node else {"min.insync.replicas": "2"})
            new = NewTopic(topic.name, num_partitions=PARTITIONS, replication_factor=replicas, topic_configs=config)
            try:
                admin.create_topics([new])
            except TopicAlreadyExistsError:
                continue
        _check(_described(admin, list(TOPICS)), settings)
    finally:
        admin.close()


def _described(admin: KafkaAdminClient, names: list[str]) -> list[dict[str, Any]]:
    """The topics as the broker knows them; a topic just made may need a moment to be known."""
    deadline = time.monotonic() + ADMIN_TIMEOUT_MS / 1000
    while True:
        found: list[dict[str, Any]] = admin.describe_topics(names)
        if all(t["partitions"] for t in found) or time.monotonic() > deadline:
            return found
        time.sleep(DESCRIBE_PAUSE_S)


def _check(described: list[dict[str, Any]], settings: Settings) -> None:
    for topic in described:
        partitions = topic["partitions"]
        if len(partitions) != PARTITIONS:
            raise TopicHalt(
                "other_partition_count",
                f"{topic['name']} has {len(partitions)} partitions, not {PARTITIONS}: its keys would move",
            )
        if not settings.single_node and min(len(p["replica_nodes"]) for p in partitions) < REPLICAS_MIN:
            raise TopicHalt(
                "too_few_replicas",
                f"{topic['name']} has fewer than {REPLICAS_MIN} replicas; set C360_SINGLE_NODE=true to accept it",
            )


async def ensure_topics(settings: Settings) -> None:
    """Create the missing topics of schemas/topics.py and check all. Raises TopicHalt."""
    await asyncio.to_thread(_ensure, settings)


def _ids(settings: Settings, names: tuple[str, ...]) -> dict[str, str]:
    try:
        admin = _admin(settings)
        try:
            described = admin.describe_topics(list(names))
        finally:
            admin.close()
    except AdminError as error:
        raise KafkaConnectionError(f"topics cannot be described: {type(error).__name__}") from error
    return {t["name"]: str(t["topic_id"]) for t in described if t["partitions"]}


async def topic_ids(settings: Settings, names: tuple[str, ...]) -> dict[str, str]:
    """Topic name → id on this broker, of those that are there; a topic deleted and made again has another id.

    Raises aiokafka.errors.KafkaConnectionError while the broker is away.
    """
    return await asyncio.to_thread(_ids, settings, names)
