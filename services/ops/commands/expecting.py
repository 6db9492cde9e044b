"""What must be true after a step of a story: its form in the file, and comparing it with an answer.

Owns both; pure. Asking is telling.py.

    - say: She is in grade B.                       plain words
      value: user_id:u-88                           the question, and about whom
      with: {as_of: 2026-03-09T00:00:00Z}           its query
      is: {tier.grade: B, orders.#: 1}              path in the answer: what must be there

Questions: `lookup`, `customer`, `identity`, `value` and `timeline` of TYPE:VALUE, `path` between two of them.
`one` and `apart` list identifiers that must be one customer's, or each another one's, and need no `is`.
In a path a name goes into an object, a number into a list, `#` counts, `*` takes it of all in a list.
`{has: X}` is met by a text or a list that holds X.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.ops.commands.failures import UsageMistake

ONE, APART, PATH = "one", "apart", "path"
OF_ONE = ("lookup", "customer", "identity", "value", "timeline")
QUESTIONS = (*OF_ONE, PATH, ONE, APART)
COUNT, EACH, HAS = "#", "*", "has"
FOUND_CHARS_MAX = 200

Named = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """A question about identifiers and what its answer must hold, by path."""

    say: str
    question: str
    about: tuple[Named, ...]
    query: Mapping[str, str]
    wanted: Mapping[str, Any]


class _Absent(Exception):
    """There is nothing at this path."""


def read_expectation(told: Any) -> Expectation:
    """An expectation of a parsed file. Raises UsageMistake."""
    if not isinstance(told, dict):
        raise UsageMistake("an expectation is a question with what must be true")
    asked = [name for name in QUESTIONS if name in told]
    unknown = sorted(map(str, told.keys() - {*QUESTIONS, "say", "with", "is"}))
    if len(asked) != 1 or unknown:
        odd = f", not {', '.join(unknown)}" if unknown else ""
        raise UsageMistake(f"an expectation asks one of {', '.join(QUESTIONS)}{odd}")
    question = asked[0]
    about = tuple(read_named(one) for one in _list(told[question]))
    wanted, query = told.get("is") or {}, told.get("with") or {}
    if not isinstance(wanted, dict) or not isinstance(query, dict):
        raise UsageMistake("`is` and `with` go from names to values")
    if (question in (ONE, APART)) == bool(wanted):
        raise UsageMistake(f"`{question}` {'needs no' if wanted else 'needs an'} `is`")
    few, many = {PATH: (2, 2), ONE: (2, None), APART: (2, None)}.get(question, (1, 1))
    if len(about) < few or (many is not None and len(about) > many):
        raise UsageMistake(f"`{question}` is about {few if many else 'two or more'} of TYPE:VALUE")
    said = str(told.get("say") or f"{question} {', '.join(f'{t}:{v}' for t, v in about)}")
    return Expectation(said, question, about, {str(k): str(v) for k, v in query.items()}, wanted)


def read_named(text: Any) -> Named:
    """`user_id:u-88` as ("user_id", "u-88"). Raises UsageMistake."""
    type_, _, value = str(text).partition(":")
    if not type_ or not value:
        raise UsageMistake(f"{text} is not TYPE:VALUE, as in user_id:u-88")
    return type_, value


def unmet(expectation: Expectation, answer: Any) -> list[str]:
    """What the answer lacks, one line each: empty when all is as expected.

    The answer to `one` and `apart` is the list of the identifiers' customer ids.
    """
    if expectation.question in (ONE, APART):
        return list(_unmet_owners(expectation, answer))
    return [why for path, wanted in expectation.wanted.items() for why in _unmet_at(answer, path, wanted)]


def _unmet_owners(expectation: Expectation, owners: list[str | None]) -> Iterator[str]:
    for (type_, value), owner in zip(expectation.about, owners, strict=True):
        if owner is None:
            yield f"{type_}:{value} is nobody's, or several people's"
    distinct = len(set(owners))
    wanted = 1 if expectation.question == ONE else len(owners)
    if distinct != wanted:
        yield f"they are {distinct} customers, not {wanted}"


def _unmet_at(answer: Any, path: str, wanted: Any) -> Iterator[str]:
    try:
        found = at(answer, path.split("."))
    except _Absent as absent:
        yield f"{path}: there is no {absent}"
        return
    if not _meets(found, wanted):
        shown = str(found)
        shown = shown if len(shown) <= FOUND_CHARS_MAX else shown[:FOUND_CHARS_MAX] + "…"
        yield f"{path} is {shown}, not {wanted}"


def _meets(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and wanted.keys() == {HAS}:
        return isinstance(found, str | list) and wanted[HAS] in found
    # 1 is no truth and truth is no number, whatever Python says.
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def at(found: Any, names: list[str]) -> Any:
    """What is at this path; null where something on the way is. Raises _Absent."""
    if not names or found is None:
        return found
    name, rest = names[0], names[1:]
    if isinstance(found, list):
        if name == COUNT:
            return len(found)
        if name == EACH:
            return [at(one, rest) for one in found]
        if not name.lstrip("-").isdecimal() or not -len(found) <= int(name) < len(found):
            raise _Absent(f"{name} in a list of {len(found)}")
        return at(found[int(name)], rest)
    if isinstance(found, dict):
        # Names may hold dots, as types of events do.
        for length in range(1, len(names) + 1):
            whole = ".".join(names[:length])
            if whole in found:
                return at(found[whole], names[length:])
    raise _Absent(name)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
