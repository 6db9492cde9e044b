"""The load of the fault tests: the standard mix through intake's own rules into the log, and the log read back.

Owns the ledger: an event counts as acknowledged only once the broker said so. Clients are librdkafka's, so that
what the tests see does not rest on the client under test.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from schemas.codec import encode_event
from schemas.envelope import Event
from schemas.topics import CHANNEL_EVENTS, PARTITIONS
from services.intake.domain.accept import accept
from services.intake.domain.cloudevents import read_structured
from services.intake.domain.model import Accepted, Received, Source
from services.ops.generate.mix import Mix
from services.ops.generate.stream import SOURCE as SOURCE
from services.ops.generate.stream import events
from tests.support.databases import KEY
from tests.support.memory_broker import Record

CUSTOMERS = 300
"""Few, so that workers meet on the same rows all the time."""
EVENTS_MAX = 1_000_000
FLUSH_TIMEOUT_S = 30.0
READ_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 10.0
RETRY_PAUSE_S = 0.1
NEVER_READ = "reads-nothing"
SILENT = 0
"""librdkafka writes what it logs to the terminal."""

Named = tuple[str, str]
"""(source, id) as the sender named the event."""


def mix() -> Mix:
    """The standard mix over few customers."""
    return dataclasses.replace(Mix.load(), customers=CUSTOMERS)


def cloudevents(seed: int) -> Iterator[dict[str, Any]]:
    """Endless structured CloudEvents of a seed."""
    return events(mix(), seed, EVENTS_MAX)


def accepted(event: dict[str, Any], *may: str) -> Event:
    """The event of the log that intake makes of a CloudEvent whose source has leave for these.

    Raises AssertionError when it parks it.
    """
    (raw,) = read_structured([event])
    result = accept(raw, Received(datetime.now(UTC), Source(SOURCE, may=may)), bytes.fromhex(KEY))
    assert isinstance(result, Accepted), result
    return result.event


def producer(kafka: str) -> Producer:
    """A producer that puts keys where the services' own clients put them."""
    return Producer(
        {
            "bootstrap.servers": kafka,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 2,
            "message.max.bytes": 2_000_000,
            "log_level": SILENT,
        }
    )


class Ledger:
    """(source, id) of every event the broker acknowledged."""

    def __init__(self) -> None:
        self.acked: set[Named] = set()
        self.refused: list[str] = []

    def on_delivery(self, named: Named) -> Any:
        """A delivery callback for one event."""

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                self.acked.add(named)
            else:
                self.refused.append(str(error))

        return delivered


def publish(kafka: str, ledger: Ledger, wanted: Iterable[Event]) -> None:
    """Write events to the log and wait for all acks. Raises AssertionError when one is refused."""
    client = producer(kafka)
    for event in wanted:
        produce(client, ledger, event)
    assert client.flush(FLUSH_TIMEOUT_S) == 0
    assert not ledger.refused, ledger.refused[:3]


def produce(client: Producer, ledger: Ledger, event: Event) -> None:
    """Write an event to the log; the ledger hears of its ack, at the latest when the client is flushed."""
    key, value, headers = encode_event(event)
    delivered = ledger.on_delivery((event.source, event.id))
    client.produce(CHANNEL_EVENTS.name, value, key, headers=list(headers), on_delivery=delivered)
    client.poll(0)


class Load:
    """Writes the mix to the log at a steady rate from a thread, from `with` to its end.

    On leaving, everything begun is acknowledged. Raises AssertionError when an event was refused.
    """

    def __init__(self, kafka: str, ledger: Ledger, seed: int, events_per_s: int) -> None:
        self.kafka, self.ledger, self.events_per_s = kafka, ledger, events_per_s
        self.sent = 0
        self._events = cloudevents(seed)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(FLUSH_TIMEOUT_S * 2)
        assert not self._thread.is_alive(), "the load does not end"
        if self._failure is not None:
            raise self._failure
        assert not self.ledger.refused, self.ledger.refused[:3]

    def wait_more(self, least_s: float) -> None:
        """Let the load go on for a while, and at least until one more event is sent."""
        sent, due = self.sent, time.monotonic() + least_s
        while self.sent == sent or time.monotonic() < due:
            assert self._failure is None, self._failure
            assert time.monotonic() < due + FLUSH_TIMEOUT_S, "the load stands still"
            self._ending.wait(0.01)

    def _run(self) -> None:
        try:
            client = producer(self.kafka)
            began = time.monotonic()
            while not self._ending.is_set():
                due = int((time.monotonic() - began) * self.events_per_s) - self.sent
                for event in itertools.islice(self._events, max(0, due)):
                    produce(client, self.ledger, accepted(event))
                    self.sent += 1
                client.poll(0)
                self._ending.wait(0.01)
            assert client.flush(FLUSH_TIMEOUT_S) == 0, "the broker does not acknowledge"
        except BaseException as failure:
            self._failure = failure


def _reader(kafka: str) -> Consumer:
    about = {"group.id": NEVER_READ, "enable.auto.commit": False, "log_level": SILENT}
    return Consumer({"bootstrap.servers": kafka, **about})


@cache
def admin(kafka: str) -> AdminClient:
    """One client for questions."""
    return AdminClient({"bootstrap.servers": kafka, "log_level": SILENT})


def ends(kafka: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """(topic, partition) → end offset, as the broker says now; a broker just started may need a moment."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    wanted = {TopicPartition(t, p): latest for t in topics for p in range(PARTITIONS)}
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while True:
        try:
            asked = admin(kafka).list_offsets(wanted, request_timeout=ANSWER_TIMEOUT_S)
            return {(tp.topic, tp.partition): future.result().offset for tp, future in asked.items()}
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            admin.cache_clear()  # what it knew of a broker that was killed may be older than the broker's word
            time.sleep(RETRY_PAUSE_S)


def read(kafka: str, topic: str) -> list[Record]:
    """All records of a topic, by partition and offset, up to its end as it is now."""
    left = {p: end for (_, p), end in ends(kafka, [topic]).items() if end}
    consumer = _reader(kafka)
    found: list[Record] = []
    deadline = time.monotonic() + READ_TIMEOUT_S
    try:
        consumer.assign([TopicPartition(topic, p, 0) for p in left])
        while left:
            assert time.monotonic() < deadline, f"{topic} is not read to its end: {left}"
            for message in consumer.consume(1000, timeout=1.0):
                error = message.error()
                if error is not None:
                    raise KafkaException(error)
                found.append(_record(message))
                if found[-1].offset + 1 >= left.get(found[-1].partition, 0):
                    left.pop(found[-1].partition, None)
    finally:
        consumer.close()
    return sorted(found, key=lambda r: (r.partition, r.offset))


def _record(message: Any) -> Record:
    at = (message.topic(), message.partition(), message.offset(), message.timestamp()[1])
    return Record(*at, message.key(), message.value(), list(message.headers() or []))


def last_by_key(kafka: str, topic: str) -> dict[bytes | None, Record]:
    """What compaction would leave of a topic."""
    return {record.key: record for record in read(kafka, topic)}
