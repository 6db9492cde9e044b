"""Settings of every process, read from the environment only (deploy/env.example lists them all).

Owns names, defaults and units; must not read files or ask other services.
"""

from __future__ import annotations

import hashlib
from functools import cached_property

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a process is told by its environment. Raises pydantic.ValidationError naming what is missing."""

    model_config = SettingsConfigDict(env_prefix="C360_", frozen=True, populate_by_name=True)

    kafka_bootstrap: str = Field(validation_alias=AliasChoices("KAFKA_BOOTSTRAP"))
    database_url: SecretStr = Field(validation_alias=AliasChoices("DATABASE_URL"))
    deployment_key: SecretStr
    """Hex of 32 bytes; record ids are made with it, so it is one for the life of a deployment."""

    worker_index: int = 0
    worker_port: int = 0
    """Port of a worker's health and metrics pages; 0 = none."""
    host: str = "127.0.0.1"
    build: str = "dev"
    silent: bool = False
    """This process publishes nothing, whatever it is asked: a rebuild (runtime/rebuild.py)."""
    log_level: str = "info"
    log_json: bool = False

    batch_events_max: int = Field(1000, ge=1, le=10_000)
    batch_linger_ms: int = Field(40, ge=0, le=1000)
    """Least time between two small batches: what comes meanwhile makes one transaction (runtime/feed.py)."""
    fetch_partition_bytes_max: int = 2 * 1024 * 1024
    session_timeout_ms: int = 10_000
    watchdog_s: float = 30.0
    lock_timeout_ms: int = 3_000
    idle_in_transaction_timeout_ms: int = 5_000
    statement_timeout_ms: int = 30_000
    pool_connections_max: int = 4
    single_node: bool = True
    """Accept topics with one replica; production sets it to false and is refused less than three."""

    intake_port: int = 8080
    profile_port: int = 8084
    internal_port: int = 8090
    port_shared: bool = False
    """Several workers of this service listen on its port, and the system spreads connections between them."""
    intake_url: str = "http://127.0.0.1:8080"
    profile_url: str = "http://127.0.0.1:8084"
    intake_internal_url: str = "http://127.0.0.1:8090/intake"
    identity_internal_url: str = "http://127.0.0.1:8090/identity"
    interaction_internal_url: str = "http://127.0.0.1:8090/interaction"
    value_internal_url: str = "http://127.0.0.1:8090/value"
    profile_internal_url: str = "http://127.0.0.1:8090/profile"
    treatment_internal_url: str = "http://127.0.0.1:8090/treatment"
    part_deadline_ms: int = 1_000
    """How long the profile API waits for another service before it marks the part missing."""
    business_timezone: str = "UTC"
    value_days_ahead: int = Field(0, ge=0, le=3_650)
    """Rehearsals only: value looks at everybody as on so many days from now, so that it shows whom silence moves."""
    value_refit_hour: int = Field(3, ge=-1, le=23)
    """At which hour of the business time zone the model in force is fitted anew each day; -1: never by itself."""
    webhooks_allow_private: bool = False
    """Tests and one's own machine only: webhooks may be http and go to private addresses."""
    key_requests_per_s: int = Field(1_000, ge=0, le=100_000)
    """What one API key may ask on average; 0: without a limit. A key may have a limit of its own."""
    key_requests_burst: int = Field(2_000, ge=1, le=1_000_000)
    fault_point: str = ""
    """Tests only: `NAME:ACTION` makes the lane kill or stop itself at a named point (runtime/faultpoints.py)."""

    @cached_property
    def key_bytes(self) -> bytes:
        """The deployment key as bytes. Raises ValueError unless it is hex of at least 16 bytes."""
        key = bytes.fromhex(self.deployment_key.get_secret_value())
        if len(key) < 16:
            raise ValueError("C360_DEPLOYMENT_KEY must be the hex of at least 16 bytes")
        return key

    @cached_property
    def key_fingerprint(self) -> str:
        """What may be stored and compared of the key."""
        return hashlib.sha256(b"c360" + self.key_bytes).hexdigest()[:16]
