"""Small policies and questions for the tests of decisions.

Owns how little is said where a test does not care.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.treatment.domain.deciding import Asked, Decision, decide
from services.treatment.domain.learning import Learnt
from services.treatment.domain.policy import Policy
from services.treatment.domain.reading import read_policy
from services.treatment.domain.treated import Treatment

DAY_US = 86_400_000_000
NOW_US = 1_772_442_900_000_000
"""2026-03-02T09:15:00Z."""
ANN = "0b0f9a4e-8f6f-5c1b-9a3e-000000000001"


def policy(actions: Mapping[str, Any], **more: Any) -> Policy:
    """A policy of these actions; each is an offer worth 10 unless it says otherwise."""
    listed = {name: {"kind": "offer", "value": 10, **action} for name, action in actions.items()}
    return read_policy({"currency": "EUR", "actions": listed, **more})


def asked(channel: str = "web", placement: str = "home", subject: str = ANN, **more: Any) -> Asked:
    """A question of Ann's, now."""
    return Asked(subject, channel, placement, NOW_US, more.pop("seed", "a seed"), **more)


def made(
    by: Policy,
    document: Mapping[str, Any] | None = None,
    question: Asked | None = None,
    past: Sequence[Treatment] = (),
    learnt: Learnt | None = None,
) -> Decision:
    """What is decided."""
    return decide(by, document or {}, question or asked(), past, learnt or Learnt())


def action_of(decision: Decision) -> str | None:
    """The decided action's id."""
    return decision.action.action_id if decision.action is not None else None


def why_not(decision: Decision, action_id: str) -> tuple[str, Mapping[str, Any]]:
    """The rule that left an action out, and what it found."""
    (one,) = [one for one in decision.left_out if one.action_id == action_id]
    return one.rule, one.why


def treatment(action_id: str = "tea", days_ago: float = 1, **more: Any) -> Treatment:
    """One that was decided and shown so many days ago."""
    at_us = NOW_US - int(days_ago * DAY_US)
    fields = {
        "treatment_id": f"{action_id}-{days_ago}", "record_id": ANN, "action_id": action_id, "channel": "web",
        "placement": "home", "decided_us": at_us, "shown_us": at_us, "outcome": None, "outcome_us": None,
        "expires_us": None, "experiment": None, "variant": None, **more,
    }  # fmt: skip
    return Treatment(**fields)
