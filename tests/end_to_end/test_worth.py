"""What somebody is worth, through the public door: what he needs next, contracts, money that nobody would send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.doors import VISIBLE_MS, Doors, Named, Source

NOW = datetime.now(UTC).replace(microsecond=0)


def at(days_ago: float) -> str:
    """RFC 3339."""
    return (NOW - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")


def basket(own: Named, number: int, days_ago: float, *products: str, **more: Any) -> dict[str, Any]:
    """An order of one of each."""
    lines = [{"product_id": own(one), "price": "5.00", "category": "Kitchen"} for one in products]
    said = {"order_id": own(f"o{number}"), "currency": "USD", "products": lines, **more}
    return {
        "type": "order.completed",
        "time": at(days_ago),
        "identifiers": {"user_id": own("u")},
        "properties": said,
    }


@pytest.mark.feature("C1")
def test_a_document_asked_for_its_value_says_what_he_needs_next(doors: Doors, web: Source, own: Named) -> None:
    four = [basket(own, n, 90 - 20 * n, "tea", *(("pot",) if n == 0 else ()), *(("cup", "rope")[: n]))
            for n in range(4)]  # fmt: skip
    position = doors.send(web, *four)
    customer = doors.customer_of("user_id", own("u"), position)
    named = doors.profile(customer, position, include="value")
    again = named["value"]["next"]["replenish"]
    assert (again[0]["item"], again[0]["days"], again[0]["every_days"]) == (own("tea"), 4, 20)
    assert (len(again), len(named["value"]["next"]["discover"])) <= (3, 3), "he bought four products"
    assert len(again) == 3
    assert again[0]["reason"] == f"bought on 4 days, about every 20 days, last on {at(30)[:10]}"
    assert named["meta"]["missing"] == []
    listed = doors.ask(f"/v1/customers/{customer}/recommendations", limit=3).json()
    assert named["value"]["next"] == {name: listed[name] for name in ("replenish", "discover")}
    answer = doors.ask(f"/v1/customers/{customer}/value").json()
    assert (answer["next"], answer["meta"]) == (named["value"]["next"], {"missing": []})
    past = doors.ask(f"/v1/customers/{customer}/value", as_of=at(40)).json()
    assert (past["next"], past["meta"], past["actual"]["orders"]) == (None, {"missing": []}, 3)


def test_who_does_not_ask_for_it_by_name_or_may_not_see_it_waits_for_no_list(
    doors: Doors, web: Source, own: Named
) -> None:
    position = doors.send(web, basket(own, 1, 3, "tea"))
    customer = doors.customer_of("user_id", own("u"), position)
    whole = doors.profile(customer, position)
    assert (whole["value"]["next"], "value.next" in whole["meta"]["missing"]) == (None, False)
    hidden = doors.profile(customer, include="value", key=doors.key("profile:read"))
    assert (hidden["value"], hidden["meta"]["masked"]) == (None, ["value"])
    ask = f"/v1/customers/{customer}"
    tags = [doors.ask(ask, include="value").headers["ETag"] for _ in range(2)]
    assert tags[0] == tags[1]
    assert doors.ask(ask, include="value", headers={"If-None-Match": tags[0]}).status_code == 304
    nobody = {"type": "note.added", "identifiers": {"user_id": own("n")}, "properties": {"text": "x"}}
    position = doors.send(web, nobody)
    customer = doors.customer_of("user_id", own("n"), position)
    answer = doors.ask(f"/v1/customers/{customer}/value", min_position=position, wait_ms=VISIBLE_MS).json()
    assert (answer["next"], answer["meta"]) == (None, {"missing": []}), "of who never bought all is null"


def contract(own: Named, kind: str, days_ago: float, number: str, who: dict[str, str], **more: Any) -> dict[str, Any]:
    """A word on one of his contracts."""
    terms = {"plan": "p", "interval": "P1Y", "amount": "9", "currency": "USD"} if kind == "started" else {}
    said = {"subscription_id": own(number), **terms, **more}
    return {"type": f"subscription.{kind}", "time": at(days_ago), "identifiers": who, "properties": said}


@pytest.mark.feature("D5")
def test_who_ends_one_of_two_contracts_has_not_left_until_the_last_ends_however_his_records_are_joined(
    doors: Doors, web: Source, own: Named
) -> None:
    def churn(identifier: str, value: str, position: str) -> dict[str, Any]:
        found = doors.profile(doors.customer_of(identifier, value, position), position)["value"]
        told: dict[str, Any] = found["churn"]
        return told

    user, mail = {"user_id": own("u")}, {"email": f"{own('ann')}@mail.example"}
    ended = contract(own, "cancelled", 20, "s1", user, reason="too expensive")
    position = doors.send(web, ended, contract(own, "started", 90, "s1", user))
    left = churn("user_id", own("u"), position)
    assert (left["state"], left["cause"], left["since"]) == ("defected", "price", at(20)[:10])
    doors.send(web, contract(own, "started", 60, "s2", mail))
    both = {"type": "contact.identified", "identifiers": {**user, **mail}, "time": at(5)}
    position = doors.send(web, both)
    assert churn("user_id", own("u"), position) == churn("email", mail["email"], position)
    assert churn("email", mail["email"], position)["state"] == "active", "his other contract came with his address"
    position = doors.send(web, contract(own, "ended", 1, "s2", mail, reason="moved abroad"))
    left = churn("user_id", own("u"), position)
    assert (left["state"], left["cause"], left["since"]) == ("defected", "moved", at(1)[:10])


ODD: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "nothing": ({"total": "0"}, at(9), {"revenue": "0.00", "orders": 1}),
    "below": ({"total": "-7.50"}, at(9), {"revenue": "-7.50", "orders": 1}),
    "currency": ({"currency": "XYZ", "total": "5"}, at(9), {"revenue": "5.00", "orders": 1}),
    "1970": ({"total": "5"}, "1970-01-01T12:00:00Z", {"revenue": "5.00", "orders": 1}),
    "2100": ({"total": "5"}, "2100-01-01T12:00:00Z", {"revenue": "5.00", "orders": 1}),
    "more": ({"total": "20"}, at(9), {"revenue": "0.00", "refunds": "20.00", "orders": 1}),
    "lines": (
        {"products": [{"product_id": str(n), "price": "0.01"} for n in range(500)]},
        at(9),
        {"revenue": "5.00"},
    ),
}
"""What is sent, when, and what is told of its customer."""


@pytest.mark.feature("D3")
def test_money_that_nobody_should_send_is_counted_by_its_rule_or_left_out(
    doors: Doors, web: Source, own: Named
) -> None:
    def order(name: str, said: dict[str, Any], when: str) -> dict[str, Any]:
        about = {"order_id": own(name), "currency": "USD", **said}
        return {"type": "order.completed", "time": when, "identifiers": {"user_id": own(name)}, "properties": about}

    def back(name: str) -> dict[str, Any]:
        about = {"order_id": own(name), "total": "9999.00", "currency": "USD"}
        return {"type": "order.refunded", "identifiers": {"user_id": own(name)}, "properties": about}

    sent = [order(name, said, when) for name, (said, when, _) in ODD.items()]
    no_money = order("no money", {"currency": "shells", "total": "5"}, at(9))
    position = doors.send(web, *sent, back("more"), back("no order"), no_money)
    for name, (_, _, expected) in ODD.items():
        customer = doors.customer_of("user_id", own(name), position)
        actual = doors.ask(f"/v1/customers/{customer}/value").json()["actual"]
        assert {field: actual[field] for field in expected} == expected, name
        assert doors.profile(customer)["value"]["actual"]["revenue"] == expected["revenue"], name
    for name in ("1970", "2100"):
        told = doors.profile(doors.customer_of("user_id", own(name)))["value"]["actual"]
        ordered = datetime.fromisoformat(told["first_at"])
        assert abs(ordered - NOW) < timedelta(days=1), "a time that cannot be is that of its arrival"
    more = doors.customer_of("user_id", own("more"))
    assert doors.ask(f"/v1/customers/{more}/value").json()["orders"][0]["flags"] == ["refund_excess"]
    for name in ("no order", "no money"):
        customer = doors.customer_of("user_id", own(name))
        assert doors.profile(customer)["value"] is None, name
        assert len(doors.timeline(customer)) == 1, "what says nothing of money stays in the history"
