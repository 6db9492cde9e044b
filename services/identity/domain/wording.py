"""One plain sentence: why two records are one customer, or why they are not.

Owns the words. A sentence is a list of parts: texts, records, and words that people wrote, so that whoever shows
it can mask what the asker may not see. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from schemas.envelope import moment_at, rfc3339
from services.identity.domain import paths
from services.identity.domain.evidence import NEVER_US, Assertion, Record
from services.identity.domain.joining import DIFFERENT, DISSIMILAR, EXCLUSIVE, HELD, LIMIT
from services.identity.domain.weighing import Kind, State, Tie, Weighed

HOPS_TOLD_MAX = 4
GENERIC, OTHERS, NOTHING = "generic", "others", "nothing"

Part = str | dict[str, Any]
Sentence = list[Part]


def together(weighed: Weighed, start: str, end: str, way: Sequence[Tie], hanging: Tie | None) -> Sentence:
    """Why the two are one customer, step by step, and what that hangs on."""
    if start == end:
        return [named(weighed, start), " is one record."]
    said: Sentence = [named(weighed, start), " and ", named(weighed, end), " are one customer: "]
    at = start
    for number, tie in enumerate(way[:HOPS_TOLD_MAX]):
        said += [", and " if number else "", *hop(weighed, at, tie)]
        at = tie.other(at)
    if len(way) > HOPS_TOLD_MAX:
        said.append(f", and so on over {len(way) - HOPS_TOLD_MAX} more")
    if hanging is None:
        return [*said, "; no single link's removal would part them."]
    if len(way) == 1:
        return [*said, "; nothing else holds them together."]
    ends = [named(weighed, hanging.a), " and ", named(weighed, hanging.b)]
    return [*said, "; without the link between ", *ends, " they would be two."]


def hop(weighed: Weighed, at: str, tie: Tie) -> Sentence:
    """What a tie says, told from the end at which one stands."""
    here, there = named(weighed, at), named(weighed, tie.other(at))
    match tie.kind:
        case Kind.SAME_ASSERTED:
            return [*_operator(weighed.words[tie.pair]), " said that ", here, " and ", there, " are the same"]
        case Kind.SIMILAR if tie.score is not None:
            agree = ", ".join(f"{name} {level}" for name, level in sorted(tie.score.levels.items()))
            return [here, " and ", there, f" are alike ({agree}: {tie.score.bits:g} bits)"]
        case Kind.ALIAS:
            return [here, " and ", there, f" are aliases of each other, as {tie.source} said{_on(tie.first_us)}"]
        case _:
            return [here, " was seen with ", there, f" by {tie.source}{_on(tie.first_us)}"]


def apart(weighed: Weighed, start: str, end: str, refused: Sequence[Tie]) -> tuple[str, Sentence]:
    """What keeps two records apart, as a code and as a sentence.

    `refused`: the ties between their customers, strongest first.
    """
    said: Sentence = [named(weighed, start), " and ", named(weighed, end), " are not one customer: "]
    one, other = weighed.customer_of(start), weighed.customer_of(end)
    word = _different(weighed, start, end)
    if word is not None:
        pair = [named(weighed, word.a), " and ", named(weighed, word.b)]
        because: Sentence = [": ", {"words": word.reason}] if word.reason else []
        on = _on(word.time_us)
        return DIFFERENT, [*said, *_operator(word), " said", on, " that ", *pair, " are different", *because, "."]
    exclusive = [t for t in refused if t.constraint and t.constraint.startswith(EXCLUSIVE)]
    if exclusive:
        return EXCLUSIVE, [*said, *_exclusive(weighed, one, other, exclusive), *_shared(weighed, start, end, refused)]
    for code in (LIMIT, HELD, DISSIMILAR):
        first = next((t for t in refused if t.constraint and t.constraint.startswith(code)), None)
        if first is not None:
            ends = [named(weighed, first.a), " with ", named(weighed, first.b)]
            why = [*_REFUSALS[code](str(first.constraint)), *ends, " to join them"]
            return code, [*said, *why, *_shared(weighed, start, end, refused)]
    shared = _generic(weighed, one, other)
    if shared is not None:
        seen = "both were seen with " if shared not in (start, end) else "what links them is "
        return GENERIC, [*said, seen, named(weighed, shared), ", which so many people share that it is no evidence."]
    if paths.connected((t for t in weighed.ties if t.state is not State.GENERIC), start, end):
        return OTHERS, [*said, "all that leads from one to the other was refused at further customers on the way."]
    return NOTHING, [*said, "no evidence connects them."]


_REFUSALS: Mapping[str, Callable[[str], Sentence]] = {
    LIMIT: lambda constraint: [
        f"together they have more of type {constraint.partition(':')[2]} than a customer may, for the link of "
    ],
    HELD: lambda _: ["so much hangs on each that an operator is to say whether they are the same, for the link of "],
    DISSIMILAR: lambda _: ["what was said of them is too unlike for the link of "],
}


def _different(weighed: Weighed, start: str, end: str) -> Assertion | None:
    """The word that parts their customers: on the two themselves, else the latest."""
    customers = {weighed.customer_of(start), weighed.customer_of(end)}
    words = [
        w
        for w in weighed.words.values()
        if not w.same and {weighed.customer_of(w.a), weighed.customer_of(w.b)} == customers
    ]
    return max(words, key=lambda w: ({w.a, w.b} == {start, end}, w.rank), default=None)


def _exclusive(weighed: Weighed, one: str, other: str, refused: Sequence[Tie]) -> Sentence:
    type_ = str(refused[0].constraint).removeprefix("exclusive:")
    ties = "one link between them was" if len(refused) == 1 else f"{len(refused)} links between them were"
    mine, theirs = _rivals(weighed, one, other, type_)
    ends = [named(weighed, refused[0].a), " with ", named(weighed, refused[0].b)]
    strongest = "" if len(refused) == 1 else ", the strongest"
    return [
        _name(mine), " and ", _name(theirs), f" are two of type {type_}, of which a customer has only one, so {ties} "
        f"refused{strongest}: ", *ends,
    ]  # fmt: skip


def _rivals(weighed: Weighed, one: str, other: str, type_: str) -> tuple[Record, Record]:
    """Two values that exclude each other: the earliest that nobody called the same."""
    lifted = {t.pair for t in weighed.ties if t.kind is not Kind.SEEN_TOGETHER}
    mine, theirs = (
        sorted((r for r in weighed.members(c) if r.type == type_), key=lambda r: (r.first_us, r.record_id))
        for c in (one, other)
    )
    return next((a, b) for a in mine for b in theirs if _pair(a, b) not in lifted)


def _pair(a: Record, b: Record) -> tuple[str, str]:
    return min(a.record_id, b.record_id), max(a.record_id, b.record_id)


def _shared(weighed: Weighed, start: str, end: str, refused: Iterable[Tie]) -> Sentence:
    """Where one of the two was seen with both customers: that it is ambiguous, and how it was settled."""
    ends = {record for tie in refused for record in tie.pair}
    for record in (start, end):
        if record in ends and weighed.bindings[record].rivals:
            how = " was seen with both and is ambiguous: its stronger link counts, of equal ones the earlier."
            return ["; ", named(weighed, record), how]
    return ["."]


def _generic(weighed: Weighed, one: str, other: str) -> str | None:
    """A widely shared value that was seen with both customers, or is one of them."""
    seen: dict[str, set[str]] = {}
    for tie in weighed.ties:
        if tie.state is State.GENERIC:
            for record in tie.pair:
                if weighed.bindings[record].generic:
                    seen.setdefault(record, {weighed.customer_of(record)}).add(weighed.customer_of(tie.other(record)))
    return min((record for record, customers in seen.items() if {one, other} <= customers), default=None)


def _operator(word: Assertion) -> Sentence:
    return [{"words": word.actor}] if word.actor else ["an operator"]


def named(weighed: Weighed, record: str) -> Part:
    """A record as a part of a sentence."""
    return _name(weighed.records[record])


def _name(record: Record) -> Part:
    return {"record_id": record.record_id, "type": record.type, "value": record.value}


def _on(time_us: int) -> str:
    return "" if time_us >= NEVER_US else f" on {rfc3339(moment_at(time_us))[:10]}"
