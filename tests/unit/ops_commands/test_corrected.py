"""What was taken back, and who became one, reads so in the timeline of the command and of the page."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from services.ops.commands import showing
from services.ops.page.corrected import remarks
from services.ops.page.markup import tag
from services.ops.page.timeline import timeline
from tests.unit.ops_commands.seen import OTHER, corrected, decided, document, item

MERGED: dict[str, Any] = {"type": "customer.merged", "title": "Became one with another customer"}


def printed(*items: dict[str, Any]) -> str:
    """The command's lines."""
    console = Console(width=300)
    with console.capture() as captured:
        console.print(showing.timeline(items))
    return captured.get()


def drawn(*items: dict[str, Any]) -> str:
    """The page's part."""
    return str(tag("main", timeline(items, document())))


def test_most_items_need_no_remark() -> None:
    assert remarks(item("Called")) == []
    assert remarks(item("Called", withdrawn=None, replaces=[], takes_back=None, decision=None)) == []


def test_what_was_taken_back_says_when_why_and_that_another_stands_for_it() -> None:
    back = corrected("wrong day", title="Note")
    assert remarks(back) == ["taken back on 3 Mar 2026, another event stands for it: wrong day"]
    assert remarks(item(withdrawn={"event_id": None, "at": None, "reason": None, "replaced_by": None})) == [
        "taken back"
    ]
    assert remarks(item(replaces=["a"])) == ["stands for 1 event that was taken back"]
    assert remarks(item(replaces=["a", "b"])) == ["stands for 2 events that were taken back"]
    assert remarks(item(takes_back="a", replaced_by="b")) == ["takes an event back, another stands for it"]
    assert "taken back on 3 Mar 2026" in printed(back)
    assert "<s>Note</s>" in drawn(back)
    assert "<b>Note</b>" in drawn(item(title="Note"))


def test_a_merge_and_a_split_say_with_whom_and_why() -> None:
    because = {"customer_id": OTHER, "because": "seen_together", "event_id": "e", "reason": None, "actor": None}
    met = decided(**{**MERGED, "decision": because})
    assert remarks(met) == ["seen together", f"customer {OTHER}, an id of his now"]
    parted = decided("two sisters", type="customer.split", title="Parted from another customer")
    assert remarks(parted)[1:] == [f"customer {OTHER}", "said by two sisters: two sisters"]
    line = next(one for one in printed(met).splitlines() if "Became" in one)
    assert f"Became one with another customer (seen together; customer {OTHER}, an id of his now)" in line
    assert line.split()[2:4] == ["internal", "Became"], "it went neither in nor out"
    page = drawn(decided("x", title="T", source="s", actor=None, summary="two sisters"))
    assert "two sisters" not in page, "the reason is in the remark"


def test_lines_and_what_was_taken_back_are_no_events_of_the_count() -> None:
    total = document()["interaction"]["count"]
    assert f"the newest 1 of {total:,} events" in drawn(item(), decided(), corrected())
