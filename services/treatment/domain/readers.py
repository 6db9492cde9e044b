"""Reading parts of a policy's document: each kind of value once, every error noted with its path.

Owns what one value may be. Numbers are whole or text, never floats. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.conditions import ROOTS, BadCondition, read_condition
from schemas.events.fields import money_of
from services.treatment.domain.policy import PPM, Rule

LISTED_MAX = 50
TEXT_CHARS_MAX = 2_000
ASKED_ROOTS = (*ROOTS, "segments", "channel", "placement", "context")
"""What a condition of the policy may ask for: the customer's document, and what was asked for him."""


@dataclass(slots=True)
class Reading:
    """What is wrong so far. Readers return something of the right kind whatever they read."""

    errors: list[str] = field(default_factory=list)

    def wrong(self, path: str, what: str) -> None:
        """Note an error."""
        self.errors.append(f"{path}: {what}")

    def mapping(self, value: Any, path: str, known: frozenset[str] | None = None) -> Mapping[str, Any]:
        """An object, of these names only."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.wrong(path, "an object")
            return {}
        if known is not None:
            for name in sorted(map(str, value.keys() - known)):
                self.wrong(f"{path}.{name}".lstrip("."), f"no such part (known are {', '.join(sorted(known))})")
        return value

    def items(self, value: Any, path: str) -> list[Any]:
        """A list of at most LISTED_MAX."""
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > LISTED_MAX:
            self.wrong(path, f"a list of at most {LISTED_MAX}")
            return []
        return value

    def whole(self, value: Any, path: str, least: int, most: int, usual: int) -> int:
        """A whole number; `usual` where there is none."""
        if value is None:
            return usual
        if type(value) is not int or not least <= value <= most:
            self.wrong(path, f"a whole number from {least} to {most}")
            return usual
        return value

    def micros(self, value: Any, path: str, usual: int, least: int, most: int) -> int:
        """Millionths of a number from `least` to `most` millionths, exactly."""
        if value is None:
            return usual
        number = None if type(value) is float else money_of(value)
        scaled = None if number is None else number * PPM
        if scaled is None or scaled != int(scaled) or not least <= scaled <= most:
            limits = f"from {least / PPM:g} to {most / PPM:g}"
            self.wrong(path, f'a number {limits} with at most six digits after the point, whole or as text ("0.25")')
            return usual
        return int(scaled)

    def text(self, value: Any, path: str) -> str:
        """A text of one or more lines."""
        if not isinstance(value, str) or not 0 < len(value) <= TEXT_CHARS_MAX:
            self.wrong(path, f"a text of at most {TEXT_CHARS_MAX} characters")
            return ""
        return value

    def named(self, value: Any, path: str, known: tuple[str, ...] | None = None) -> frozenset[str] | None:
        """A set of names, of those known; None where there is no list."""
        if value is None:
            return None
        found = [one for one in self.items(value, path) if isinstance(one, str)]
        if len(found) != len(value if isinstance(value, list) else ()) or not found:
            self.wrong(path, "a list of names")
        for one in found:
            if known is not None and one not in known:
                self.wrong(path, f"{one} is none of {', '.join(known)}")
        return frozenset(found)

    def rule(self, value: Any, path: str) -> Rule | None:
        """A condition; None where there is none."""
        if value is None:
            return None
        try:
            condition, _ = read_condition(value, ASKED_ROOTS, path)
        except BadCondition as wrong:
            self.errors.append(str(wrong))
            return None
        return Rule(path, condition)

    def one_of(self, value: Any, path: str, known: tuple[str, ...], usual: str) -> str:
        """One of these words."""
        if value is None:
            return usual
        if value not in known:
            self.wrong(path, f"one of {', '.join(known)}")
            return usual
        return str(value)

    def exact(self, value: Any, path: str) -> None:
        """Note what could not be kept exactly."""
        if isinstance(value, Mapping):
            for name, part in value.items():
                self.exact(part, f"{path}.{name}")
        elif isinstance(value, list):
            for number, part in enumerate(value):
                self.exact(part, f"{path}[{number}]")
        elif value is not None and type(value) not in (str, int, bool):
            self.wrong(path, "numbers are whole or text, to be exact")
