"""The ways that are compared: stock Faust agents, naive and expert, and our lanes, each as workers of one deployment.

Owns starting their workers, and telling when all that was sent is applied and told. What they do is theirs.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from schemas.topics import CHANNEL_EVENTS, PARTITIONS
from tests.benchmarks.baselines.app import last_at
from tests.benchmarks.baselines.naive_store import SCHEMA
from tests.support import load
from tests.support.rig import READS, SERVICES, Rig
from tests.support.running import Running

SAME_WORK = ("interaction", "value", "profile")
"""Without identity: nobody decides who is whom, every record is a customer of his own."""
PACKAGE = "tests.benchmarks.baselines"
ASKED_EVERY_S = 0.5
CLOSE_EVERY_S = 0.1


@dataclass
class Lanes:
    """Ours: the services' own workers."""

    name: str = "ours"
    services: tuple[str, ...] = SAME_WORK
    history: str = "interaction_g1.history"
    section: str = "profile_g1.section"

    def prepare(self, rig: Rig) -> None:
        """Nothing is missing."""

    def start(self, rig: Rig, service: str) -> Running:
        """A worker of the service."""
        return rig.start(service, ready=False)

    def is_done(self, rig: Rig) -> bool:
        """Whether all is applied and told. Asked often while much is left, it would cost what it measures."""
        ends = {p: end for p, end in rig.ends("interaction").items() if p[0] == CHANNEL_EVENTS.name}
        for service in self.services[:-1]:
            if not rig.has_reached(service, ends):
                time.sleep(ASKED_EVERY_S - CLOSE_EVERY_S)
                return False
        return rig.is_caught_up(self.services)

    def ended_at(self, rig: Rig, seen_at: float) -> float:
        """When the last thing was done, in seconds since 1970; `seen_at`: when it was seen to be done."""
        return seen_at


@dataclass
class Agents:
    """Workers of a baseline: one agent of one service in each, in consumer groups that nobody had before."""

    name: str
    history: str
    section: str
    services: tuple[str, ...] = SAME_WORK
    group: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def prepare(self, rig: Rig) -> None:
        """Tables of the naive one; the expert's are ours."""
        self.group = uuid.uuid4().hex[:8]
        if self.name == "naive":
            asyncio.run(_execute(rig.database_url, SCHEMA))

    def _group(self, service: str) -> str:
        return f"{self.name}-{service}-{self.group}"

    def start(self, rig: Rig, service: str) -> Running:
        """A worker of the service."""
        more: dict[str, Any] = {"BASELINE_SERVICE": service, "BASELINE_GROUP": self._group(service)}
        return rig.start(service, module=f"{PACKAGE}.{self.name}", ready=False, **more)

    def is_done(self, rig: Rig) -> bool:
        """Whether each agent has acknowledged all that is in its topics, upstream first."""
        time.sleep(ASKED_EVERY_S)
        return all(self._has_reached(rig.kafka, service) for service in self.services)

    def _has_reached(self, kafka: str, service: str) -> bool:
        places = [TopicPartition(topic, p) for topic in READS[service] for p in range(PARTITIONS)]
        asked = ConsumerGroupTopicPartitions(self._group(service), places)
        (future,) = load.admin(kafka).list_consumer_group_offsets([asked]).values()
        told = {(tp.topic, tp.partition): tp.offset for tp in future.result().topic_partitions}
        return all(told.get(p, -1) >= end for p, end in load.ends(kafka, READS[service]).items() if end)

    def ended_at(self, rig: Rig, seen_at: float) -> float:
        """When the last thing was done, as the workers say, which end now."""
        rig.end(*self.services)
        return max(last_at(worker.log) for worker in rig.workers)


async def _execute(database_url: str, sql: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


Way = Lanes | Agents
NAIVE = Agents("naive", "naive.history", "naive.section")
EXPERT = Agents("expert", "interaction_g1.history", "profile_g1.section")
OURS = Lanes()
WHOLE = Lanes("ours, with identity", SERVICES)
