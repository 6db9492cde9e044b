"""Reading a whole topic back with an outside client, for the oracle.

Owns nothing of the system's own consumers: confluent-kafka, no group, from the beginning to the end.
"""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

READ_TIMEOUT_S = 30.0
BATCH_RECORDS = 2_000


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record as it stands in the log."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def read_log(bootstrap: str, topic: str) -> list[LogRecord]:
    """All records of a topic by partition and offset. Raises KafkaException, TimeoutError."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "oracle",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
            "isolation.level": "read_committed",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=READ_TIMEOUT_S).topics[topic].partitions
        ends = {
            p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=READ_TIMEOUT_S)[1] for p in partitions
        }
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p, end in ends.items() if end])
        return sorted(_drain(consumer, ends), key=lambda r: (r.partition, r.offset))
    finally:
        consumer.close()


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _drain(consumer: Consumer, ends: dict[int, int]) -> list[LogRecord]:
    found: list[LogRecord] = []
    left = {p for p, end in ends.items() if end}
    while left:
        messages = consumer.consume(BATCH_RECORDS, timeout=READ_TIMEOUT_S)
        if not messages:
            raise TimeoutError(f"partitions {sorted(left)} were not read to their ends")
        for m in messages:
            if m.error():
                raise KafkaException(m.error())
            partition, offset = m.partition() or 0, m.offset() or 0
            headers = [(str(pair[0]), _bytes(pair[1])) for pair in list(m.headers() or [])]
            found.append(LogRecord(str(m.topic()), partition, offset, m.timestamp()[1], m.key(), m.value(), headers))
            if offset + 1 >= ends[partition]:
                left.discard(partition)
    return found
