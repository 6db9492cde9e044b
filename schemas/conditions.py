"""Conditions over a customer's document: a small JSON form and CEL expressions; whether they hold, and of what value.

Owns reading them with every error's path, and evaluating them: segments and treatments are written in the same
words. What is not there holds no condition but `exists: false` and `not`. An expression ends: CEL has no loops but
over lists, and its text is bounded. Pure.

    {"all": [C, ...]}  {"any": [C, ...]}  {"not": C}  {"cel": "value.tier.grade == 'A'"}
    {"field": "value.tier.grade", "in": ["A", "B"]}       is, is_not, in, has, above, at_least, below, at_most, exists
    {"field": "interaction.last_at", "within_days": 30}   older_than_days
A path goes into objects by dots and into every item of a list: `needs.need` is the need of any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import cel

from schemas.envelope import microseconds, parse_rfc3339

DEPTH_MAX = 10
CONDITIONS_MAX = 100
CEL_CHARS_MAX = 2_000
PATH_CHARS_MAX = 200
DAY_US = 86_400_000_000
SHOWN_MAX, SHOWN_CHARS_MAX = 5, 200
"""Values of a field that an explanation shows, and of a text among them."""

ROOTS = (
    "identity", "contact", "interaction", "value", "needs", "preferences", "consents", "groups", "treatment",
)  # fmt: skip
"""Parts of the document that may be asked for, unless the caller says which."""
AGEING = frozenset({"contact", "interaction", "needs", "preferences", "consents", "treatment"})
"""Parts that say another thing on another day, though nothing happened: consents end, addresses go stale."""


class BadCondition(ValueError):
    """All that is wrong with a condition, each with its path."""


@dataclass(frozen=True, slots=True)
class Held:
    """One condition: what it asked, of which values, and whether it holds. `inner`: of all, any and not."""

    asked: str
    holds: bool
    actual: tuple[Any, ...] = ()
    inner: tuple[Held, ...] = ()

    def shown(self, seen: Held | None = None) -> dict[str, Any]:
        """As answers show it. `seen`: the same condition over what the asker may see; its values are shown."""
        visible = seen or self
        shown: dict[str, Any] = {"condition": self.asked, "holds": self.holds}
        if self.inner:
            pairs = zip(self.inner, visible.inner, strict=True)
            return {**shown, "conditions": [one.shown(other) for one, other in pairs]}
        return {**shown, "actual": [_brief(value) for value in visible.actual[:SHOWN_MAX]]}


def _brief(value: Any) -> Any:
    """A value in an explanation: as it is, a long text cut; of an object, its names."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, Mapping) else str(value)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}…"


COMPOSED = ("all", "any", "not", "cel")

Condition = Callable[[Mapping[str, Any], int], Held]
"""(document, now in µs) → what it comes to."""


def holds(condition: Condition, document: Mapping[str, Any], now_us: int) -> bool:
    """Whether it holds for this document."""
    return condition(document, now_us).holds


@dataclass(slots=True)
class _Reading:
    errors: list[str]
    roots: tuple[str, ...]
    count: int = 0
    of_time: bool = False

    def wrong(self, path: str, what: str) -> Condition:
        self.errors.append(f"{path}: {what}")
        return lambda _document, _now: Held("", False)


def read_condition(document: Any, roots: tuple[str, ...] = ROOTS, where: str = "where") -> tuple[Condition, bool]:
    """(the condition, whether it depends on the time). Raises BadCondition naming every error with its path.

    `roots`: what a path may begin with. `where`: what the paths of errors begin with.
    """
    reading = _Reading([], roots)
    condition = _read(document, where, reading, 0)
    if reading.errors:
        raise BadCondition("; ".join(reading.errors))
    return condition, reading.of_time


def _read(sent: Any, path: str, reading: _Reading, depth: int) -> Condition:
    reading.count += 1
    if reading.count > CONDITIONS_MAX or depth > DEPTH_MAX:
        return reading.wrong(path, f"at most {CONDITIONS_MAX} conditions, {DEPTH_MAX} deep")
    if not isinstance(sent, Mapping) or not sent:
        return reading.wrong(path, "a condition is an object")
    named = [name for name in COMPOSED if name in sent]
    if named and len(sent) > 1:
        return reading.wrong(path, f"{named[0]} stands by itself")
    for name in ("all", "any"):
        if name in sent:
            return _several(name, sent, path, reading, depth)
    if "not" in sent:
        inner = _read(sent["not"], f"{path}.not", reading, depth + 1)
        return lambda document, now: _negated(inner(document, now))
    if "cel" in sent:
        return _expression(sent["cel"], path, reading)
    return _field(sent, path, reading)


def _several(name: str, sent: Mapping[str, Any], path: str, reading: _Reading, depth: int) -> Condition:
    listed = sent[name]
    if not isinstance(listed, list) or not listed:
        return reading.wrong(f"{path}.{name}", "a list of conditions")
    inner = [_read(one, f"{path}.{name}[{n}]", reading, depth + 1) for n, one in enumerate(listed)]
    which: Callable[[Iterable[bool]], bool] = all if name == "all" else any

    def held(document: Mapping[str, Any], now_us: int) -> Held:
        found = tuple(one(document, now_us) for one in inner)
        return Held(name, which(one.holds for one in found), inner=found)

    return held


def _negated(inner: Held) -> Held:
    return Held("not", not inner.holds, inner=(inner,))


def _expression(text: Any, path: str, reading: _Reading) -> Condition:
    if not isinstance(text, str) or not text.strip() or len(text) > CEL_CHARS_MAX:
        return reading.wrong(f"{path}.cel", f"an expression of at most {CEL_CHARS_MAX} characters")
    try:
        program = cel.compile(text)
    except (ValueError, RuntimeError) as wrong:
        return reading.wrong(f"{path}.cel", str(wrong).splitlines()[0])
    reading.of_time = True
    roots = reading.roots

    def held(document: Mapping[str, Any], now_us: int) -> Held:
        try:
            found = program.execute({**{root: document.get(root) for root in roots}, "now_us": now_us})
        except (ValueError, TypeError, RuntimeError, KeyError, IndexError, OverflowError) as wrong:
            # What is not there makes an expression fail: then it does not hold.
            return Held(text, False, (f"{type(wrong).__name__}: {str(wrong)[:200]}",))
        return Held(text, found is True, (found,))

    return held


def _field(sent: Mapping[str, Any], path: str, reading: _Reading) -> Condition:
    field = sent.get("field")
    if not isinstance(field, str) or len(field) > PATH_CHARS_MAX or field.split(".")[0] not in reading.roots:
        return reading.wrong(f"{path}.field", f"a path that begins with one of {', '.join(reading.roots)}")
    named = [name for name in sent if name != "field"]
    if len(named) != 1 or named[0] not in OPERATORS:
        return reading.wrong(path, f"a field and one of {', '.join(OPERATORS)}")
    name, wanted = named[0], sent[named[0]]
    fits, compare = OPERATORS[name]
    if not fits(wanted):
        return reading.wrong(f"{path}.{name}", "a value of another kind is needed")
    reading.of_time = reading.of_time or name in OF_TIME or field.split(".")[0] in AGEING
    steps, asked = field.split("."), f"{field} {name} {wanted!r}"

    def held(document: Mapping[str, Any], now_us: int) -> Held:
        found = tuple(_values(document, steps))
        if name == "exists":
            return Held(asked, bool(found) is wanted, found)
        return Held(asked, any(compare(value, wanted, now_us) for value in found), found)

    return held


def values_at(document: Mapping[str, Any], path: str) -> Iterable[Any]:
    """What is at the end of a path, as conditions find it."""
    return _values(document, path.split("."))


def _values(part: Any, steps: list[str]) -> Iterable[Any]:
    """What is at the end of the path; lists are gone through."""
    if isinstance(part, list):
        for one in part:
            yield from _values(one, steps)
    elif not steps:
        if part is not None:
            yield part
    elif isinstance(part, Mapping) and steps[0] in part:
        yield from _values(part[steps[0]], steps[1:])


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _compared(holds: Callable[[Decimal, Decimal], bool]) -> Callable[[Any, Any, int], bool]:
    def compare(value: Any, wanted: Any, _now_us: int) -> bool:
        one, other = _number(value), _number(wanted)
        return one is not None and other is not None and holds(one, other)

    return compare


def _aged(holds: Callable[[int, int], bool]) -> Callable[[Any, Any, int], bool]:
    def compare(value: Any, days: Any, now_us: int) -> bool:
        moment = _moment_us(value)
        return moment is not None and holds(now_us - moment, days * DAY_US)

    return compare


def _moment_us(value: Any) -> int | None:
    """A time, or a day's first moment in UTC."""
    if not isinstance(value, str):
        return None
    try:
        return microseconds(parse_rfc3339(value if "T" in value else f"{value}T00:00:00Z"))
    except ValueError:
        return None


def _is(value: Any, wanted: Any, _now_us: int) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()
    return type(value) is type(wanted) and bool(value == wanted)


def _has(value: Any, wanted: Any, _now_us: int) -> bool:
    return isinstance(value, str) and wanted.casefold() in value.casefold()


def _plain(wanted: Any) -> bool:
    return isinstance(wanted, str | int | bool)


def _days(wanted: Any) -> bool:
    return type(wanted) is int and 0 <= wanted <= 36_500


OPERATORS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any, Any, int], bool]]] = {
    "is": (_plain, _is),
    "is_not": (_plain, lambda value, wanted, now: not _is(value, wanted, now)),
    "in": (
        lambda wanted: isinstance(wanted, list) and bool(wanted) and all(map(_plain, wanted)),
        lambda value, wanted, now: any(_is(value, one, now) for one in wanted),
    ),
    "has": (lambda wanted: isinstance(wanted, str) and bool(wanted), _has),
    "above": (lambda wanted: _number(wanted) is not None, _compared(lambda a, b: a > b)),
    "at_least": (lambda wanted: _number(wanted) is not None, _compared(lambda a, b: a >= b)),
    "below": (lambda wanted: _number(wanted) is not None, _compared(lambda a, b: a < b)),
    "at_most": (lambda wanted: _number(wanted) is not None, _compared(lambda a, b: a <= b)),
    "exists": (lambda wanted: isinstance(wanted, bool), lambda _value, _wanted, _now: True),
    "within_days": (_days, _aged(lambda age, days: age <= days)),
    "older_than_days": (_days, _aged(lambda age, days: age > days)),
}
"""Operator → (whether a wanted value fits it, whether a value of the field holds it)."""
OF_TIME = frozenset({"within_days", "older_than_days"})
