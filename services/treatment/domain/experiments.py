"""Reading experiments of a treatment policy: who is in the challenger, and what it does otherwise.

Owns what is refused in an experiment, and the policy that has a challenger promoted. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.treatment.domain.actions import ID, action_of
from services.treatment.domain.policy import MEAN, PPM, THOMPSON, Action, Experiment
from services.treatment.domain.readers import Reading

EXPERIMENTS_MAX = 20
PARTS = frozenset({"share", "placements", "change", "choose"})


def experiments_of(
    value: Any, actions: Mapping[str, Any], suppressions: frozenset[str], reading: Reading
) -> tuple[Experiment, ...]:
    """Experiments by their ids. `actions`: as the policy's document has them."""
    sent = reading.mapping(value, "experiments")
    if len(sent) > EXPERIMENTS_MAX:
        reading.wrong("experiments", f"at most {EXPERIMENTS_MAX}")
        return ()
    return tuple(_experiment(name, one, actions, suppressions, reading) for name, one in sent.items())


def _experiment(
    name: Any, value: Any, actions: Mapping[str, Any], suppressions: frozenset[str], reading: Reading
) -> Experiment:
    path = f"experiments.{name}"
    if not isinstance(name, str) or not ID.fullmatch(name):
        reading.wrong(path, f"an id of an experiment is {ID.pattern}")
    said = reading.mapping(value, path, PARTS)
    if said.get("share") is None:
        reading.wrong(f"{path}.share", "which share of the customers is decided for by the challenger")
    if not said.get("change") and said.get("choose") is None:
        reading.wrong(f"{path}.change", "a challenger changes something, or chooses otherwise")
    changed: dict[str, Action | None] = {}
    for action_id, change in reading.mapping(said.get("change"), f"{path}.change").items():
        place = f"{path}.change.{action_id}"
        merged = _merged(actions.get(action_id), change)
        changed[str(action_id)] = (
            None if merged is None else action_of(action_id, merged, place, suppressions, reading)
        )
    return Experiment(
        str(name),
        reading.micros(said.get("share"), f"{path}.share", 0, 0, PPM),
        changed,
        reading.named(said.get("placements"), f"{path}.placements"),
        reading.one_of(said.get("choose"), f"{path}.choose", (MEAN, THOMPSON), "") or None,
    )


def _merged(action: Any, change: Any) -> Any:
    """An action's document with a challenger's words in place of its own; `off`: without it."""
    if change == "off":
        return None
    both = isinstance(action, Mapping) and isinstance(change, Mapping)
    return {**action, **change} if both else change


def promoted(document: Mapping[str, Any], experiment_id: str) -> dict[str, Any]:
    """The policy's document with an experiment's challenger as the champion. Raises ValueError if it cannot be."""
    experiments = dict(document.get("experiments") or {})
    won = experiments.pop(experiment_id, None)
    if won is None:
        raise ValueError(f"there is no experiment {experiment_id}")
    if won.get("placements"):
        raise ValueError(f"{experiment_id} was tried at {', '.join(won['placements'])} only: elsewhere nobody knows")
    actions = dict(document["actions"])
    for action_id, change in (won.get("change") or {}).items():
        merged = _merged(actions.get(action_id), change)
        if merged is None:
            actions.pop(action_id, None)
        else:
            actions[action_id] = merged
    learning = dict(document.get("learning") or {})
    if won.get("choose"):
        learning["choose"] = won["choose"]
    found = {**document, "actions": actions, **({"learning": learning} if learning else {})}
    found.pop("experiments", None)
    return {**found, "experiments": experiments} if experiments else found
