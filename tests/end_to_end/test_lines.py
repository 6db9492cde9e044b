"""Corrections and merges are entries of the timeline: what was taken back says so, and who became one says when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source

AT = "2026-03-0{}T10:00:00Z"
ALL = "corrections,decisions"


def noted(own: Named, n: int, lead: dict[str, str], text: str = "a note") -> dict[str, Any]:
    """A note of the n-th of March."""
    about = {"time": AT.format(n), "channel": "call", "identifiers": lead, "properties": {"text": text}}
    return {"id": own(f"{n} {sorted(lead)}"), "type": "note.added", **about}


def taken_back(own: Named, source: Source, what: dict[str, Any], by: dict[str, Any] | None) -> dict[str, Any]:
    """The source takes an event back on the eighth."""
    named = {
        "source": source.name,
        "id": what["id"],
        "reason": "wrong day",
        **({"replaced_by": by["id"]} if by else {}),
    }
    return {
        "id": own("back"), "type": "event.retracted", "time": AT.format(8), "identifiers": {"user_id": own("desk")},
        "properties": named,
    }  # fmt: skip


@pytest.mark.feature("T1", "I2")
@pytest.mark.parametrize("early", [False, True], ids=["after it came", "before it came"])
def test_an_event_that_was_replaced_says_by_which_when_and_why(
    doors: Doors, web: Source, own: Named, early: bool
) -> None:
    ann = {"user_id": own("ann")}
    desk = noted(own, 1, {"user_id": own("desk")}) | {"id": own("desk")}
    wrong, right = noted(own, 1, ann), {**noted(own, 2, ann), "id": own("right")}
    back = taken_back(own, web, wrong, right)
    doors.send(web, desk)
    for batch in ([back], [wrong], [right]) if early else ([wrong, right], [back]):
        position = doors.send(web, *batch)
    customer_id = doors.customer_of("user_id", own("ann"), position)
    (shown,) = doors.timeline(customer_id, position)
    assert "withdrawn" not in shown
    newer, older = doors.timeline(customer_id, include="corrections", limit=1)
    assert newer["event_id"] == shown["event_id"]
    assert newer["replaces"] == shown["replaces"] == [older["event_id"]]
    word, _ = doors.timeline(doors.customer_of("user_id", own("desk"), position))
    assert older["withdrawn"] == {
        "event_id": word["event_id"], "at": AT.format(8), "reason": "wrong day", "replaced_by": newer["event_id"],
    }  # fmt: skip
    assert (word["takes_back"], word["replaced_by"]) == (older["event_id"], newer["event_id"])
    hidden = doors.timeline(customer_id, include="corrections", key=doors.key("events:read"))
    assert "wrong day" not in str(hidden)
    assert hidden[1]["withdrawn"]["event_id"] == word["event_id"]


class Two:
    """A visitor and a contact of the CRM, who met in an event of the fifth, were parted by an operator and joined."""

    def __init__(self, doors: Doors, web: Source, own: Named, *, forward: bool) -> None:
        self.doors, self.own = doors, own
        self.mail, self.crm = {"email": f"{own('ann')}@mail.example"}, {"crm_id.acme": own("ann")}
        events = [noted(own, n, lead) for n in (1, 2, 6) for lead in (self.mail, self.crm)]
        met = {**noted(own, 5, {**self.mail, **self.crm}), "type": "contact.updated"}
        events += [met, self.word("different", 7, "two sisters")]
        for event in events if forward else events[::-1]:
            self.position = doors.send(web, event)

    def word(self, kind: str, n: int, reason: str) -> dict[str, Any]:
        """An operator's word on both, sent by a source that may."""
        pair = [{"type": t, "value": v} for t, v in (*self.mail.items(), *self.crm.items())]
        about = {"identifiers": self.crm, "actor": {"kind": "staff", "id": "olga"}, "time": AT.format(n)}
        properties = {"records": pair, "reason": reason}
        return {"id": self.own(kind), "type": f"identity.{kind}_asserted", "properties": properties, **about}

    def customer(self, of: dict[str, str]) -> str:
        ((type_, value),) = of.items()
        return self.doors.customer_of(type_, value, self.position)

    def told(self, of: dict[str, str], **query: Any) -> list[dict[str, Any]]:
        return self.doors.timeline(self.customer(of), self.position, include=ALL, **query)


@pytest.fixture(scope="module")
def crm(doors: Doors) -> Source:
    """A source whose word on who is one counts."""
    return doors.source("lines-crm", "--may", "assert")


@pytest.mark.feature("T1", "I2")
@pytest.mark.parametrize("forward", [True, False], ids=["in order", "the last first"])
def test_who_became_one_and_was_parted_reads_so_between_the_events_in_any_order_of_arrival(
    doors: Doors, crm: Source, own: Named, forward: bool
) -> None:
    two = Two(doors, crm, own, forward=forward)
    hers, theirs = two.customer(two.crm), two.customer(two.mail)
    assert hers != theirs
    (parted,) = two.told(two.mail, type="customer.split")
    assert (parted["time"], parted["title"]) == (AT.format(7), "Parted from another customer")
    cause = parted["decision"]
    assert (cause["customer_id"], cause["reason"], cause["actor"]) == (hers, "two sisters", "olga")
    assert two.told(two.crm, type="customer.split")[0]["decision"]["customer_id"] == theirs
    assert [i["type"] for i in two.told(two.mail)] == ["customer.split", *["note.added"] * 3]
    two.position = doors.send(crm, two.word("same", 9, "one after all"))
    assert two.customer(two.mail) == two.customer(two.crm) == hers
    whole = two.told(two.crm)
    lines = [(i["type"], i["time"][:10], i["decision"]["customer_id"]) for i in whole if i["channel"] == "internal"]
    assert lines == [
        ("customer.merged", "2026-03-09", None), ("customer.split", "2026-03-07", None),
        ("customer.merged", "2026-03-05", theirs),
    ]  # fmt: skip
    assert [i["time"] for i in whole] == sorted((i["time"] for i in whole), reverse=True)
    for limit in (1, 2, 5):
        assert two.told(two.crm, limit=limit) == whole
    kept: dict[str, Callable[[dict[str, Any]], bool]] = {
        "type=customer.merged": lambda i: i["type"] == "customer.merged",
        "channel=internal": lambda i: i["channel"] == "internal",
        "direction=inbound": lambda i: i["direction"] == "inbound",
        f"from={AT.format(6)}": lambda i: i["time"] >= AT.format(6),
        f"to={AT.format(7)}": lambda i: i["time"] < AT.format(7),
    }
    for query, keeps in kept.items():
        name, _, value = query.partition("=")
        assert two.told(two.crm, limit=2, **{name: value}) == [i for i in whole if keeps(i)], query
    events = [i for i in whole if i["channel"] != "internal"]
    assert doors.timeline(hers) == events, "without being asked for, lines are left out"
    hidden = str(doors.timeline(hers, include=ALL, key=doors.key("events:read")))
    assert "sisters" not in hidden
    assert "olga" not in hidden
