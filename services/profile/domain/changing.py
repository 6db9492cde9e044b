"""Changes: what is told of a customer when his bindings and sections have changed.

Owns the types of profile.changes and what each says. Pure. Whatever comes first, it is told once of each customer
that he came to be, and once that he went:
- `customer.created`: shown for the first time, or again;
- `customer.merged`: gone, and his id now answers with another customer, who was shown already;
- `customer.id_changed`: the same, but nobody was shown under that id before: the customer has another name.
  Either is told again when the id answers with yet another: the last one says who it is today, without a chain;
- `customer.removed`: gone, and his id answers with nobody: what was said of him was taken back;
- `customer.erased`: gone for good, as he or the law wanted it: whoever has something of him forgets it too;
- `customer.split`: goes on, less the records of customers who came out of him;
- `customer.updated`: anything else.
With a change it is told which segments he entered and left, that his tier changed, and what came to pass (a promise
is due, he is a detractor, he defected: occasions.py): each an event of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.profile.domain.documents import PARTS_OF

CREATED, UPDATED, MERGED, SPLIT, ID_CHANGED, REMOVED, ERASED = (
    f"customer.{what}" for what in ("created", "updated", "merged", "split", "id_changed", "removed", "erased")
)
GONE = (MERGED, ID_CHANGED, REMOVED, ERASED)
ENTERED, LEFT, TIER_CHANGED = "segment.entered", "segment.left", "tier.changed"
PROMISE_DUE, DETRACTOR, DEFECTED = "promise.due", "feedback.detractor", "customer.defected"
MOVES_HEADER = "c360_moves"
"""The header of a change in which its moves stand."""

MOVES = "moves"
Detail = dict[str, Any]
"""What is told beside the customer's id and version. `moves`: {type, and what is said} of each; with an `id`,
where it is the same whoever is told as the customer."""


@dataclass(frozen=True, slots=True)
class Move:
    """A record's binding as told now: `customer`, where it was `former` before; None: it was not known."""

    record: str
    former: str | None
    customer: str

    @property
    def leads_away(self) -> bool:
        """Whoever was named after the record, if anybody, now answers with another than before."""
        return self.customer not in (self.record, self.former)

    @property
    def comes_home(self) -> bool:
        """The record is its own customer again, or for the first time, and was another's."""
        return self.customer == self.record and self.former not in (None, self.record)


@dataclass(slots=True)
class Batch:
    """What one transaction changed of customers.

    `services`: customer → whose sections of him changed. `existed`, `exists`: customer → whether he is shown, before
    and after; absent: identity never told him. `late`: gone before, and now answered for by another. `bound`: gone
    customer → who answers for his id. `parted`: customer → customers who came out of him. `erased`: gone for good.
    """

    services: Mapping[str, list[str]]
    existed: Mapping[str, bool]
    exists: Mapping[str, bool]
    late: Collection[str] = ()
    bound: Mapping[str, str] = field(default_factory=dict)
    parted: Mapping[str, list[str]] = field(default_factory=dict)
    erased: Collection[str] = ()

    @property
    def gone(self) -> list[str]:
        """Customers who went, and those gone before for whom another answers now."""
        went = {c for c, existed in self.existed.items() if existed and not self.exists.get(c, True)}
        return sorted(went | set(self.late))

    def details(self) -> dict[str, Detail]:
        """Customer → what is told of him; who neither is nor was shown is left out."""
        told = {customer: self._detail(customer) for customer in sorted({*self.services, *self.gone, *self.parted})}
        return {customer: detail for customer, detail in told.items() if detail is not None}

    def _detail(self, customer: str) -> Detail | None:
        changed = {"sections": self.services[customer]} if self.services.get(customer) else {}
        was = self.existed.get(customer, False)
        exists = self.exists.get(customer, was)
        if customer in self.late or (was and not exists):
            return self._gone(customer)
        if not exists:
            return None
        if not was:
            return {"type": CREATED, **changed}
        if customer in self.parted:
            return {"type": SPLIT, "from": customer, "into": sorted(self.parted[customer]), **changed}
        return {"type": UPDATED, **changed}

    def _gone(self, customer: str) -> Detail:
        into = self.bound.get(customer, customer)
        if into == customer:
            return {"type": ERASED if customer in self.erased else REMOVED}
        return {"type": MERGED if self.existed.get(into) else ID_CHANGED, "from": [customer], "into": into}


def noted(version: str, detail: Detail) -> dict[str, Detail]:
    """A change with the version it made: what was noted of one customer at two versions can be put together."""
    return {version: detail}


def folded(notes: Mapping[str, Detail]) -> tuple[str, Detail]:
    """(version, detail) of what was noted of a customer before it could be told: the last, less what it hides.

    That he came to be is not hidden by an update, nor that others came out of him.
    """
    in_order = sorted(notes.items(), key=lambda note: tuple(map(int, note[0].split("."))))
    version, detail = in_order[-1]
    moves = {MOVES: found} if (found := _moves(in_order)) else {}
    if detail["type"] in GONE:
        return version, detail | moves
    whole: Detail = {}
    for _, note in in_order:
        if note["type"] in GONE:
            whole = {}
            continue
        sections = list(dict.fromkeys([*whole.get("sections", ()), *note.get("sections", ())]))
        whole = {
            **(note if _weight(note) >= _weight(whole) else whole),
            **({"sections": sections} if sections else {}),
        }
    return version, whole | moves


def _moves(in_order: Iterable[tuple[str, Detail]]) -> list[Detail]:
    """All moves, each with the version it was made at: told once more with a later change, it is the same one."""
    return [{"at": version, **move} for version, note in in_order for move in note.get(MOVES, ())]


def tier_changed(was: str, grade: str) -> Detail:
    """That a customer's tier is another; "" for none."""
    return {"type": TIER_CHANGED, "from": was or None, "to": grade or None}


def segments_moved(was: Collection[str], now: Collection[str]) -> list[Detail]:
    """Which segments a customer left, and which he entered."""
    left = [{"type": LEFT, "segment_id": one} for one in sorted(set(was) - set(now))]
    return left + [{"type": ENTERED, "segment_id": one} for one in sorted(set(now) - set(was))]


def spoken(customer: str, version: str, detail: Detail) -> tuple[Detail, list[Detail]]:
    """(the data of a folded change, its moves as events: id, type, data)."""
    moves = detail.get(MOVES, [])
    data = {"customer_id": customer, "version": _number(version), **detail}
    data.pop(MOVES, None)
    changed = parts_of(detail.get("sections", ()))
    if any(move["type"] in (ENTERED, LEFT) for move in moves):
        changed.append("segments")
    if "interaction" not in changed and any(move["type"] == PROMISE_DUE for move in moves):
        # There it is shown as overdue from now on.
        changed.append("interaction")
    if "sections" in detail or changed:
        data["changed"] = changed
    return data, [_event(customer, **move) for move in moves]


def _event(customer: str, at: str, type: str, id: str = "", **about: Any) -> Detail:
    name = id or f"{customer}:{at}:{type}" + (f":{about['segment_id']}" if "segment_id" in about else "")
    return {"id": name, "type": type, "data": {"customer_id": customer, "version": _number(at), **about}}


def _number(version: str) -> int:
    return int(version.partition(".")[2])


def parts_of(sections: Iterable[str]) -> list[str]:
    """The parts of the document that these services' sections fill."""
    return [part for service in sections for part in PARTS_OF[service]]


def _weight(detail: Detail) -> int:
    return {UPDATED: 1, SPLIT: 2, CREATED: 3}.get(detail.get("type", ""), 0)
