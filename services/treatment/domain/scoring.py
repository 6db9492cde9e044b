"""A policy scored on what the log has: which decisions it would have made otherwise, and what came of the rest.

Owns the replay of stored candidates by other numbers. What was found of customers is not kept, so rules are not tried
again: an action counts where it was a candidate, with the weights it had. Pure.

Decisions on which both agree are a sample of what the policy would do; where chance had a part in choosing, what came
of them is an unbiased estimate of it (Li, Chu, Langford, Wang: Unbiased offline evaluation of contextual-bandit-based
news article recommendation algorithms, WSDM 2011, algorithm 2). Where nothing was left to chance it says less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.treatment.domain.deciding import Candidate, in_order
from services.treatment.domain.learning import Learnt
from services.treatment.domain.policy import NONE, PPM, Policy
from services.treatment.domain.treated import SUCCESSES, Treatment


@dataclass(frozen=True, slots=True)
class Stored:
    """A decision as the log has it: what was decided and came of it, its candidates and its seed."""

    treatment: Treatment
    candidates: tuple[Mapping[str, Any], ...]
    seed: str


def again(stored: Stored, policy: Policy, learnt: Learnt) -> str:
    """The action that a policy would have decided of the same candidates."""
    known = [one for one in stored.candidates if one["action_id"] in policy.actions]
    ordered = in_order((_candidate(one, policy, learnt, stored.seed) for one in known), stored.seed)
    return ordered[0].action_id if ordered and ordered[0].score_micros > 0 else NONE


def _candidate(told: Mapping[str, Any], policy: Policy, learnt: Learnt, seed: str) -> Candidate:
    action = policy.actions[told["action_id"]]
    return Candidate(
        action.action_id,
        action.kind,
        action.priority,
        learnt.propensity_ppm(action, policy.prior_weight, policy.choose, seed),
        action.value_micros,
        action.cost_micros,
        int(Decimal(told["weight"]) * PPM),
    )


def scored(decisions: Iterable[Stored], policy: Policy, learnt: Learnt) -> dict[str, Any]:
    """How many decisions there are, how many would be others, and of those that agree how many were accepted."""
    counts = {name: {"decided": 0, "shown": 0, "accepted": 0} for name in ("all", "agreeing")}
    others: dict[tuple[str, str], int] = {}
    for stored in decisions:
        then = again(stored, policy, learnt)
        agrees = then == stored.treatment.action_id
        for name in ("all", "agreeing") if agrees else ("all",):
            counts[name]["decided"] += 1
            counts[name]["shown"] += stored.treatment.shown_us is not None
            counts[name]["accepted"] += stored.treatment.outcome in SUCCESSES
        if not agrees:
            pair = stored.treatment.action_id, then
            others[pair] = others.get(pair, 0) + 1
    ordered = sorted(others.items(), key=lambda one: (-one[1], one[0]))
    return {**counts, "others": [{"decided": a, "would_be": b, "decisions": n} for (a, b), n in ordered]}
