"""The role a rebuild works as: it may write the generation beside the live one, and nothing else.

Owns the role `c360_rebuild_<service>`, which nobody can log in as. It may read what handlers read of the service's
inputs. The process takes the role when it connects, so that what is wrong in new code cannot reach what is live.
"""

from __future__ import annotations

import asyncpg

from services.runtime.beside import beside, schema_of
from services.runtime.postgres import CLOSE_TIMEOUT_S, Connection, SchemaHalt, connect
from services.runtime.settings import Settings

READ = ("beside", "in_force", "input_event", "input_told")
"""Tables of the service's own schema that a rebuild reads."""
LOCKED = {"beside": "one", "in_force": "name"}
"""Of these it locks rows FOR SHARE, which PostgreSQL allows to who may update any column."""


def role_of(service: str) -> str:
    """The name of the role."""
    return f"c360_rebuild_{service}"


async def give(settings: Settings, service: str, generation: int) -> None:
    """Let the role write this generation, if it is the one beside; does nothing otherwise.

    Raises SchemaHalt("no_rebuild_role") where the database user may neither make the role nor be it.
    """
    connection = await connect(settings, service)
    try:
        async with connection.transaction():
            found = await beside(connection, service, "FOR SHARE")
            if found is not None and found.generation == generation:
                await _make(connection, role_of(service))
                await _grant(connection, service, schema_of(service, generation))
    except asyncpg.InsufficientPrivilegeError:
        user = await connection.fetchval("SELECT current_user")
        role = role_of(service)
        raise SchemaHalt(
            "no_rebuild_role", f"have it made: CREATE ROLE {role} NOLOGIN; GRANT {role} TO {user}"
        ) from None
    finally:
        await connection.close(timeout=CLOSE_TIMEOUT_S)


async def _make(connection: Connection, role: str) -> None:
    await connection.execute(
        f"""
        DO $$ BEGIN
            IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role} NOLOGIN; END IF;
            IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN GRANT {role} TO CURRENT_USER; END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
        """
    )


async def _grant(connection: Connection, service: str, schema: str) -> None:
    role = role_of(service)
    await connection.execute(
        f"""
        GRANT USAGE ON SCHEMA {schema}, {service} TO {role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
        GRANT SELECT ON {", ".join(f"{service}.{table}" for table in READ)} TO {role};
        """
        + ";".join(f"GRANT UPDATE ({column}) ON {service}.{table} TO {role}" for table, column in LOCKED.items())
    )


async def take(connection: Connection, service: str, schema: str) -> None:
    """In the swap's transaction: what is live now is written by its own lanes only."""
    role = role_of(service)
    if await connection.fetchval("SELECT to_regrole($1) IS NOT NULL", role):
        await connection.execute(
            f"""
            REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role};
            REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role};
            REVOKE ALL ON SCHEMA {schema} FROM {role}
            """
        )
