"""One customer: the scores of scoring.py for a single summary, in microseconds.

Owns what is kept between customers of one model and one set of terms: the rules of each number of purchases. The lane
asks it after an event; many at once are scoring.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, expm1, inf, log, log1p
from typing import NamedTuple

import numpy as np

from services.value.domain.models.arrays import Floats
from services.value.domain.models.bg import TRAPEZOID, BetaGeometric
from services.value.domain.models.history import History
from services.value.domain.models.pareto import LEVEL, POINTS, ParetoGamma
from services.value.domain.models.quadrature import NEGLIGIBLE, unit_rule
from services.value.domain.models.scoring import TIMES, Terms

_EXPONENT_MAX = 300.0
_SURE = 700.0
RULES_MAX = 4_096
"""Rules kept; the numbers of purchases that come are far fewer."""
SCORES_MAX = 65_536
"""Of so many pairs of purchases and age in days what is expected is kept."""


class Score(NamedTuple):
    """The probability that he is still there, expected purchases within the horizon, and these discounted."""

    alive: float
    expected: float
    discounted: float


class Single:
    """Scores single customers by one model under one set of terms.

    What is expected of who is there depends on his number of purchases and his age alone: kept, it serves everybody
    with as many, and the next step of a search. The chance that he is there is cheap.
    """

    def __init__(self, model: BetaGeometric | ParetoGamma, terms: Terms) -> None:
        self.scale_days = model.scale_days
        self.horizon_days = terms.horizon_days
        self.daily, self.whole = terms.daily, terms.whole
        one = _OneBetaGeometric(model) if isinstance(model, BetaGeometric) else _OnePareto(model)
        self._log_odds_gone, self._expected = one.log_odds_gone, one.expected_if_there
        places, weights = unit_rule(TIMES)
        self._places, self._weights = places.tolist(), weights.tolist()
        self._if_there: Callable[[int, int], tuple[float, float]] = lru_cache(SCORES_MAX)(self._worked_out)

    def score(self, one: History) -> Score:
        """All three scores."""
        bought, discounted = self._if_there(one.frequency, one.age_days)
        alive = self.alive(one)
        return Score(alive, alive * bought, alive * discounted)

    def discounted(self, frequency: int, recency_days: int, age_days: int) -> float:
        """The last of them alone."""
        return self.there(frequency, recency_days, age_days) * self._if_there(frequency, age_days)[1]

    def _worked_out(self, frequency: int, age: int) -> tuple[float, float]:
        """Expected purchases within the horizon, and these discounted, of who is there."""
        scale, daily = self.scale_days + age, self.daily
        width = log1p(self.horizon_days / scale)
        times = [scale * expm1(width * place) for place in self._places]
        parts = [w * (scale + time) * exp(-daily * time) for w, time in zip(self._weights, times, strict=True)]
        *earlier, bought = self._expected(frequency, age, [*times, self.horizon_days])
        mean = sum(map(float.__mul__, parts, earlier)) / sum(parts)
        return bought, bought - self.whole * (bought - mean)

    def alive(self, one: History) -> float:
        """The probability that he is still there."""
        return self.there(*one)

    def there(self, frequency: int, recency_days: int, age_days: int) -> float:
        """The same, of the parts of a history."""
        odds = self._log_odds_gone(frequency, recency_days, age_days)
        return 1 / (1 + exp(odds)) if odds < _SURE else 0.0


class _OneBetaGeometric:
    """BG/NBD and MBG/NBD; `rules` holds what bg.py computes for a number of purchases."""

    def __init__(self, model: BetaGeometric) -> None:
        self.model, self.alpha = model, model.alpha_days
        self.reaches: dict[int, tuple[float, float]] = {}
        self.rules: dict[tuple[int, int], tuple[Floats, Floats]] = {}

    def log_odds_gone(self, x: int, recency: int, age: int) -> float:
        model = self.model
        survived = x + model.survived_first
        if survived == 0:
            return -inf
        longer = log((self.alpha + age) / (self.alpha + recency))
        return log(model.a / (model.b + survived - 1)) + (model.r + x) * longer

    def expected_if_there(self, x: int, age: int, times: list[float]) -> list[float]:
        since = self.alpha + age
        places, weights = self._rule(x, times[-1] / since)
        bought = np.multiply.outer(np.array(times), places)
        bought /= since
        np.log1p(bought, out=bought)
        bought *= -self.model.r - x
        found: list[float] = np.dot(np.expm1(bought, out=bought), weights).tolist()
        return found

    def _rule(self, x: int, steps: float) -> tuple[Floats, Floats]:
        reach = self.reaches.get(x)
        if reach is None:
            few, more = self.model.reaches(np.array([float(x)]))
            reach = self.reaches[x] = float(few[0]), float(more[0])
        points = 16 if steps <= reach[0] else 32 if steps <= reach[1] else TRAPEZOID
        rule = self.rules.get((x, points))
        if rule is None:
            if len(self.rules) >= RULES_MAX:
                self.rules.clear()
            places, weights = self.model.rules(np.array([float(x)]), points)
            rule = self.rules[x, points] = places[0], -weights[0]
        return rule


class _OnePareto:
    """Pareto/NBD."""

    def __init__(self, model: ParetoGamma) -> None:
        self.model = model
        self.places, self.weights = unit_rule(POINTS)

    def log_odds_gone(self, x: int, recency: int, age: int) -> float:
        """As pareto.py's integral, relative to its integrand at the last purchase."""
        model = self.model
        bought, stop = model.r + x, model.s + 1
        to_buy, to_stop = model.alpha_days + recency, model.beta_days + recency
        scale = 1 / (bought / to_buy + stop / to_stop)
        end = min(
            age - recency,
            to_buy * expm1(min(NEGLIGIBLE / bought, _EXPONENT_MAX)),
            to_stop * expm1(min(NEGLIGIBLE / stop, _EXPONENT_MAX)),
        )
        if end <= 0:
            return -inf
        width = log1p(end / scale)
        since = np.expm1(width * self.places)
        height = np.log1p(since * (scale / to_buy))
        height *= -bought
        height -= stop * np.log1p(since * (scale / to_stop))
        since += 1.0
        since *= np.exp(height, out=height)
        whole = model.s * width * scale * float(np.dot(since, self.weights))
        longer = bought * log((model.alpha_days + age) / to_buy) + model.s * log((model.beta_days + age) / to_stop)
        return log(whole / to_stop) + longer

    def expected_if_there(self, x: int, age: int, times: list[float]) -> list[float]:
        model = self.model
        there, less = model.beta_days + age, model.s - 1
        rate = (model.r + x) / (model.alpha_days + age) * there
        found = []
        for time in times:
            lasting = log1p(time / there)
            power = less * lasting
            ratio = 1 - power / 2 if abs(power) < LEVEL else -expm1(-power) / power
            found.append(rate * lasting * ratio)
        return found
