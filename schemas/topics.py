"""The one table of Kafka topics: meaning, key, who writes, who reads, how long it is kept.

Owns names and settings only; creating and checking topics is services/runtime/topics.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PARTITIONS = 8
"""Partitions of every topic, murmur2 by key, fixed for life: another number would move keys between workers."""

RAW_RETENTION_MS = 7 * 24 * 3600 * 1000
COMPACTION_LAG_MAX_MS = 3600 * 1000


class Kind(StrEnum):
    """What a topic's messages are: what may be missed, and what may never be."""

    RAW = "raw"
    LOG = "log"
    STATE = "state"
    CHANGES = "changes"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Topic:
    """One reviewed topic. `written_by` and `read_by` name services."""

    name: str
    key: str
    kind: Kind
    meaning: str
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]

    @property
    def config(self) -> dict[str, str]:
        """Broker settings of this kind of topic."""
        return dict(_CONFIG[self.kind])


_CONFIG: dict[Kind, dict[str, str]] = {
    Kind.RAW: {"cleanup.policy": "delete", "retention.ms": str(RAW_RETENTION_MS)},
    Kind.LOG: {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
    },
    Kind.STATE: {
        "cleanup.policy": "compact",
        "max.compaction.lag.ms": str(COMPACTION_LAG_MAX_MS),
        "message.timestamp.type": "LogAppendTime",
    },
    Kind.CHANGES: {"cleanup.policy": "delete", "retention.ms": str(RAW_RETENTION_MS)},
    Kind.CONTROL: {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
}

CHANNEL_RAW = Topic("channel.raw", "any", Kind.RAW, "events as upstreams send them", ("upstreams",), ("intake",))
CHANNEL_EVENTS = Topic(
    "channel.events",
    "record id",
    Kind.LOG,
    "the event log: valid events, kept for ever",
    ("intake",),
    ("identity", "interaction", "value", "treatment"),
)
IDENTITY_BINDINGS = Topic(
    "identity.bindings",
    "record id",
    Kind.STATE,
    "which customer a record belongs to",
    ("identity",),
    ("interaction", "value", "profile"),
)
IDENTITY_CUSTOMERS = Topic(
    "identity.customers",
    "customer id",
    Kind.STATE,
    "records, identifiers and contact of a customer",
    ("identity",),
    ("profile",),
)
INTERACTION_CUSTOMERS = Topic(
    "interaction.customers",
    "customer id",
    Kind.STATE,
    "summary of what passed between us and a customer",
    ("interaction",),
    ("profile",),
)
VALUE_CUSTOMERS = Topic(
    "value.customers",
    "customer id",
    Kind.STATE,
    "what a customer is worth",
    ("value",),
    ("profile",),
)
PROFILE_CHANGES = Topic(
    "profile.changes",
    "customer id",
    Kind.CHANGES,
    "what changed in a profile",
    ("profile",),
    ("webhooks", "streams"),
)
CONTROL_EVENTS = Topic(
    "control.events",
    "aggregate id",
    Kind.CONTROL,
    "policies, models, thresholds, segments, mappings and rules as events",
    ("intake", "identity", "value", "profile", "treatment"),
    ("restore",),
)

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        CHANNEL_RAW,
        CHANNEL_EVENTS,
        IDENTITY_BINDINGS,
        IDENTITY_CUSTOMERS,
        INTERACTION_CUSTOMERS,
        VALUE_CUSTOMERS,
        PROFILE_CHANGES,
        CONTROL_EVENTS,
    )
}
