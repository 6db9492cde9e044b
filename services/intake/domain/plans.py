"""Tracking plans: what a source promised to send, as JSON Schemas by event type.

Owns reading a plan and telling which of its rules an event breaks. Rules are named by their place in the plan, never
by what was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import jsonschema_rs

from services.intake.domain.checking import printable
from services.intake.domain.model import TYPE_CHARS_MAX, Refused
from services.intake.domain.reasons import Reason

FORWARD, PARK = "forward", "park"
ALLOWED, VIOLATION = "allowed", "violation"
UNPLANNED = "unplanned"
"""The rule that an event of a type the plan does not list breaks, where the plan says so."""
OTHER_TYPES = "*"
"""How types that the plan does not list are counted: their names are the sender's own words."""
PLAN_TYPES_MAX = 500
RULES_TOLD_MAX = 5
"""Rules named of one event; that it breaks more adds nothing."""
RULE_CHARS_MAX = 150

Broken = tuple[tuple[str, str], ...]
"""(type, rule) of each rule an event breaks."""


class _Checked(Protocol):
    def iter_errors(self, instance: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan in one version. `checks`: event type → what checks the event's data.

    `parks`: what breaks it is parked, else forwarded with a mark. `is_closed`: other types break it too.
    """

    version: int
    checks: Mapping[str, _Checked]
    parks: bool = False
    is_closed: bool = False


def read_plan(document: Any, version: int) -> Plan:
    """The plan of a document: {on_violation?, unplanned?, types: {type: JSON Schema of the event's data}}.

    Raises ValueError naming what is wrong. References outside the schema are not followed; patterns are without
    look-around, so that no text takes more than linear time.
    """
    if type(document) is not dict or not document.keys() <= {"on_violation", "unplanned", "types"}:
        raise ValueError("a plan is an object with types, on_violation and unplanned")
    types = document.get("types")
    if type(types) is not dict or len(types) > PLAN_TYPES_MAX:
        raise ValueError(f"types is an object: event type to JSON Schema, {PLAN_TYPES_MAX} at most")
    return Plan(
        version,
        {name: _check(name, schema) for name, schema in types.items()},
        parks=_one_of(document, "on_violation", FORWARD, PARK) == PARK,
        is_closed=_one_of(document, "unplanned", ALLOWED, VIOLATION) == VIOLATION,
    )


def check_plan(plan: Plan | None, event_type: str, data: Mapping[str, Any]) -> Broken:
    """The rules an event breaks, RULES_TOLD_MAX at most. Raises Refused(plan_violated) where the plan parks."""
    if plan is None:
        return ()
    check = plan.checks.get(event_type)
    if check is not None:
        errors = islice(check.iter_errors(data), RULES_TOLD_MAX)
        broken = tuple((event_type, rule) for rule in dict.fromkeys(_rule(error) for error in errors))
    else:
        broken = ((OTHER_TYPES, UNPLANNED),) if plan.is_closed else ()
    if broken and plan.parks:
        raise Refused(Reason.PLAN_VIOLATED, told(broken), broken)
    return broken


def told(broken: Broken) -> str:
    """The rules in one line."""
    return " ".join(rule for _, rule in broken)


def _rule(error: Any) -> str:
    return "/".join(str(step) for step in error.schema_path)[-RULE_CHARS_MAX:]


def _check(name: Any, schema: Any) -> _Checked:
    if not printable(name, TYPE_CHARS_MAX):
        raise ValueError("an event type is a text")
    if type(schema) not in (dict, bool):
        raise ValueError(f"{name}: a JSON Schema is an object")
    make: Callable[..., _Checked] = jsonschema_rs.validator_for
    try:
        return make(schema, retriever=_nowhere, pattern_options=jsonschema_rs.RegexOptions())
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, TypeError) as wrong:
        detail = getattr(wrong, "message", None) or str(wrong)
        raise ValueError(f"{name}: {detail.splitlines()[0] if detail else 'no JSON Schema'}") from None


def _nowhere(_address: str) -> Any:
    raise ValueError("a plan refers to nothing outside itself")


def _one_of(document: Mapping[str, Any], name: str, usual: str, other: str) -> str:
    said = document.get(name, usual)
    if said not in (usual, other):
        raise ValueError(f"{name} is {usual} or {other}")
    return str(said)
