"""The treatment policy: actions with their worth and their rules, pressure, suppressions, learning, experiments.

Owns what a policy is once it was read; reading it is reading.py's. Pure. Amounts are whole millionths of the policy's
currency (`_micros`), propensities and shares whole millionths (`_ppm`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.conditions import Condition
from schemas.treatments import SHOWN
from services.treatment.domain.lots import lot

PPM = 1_000_000
KINDS = ("offer", "message", "service_level", "price_terms", "question", "next_step")
NONE = "none"
"""The action that is none, and its kind."""
MEAN, THOMPSON = "mean", "thompson"
CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition by its path in the policy, which is how a reason names it."""

    path: str
    holds: Condition


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many treatments within so many days; `of`: those shown, or those decided.

    `kinds`, `channels`: of which actions and where; None: of all. `action_id`: of this action alone.
    """

    path: str
    at_most: int
    days: int
    of: str = SHOWN
    kinds: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    action_id: str | None = None

    def concerns(self, action: Action, channel: str) -> bool:
        """Whether it bounds this action on this channel."""
        if self.action_id is not None:
            return self.action_id == action.action_id
        return (self.kinds is None or action.kind in self.kinds) and (
            self.channels is None or channel in self.channels
        )


@dataclass(frozen=True, slots=True)
class Suppression:
    """While its rule holds, actions of these kinds are not decided; None: of all kinds."""

    name: str
    rule: Rule
    kinds: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """What is added to an action's worth while the rule holds."""

    rule: Rule
    add_micros: int


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done. `placements`, `channels`: where; None: everywhere.

    `rest_days`: outcome → for how many days after it the action is not decided again. `despite`: suppressions that do
    not concern it. `expires_minutes`: how long a decision for it stands. `fill`: parameter → the path
    of the document that fills it.
    """

    action_id: str
    kind: str
    label: str
    texts: Mapping[str, str]
    parameters: Mapping[str, Any]
    propensity_ppm: int
    value_micros: int
    cost_micros: int
    priority: int
    expires_minutes: int
    placements: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    when: Rule | None = None
    weights: tuple[Weight, ...] = ()
    consent: str | None = None
    reachable: bool = False
    caps: tuple[Cap, ...] = ()
    rest_days: Mapping[str, int] = field(default_factory=dict)
    fill: Mapping[str, str] = field(default_factory=dict)
    despite: frozenset[str] = frozenset()

    def text(self, language: str, otherwise: str) -> str | None:
        """Its text in a language (`de` serves `de-AT`), else in the policy's, else in any; None: it has none."""
        for asked in (language.lower(), language.lower().partition("-")[0], otherwise):
            if asked in self.texts:
                return self.texts[asked]
        return next(iter(self.texts.values()), None)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A share of the customers is decided for by the challenger. `changed`: action → its own of it; None: without."""

    experiment_id: str
    share_ppm: int
    changed: Mapping[str, Action | None]
    placements: frozenset[str] | None = None
    choose: str | None = None

    def variant_of(self, subject: str) -> str:
        """Champion or challenger: the same for a customer all the time, whatever else he is in."""
        drawn = int.from_bytes(lot(self.experiment_id, subject), "big")
        return CHALLENGER if drawn % PPM < self.share_ppm else CHAMPION


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy, all of it."""

    currency: str
    language: str
    prior_weight: int
    choose: str
    actions: Mapping[str, Action]
    suppressions: tuple[Suppression, ...] = ()
    pressure: tuple[Cap, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    needs_next: bool = False
    """Whether it looks at `value.next`, which is worked out only for who asks."""

    def experiment_at(self, placement: str) -> Experiment | None:
        """The experiment a decision for this placement is part of: the first one that is there."""
        return next((e for e in self.experiments if e.placements is None or placement in e.placements), None)

    def as_tried(self, experiment: Experiment | None, variant: str) -> Policy:
        """The policy by which a variant of an experiment decides."""
        if experiment is None or variant != CHALLENGER:
            return self
        tried = {**self.actions, **experiment.changed}
        left = {name: action for name, action in tried.items() if action is not None}
        return replace(self, actions=left, choose=experiment.choose or self.choose)
