"""What decisions are asked with, and what is answered of them.

Owns these shapes; fields that answers share with documents are schemas/treatments.py's.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

from schemas.events.common import Channel
from schemas.treatments import TreatmentItem

NAME_CHARS_MAX = 100
VALUE_CHARS_MAX = 512
CONTEXT_NAMES_MAX = 50

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_CHARS_MAX)]


class _Asked(BaseModel):
    """Unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid")


class DecisionIdentifier(_Asked):
    """By what the customer is known to who asks."""

    type: Name
    value: Annotated[str, StringConstraints(min_length=1, max_length=VALUE_CHARS_MAX)]


class DecisionCommand(_Asked):
    """What to do for a customer (`customer_id`, or `customer`), or for whose this identifier is, here and now.

    `context` is what the policy's conditions may ask for beside his document, such as {"cart_value": 40}; nothing of
    it is kept. `seed` decides between equals, and chance where the policy tries out; without it a customer is decided
    for alike all through the business day.
    """

    customer_id: Annotated[str | None, Field(validation_alias=AliasChoices("customer_id", "customer"))] = None
    identifier: DecisionIdentifier | None = None
    channel: Channel
    placement: Name
    context: Annotated[dict[str, Any], Field(max_length=CONTEXT_NAMES_MAX)] = Field(default_factory=dict)
    seed: Name | None = None


class DecidedAction(BaseModel):
    """What to do: kind is offer, message, service_level, price_terms, question, next_step, or none.

    `text` is in the customer's language where the policy has it; `parameters` are the policy's own.
    """

    action_id: str
    kind: str
    label: str
    text: str | None
    parameters: dict[str, Any]


class DecisionCandidate(BaseModel):
    """An action that nothing spoke against: score = propensity * value - cost + weight; decimals as text."""

    action_id: str
    kind: str
    score: str
    propensity: str
    value: str
    cost: str
    weight: str
    priority: int


class DecisionLeftOut(BaseModel):
    """An action that a rule left out: the rule's place in the policy."""

    action_id: str
    rule: str


class DecisionLeftOutWhy(DecisionLeftOut):
    """With what the rule asked and found (masked as the key may see it); empty where the answer is a repeated one."""

    why: dict[str, Any]


class _Told(BaseModel):
    """By what it was decided."""

    candidates: list[DecisionCandidate]
    model_version: str | None
    profile_version: int | None
    profile_position: str | None
    seed: str | None
    reason: str | None


class DecisionAnswer(_Told):
    """What was decided and why. `customer_id` is null for who is not known yet; the log has it at `position`."""

    treatment_id: str
    customer_id: str | None
    action: DecidedAction
    channel: str
    placement: str
    left_out: list[DecisionLeftOutWhy]
    experiment: str | None
    variant: str | None
    currency: str
    policy_number: int
    decided_at: str
    expires_at: str
    position: str


class DecisionRecordAnswer(_Told, TreatmentItem):
    """A decision as the log has it, what came of it, and whether what was stored gives the same action again."""

    customer_id: str | None
    kind: str | None
    left_out: list[DecisionLeftOut]
    policy_number: str | None
    gives_again: bool
