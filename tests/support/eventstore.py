"""The event store as the `eventsourcing` library asks for one: synchronous, over ours; and an aggregate to store.

Owns a thread with an event loop. The library's code and its recorder tests call it from threads of their own.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from types import ModuleType
from typing import Any, Concatenate, Never, ParamSpec, TypeVar
from uuid import UUID

import asyncpg
from eventsourcing.domain import AggregateCreated, AggregateEvent, BaseAggregate, event
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    ListenNotifySubscription,
    Notification,
    StoredEvent,
    TrackingRecorder,
)
from eventsourcing.utils import Environment

from services.runtime import eventstore
from services.runtime.postgres import Connection, Pool, ServiceSchema, connect, prepare
from services.runtime.settings import Settings
from tests.support.databases import Databases, settings_for

SERVICE = "intake"
"""Any service with little of its own; what is asked of it is only the runtime's tables."""
SEARCH_PATH = f"{SERVICE}_g1,{SERVICE}"
NO_KAFKA = "127.0.0.1:1"
CONNECTIONS_MAX = 12
CALL_TIMEOUT_S = 60.0
LOOK_PAUSE_S = 0.02

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def _no_cipher_needed() -> Iterator[None]:
    """The recorder tests share a module with tests of the library's cipher, and that needs pycryptodome."""
    name = "eventsourcing.cipher"
    if importlib.util.find_spec("Crypto") is not None:
        yield
        return
    stand_in = ModuleType(name)
    stand_in.__dict__["AESCipher"] = None
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


with _no_cipher_needed():
    from eventsourcing.tests import persistence

library_cases = persistence
"""The library's own tests of recorders."""


async def event_sourced(databases: Databases, kafka: str = NO_KAFKA) -> Settings:
    """Settings of a new database with both stores of one service, empty."""
    settings = settings_for(await databases.empty(), kafka)
    await prepare(settings, ServiceSchema.of(SERVICE, event_sourced=True))
    return settings


@dataclass(frozen=True)
class Stores:
    """Both stores of one service, and two connections as lanes have them."""

    settings: Settings
    one: Connection
    other: Connection


@asynccontextmanager
async def new_stores(databases: Databases, kafka: str = NO_KAFKA) -> AsyncIterator[Stores]:
    """In a database of their own."""
    settings = await event_sourced(databases, kafka)
    one, other = [await connect(settings, SEARCH_PATH) for _ in range(2)]
    try:
        yield Stores(settings, one, other)
    finally:
        await one.close()
        await other.close()
        await databases.drop(settings.database_url.get_secret_value())


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="eventstore", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives, awaited there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(CALL_TIMEOUT_S)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class StoreRecorder(ApplicationRecorder):
    """One of our tables as the library's recorder; each call is a transaction of its own."""

    def __init__(self, url: str, table: str, search_path: str = SEARCH_PATH) -> None:
        self.table = table
        self._closed = False
        self._loop = Loop()
        self._pool: Pool = self._loop.run(self._open(url, search_path))

    async def _open(self, url: str, search_path: str) -> Pool:
        return await asyncpg.create_pool(
            url, min_size=1, max_size=CONNECTIONS_MAX, server_settings={"search_path": search_path}
        )

    def _call(
        self,
        function: Callable[Concatenate[Connection, str, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        async def call() -> T:
            async with self._pool.acquire() as connection, connection.transaction():
                return await function(connection, self.table, *args, **kwargs)

        return self._loop.run(call())

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append; the notification ids."""
        return self._call(eventstore.append, stored_events)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Events of one aggregate."""
        assert isinstance(originator_id, UUID)
        found = self._call(eventstore.events_of, [originator_id], gt=gt, lte=lte, desc=desc, limit=limit)
        return found.get(originator_id, [])

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in the order of their notification ids."""
        return self._call(eventstore.notifications, start, limit, stop, topics, inclusive_of_start=inclusive_of_start)

    def max_notification_id(self) -> int | None:
        """The last one's."""
        return self._call(eventstore.max_notification_id)

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> LookingSubscription:
        """An endless iterator."""
        return LookingSubscription(self, gt, topics)

    def close(self) -> None:
        """Disconnect; the library's application does it once more when it is collected."""
        if not self._closed:
            self._closed = True
            self._loop.run(self._pool.close())
            self._loop.close()


class AggregateOnlyRecorder(StoreRecorder):
    """The library's word for a recorder that numbers nothing: it gives no ids."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """Append."""
        super().insert_events(stored_events, **kwargs)


class LookingSubscription(ListenNotifySubscription[StoreRecorder]):
    """Looks again and again: ours notifies nobody, its readers are lanes and pages that ask when they want."""

    def __init__(self, recorder: StoreRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._ended = Event()
        self._look_thread = Thread(target=self._look, name="look")
        self._look_thread.start()

    def stop(self) -> None:
        """End the iteration."""
        super().stop()
        self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_PAUSE_S):
            self._has_been_notified.set()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        self._look_thread.join()


class StoreFactory(InfrastructureFactory[TrackingRecorder]):
    """The infrastructure of the library's Application: STORE_URL and STORE_TABLE in its environment say where."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._recorder = StoreRecorder(env["STORE_URL"], env["STORE_TABLE"])

    def application_recorder(self) -> ApplicationRecorder:
        """Ours."""
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> Never:
        """Snapshots have no table."""
        raise NotImplementedError(purpose)

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> Never:
        """Positions are the lane's."""
        raise NotImplementedError

    def process_recorder(self) -> Never:
        """Positions are the lane's."""
        raise NotImplementedError

    def close(self) -> None:
        """Disconnect."""
        self._recorder.close()


class Parcel(BaseAggregate[UUID]):
    """An aggregate as a service would write one. `Moved` has changed: it once called its place `to`."""

    TOPIC = "test.parcel"

    place: str

    class Event(AggregateEvent):
        """An event of a parcel."""

    class Sent(Event, AggregateCreated):
        """It was sent from a place."""

        TOPIC = "test.parcel:sent"

        place: str

    class Moved(Event):
        """It came to a place."""

        TOPIC = "test.parcel:moved"
        class_version = 2

        place: str

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            """`to` became `place`."""
            state["place"] = state.pop("to")

    @classmethod
    def sent(cls, parcel_id: UUID, place: str, at: datetime) -> Parcel:
        """A new one."""
        return cls._create(cls.Sent, id=parcel_id, place=place, timestamp=at)

    @event(Moved)
    def move(self, place: str, timestamp: datetime) -> None:
        """It comes to a place."""
        self.place = place
