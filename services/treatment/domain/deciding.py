"""Deciding: which action for a customer, of his document, what was asked, the policy and what was done before.

Owns the rules' order, the arbitration and the reasons. Pure: the same input gives the same answer.

    score = propensity * value - cost + weights

The highest priority goes first, then the highest score; equals are told apart by the seed. What is not worth more
than nothing is not done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.treatment.domain.learning import Learnt
from services.treatment.domain.lots import lot
from services.treatment.domain.past import DAY_US, rests_until_us, section, within
from services.treatment.domain.policy import PPM, Action, Cap, Policy, Rule
from services.treatment.domain.treated import Treatment

GRANTED = "granted"
NOTHING_HERE = "no action of the policy is for this placement and channel"
ALL_LEFT_OUT = "every action that is for this placement was left out"
NOT_WORTH_IT = "no action that was left is worth more than it costs"
HIGHEST = "its priority and score are the highest of what was left"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for a customer. `subject`: his id, or that of the record he is known by."""

    subject: str
    channel: str
    placement: str
    now_us: int
    seed: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action nothing spoke against, and what it is worth."""

    action_id: str
    kind: str
    priority: int
    propensity_ppm: int
    value_micros: int
    cost_micros: int
    weight_micros: int

    @property
    def score_micros(self) -> int:
        """propensity * value - cost + weights, in millionths of the currency, rounded down."""
        return self.propensity_ppm * self.value_micros // PPM - self.cost_micros + self.weight_micros


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An action that a rule of the policy left out. `why`: the rule's condition with what it found, or a count."""

    action_id: str
    rule: str
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided: `action`, None: nothing. Candidates are the best first."""

    action: Action | None
    reason: str
    candidates: Sequence[Candidate]
    left_out: Sequence[LeftOut]
    experiment: str | None
    variant: str | None
    policy: Policy


def seed_of(subject: str, placement: str, day: int) -> str:
    """The seed where none is given: a customer is decided for alike all through a business day."""
    return lot(subject, placement, day).hex()


def decide(
    policy: Policy,
    document: Mapping[str, Any],
    asked: Asked,
    past: Sequence[Treatment],
    learnt: Learnt,
    seen: Mapping[str, Any] | None = None,
) -> Decision:
    """Decide for one customer. `past`: what was done for him. `seen`: his document as reasons may show it."""
    experiment = policy.experiment_at(asked.placement)
    variant = experiment.variant_of(asked.subject) if experiment is not None else None
    tried = policy.as_tried(experiment, variant or "")
    about: dict[str, Any] = {"channel": asked.channel, "placement": asked.placement, "context": asked.context}
    about["treatment"] = section(past, asked.now_us)
    whole = {**document, **about}
    looked = _Looked(tried, whole, whole if seen is None else {**seen, **about}, asked, past)
    left_out: list[LeftOut] = []
    candidates: list[Candidate] = []
    is_anything_here = False
    for action in tried.actions.values():
        against = looked.against(action)
        is_anything_here = is_anything_here or against is None or not against.is_elsewhere
        if against is None:
            candidates.append(looked.candidate(action, learnt))
        else:
            left_out.append(LeftOut(action.action_id, against.rule, against.why))
    ordered = in_order(candidates, asked.seed)
    best = ordered[0] if ordered and ordered[0].score_micros > 0 else None
    reason = HIGHEST if best else NOT_WORTH_IT if ordered else ALL_LEFT_OUT if is_anything_here else NOTHING_HERE
    return Decision(
        action=tried.actions[best.action_id] if best else None,
        reason=reason,
        candidates=ordered,
        left_out=left_out,
        experiment=experiment.experiment_id if experiment is not None else None,
        variant=variant,
        policy=tried,
    )


def in_order(candidates: Iterable[Candidate], seed: str) -> list[Candidate]:
    """The best first: what is worth something before what is not, then by priority, score, and the seed's lot."""

    def rank(c: Candidate) -> tuple[bool, int, int, bytes]:
        return c.score_micros > 0, c.priority, c.score_micros, lot(seed, c.action_id)

    return sorted(candidates, key=rank)[::-1]


def language_of(document: Mapping[str, Any], context: Mapping[str, Any], usual: str) -> str:
    """In which language: the context's, else the one he prefers, else the policy's."""
    preferred = [one.get("language") for _, one in sorted((document.get("preferences") or {}).items())]
    return next((one for one in (context.get("language"), *preferred) if isinstance(one, str) and one), usual)


@dataclass(frozen=True, slots=True)
class _Against:
    rule: str
    why: Mapping[str, Any]
    is_elsewhere: bool = False


@dataclass(slots=True)
class _Looked:
    """One customer looked at for all actions."""

    policy: Policy
    document: Mapping[str, Any]
    seen: Mapping[str, Any]
    asked: Asked
    past: Sequence[Treatment]
    kinds: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = {action.action_id: action.kind for action in self.policy.actions.values()}

    def candidate(self, action: Action, learnt: Learnt) -> Candidate:
        """What an action is worth for him."""
        holding = (w for w in action.weights if w.rule.holds(self.document, self.asked.now_us).holds)
        return Candidate(
            action.action_id,
            action.kind,
            action.priority,
            learnt.propensity_ppm(action, self.policy.prior_weight, self.policy.choose, self.asked.seed),
            action.value_micros,
            action.cost_micros,
            sum(weight.add_micros for weight in holding),
        )

    def against(self, action: Action) -> _Against | None:
        """The first rule that speaks against an action; None: nothing does."""
        return next(self._rules(action), None)

    def _rules(self, action: Action) -> Iterator[_Against]:
        place = f"actions.{action.action_id}"
        for name, there, here in (
            ("placements", action.placements, self.asked.placement),
            ("channels", action.channels, self.asked.channel),
        ):
            if there is not None and here not in there:
                yield _Against(f"{place}.{name}", {"asked": here}, is_elsewhere=True)
        if action.when is not None and (why := self._held(action.when, wanted=True)) is not None:
            yield _Against(action.when.path, why)
        for suppression in self.policy.suppressions:
            concerns = suppression.kinds is None or action.kind in suppression.kinds
            if concerns and suppression.name not in action.despite:
                why = self._held(suppression.rule, wanted=False)
                if why is not None:
                    yield _Against(suppression.rule.path, why)
        yield from self._permissions(action, place)
        yield from self._history(action, place)

    def _held(self, rule: Rule, *, wanted: bool) -> dict[str, Any] | None:
        """Why a rule speaks against an action: it should hold, or should not; None where it does as it should."""
        held = rule.holds(self.document, self.asked.now_us)
        if held.holds is wanted:
            return None
        return held.shown(rule.holds(self.seen, self.asked.now_us))

    def _permissions(self, action: Action, place: str) -> Iterator[_Against]:
        if action.consent is not None:
            state = _consent(self.document, action.consent, self.asked.channel)
            if state != GRANTED:
                yield _Against(f"{place}.consent", {"purpose": action.consent, "state": state})
        if action.reachable:
            found = ((self.document.get("contact") or {}).get("reachable") or {}).get(self.asked.channel)
            against = ["unknown"] if found is None else list(found.get("why_not") or ())
            if against:
                yield _Against(f"{place}.reachable", {"channel": self.asked.channel, "why_not": against})

    def _history(self, action: Action, place: str) -> Iterator[_Against]:
        until_us = rests_until_us(self.past, action)
        if until_us is not None and until_us > self.asked.now_us:
            days = -(-(until_us - self.asked.now_us) // DAY_US)
            yield _Against(f"{place}.rest_days", {"days_left": days})
        for cap in (*action.caps, *self.policy.pressure):
            if cap.concerns(action, self.asked.channel):
                found = within(self.past, cap, self.kinds, self.asked.now_us)
                if found >= cap.at_most:
                    yield _Against(cap.path, _counted(cap, found))


def _consent(document: Mapping[str, Any], purpose: str, channel: str) -> str:
    """The state of a consent on a channel: granted, withdrawn or unknown."""
    told = (document.get("consents") or {}).get(purpose) or {}
    by_channel = told.get("by_channel") or {}
    word = by_channel.get(channel) or by_channel.get("all") or {}
    return str(word.get("state", "unknown"))


def _counted(cap: Cap, found: int) -> dict[str, Any]:
    return {"counted": found, "at_most": cap.at_most, "days": cap.days, "of": cap.of}
