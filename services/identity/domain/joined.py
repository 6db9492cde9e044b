"""How a customer's records came to be one: every joining tie in the order f takes them, and what hangs on each.

Owns that answer and its sentence; which ties join is weighing.py's, how one is shown explain.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.identifiers import class_rank
from services.identity.domain import wording
from services.identity.domain.explain import LISTED_MAX, link
from services.identity.domain.parts import Parts
from services.identity.domain.weighing import State, Tie, Weighed
from services.identity.domain.wording import Sentence


@dataclass(frozen=True, slots=True)
class Step:
    """One tie that joined two parts.

    `a_records`, `b_records`: how many records the parts of its ends had. `hanging`: how many records nothing else
    holds to the rest, counted on the smaller side; 0 where another way leads round the tie.
    """

    number: int
    tie: Tie
    a_records: int
    b_records: int
    hanging: int


def how(weighed: Weighed, customer_id: str) -> dict[str, Any]:
    """The steps by which the customer's records join, the strongest first, LISTED_MAX at most.

    `weakest` is the last step whatever is listed; `hinge` the one on which most records hang, None where no single
    tie's removal would part them.
    """
    records = len(weighed.members(customer_id))
    found = steps([t for t in weighed.ties if t.counts and weighed.customer_of(t.a) == customer_id])
    weakest = found[-1] if found else None
    # Of several on which equally many hang, the weakest.
    hinge = max((s for s in found if s.hanging), key=lambda s: (s.hanging, s.number), default=None)
    return {
        "customer_id": customer_id,
        "steps": [_shown(weighed, s, weakest) for s in found[:LISTED_MAX]],
        "weakest": _shown(weighed, weakest, weakest) if weakest else None,
        "hinge": _shown(weighed, hinge, weakest) if hinge else None,
        "totals": {"records": records, "steps": len(found)},
        "why": _why(weighed, customer_id, found, hinge),
    }


def steps(ties: Sequence[Tie]) -> list[Step]:
    """The joining ones of one customer's ties that count, which come strongest first."""
    hanging = _hanging(ties)
    parts = Parts()
    records: dict[str, int] = {}
    found: list[Step] = []
    for tie in ties:
        if tie.state is not State.JOINS:
            continue
        a, b = (records.get(parts.root(end), 1) for end in tie.pair)
        found.append(Step(len(found) + 1, tie, a, b, hanging.get(tie.pair, 0)))
        parts.join(*tie.pair)
        records[parts.root(tie.a)] = a + b
    return found


@dataclass(slots=True)
class _Place:
    """Where a record is in the tree of joining ties: its number there, the last number below it, and the first and
    the last number that ties lead to from there or from below.
    """

    number: int
    last: int
    least: int
    most: int


def _hanging(ties: Iterable[Tie]) -> dict[tuple[str, str], int]:
    """Pair of a tie whose removal parts the customer → records on the smaller side.

    The joining ties are a tree. A tie of it is the only way to what is below it if no other leads out of there.
    """
    below: dict[str, list[str]] = {}
    beside = []
    for tie in ties:
        if tie.state is State.JOINS:
            below.setdefault(tie.a, []).append(tie.b)
            below.setdefault(tie.b, []).append(tie.a)
        else:
            beside.append(tie.pair)
    if not below:
        return {}
    above, order = _walk(below)
    places = {record: _Place(n, n, n, n) for n, record in enumerate(order)}
    for pair in beside:
        _reach(places[pair[0]], places[pair[1]].number)
        _reach(places[pair[1]], places[pair[0]].number)
    found = {}
    for record in reversed(order[1:]):
        here, up = places[record], above[record]
        if here.least >= here.number and here.most <= here.last:
            size = here.last - here.number + 1
            found[min(record, up), max(record, up)] = min(size, len(order) - size)
        _reach(places[up], here.least)
        _reach(places[up], here.most)
        places[up].last = max(places[up].last, here.last)
    return found


def _reach(place: _Place, number: int) -> None:
    place.least, place.most = min(place.least, number), max(place.most, number)


def _walk(below: dict[str, list[str]]) -> tuple[dict[str, str], list[str]]:
    """record → the one above it, and all records, each followed by all that are below it."""
    top = min(below)
    above: dict[str, str] = {}
    order = []
    waiting = [top]
    while waiting:
        record = waiting.pop()
        order.append(record)
        for other in below[record]:
            if other != above.get(record):
                above[other] = record
                waiting.append(other)
    return above, order


def _shown(weighed: Weighed, step: Step, weakest: Step | None) -> dict[str, Any]:
    return {
        "number": step.number,
        "link": link(weighed, step.tie),
        "a_records": step.a_records,
        "b_records": step.b_records,
        "hanging": step.hanging,
        "weakest": step is weakest,
    }


def _why(weighed: Weighed, customer_id: str, found: Sequence[Step], hinge: Step | None) -> Sentence:
    """The order in one sentence: how many steps, the weakest, and the one on which most hangs."""
    if not found:
        return [wording.named(weighed, customer_id), " is one record: nothing had to join."]
    last = found[-1]
    count = "1 step" if len(found) == 1 else f"{len(found)} steps, the strongest first"
    said: Sentence = [f"{len(found) + 1} records became one customer in {count}. The weakest link: "]
    said += [*_hop(weighed, last.tie), _without(last), "."]
    if hinge is not None and hinge is not last:
        said += [" Most hangs on this one: ", *_hop(weighed, hinge.tie), _without(hinge), "."]
    return said


def _hop(weighed: Weighed, tie: Tie) -> Sentence:
    """Told from the end of the higher class: who was seen with what."""
    start = min(tie.pair, key=lambda r: (class_rank(weighed.records[r].type), r))
    return wording.hop(weighed, start, tie)


def _without(step: Step) -> str:
    if not step.hanging:
        return "; without it other links would still hold them together"
    return f"; nothing else holds {step.hanging} of them to the rest"
