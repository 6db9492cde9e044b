"""An operator says that two records are one person, or are not; both can be taken back without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source

PARTS = ("customer_id", "identity", "contact", "interaction")
TIME = "2026-03-0{}T10:00:00Z"


@pytest.fixture
def operators(doors: Doors) -> Source:
    """Where operators' words come from."""
    return doors.source("operators", "--may", "assert")


def people(own: Named) -> list[dict[str, Any]]:
    """Ann of the shop, with an e-mail; Ann of the CRM, with a device and two events."""
    return [
        {
            "type": "contact.identified",
            "time": TIME.format(1),
            "identifiers": {"user_id": own("ann"), "email": own("ann") + "@mail.example"},
            "traits": {"firstName": "Ann", "lastName": "Berg"},
        },
        {
            "type": "contact.imported",
            "time": TIME.format(2),
            "identifiers": {"crm_id.acme": own("9"), "device_id": own("d")},
            "traits": {"firstName": "Anne", "address": {"city": "Leeds"}},
        },
        {
            "type": "screen.viewed",
            "time": TIME.format(3),
            "identifiers": {"device_id": own("d")},
            "properties": {"name": "Basket"},
        },
    ]


def word(own: Named, same: bool, day: int) -> dict[str, Any]:
    """The operator's word on the two records, led by a record of the operator's own."""
    return {
        "type": f"identity.{'same' if same else 'different'}_asserted",
        "time": TIME.format(day),
        "identifiers": {"ticket_no": own("t")},
        "actor": {"kind": "staff", "id": "op-3"},
        "properties": {
            "records": [
                {"type": "user_id", "value": own("ann")},
                {"type": "crm_id.acme", "value": own("9")},
            ],
            "reason": "checked on the phone",
        },
    }


def seen(doors: Doors, own: Named, position: str) -> list[dict[str, Any]]:
    """What both documents and timelines show."""
    found = []
    for type_, value in (("user_id", own("ann")), ("crm_id.acme", own("9"))):
        customer_id = doors.customer_of(type_, value, position)
        document = doors.profile(customer_id, position)
        assert document["meta"]["regrouping"] == []
        timeline = doors.timeline(customer_id, position, include="properties")
        found.append({**{part: document[part] for part in PARTS}, "timeline": timeline})
    return found


@pytest.mark.feature("I2")
def test_same_makes_one_customer_of_two(doors: Doors, web: Source, operators: Source, own: Named) -> None:
    ann, anne = seen(doors, own, doors.send(web, *people(own)))
    assert ann["customer_id"] != anne["customer_id"]
    one, again = seen(doors, own, doors.send(operators, word(own, same=True, day=4)))
    assert one == again
    assert one["customer_id"] == ann["customer_id"], "named after the strongest record"
    assert one["interaction"]["count"] == 3
    ids = {item["event_id"] for item in ann["timeline"] + anne["timeline"]}
    assert {item["event_id"] for item in one["timeline"]} == ids


@pytest.mark.feature("I2")
def test_taking_a_merge_back_gives_what_was_before(doors: Doors, web: Source, operators: Source, own: Named) -> None:
    before = seen(doors, own, doors.send(web, *people(own)))
    doors.send(operators, word(own, same=True, day=4))
    after = seen(doors, own, doors.send(operators, word(own, same=False, day=5)))
    for was, now in zip(before, after, strict=True):
        for part in (*PARTS, "timeline"):
            assert now[part] == was[part], part


@pytest.mark.feature("I2")
def test_the_latest_word_counts_whatever_order_they_arrive_in(
    doors: Doors, web: Source, operators: Source, own: Named
) -> None:
    doors.send(web, *people(own))
    doors.send(operators, word(own, same=False, day=5))
    ann, anne = seen(doors, own, doors.send(operators, word(own, same=True, day=4)))
    assert ann["customer_id"] != anne["customer_id"]


@pytest.mark.feature("I2")
def test_different_parts_what_evidence_has_joined(doors: Doors, web: Source, operators: Source, own: Named) -> None:
    joined = {
        "type": "contact.imported",
        "time": TIME.format(4),
        "identifiers": {"crm_id.acme": own("9"), "user_id": own("ann")},
    }
    one, again = seen(doors, own, doors.send(web, *people(own), joined))
    assert one["customer_id"] == again["customer_id"]
    ann, anne = seen(doors, own, doors.send(operators, word(own, same=False, day=5)))
    assert ann["customer_id"] != anne["customer_id"]
    assert ann["interaction"]["count"] + anne["interaction"]["count"] == 4


@pytest.mark.feature("I1")
def test_an_old_id_answers_through_merge_and_split(doors: Doors, web: Source, operators: Source, own: Named) -> None:
    ann, anne = seen(doors, own, doors.send(web, *people(own)))
    position = doors.send(operators, word(own, same=True, day=4))
    assert doors.profile(anne["customer_id"], position)["customer_id"] == ann["customer_id"]
    position = doors.send(operators, word(own, same=False, day=5))
    assert doors.profile(anne["customer_id"], position)["customer_id"] == anne["customer_id"]


def test_who_contradicts_another_operator_is_told(doors: Doors, web: Source, own: Named) -> None:
    position = doors.send(web, *people(own))
    said = {
        "records": [{"type": "user_id", "value": own("ann")}, {"type": "crm_id.acme", "value": own("9")}],
        "min_position": position,
        "wait_ms": 10_000,
    }
    key = doors.key("identity:write", "profile:pii")
    first = said | {"kind": "same", "reason": "same card", "actor": {"id": "olga"}}
    told = doors.post_api("/v1/identity/assertions", first, key=key).json()
    assert told["contradicts"] == []
    second = said | {"kind": "different", "reason": "mother and daughter", "actor": {"id": "piet"}}
    second["min_position"] = told["position"]
    answer = doors.post_api("/v1/identity/assertions", second, key=key).json()
    (word,) = answer["contradicts"]
    assert (word["kind"], word["actor"], word["reason"], word["event_id"]) == (
        "same", "olga", "same card", told["event_id"],
    )  # fmt: skip
    first["min_position"] = answer["position"]
    masked = doors.post_api("/v1/identity/assertions", first, key=doors.key("identity:write")).json()
    assert masked["contradicts"][0]["actor"] == "p•••"
