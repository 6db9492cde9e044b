"""Documents: what people set as a whole and whose every version is kept, such as a policy.

Owns the aggregate and how one is read and set. What a document must contain is its service's.
"""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import yaml
from eventsourcing.domain import AggregateCreated, AggregateEvent, BaseAggregate, CanMutateAggregate
from eventsourcing.utils import get_topic

from services.runtime.aggregates import MAPPER, load, save
from services.runtime.eventstore import INPUTS, events_of
from services.runtime.postgres import Connection

NAMESPACE = UUID("6f1d1f0a-3b57-5c1e-9d2e-d0c0360c360c")
RESERVED = "_type_"
"""The library's JSON has this key for values that are more than JSON."""


class Document(BaseAggregate[UUID]):
    """One document by its name. Every event sets all of it, the first one as well: number = version = 1, 2, 3…"""

    TOPIC = "document"

    name: str
    document: dict[str, Any]
    by: str
    reason: str

    class Event(AggregateEvent):
        """An event of a document, at the time that its caller says."""

        @staticmethod
        def create_timestamp() -> datetime:
            """Raises TypeError: the clock's time would be another one in a rebuild."""
            raise TypeError("a document is set at a time that its caller says")

    class DocumentSet(Event, AggregateCreated):
        """Somebody set the document, for a reason."""

        TOPIC = "document:set"

        name: str
        document: dict[str, Any]
        by: str
        reason: str

        def mutate(self, aggregate: Any) -> Any:
            """The first one makes the document."""
            return super().mutate(None) if aggregate is None else CanMutateAggregate.mutate(self, aggregate)

        def apply(self, aggregate: Document) -> None:
            """All of it is as set."""
            aggregate.document, aggregate.by, aggregate.reason = self.document, self.by, self.reason

    @classmethod
    def first(cls, name: str, document: dict[str, Any], by: str, reason: str, at: datetime) -> Document:
        """Number 1 of a document. Raises ValueError as `set`."""
        return cls._create(
            cls.DocumentSet,
            id=id_of(name),
            timestamp=_zoned(at),
            name=name,
            document=_exact(document),
            by=by,
            reason=reason,
        )

    def set(self, document: dict[str, Any], by: str, reason: str, at: datetime) -> None:
        """The next number of it. Raises ValueError for what JSON would not give back exactly."""
        self.trigger_event(
            self.DocumentSet,
            originator_topic=get_topic(type(self)),
            timestamp=_zoned(at),
            name=self.name,
            document=_exact(document),
            by=by,
            reason=reason,
        )

    @property
    def number(self) -> int:
        """Which version of the document this is, from 1."""
        return self.version


def id_of(name: str) -> UUID:
    """The aggregate id of the document of this name, such as "identity.policy"."""
    return uuid5(NAMESPACE, name)


async def current(connection: Connection, name: str) -> Document | None:
    """The document as it was set last; None if it never was."""
    return (await load(connection, INPUTS, Document, [id_of(name)])).get(id_of(name))


async def versions(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Every document of this name that ever was, the first one first."""
    stored = await events_of(connection, INPUTS, [id_of(name)])
    events = map(MAPPER.to_domain_event, stored.get(id_of(name), ()))
    return [event.document for event in events if isinstance(event, Document.DocumentSet)]


class _AsWritten(yaml.SafeLoader):
    """Numbers with a point stay the text they were written as."""


_AsWritten.add_constructor("tag:yaml.org,2002:float", lambda _, node: node.value)


def read_yaml(text: str) -> Any:
    """A document from YAML, as it can be put: 7.5 becomes "7.5". Raises yaml.YAMLError."""
    return yaml.load(text, _AsWritten)


async def put(
    connection: Connection, name: str, document: dict[str, Any], by: str, reason: str, at: datetime
) -> Document:
    """Set a document in the caller's transaction. Raises ValueError, or IntegrityError when another was quicker."""
    found = await current(connection, name)
    if found is None:
        found = Document.first(name, document, by, reason, at)
    else:
        found.set(document, by, reason, at)
    await save(connection, INPUTS, [found])
    return found


def _exact(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of its own."""
    _check(document, "")
    return copy.deepcopy(document)


def _check(value: Any, place: str) -> None:
    if type(value) is dict:
        for key, part in value.items():
            if type(key) is not str or key == RESERVED:
                raise ValueError(f"{place or 'the document'} has a key that cannot be kept: {key!r}")
            _check(part, f"{place}.{key}".lstrip("."))
    elif type(value) is list:
        for index, part in enumerate(value):
            _check(part, f"{place}[{index}]")
    elif value is not None and type(value) not in (str, int, bool):
        kind = type(value).__name__
        raise ValueError(f"{place or 'the document'} is a {kind}; numbers are integers or strings, to be exact")


def _zoned(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at
