"""Reading a treatment policy of its YAML form, already parsed: every error at once, each with its path.

Owns what a policy must have. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.treatment.domain.actions import LANGUAGE, action_of, caps_of
from services.treatment.domain.experiments import experiments_of
from services.treatment.domain.policy import KINDS, MEAN, THOMPSON, Policy, Suppression
from services.treatment.domain.readers import Reading

ACTIONS_MAX = 100
PRIOR_WEIGHT, PRIOR_WEIGHT_MAX = 20, 1_000_000
CURRENCY = re.compile(r"[A-Z]{3}")
NEXT = "value.next"
PARTS = frozenset({
    "version", "currency", "language", "learning", "suppress", "pressure", "actions", "experiments",
})  # fmt: skip


def read_policy(document: Any) -> Policy:
    """The policy of its document. Raises ValueError naming every error with its path."""
    reading = Reading()
    if not isinstance(document, Mapping):
        raise ValueError("a policy is an object")
    reading.mapping(document, "", PARTS)
    learning = reading.mapping(document.get("learning"), "learning", frozenset({"prior_weight", "choose"}))
    suppressions = _suppressions(document.get("suppress"), reading)
    sent = reading.mapping(document.get("actions"), "actions")
    if not 0 < len(sent) <= ACTIONS_MAX:
        reading.wrong("actions", f"1 to {ACTIONS_MAX} actions by their ids")
        sent = {}
    names = frozenset(one.name for one in suppressions)
    actions = {str(name): action_of(name, one, f"actions.{name}", names, reading) for name, one in sent.items()}
    policy = Policy(
        currency=_matching(document.get("currency"), "currency", CURRENCY, reading, "USD"),
        language=_matching(document.get("language", "en"), "language", LANGUAGE, reading, "en"),
        prior_weight=reading.whole(
            learning.get("prior_weight"), "learning.prior_weight", 1, PRIOR_WEIGHT_MAX, PRIOR_WEIGHT
        ),
        choose=reading.one_of(learning.get("choose"), "learning.choose", (MEAN, THOMPSON), MEAN),
        actions=actions,
        suppressions=suppressions,
        pressure=caps_of(document.get("pressure"), "pressure", None, reading),
        experiments=experiments_of(document.get("experiments"), sent, names, reading),
        needs_next=NEXT in str(document),
    )
    if reading.errors:
        raise ValueError("; ".join(reading.errors))
    return policy


def _suppressions(value: Any, reading: Reading) -> tuple[Suppression, ...]:
    found = []
    for name, one in reading.mapping(value, "suppress").items():
        path = f"suppress.{name}"
        said = reading.mapping(one, path, frozenset({"when", "kinds"}))
        rule = reading.rule(said.get("when"), f"{path}.when")
        if said.get("when") is None:
            reading.wrong(f"{path}.when", "a suppression says when it counts")
        kinds = reading.named(said.get("kinds"), f"{path}.kinds", KINDS)
        if rule is not None:
            found.append(Suppression(str(name), rule, kinds))
    return tuple(found)


def _matching(value: Any, path: str, pattern: re.Pattern[str], reading: Reading, usual: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        reading.wrong(path, f"a text like {pattern.pattern}")
        return usual
    return value
