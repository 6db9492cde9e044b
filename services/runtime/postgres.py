"""PostgreSQL: connections with their time-outs, a service's schemas, its generations and epochs.

Owns DDL order and the live pointer. Derived tables live in `<service>_g<N>`, inputs in `<service>`;
the live generation's tables are never altered: new DDL is a new generation.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import asyncpg
from eventsourcing.persistence import IntegrityError

from services.runtime import arrays
from services.runtime.settings import Settings

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    OwnConnection = asyncpg.Connection[asyncpg.Record]
    Connection = OwnConnection | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    OwnConnection = Connection = asyncpg.Connection
    Pool = asyncpg.Pool

arrays.quicken()

CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
INPUT_EVENTS, REPLAYS, PAUSES = "000_input_event.sql", "000_replays.sql", "000_pauses.sql"
"""The names of the runtime's own files among a service's inputs: the first ones."""
READ_TIMEOUT_S = 900.0
"""How long a statement that compares whole tables may take."""
COMMAND_TIMEOUT_S = 10.0
"""A reply that never comes (also COMMIT's): the connection is given up and positions are read on a new one."""

TRANSIENT: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server died between two messages: the driver cannot leave the state it is in
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresIOError,
    IntegrityError,  # another worker went on with an aggregate since it was loaded
    ConnectionError,
    TimeoutError,
    OSError,
)
"""Errors that say nothing about the records at hand: roll the batch back and repeat it."""


class SchemaHalt(RuntimeError):
    """The database does not fit this build or deployment; a person has to decide."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


AWAY: tuple[type[Exception], ...] = (SchemaHalt, *TRANSIENT)
"""What work beside requests meets while the database is away, or is another build's: it is tried again later."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The live generation of a service: its number, the schema that holds it and its epoch."""

    number: int
    epoch: int
    schema: str


@dataclass(frozen=True, slots=True)
class ServiceSchema:
    """A service's own DDL: `inputs` applied once each, by name; `derived` for each new generation."""

    service: str
    inputs: tuple[tuple[str, str], ...]
    derived: tuple[str, ...]
    event_sourced: bool = False

    @classmethod
    def of(cls, service: str, *, grouped: bool = False, event_sourced: bool = False) -> ServiceSchema:
        """Read from services/<service>/migrations/{inputs,derived}/*.sql and the runtime's own.

        `event_sourced`: with the event store's tables, one of what was decided and one of what was told.
        """
        runtime = files("services.runtime") / "sql"
        shared = ["generation.sql"]
        shared += ["grouping.sql"] if grouped else []
        shared += ["decisions.sql"] if event_sourced else []
        stores: tuple[tuple[str, str], ...] = (
            (REPLAYS, (runtime / "replays.sql").read_text()),
            (PAUSES, (runtime / "pauses.sql").read_text()),
        )
        if event_sourced:
            stores = ((INPUT_EVENTS, (runtime / "inputs.sql").read_text()), *stores)
        own = files(f"services.{service}") / "migrations"
        derived = tuple((runtime / name).read_text() for name in shared)
        return cls(
            service=service,
            inputs=stores + _sql_files(own / "inputs"),
            derived=derived + tuple(text for _, text in _sql_files(own / "derived")),
            event_sourced=event_sourced,
        )

    @property
    def fingerprint(self) -> str:
        """Changes when the derived tables would."""
        return hashlib.sha256("\0".join(self.derived).encode()).hexdigest()[:16]


def _sql_files(folder: Any) -> tuple[tuple[str, str], ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted((f.name, f.read_text()) for f in folder.iterdir() if f.name.endswith(".sql")))


LANE_PLANS = {"enable_seqscan": "off"}
"""A lane finds its rows by key, and keeps its plans: one made while tables were small would read them whole later."""


def _server_settings(settings: Settings, search_path: str) -> dict[str, str]:
    return {
        "search_path": search_path,
        "application_name": f"c360.{search_path.partition(',')[0]}",
        "lock_timeout": str(settings.lock_timeout_ms),
        "statement_timeout": str(settings.statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
        "synchronous_commit": "on",
        "default_transaction_isolation": "read committed",
        "jit": "off",
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "3",
        "TimeZone": "UTC",
    }


async def connect(settings: Settings, search_path: str, role: str = "") -> OwnConnection:
    """One connection whose unqualified names are found in `search_path`; with the rights of `role`, if given."""
    return await asyncpg.connect(
        settings.database_url.get_secret_value(),
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={
            **_server_settings(settings, search_path),
            **LANE_PLANS,
            **({"role": role} if role else {}),
        },
    )


async def connect_to_read(settings: Settings, search_path: str) -> OwnConnection:
    """A connection that reads whole tables, however long it takes (READ_TIMEOUT_S), and may wait in between."""
    bound = str(int(READ_TIMEOUT_S * 1000))
    return await asyncpg.connect(
        settings.database_url.get_secret_value(),
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=READ_TIMEOUT_S,
        server_settings={
            **_server_settings(settings, search_path),
            "statement_timeout": bound,
            "idle_in_transaction_session_timeout": bound,
        },
    )


class _Pooled(asyncpg.Connection):
    """A connection of a pool. Who borrows one sets nothing for its session, so giving it back asks nothing."""

    def get_reset_query(self) -> str:
        """Nothing: a message to the database after each view was a fifth of what the profile API cost."""
        return ""


async def open_pool(settings: Settings, search_path: str, connections_max: int | None = None) -> Pool:
    """A pool for views and doors; lanes have a connection of their own."""
    return await asyncpg.create_pool(
        settings.database_url.get_secret_value(),
        min_size=1,
        max_size=connections_max or settings.pool_connections_max,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=settings.statement_timeout_ms / 1000,
        server_settings=_server_settings(settings, search_path),
        connection_class=_Pooled,
    )


async def prepare(settings: Settings, schema: ServiceSchema) -> Generation:
    """Make what is missing, check what is there, and say which generation is live.

    Safe from several processes at once. Raises SchemaHalt(other_deployment_key, other_tables).
    """
    connection = await connect(settings, "public")
    try:
        async with connection.transaction():
            await take_turn(connection, schema.service)
            await apply_inputs(connection, schema)
            row = await connection.fetchrow(
                f"SELECT live, epoch, tables, key_fingerprint FROM {schema.service}.generation"
            )
            if row is None:
                return await _first_generation(connection, schema, settings.key_fingerprint)
            if row["key_fingerprint"] != settings.key_fingerprint:
                raise SchemaHalt(
                    "other_deployment_key",
                    "this database was filled with another C360_DEPLOYMENT_KEY; record ids would differ",
                )
            if row["tables"] != schema.fingerprint:
                raise SchemaHalt(
                    "other_tables",
                    f"generation {row['live']} of {schema.service} has other tables than this build; rebuild it",
                )
            return Generation(row["live"], row["epoch"], f"{schema.service}_g{row['live']}")
    finally:
        await connection.close(timeout=CLOSE_TIMEOUT_S)


async def take_turn(connection: Connection, service: str) -> None:
    """Be the only transaction that makes or changes generations of this service, until it ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"c360.{service}")


async def apply_inputs(connection: Connection, schema: ServiceSchema) -> None:
    """Make what is missing of the service's own schema, in the caller's transaction and turn."""
    service = schema.service
    await connection.execute(
        f"""
        CREATE SCHEMA IF NOT EXISTS {service};
        CREATE TABLE IF NOT EXISTS {service}.migration (name text PRIMARY KEY, applied_at timestamptz DEFAULT now());
        CREATE TABLE IF NOT EXISTS {service}.generation (
            one bool PRIMARY KEY DEFAULT true CHECK (one), live int NOT NULL, epoch bigint NOT NULL,
            tables text NOT NULL, key_fingerprint text NOT NULL);
        SET LOCAL search_path TO {service};
        """
    )
    done = {row["name"] for row in await connection.fetch("SELECT name FROM migration")}
    for name, sql in schema.inputs:
        if name not in done:
            await connection.execute(sql)
            await connection.execute("INSERT INTO migration (name) VALUES ($1)", name)


async def _first_generation(connection: Connection, schema: ServiceSchema, key_fingerprint: str) -> Generation:
    # An emptied database must speak with a higher epoch than the one it replaces, whose number is lost:
    # the clock is the only thing that has surely moved on.
    epoch = int(time.time() * 1000)
    name = await derive(connection, schema, 1)
    await connection.execute(
        f"INSERT INTO {schema.service}.generation (live, epoch, tables, key_fingerprint) VALUES (1, $1, $2, $3)",
        epoch,
        schema.fingerprint,
        key_fingerprint,
    )
    return Generation(1, epoch, name)


async def derive(connection: Connection, schema: ServiceSchema, number: int) -> str:
    """Make the empty tables of a generation, in the caller's transaction; the name of their schema."""
    name = f"{schema.service}_g{number}"
    await connection.execute(f"CREATE SCHEMA {name}; SET LOCAL search_path TO {name}, {schema.service}")
    for sql in schema.derived:
        await connection.execute(sql)
    return name
