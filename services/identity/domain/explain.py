"""Why records are, or are not, one customer: a customer's evidence, and the way between two records.

Owns the answers' shapes but for the sentence, which is wording.py's. Pure, from what weighing.py found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.envelope import moment_at, rfc3339
from services.identity.domain import paths, wording
from services.identity.domain.evidence import NEVER_US, Assertion, Record
from services.identity.domain.section import section
from services.identity.domain.similarity.scoring import Score
from services.identity.domain.weighing import State, Tie, Weighed

LISTED_MAX = 100


def customer(weighed: Weighed, customer_id: str) -> dict[str, Any]:
    """Records, ties, operators' words and refusals of one customer; of each at most LISTED_MAX, the strongest."""
    mine = weighed.members(customer_id)
    told = section(mine, weighed.bindings, ())["identity"]
    ids = {r.record_id for r in mine}
    ties = [t for t in weighed.ties if t.a in ids or t.b in ids]
    refused = [t for t in ties if t.state is State.REFUSED]
    words = [w for w in weighed.words.values() if w.a in ids or w.b in ids]
    words.sort(key=lambda w: w.rank, reverse=True)
    return {
        "customer_id": customer_id,
        "status": told["status"],
        "records": told["records"],
        "links": _links(weighed, ties),
        "assertions": [_assertion(weighed, w) for w in words[:LISTED_MAX]],
        "refusals": [
            {**link(weighed, t), "customer_id": weighed.customer_of(t.b if t.a in ids else t.a)}
            for t in refused[:LISTED_MAX]
        ],
        "totals": {
            "records": len(mine),
            "links": len(ties),
            "assertions": len(words),
            "refusals": len(refused),
        },
    }


def path(weighed: Weighed, start: str, end: str) -> dict[str, Any]:
    """The strongest way between two records with the tie it hangs on; or what keeps their customers apart."""
    one, other = weighed.customer_of(start), weighed.customer_of(end)
    ends = {"from": _owned(weighed, start), "to": _owned(weighed, end)}
    if one == other:
        counted = [t for t in weighed.ties if t.counts and weighed.customer_of(t.a) == one]
        way = paths.strongest(counted, start, end) or []
        hanging = paths.cut(counted, way, start)
        return {
            **ends,
            "same_customer": True,
            "path": _steps(weighed, start, way),
            "cut": link(weighed, hanging) if hanging else None,
            "refused": [],
            "because": None,
            "why": wording.together(weighed, start, end, way, hanging),
        }
    between = [t for t in weighed.ties if t.state is State.REFUSED and _joins(weighed, t, one, other)]
    because, why = wording.apart(weighed, start, end, between)
    return {
        **ends,
        "same_customer": False,
        "path": [],
        "cut": None,
        "refused": _links(weighed, between),
        "because": because,
        "why": why,
    }


def contradicted(weighed: Weighed, start: str, end: str, *, same: bool) -> list[dict[str, Any]]:
    """Operators' words that a new one on these two records would contradict, the latest first.

    The standing one on the pair itself; beside it, for "same", each that keeps their customers apart, and for
    "different" each that the strongest way between them leads over.
    """
    one, other = weighed.customer_of(start), weighed.customer_of(end)
    pairs = {(min(start, end), max(start, end))}
    if not same and one == other:
        counted = [t for t in weighed.ties if t.counts and weighed.customer_of(t.a) == one]
        pairs |= {tie.pair for tie in paths.strongest(counted, start, end) or ()}
    if same:
        both = {one, other}
        pairs |= {p for p in weighed.words if {weighed.customer_of(p[0]), weighed.customer_of(p[1])} == both}
    words = [w for pair, w in weighed.words.items() if pair in pairs and w.same is not same]
    return [_assertion(weighed, w) for w in sorted(words, key=lambda w: w.rank, reverse=True)[:LISTED_MAX]]


def _joins(weighed: Weighed, tie: Tie, one: str, other: str) -> bool:
    return {weighed.customer_of(tie.a), weighed.customer_of(tie.b)} == {one, other}


def _steps(weighed: Weighed, start: str, way: Iterable[Tie]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"record": record(weighed.records[start]), "via": None}]
    at = start
    for tie in way:
        at = tie.other(at)
        steps.append({"record": record(weighed.records[at]), "via": link(weighed, tie)})
    return steps


def record(one: Record) -> dict[str, Any]:
    """A record by id and name."""
    return {"record_id": one.record_id, "type": one.type, "value": one.value}


def _owned(weighed: Weighed, record_id: str) -> dict[str, Any]:
    return {**record(weighed.records[record_id]), "customer_id": weighed.customer_of(record_id)}


def _links(weighed: Weighed, ties: Iterable[Tie]) -> list[dict[str, Any]]:
    return [link(weighed, t) for t in list(ties)[:LISTED_MAX]]


def link(weighed: Weighed, tie: Tie) -> dict[str, Any]:
    """A tie with both its ends, what it weighs, where it is from, and what became of it."""
    return {
        "a": record(weighed.records[tie.a]),
        "b": record(weighed.records[tie.b]),
        "kind": str(tie.kind),
        "weight": tie.weight,
        "first_seen": moment(tie.first_us),
        "likeness": _likeness(tie.score),
        "source": tie.source,
        "event_id": tie.event_id,
        "state": str(tie.state),
        "constraint": tie.constraint,
    }


def _likeness(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {"bits": score.bits, "levels": dict(score.levels), "shared": list(score.shared)}


def doubtful(a: Record, b: Record, customers: tuple[str, str], score: Score) -> dict[str, Any]:
    """A pair that somebody should look at: both records, whose they are, and how alike they are by themselves."""
    ends = ({**record(one), "customer_id": customer} for one, customer in zip((a, b), customers, strict=True))
    return {**dict(zip(("a", "b"), ends, strict=True)), "likeness": _likeness(score)}


def _assertion(weighed: Weighed, word: Assertion) -> dict[str, Any]:
    return {
        "a": record(weighed.records[word.a]),
        "b": record(weighed.records[word.b]),
        "kind": "same" if word.same else "different",
        "reason": word.reason,
        "actor": word.actor,
        "time": moment(word.time_us),
        "event_id": word.event_id,
    }


def moment(time_us: int) -> str | None:
    """The time as it is told; None when none was plausible."""
    return None if time_us >= NEVER_US else rfc3339(moment_at(time_us))
