"""Reading actions of a treatment policy: what each is, where it may be, what speaks for and against it.

Owns what is refused in an action. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemas.envelope import CHANNELS
from schemas.treatments import DECIDED, SHOWN
from services.treatment.domain.policy import KINDS, NONE, PPM, Action, Cap, Weight
from services.treatment.domain.readers import ASKED_ROOTS, Reading
from services.treatment.domain.words import OUTCOMES

DAYS_MAX = 365
TREATMENTS_MAX = 1_000
MINUTES_MAX = 60 * 24 * 365
EXPIRES_MINUTES = 60
PRIORITY_MAX = 1_000
AMOUNT_MAX_MICROS = 10**15
ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
NOTHING: frozenset[str] = frozenset()
FIELDS = frozenset({
    "kind", "label", "text", "parameters", "placements", "channels", "propensity", "value", "cost", "priority",
    "weights", "when", "consent", "reachable", "caps", "rest_days", "despite", "expires_minutes", "fill",
})  # fmt: skip


def action_of(name: Any, sent: Any, path: str, suppressions: frozenset[str], reading: Reading) -> Action:
    """One action of its document."""
    if not isinstance(name, str) or not ID.fullmatch(name) or name == NONE:
        reading.wrong(path, f"an id of an action is {ID.pattern}, and not {NONE}")
    said = reading.mapping(sent, path, FIELDS)

    def at(part: str) -> tuple[Any, str]:
        return said.get(part), f"{path}.{part}"

    kind = reading.one_of(*at("kind"), KINDS, "")
    if not kind and said.get("kind") is None:
        reading.wrong(f"{path}.kind", f"one of {', '.join(KINDS)}")
    most = AMOUNT_MAX_MICROS
    reading.exact(*at("parameters"))
    return Action(
        action_id=str(name),
        kind=kind,
        label=reading.text(said.get("label", str(name)), f"{path}.label"),
        texts=_texts(*at("text"), reading),
        parameters=reading.mapping(*at("parameters")),
        propensity_ppm=reading.micros(*at("propensity"), PPM, 0, PPM),
        value_micros=reading.micros(*at("value"), 0, 0, most),
        cost_micros=reading.micros(*at("cost"), 0, 0, most),
        priority=reading.whole(*at("priority"), 0, PRIORITY_MAX, 0),
        expires_minutes=reading.whole(*at("expires_minutes"), 1, MINUTES_MAX, EXPIRES_MINUTES),
        placements=reading.named(*at("placements")),
        channels=reading.named(*at("channels"), CHANNELS),
        when=reading.rule(*at("when")),
        weights=_weights(*at("weights"), reading),
        consent=reading.text(*at("consent")) if said.get("consent") is not None else None,
        reachable=_flag(*at("reachable"), reading),
        caps=caps_of(*at("caps"), str(name), reading),
        rest_days=_rest_days(*at("rest_days"), reading),
        fill=_fill(*at("fill"), reading),
        despite=reading.named(*at("despite"), tuple(sorted(suppressions))) or NOTHING,
    )


def _flag(value: Any, path: str, reading: Reading) -> bool:
    if value not in (None, True, False):
        reading.wrong(path, "true or false")
    return value is True


def _texts(value: Any, path: str, reading: Reading) -> Mapping[str, str]:
    found = reading.mapping(value, path)
    for language in found:
        if not LANGUAGE.fullmatch(str(language)):
            reading.wrong(f"{path}.{language}", 'a language, as "en" or "de-at"')
    return {str(language): reading.text(text, f"{path}.{language}") for language, text in found.items()}


def _fill(value: Any, path: str, reading: Reading) -> Mapping[str, str]:
    found = reading.mapping(value, path)
    for name, place in found.items():
        if not isinstance(place, str) or place.split(".")[0] not in ASKED_ROOTS:
            reading.wrong(f"{path}.{name}", f"a path that begins with one of {', '.join(ASKED_ROOTS)}")
    return {str(name): str(place) for name, place in found.items()}


def _weights(value: Any, path: str, reading: Reading) -> tuple[Weight, ...]:
    return tuple(
        weight
        for n, one in enumerate(reading.items(value, path))
        if (weight := _weight(one, f"{path}[{n}]", reading)) is not None
    )


def _weight(value: Any, path: str, reading: Reading) -> Weight | None:
    said = reading.mapping(value, path, frozenset({"when", "add"}))
    add = reading.micros(said.get("add"), f"{path}.add", 0, -AMOUNT_MAX_MICROS, AMOUNT_MAX_MICROS)
    rule = reading.rule(said.get("when"), f"{path}.when")
    if said.get("when") is None:
        reading.wrong(f"{path}.when", "a weight says when it counts")
    return None if rule is None else Weight(rule, add)


def caps_of(value: Any, path: str, action_id: str | None, reading: Reading) -> tuple[Cap, ...]:
    """Bounds of one action, or of all where `action_id` is None."""
    return tuple(_cap(one, f"{path}[{n}]", action_id, reading) for n, one in enumerate(reading.items(value, path)))


def _cap(value: Any, path: str, action_id: str | None, reading: Reading) -> Cap:
    known = {"at_most", "days", "of"} | ({"kinds", "channels"} if action_id is None else set())
    said = reading.mapping(value, path, frozenset(known))
    for name in ("at_most", "days"):
        if said.get(name) is None:
            reading.wrong(f"{path}.{name}", "a cap has at_most and days")
    return Cap(
        path,
        reading.whole(said.get("at_most"), f"{path}.at_most", 0, TREATMENTS_MAX, 0),
        reading.whole(said.get("days"), f"{path}.days", 1, DAYS_MAX, 1),
        reading.one_of(said.get("of"), f"{path}.of", (SHOWN, DECIDED), SHOWN),
        reading.named(said.get("kinds"), f"{path}.kinds", KINDS),
        reading.named(said.get("channels"), f"{path}.channels", CHANNELS),
        action_id,
    )


def _rest_days(value: Any, path: str, reading: Reading) -> Mapping[str, int]:
    found = reading.mapping(value, path, frozenset(OUTCOMES))
    return {str(name): reading.whole(days, f"{path}.{name}", 0, DAYS_MAX, 0) for name, days in found.items()}
