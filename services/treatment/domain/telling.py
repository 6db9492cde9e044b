"""A decision as it is told: the answer to who asked, the event for the log, and made again of what was stored.

Owns these forms. What the log keeps of the reasons are rules and numbers, no value of the customer's. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.conditions import values_at
from schemas.envelope import moment_at, rfc3339
from services.treatment.domain.deciding import Asked, Candidate, Decision, in_order, language_of
from services.treatment.domain.policy import NONE, PPM

MINUTE_US = 60_000_000
NONE_STANDS_MINUTES = 5
"""How long a decision for nothing stands."""
FILLED_MAX = 10
"""Values that fill one parameter."""


@dataclass(frozen=True, slots=True)
class By:
    """By what it was decided: number of the policy, version of the model, and how far the profile was."""

    policy_number: int
    model_version: str
    profile_version: int
    profile_position: str | None


def decimal(micros: int) -> str:
    """Whole millionths as a decimal, exactly."""
    return f"{Decimal(micros).scaleb(-6).normalize() + 0:f}"


def answer(
    treatment_id: str, decision: Decision, asked: Asked, by: By, document: Mapping[str, Any]
) -> dict[str, Any]:
    """What who asked is told."""
    action, policy = decision.action, decision.policy
    language = language_of(document, asked.context, policy.language)
    stands = action.expires_minutes if action else NONE_STANDS_MINUTES
    return {
        "treatment_id": treatment_id,
        "action": {
            "action_id": action.action_id if action else NONE,
            "kind": action.kind if action else NONE,
            "label": action.label if action else "nothing",
            "text": action.text(language, policy.language) if action else None,
            "parameters": dict(action.parameters) if action else {},
            "fill": dict(action.fill) if action else {},
        },
        "channel": asked.channel,
        "placement": asked.placement,
        "reason": decision.reason,
        "candidates": [listed(one) for one in decision.candidates],
        "left_out": [{"action_id": o.action_id, "rule": o.rule, "why": dict(o.why)} for o in decision.left_out],
        "experiment": decision.experiment,
        "variant": decision.variant,
        "seed": asked.seed,
        "currency": policy.currency,
        "policy_number": by.policy_number,
        "model_version": by.model_version,
        "profile_version": by.profile_version,
        "profile_position": by.profile_position,
        "decided_at": rfc3339(moment_at(asked.now_us)),
        "expires_at": rfc3339(moment_at(asked.now_us + stands * MINUTE_US)),
    }


def filled(told: Mapping[str, Any], seen: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with its action's parameters filled of the document as the asker may see it: each a list."""
    action = dict(told["action"])
    document = {**seen, "context": context, "channel": told["channel"], "placement": told["placement"]}
    found = {name: _plain(values_at(document, path)) for name, path in action.pop("fill").items()}
    return {**told, "action": {**action, "parameters": {**action["parameters"], **found}}}


def _plain(values: Iterable[Any]) -> list[Any]:
    return [one for one in values if isinstance(one, str | int | float)][:FILLED_MAX]


def properties(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the event `treatment.decided` says, of an answer: no value that a rule found goes along."""
    action_id = told["action"]["action_id"]
    chosen = [one for one in told["candidates"] if one["action_id"] == action_id]
    found = {
        "treatment_id": told["treatment_id"],
        "action_id": action_id,
        "kind": told["action"]["kind"],
        "placement": told["placement"],
        "propensity": chosen[0]["propensity"] if chosen else None,
        "reason": told["reason"],
        "candidates": told["candidates"],
        "left_out": [{"action_id": one["action_id"], "rule": one["rule"]} for one in told["left_out"]],
        "rule_version": str(told["policy_number"]),
        "profile_version": told["profile_version"],
        **{name: told[name] for name in ("model_version", "experiment", "variant", "seed", "expires_at")},
        "profile_position": told["profile_position"],
    }
    return {name: value for name, value in found.items() if value is not None}


def listed(one: Candidate) -> dict[str, Any]:
    """A candidate with what its score is made of; numbers are decimals in text."""
    return {
        "action_id": one.action_id,
        "kind": one.kind,
        "score": decimal(one.score_micros),
        "propensity": decimal(one.propensity_ppm),
        "value": decimal(one.value_micros),
        "cost": decimal(one.cost_micros),
        "weight": decimal(one.weight_micros),
        "priority": one.priority,
    }


def chosen_again(candidates: Iterable[Mapping[str, Any]], seed: str) -> str:
    """The action that what was stored of a decision gives: what was decided, whatever policy is in force now."""
    ordered = in_order([_candidate(one) for one in candidates], seed)
    return ordered[0].action_id if ordered and ordered[0].score_micros > 0 else NONE


def _candidate(told: Mapping[str, Any]) -> Candidate:
    propensity, value, cost, weight = (
        int(Decimal(told[name]) * PPM) for name in ("propensity", "value", "cost", "weight")
    )
    return Candidate(told["action_id"], told["kind"], told["priority"], propensity, value, cost, weight)
