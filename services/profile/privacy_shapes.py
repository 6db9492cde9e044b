"""Shapes of what is asked and answered when somebody's data are exported or erased.

Owns these models. Receipts hold nothing personal: `reason` is the asker's own word, to be kept free of names.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

REASON_CHARS_MAX = 200
ASKED_FOR = "asked for"


class EraseCommand(BaseModel):
    """Why he is erased; kept for ever beside the receipt, so it should name nobody."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_CHARS_MAX)] = (
        ASKED_FOR
    )


class ErasureAnswer(BaseModel):
    """The receipt. `asked`: it is certain; `told`: the log has the word, before `position`; `done`: every service has
    forgotten."""

    erasure_id: UUID
    customer_id: UUID
    state: Literal["asked", "told", "done"]
    records: Annotated[int, Field(description="How many of his records are erased")]
    events: Annotated[int, Field(description="How many events of groups and operators that name him are erased")]
    requested_at: str
    by: Annotated[str, Field(description="Name of the key that asked")]
    reason: str
    position: str | None
    done_at: str | None


class ExportAnswer(BaseModel):
    """The receipt. What is `done` lies at `/v1/exports/{export_id}/data` until `expires_at`."""

    export_id: UUID
    customer_id: UUID
    state: Literal["waiting", "done", "too_large", "gone"]
    requested_at: str
    by: Annotated[str, Field(description="Name of the key that asked")]
    position: Annotated[str | None, Field(description="All that lay before it is in the copy")]
    done_at: str | None
    expires_at: str | None
    bytes: int | None
