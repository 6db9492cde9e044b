"""How likely an action is accepted: the policy's word, and what was shown and accepted since.

Owns the posterior and its version. The policy's propensity counts as `prior_weight` showings (Beta-Bernoulli; see
models/beta.py). What is shown of it is a whole number of millionths. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.treatment.domain.lots import LOT_BYTES, lot
from services.treatment.domain.models import beta
from services.treatment.domain.policy import CHALLENGER, CHAMPION, PPM, THOMPSON, Action
from services.treatment.domain.treated import Arm, Tally


@dataclass(frozen=True, slots=True)
class Learnt:
    """Counts by action. `version` says of how much: the same counts have the same version."""

    by_action: Mapping[str, Tally] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Mapping[Arm, Tally]) -> Learnt:
        """Of what was counted in all arms."""
        found: dict[str, Tally] = {}
        for arm, tally in counts.items():
            found[arm.action_id] = found.get(arm.action_id, Tally()).plus(tally)
        return cls(found)

    @property
    def version(self) -> str:
        """`beta-<shown>-<accepted>`, of all actions."""
        every = self.by_action.values()
        return f"beta-{sum(one.shown for one in every)}-{sum(one.accepted for one in every)}"

    def propensity_ppm(self, action: Action, prior_weight: int, choose: str, seed: str) -> int:
        """The posterior mean in millionths, rounded down; by Thompson, a draw of it that follows of the seed.

        Accepted counts at most as often as shown: an outcome says that it was.
        """
        tally = self.by_action.get(action.action_id, Tally())
        if choose == THOMPSON:
            successes = action.propensity_ppm * prior_weight / PPM + tally.accepted
            failures = prior_weight + tally.shown - successes
            return int(PPM * beta.quantile(successes, failures, _share(seed, action.action_id)))
        return (action.propensity_ppm * prior_weight + tally.accepted * PPM) // (prior_weight + tally.shown)


def _share(seed: str, action_id: str) -> float:
    """A number between 0 and 1 that follows of both, as good as drawn."""
    return (int.from_bytes(lot(seed, action_id), "big") + 0.5) / (1 << (8 * LOT_BYTES))


def results(counts: Mapping[Arm, Tally], experiment_id: str) -> dict[str, object]:
    """What both variants of an experiment came to, and how likely the challenger's rate is the greater.

    Each with one success and one failure beforehand (the uniform prior), so that nothing is sure at the beginning.
    """
    sums = {CHAMPION: Tally(), CHALLENGER: Tally()}
    for arm, tally in counts.items():
        if arm.experiment == experiment_id and arm.variant in sums:
            sums[arm.variant] = sums[arm.variant].plus(tally)
    champion, challenger = (
        (1.0 + one.accepted, 1.0 + one.shown - one.accepted) for one in (sums[CHAMPION], sums[CHALLENGER])
    )
    return {
        **{name: tally._asdict() for name, tally in sums.items()},
        "challenger_better": round(beta.chance_greater(challenger, champion), 3),
    }
