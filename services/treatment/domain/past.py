"""What was done for a customer before, as a decision and his document look at it at a moment.

Owns counting within days, when an action rests, and the document's part. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.envelope import moment_at, rfc3339
from schemas.treatments import SHOWN
from services.treatment.domain.policy import Action, Cap
from services.treatment.domain.treated import Treatment

DAY_US = 86_400_000_000
LISTED_MAX = 10
PRESSURE_DAYS = (1, 7, 30)


def within(treatments: Iterable[Treatment], cap: Cap, kinds: dict[str, str], now_us: int) -> int:
    """How many of them a cap counts. `kinds`: action → its kind; one the policy does not have is of no kind."""
    since_us = now_us - cap.days * DAY_US
    return sum(
        1
        for one in treatments
        if one.is_any and _counts(one, cap, kinds) and (_moment(one, cap) or since_us) > since_us
    )


def _moment(one: Treatment, cap: Cap) -> int | None:
    return one.shown_us if cap.of == SHOWN else one.at_us


def _counts(one: Treatment, cap: Cap, kinds: dict[str, str]) -> bool:
    if cap.action_id is not None:
        return one.action_id == cap.action_id
    of_kind = cap.kinds is None or kinds.get(one.action_id) in cap.kinds
    return of_kind and (cap.channels is None or one.channel in cap.channels)


def rests_until_us(treatments: Iterable[Treatment], action: Action) -> int | None:
    """Until when an action rests after what came of it, in µs since 1970; None: nothing came of it."""
    ends = [
        one.outcome_us + action.rest_days[one.outcome] * DAY_US
        for one in treatments
        if one.action_id == action.action_id
        and one.outcome is not None
        and one.outcome_us is not None
        and one.outcome in action.rest_days
    ]
    return max(ends, default=None)


def section(treatments: Sequence[Treatment], now_us: int) -> dict[str, Any]:
    """The document's `treatment` at this moment.

    `open`: decided, not expired, without an outcome. `pressure`: treatments shown within so many days.
    """
    newest = sorted((one for one in treatments if one.is_any), key=lambda one: (one.at_us, one.treatment_id))[::-1]
    waiting = [one for one in newest if one.outcome is None and one.decided_us is not None]
    still = [one for one in waiting if one.expires_us is None or one.expires_us > now_us]
    shown = [one.shown_us for one in newest if one.shown_us is not None]
    outcomes = Counter(one.outcome for one in newest if one.outcome is not None)
    return {
        "last": [listed(one) for one in newest[:LISTED_MAX]],
        "open": [listed(one) for one in still[:LISTED_MAX]],
        "outcomes": dict(sorted(outcomes.items())),
        "pressure": {f"shown_{d}d": sum(us > now_us - d * DAY_US for us in shown) for d in PRESSURE_DAYS},
    }


def listed(one: Treatment) -> dict[str, Any]:
    """A treatment as answers show it."""
    return {
        "treatment_id": one.treatment_id,
        "action_id": one.action_id,
        "channel": one.channel,
        "placement": one.placement,
        "decided_at": _shown(one.decided_us),
        "shown_at": _shown(one.shown_us),
        "outcome": one.outcome,
        "outcome_at": _shown(one.outcome_us),
        "expires_at": _shown(one.expires_us),
        "experiment": one.experiment,
        "variant": one.variant,
        "origin_record": one.record_id,
    }


def _shown(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(moment_at(time_us))
