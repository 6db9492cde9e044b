"""Why the records are one person: the links that hold them together as a tree, and what was refused.

Draws GET /v1/customers/{id}/identity, else only the document's records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from services.ops.page.icons import of_identifier
from services.ops.page.markup import Html, card, chip, joined, tag
from services.ops.page.words import KINDS, between, day, named, refusal, times

FURTHER_MAX = 20
Evidence = Mapping[str, Any]


def records(document: Evidence, evidence: Evidence | None) -> Html:
    """The records, each under the one it was joined to, with the evidence between them."""
    found = (evidence or document.get("identity") or {}).get("records") or []
    if not found:
        return Html()
    shared = {
        (i["type"], i["value"]) for i in (document.get("identity") or {}).get("identifiers", ()) if i["generic"]
    }
    links = (evidence or {}).get("links") or []
    tree = _Tree(found, [link for link in links if link["state"] == "joins"], shared)
    total = ((evidence or document["identity"]).get("totals") or {}).get("records", len(found))
    note = times(total, "record") if total == len(found) else f"{len(found)} of {total:,} records"
    return card("Why this is one person", tree.drawn(), _further(links), note=note)


class _Tree:
    """Records by what joined them; the one the customer is named after comes first, being listed first."""

    def __init__(self, found: Sequence[Evidence], joins: Sequence[Evidence], shared: set[tuple[str, str]]) -> None:
        self.record = {one["record_id"]: one for one in found}
        self.shared = shared
        self.beside: dict[str, list[tuple[str, Evidence]]] = defaultdict(list)
        for link in joins:
            a, b = link["a"]["record_id"], link["b"]["record_id"]
            if a in self.record and b in self.record:
                self.beside[a].append((b, link))
                self.beside[b].append((a, link))

    def drawn(self) -> Html:
        """All records; what no listed link leads to stands beside the others."""
        seen: set[str] = set()
        roots = []
        for record_id in self.record:
            if record_id not in seen:
                roots.append(self._from(record_id, seen))
        return tag("ul", *roots, class_="tree")

    def _from(self, start: str, seen: set[str]) -> Html:
        """A record with what hangs on it, without recursion: a chain may be long."""
        seen.add(start)
        order: list[tuple[str, str | None, Evidence | None]] = [(start, None, None)]
        for record_id, _, _ in order:  # grows while it is read
            for other, link in self.beside[record_id]:
                if other not in seen:
                    seen.add(other)
                    order.append((other, record_id, link))
        below: dict[str, list[Html]] = defaultdict(list)
        node = Html()
        for record_id, above, how in reversed(order):
            children = tag("ul", *reversed(below[record_id])) if below[record_id] else None
            node = tag("li", self._record(record_id, how), children)
            if above is not None:
                below[above].append(node)
        return node

    def _record(self, record_id: str, link: Evidence | None) -> Html:
        one = self.record[record_id]
        is_shared = (one["type"], one["value"]) in self.shared
        name = tag(
            "p", of_identifier(one["type"]), tag("span", one["type"], class_="type"), tag("code", one["value"]),
            chip("widely shared: no evidence", "warn") if is_shared else None, class_="record",
        )  # fmt: skip
        seen = ", ".join(filter(None, (times(one["events"], "event"), between(one["first_seen"], one["last_seen"]))))
        why = tag("p", _how(link), class_="why") if link else None
        return joined([why, name, tag("p", seen, class_="soft")])


def _how(link: Evidence) -> str:
    on = f" on {day(link['first_seen'])}" if link.get("first_seen") else ""
    who = (
        f" by {link['source']}"
        if link.get("source")
        else " by an operator"
        if link["kind"] == "same_asserted"
        else ""
    )
    return f"{KINDS.get(link['kind'], link['kind'])}{who}{on}, weight {link['weight']}"


def _further(links: Sequence[Evidence]) -> Html | None:
    """Links that say the same once more; without the joining ones they would do."""
    found = [link for link in links if link["state"] == "supports"]
    if not found:
        return None
    lines = [
        tag("li", tag("code", named(link["a"])), " and ", tag("code", named(link["b"])), f": {_how(link)}")
        for link in found[:FURTHER_MAX]
    ]
    more = tag("li", f"and {len(found) - FURTHER_MAX} more") if len(found) > FURTHER_MAX else None
    return joined([tag("h3", "What else says so"), tag("ul", *lines, more, class_="lines")])


def apart(evidence: Evidence | None) -> Html:
    """Links that did not join, and operators' words."""
    if not evidence:
        return Html()
    mine = {one["record_id"] for one in evidence["records"]}
    words = [_word(word) for word in evidence["assertions"]]
    refused = [_refused(link, mine) for link in evidence["refusals"]]
    return card(
        "What people said, and what was refused" if words else "Seen together, and yet not one",
        tag("ul", *words, class_="words") if words else None,
        tag("ul", *refused, class_="refused") if refused else None,
    )


def _word(word: Evidence) -> Html:
    verdict = chip("the same", "good") if word["kind"] == "same" else chip("different", "bad")
    pair = [tag("code", named(word["a"])), " and ", tag("code", named(word["b"])), " are ", verdict]
    who = ", ".join(filter(None, (word["actor"] or "an operator", day(word["time"]))))
    return tag("li", tag("p", *pair), tag("blockquote", word["reason"]), tag("p", who, class_="soft"))


def _refused(link: Evidence, mine: set[str]) -> Html:
    own, other = (link["a"], link["b"]) if link["a"]["record_id"] in mine else (link["b"], link["a"])
    return tag(
        "li",
        tag("p", tag("code", named(own)), " with ", tag("code", named(other)), ": ", _how(link)),
        tag("p", f"Not joined: {refusal(link['constraint'] or '')}.", class_="soft"),
        tag("p", "The other is customer ", tag("code", link["customer_id"]), class_="soft"),
    )
