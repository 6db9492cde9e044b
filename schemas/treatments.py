"""What was done for a customer, as his document shows it: treatments decided and shown, and what came of them.

Owns these shapes. Nothing in them is personal: names are the policy's, or of who showed a treatment of his own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel

TREATMENT_ID = re.compile(r"trt_[0-9a-f]{32}")
"""An id of our making: no other treatment has it, whoever speaks of it."""

DECIDED, SHOWN, OUTCOME = "decided", "shown", "outcome"
SAID: Mapping[str, str] = {
    "recommendation.made": DECIDED,
    "treatment.decided": DECIDED,
    "treatment.shown": SHOWN,
    "treatment.outcome": OUTCOME,
    "coupon.redeemed": OUTCOME,
}
"""Event type → what it says of a treatment. Who sent none of these was never treated."""


class TreatmentItem(BaseModel):
    """One treatment; what did not happen, or nobody told, is null. `origin_record`: under which it was decided."""

    treatment_id: str
    action_id: str
    channel: str
    placement: str | None
    decided_at: str | None
    shown_at: str | None
    outcome: str | None
    outcome_at: str | None
    expires_at: str | None
    experiment: str | None
    variant: str | None
    origin_record: str


class TreatmentPart(BaseModel):
    """What was done for the customer: the newest ten, those decided that still stand and have no outcome, outcomes
    by kind, and `pressure`: treatments shown within a day, a week and 30 days, as `shown_7d`.
    """

    last: list[TreatmentItem]
    open: list[TreatmentItem]
    outcomes: dict[str, int]
    pressure: dict[str, int]
