"""What was sent wrongly is taken back through the public doors; what lacks something is kept and counts nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doors import VISIBLE_MS, Doors, Named, Source

AT = "2026-03-0{}T10:00:00Z"


def bought(own: Named, n: int, lead: dict[str, str], **properties: Any) -> dict[str, Any]:
    """An order of 40.00 on the n-th of March."""
    about = {"order_id": own(f"o{n}"), "currency": "USD", "subtotal": 40, **properties}
    return {
        "id": own(f"order {n}"), "type": "order.completed", "time": AT.format(n), "identifiers": lead,
        "properties": about,
    }  # fmt: skip


def retraction(own: Named, source: Source, what: str, lead: dict[str, str]) -> dict[str, Any]:
    """The source takes one of its events back."""
    return {
        "type": "event.retracted", "identifiers": lead,
        "properties": {"source": source.name, "id": own(what), "reason": "a test order"},
    }  # fmt: skip


def value_of(doors: Doors, customer_id: str, position: str) -> dict[str, Any]:
    """The customer's value once the position is visible."""
    at: dict[str, Any] = {"min_position": position, "wait_ms": VISIBLE_MS}
    response = doors.ask(f"/v1/customers/{customer_id}/value", **at)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.feature("I2", "D3")
@pytest.mark.parametrize("early", [False, True], ids=["after it came", "before it came"])
def test_an_order_and_a_merge_that_were_taken_back_leave_no_trace(
    doors: Doors, web: Source, own: Named, early: bool
) -> None:
    ann, bob = {"crm_id.acme": own("ann")}, {"crm_id.acme": own("bob")}
    first, second = bought(own, 1, ann), bought(own, 2, ann)
    mixed = {"id": own("mix"), "type": "contact.updated", "identifiers": {**ann, "email": own("b") + "@mail.example"},
             "traits": {"firstName": "Bob"}, "time": AT.format(3)}  # fmt: skip
    his = {"type": "contact.updated", "identifiers": {**bob, "email": own("b") + "@mail.example"},
           "traits": {"firstName": "Bob"}, "time": AT.format(3)}  # fmt: skip
    wrong = [second, mixed]
    back = [retraction(own, web, "order 2", ann), retraction(own, web, "mix", ann)]
    doors.send(web, first, his)
    for batch in (back, wrong) if early else (wrong, back):
        position = doors.send(web, *batch)
    hers, theirs = (doors.customer_of("crm_id.acme", own(n), position) for n in ("ann", "bob"))
    assert hers != theirs
    document = doors.profile(hers, position)
    assert document["contact"]["name"] is None
    assert document["interaction"]["by_type"] == {"event.retracted": 2, "order.completed": 1}
    found = value_of(doors, hers, position)
    assert (found["actual"]["revenue"], found["actual"]["orders"], found["orders_total"]) == ("40.00", 1, 1)
    shown = [item["type"] for item in doors.timeline(hers)]
    assert sorted(shown) == ["event.retracted", "event.retracted", "order.completed"]


@pytest.mark.feature("I2")
def test_a_contact_its_source_removed_is_known_no_more_until_it_is_imported_again(
    doors: Doors, web: Source, own: Named
) -> None:
    row = {"type": "contact.imported", "identifiers": {"crm_id.acme": own("7")}, "traits": {"firstName": "Ann"}}
    gone = {"type": "contact.removed", "identifiers": {"crm_id.acme": own("7")}, "time": AT.format(5)}
    position = doors.send(web, {**row, "time": AT.format(1)}, gone)
    (result,) = doors.look_up(("crm_id.acme", own("7")), position=position)
    assert result["customer_id"] is None
    position = doors.send(web, {**row, "time": AT.format(9)})
    assert doors.customer_of("crm_id.acme", own("7"), position)


def test_what_was_never_sent_may_be_taken_back(doors: Doors, web: Source, own: Named) -> None:
    lead = {"user_id": own("u")}
    position = doors.send(web, {"type": "page.viewed", "identifiers": lead, "properties": {"path": "/"}},
                          retraction(own, web, "never", lead))  # fmt: skip
    document = doors.profile(doors.customer_of("user_id", own("u"), position), position)
    assert document["interaction"]["count"] == 2


@pytest.mark.feature("D3")
@pytest.mark.parametrize("lacking", ["order_id", "currency"])
def test_an_order_that_lacks_something_is_history_and_no_money(doors: Doors, own: Named, lacking: str) -> None:
    plain = doors.source("plain")  # without a currency of its own, which would be filled in
    lead = {"user_id": own("u")}
    before = _incomplete(doors)
    position = doors.send(plain, bought(own, 1, lead, **{lacking: None}), bought(own, 2, lead))
    customer = doors.customer_of("user_id", own("u"), position)
    assert value_of(doors, customer, position)["actual"]["revenue"] == "40.00"
    assert len(doors.timeline(customer)) == 2
    assert _incomplete(doors) == before + 1


def _incomplete(doors: Doors) -> int:
    """How many events value has kept without effect, as status counts them."""
    return int(doors.copy.json("status")["tally"]["value"].get("incomplete", 0))
