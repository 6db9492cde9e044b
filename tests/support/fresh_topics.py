"""Fresh topics on a Kafka that other tests have used: deleted, made again, and no member left behind.

Owns nothing but the topics of schemas/topics.py and the lanes' consumer groups.
"""

from __future__ import annotations

import asyncio
import contextlib

from confluent_kafka.admin import AdminClient
from kafka.admin import KafkaAdminClient, MemberToRemove
from kafka.errors import KafkaError

from schemas.topics import TOPICS
from services.runtime.topics import ensure_topics
from tests.support.databases import settings_for
from tests.support.running import until

TOPICS_TIMEOUT_S = 30.0
WORKERS_MAX = 4
LANES = {"intake": "raw", "identity": "main", "interaction": "main", "value": "main", "profile": "main"}


def fresh_topics(kafka: str) -> None:
    """Delete and make all topics again, and forget the consumer groups' members."""
    admin = AdminClient({"bootstrap.servers": kafka})
    there = set(admin.list_topics(timeout=10).topics) & TOPICS.keys()
    if there:
        for future in admin.delete_topics(list(there), operation_timeout=TOPICS_TIMEOUT_S).values():
            future.result(TOPICS_TIMEOUT_S)
        until(
            lambda: not set(admin.list_topics(timeout=10).topics) & TOPICS.keys(),
            "the topics are gone",
            TOPICS_TIMEOUT_S,
        )
    forget_members(kafka)
    asyncio.run(ensure_topics(settings_for("postgresql://nowhere", kafka)))


def forget_members(kafka: str) -> None:
    """A killed static member keeps its partitions until its session ends: take it out of its group at once."""
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        for service, lane in LANES.items():
            members = [MemberToRemove(None, f"{service}.{lane}.{i}", None) for i in range(WORKERS_MAX)]
            with contextlib.suppress(KafkaError):
                admin.remove_group_members(f"c360.{service}.g1", members)
    finally:
        admin.close()
