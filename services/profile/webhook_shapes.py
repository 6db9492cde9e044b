"""Requests and answers about webhooks, for reading and for OpenAPI.

Owns their fields and limits.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.profile.domain.webhooks import TYPES

TIMEOUT_MS_MAX = 20_000
RETRY_FOR_S_MAX = 7 * 86_400
DESCRIPTION_CHARS_MAX = 2_000
URL_CHARS_MAX = 2_000
OVERLAP_S_MAX = 7 * 86_400
TYPES_MAX = 50
EXAMPLE_URL = "https://shop.example/c360"

Url = Annotated[str, Field(min_length=1, max_length=URL_CHARS_MAX, description="https, of a public address")]
Types = Annotated[
    list[str],
    Field(max_length=TYPES_MAX, description=f"Of which events it is told, of {', '.join(TYPES)}; empty: of all"),
]
Description = Annotated[str | None, Field(max_length=DESCRIPTION_CHARS_MAX)]
TimeoutMs = Annotated[int, Field(ge=500, le=TIMEOUT_MS_MAX, description="How long one attempt may take, in ms")]
RetryForS = Annotated[
    int, Field(ge=1, le=RETRY_FOR_S_MAX, description="How long a delivery is tried again after the first time, in s")
]


class WebhookCommand(BaseModel):
    """A new endpoint."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"url": EXAMPLE_URL, "types": ["customer.merged"]}]}
    )

    url: Url
    types: Types = Field(default_factory=list)
    description: Description = None
    timeout_ms: TimeoutMs = 10_000
    retry_for_s: RetryForS = 3 * 86_400


class WebhookChange(BaseModel):
    """What is to be otherwise. `enabled`: false pauses it, true begins anew where it was."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": True}]})

    url: Url | None = None
    types: Types | None = None
    description: Description = None
    timeout_ms: TimeoutMs | None = None
    retry_for_s: RetryForS | None = None
    enabled: bool | None = None


class RotateCommand(BaseModel):
    """For how long the former secret signs too."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_s": 86_400}]})

    overlap_s: Annotated[int, Field(ge=0, le=OVERLAP_S_MAX)] = 86_400


class ReplayCommand(BaseModel):
    """From where changes are told once more: either `after`, a stream's cursor or `begin`, or `from`, RFC 3339."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"examples": [{"from": "2026-03-01T10:00:00Z"}]}
    )

    after: Annotated[str | None, Field(max_length=256)] = None
    since: Annotated[str | None, Field(alias="from", max_length=64)] = None


class WebhookAnswer(BaseModel):
    """An endpoint. `waiting`, `dead`: deliveries of it; `cursor`: up to where changes were queued.

    `gap_at`: when changes were found to be no longer kept before they were queued.
    """

    webhook_id: str
    url: str
    types: list[str]
    description: str | None
    timeout_ms: int
    retry_for_s: int
    created_at: str
    state: Literal["enabled", "disabled"]
    disabled_at: str | None
    disabled_reason: str | None
    failing_since: str | None
    taken_at: str | None
    failed_at: str | None
    failed_reason: str | None
    former_secret_until: str | None
    waiting: int
    dead: int
    cursor: str
    gap_at: str | None


class WebhooksAnswer(BaseModel):
    """All endpoints, the oldest first."""

    webhooks: list[WebhookAnswer]


class MadeWebhookAnswer(WebhookAnswer):
    """A new endpoint with its secret, which is shown once."""

    secret: str


class SecretAnswer(BaseModel):
    """The new secret, shown once; until `former_secret_until` deliveries are signed with the former one too."""

    webhook_id: str
    secret: str
    former_secret_until: str


class ReplayAnswer(BaseModel):
    """From where it is told once more."""

    webhook_id: str
    cursor: str


class DeliveryAnswer(BaseModel):
    """One delivery. `status`: of the last attempt; `reason`: why that was not taken."""

    delivery_id: int
    message_id: str
    event_id: str
    type: str
    customer_id: str
    state: Literal["waiting", "taken", "dead"]
    attempts: int
    queued_at: str
    first_at: str | None
    due_at: str | None
    done_at: str | None
    status: int | None
    reason: str | None


class DeliveriesAnswer(BaseModel):
    """The newest first; ask again with `cursor=next_cursor` for older ones."""

    deliveries: list[DeliveryAnswer]
    next_cursor: str | None


class RetryAnswer(BaseModel):
    """The delivery waits, and is due."""

    delivery_id: int
    state: Literal["waiting"]
