"""What customers are worth, over the profile API: one customer's ledger and orders, the book, the tiers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.sections import Value
from tests.support.doors import VISIBLE_MS, Doors, Named, Source, later_of

OWN_YEAR = ("2033-01-01", "2034-01-01")
"""Business days on which nobody else's tests book anything."""


def bought(own: Named, order: str, day: str, amount: str, **identifiers: str) -> dict[str, Any]:
    """An order of this amount."""
    said = {"order_id": own(order), "currency": "USD", "subtotal": amount}
    return {
        "type": "order.completed",
        "time": f"{day}T10:00:00Z",
        "identifiers": identifiers,
        "properties": {**said, "products": [{"product_id": "t", "category": "tents", "price": amount}]},
    }


def answer(doors: Doors, path: str, position: str | None = None, **params: Any) -> dict[str, Any]:
    """A good answer once the position is visible."""
    at: dict[str, Any] = {"min_position": position, "wait_ms": VISIBLE_MS} if position else {}
    response = doors.ask(path, **at, **params)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_a_customer_is_worth_what_he_bought_over_all_his_records(doors: Doors, web: Source, own: Named) -> None:
    both = {"user_id": own("u"), "email": f"{own('ann')}@mail.example"}
    position = doors.send(
        web,
        {"type": "contact.identified", "identifiers": both},
        bought(own, "A1", "2026-03-01", "700.00", user_id=own("u")),
        bought(own, "A2", "2026-04-01", "60.50", email=both["email"]),
    )
    customer_id = doors.customer_of("user_id", own("u"), position)
    found = answer(doors, f"/v1/customers/{customer_id}/value", position)
    beside = {"orders", "orders_total", "tier_history", "meta"}
    assert set(found) == {"customer_id", "requested_id", *Value.model_fields, *beside}
    risen = [(one["grade"], one["since"], one["because"]) for one in found["tier_history"]]
    assert risen == [("B", "2026-04-01", "booking"), ("C", "2026-03-01", None)]
    assert (found["customer_id"], found["requested_id"]) == (customer_id, customer_id)
    assert (found["currency"], found["actual"]["revenue"], found["tier"]["grade"]) == ("USD", "760.50", "B")
    assert [o["id"] for o in found["orders"]] == [own("A2"), own("A1")], "newest first"
    assert found["orders_total"] == 2
    document = doors.profile(customer_id)["value"]
    unasked = {"as_of": None, "next": None}
    assert document == {name: found[name] for name in Value.model_fields} | unasked, "no day changes it"
    before = answer(doors, f"/v1/customers/{customer_id}/value", as_of="2026-03-31T23:59:59Z")
    assert (before["actual"]["revenue"], before["tier"]["grade"]) == ("700.00", "C")
    assert [one["grade"] for one in before["tier_history"]] == ["C"]
    assert (before["as_of"], before["orders_total"]) == ("2026-03-31T23:59:59Z", 1)


def test_who_never_bought_anything_has_every_field_and_all_of_them_null(
    doors: Doors, web: Source, own: Named
) -> None:
    event = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    position = doors.send(web, event)
    customer_id = doors.customer_of("user_id", own("u"), position)
    found = answer(doors, f"/v1/customers/{customer_id}/value", position)
    assert {name: found[name] for name in Value.model_fields} == dict.fromkeys(Value.model_fields)
    assert (found["orders"], found["orders_total"]) == ([], 0)
    assert "value" in doors.profile(customer_id)["meta"]["missing"]


def test_an_id_from_before_a_merge_answers_with_todays_value(doors: Doors, web: Source, own: Named) -> None:
    mail = f"{own('ann')}@mail.example"
    first = doors.send(web, bought(own, "A1", "2026-03-01", "10.00", email=mail))
    old = doors.customer_of("email", mail, first)
    both = {"type": "contact.identified", "identifiers": {"user_id": own("u"), "email": mail}}
    position = doors.send(web, both, bought(own, "A2", "2026-03-02", "5.00", user_id=own("u")))
    found = answer(doors, f"/v1/customers/{old}/value", position)
    assert found["requested_id"] == old
    assert found["customer_id"] == doors.customer_of("user_id", own("u")) != old
    assert found["actual"]["revenue"] == "15.00"


def test_the_book_counts_everybody_on_its_days_and_tiers_count_everybody(
    doors: Doors, web: Source, own: Named
) -> None:
    def in_book() -> Decimal:
        told = answer(doors, "/v1/value/totals", position, **dict(zip(("from", "to"), OWN_YEAR, strict=True)))
        assert (told["from"], told["to"]) == OWN_YEAR
        return sum((Decimal(t["revenue"]) for t in told["totals"] if t["currency"] == "USD"), Decimal(0))

    def in_grade_c() -> int:
        told = answer(doors, "/v1/value/tiers", position)
        assert [g["grade"] for g in told["grades"]] == ["A", "B", "C", "D"]
        return int(told["grades"][2]["customers"])

    nothing = {"type": "note.added", "identifiers": {"user_id": own("u0")}, "properties": {"text": "x"}}
    position = doors.send(web, nothing)
    revenue, customers = in_book(), in_grade_c()
    position = later_of(
        doors.send(web, bought(own, "A1", "2026-03-01", "300.00", user_id=own("u1"))),
        doors.send(web, bought(own, "A2", "2026-03-01", "300.00", user_id=own("u2"))),
    )
    assert (in_book(), in_grade_c()) == (revenue, customers + 2), "of other days"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/customers/{}/value", {"as_of": "yesterday"}),
        ("/v1/customers/{}/value", {"as_of": "2026-03-01T10:00:00"}),
        ("/v1/customers/{}/value", {"min_position": "x"}),
        ("/v1/value/totals", {"from": "March"}),
        ("/v1/value/totals", {"to": "2026-13-01"}),
        ("/v1/value/tiers", {"min_position": "x"}),
        ("/v1/value/growth", {"from": "2026-02-01", "to": "2026-02-01"}),
        ("/v1/value/migration", {"to": "0001-02-01"}),
        ("/v1/value/what-if", {"defection": "1.5"}),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_read_is_a_bad_request(
    doors: Doors, web: Source, own: Named, path: str, query: dict[str, Any]
) -> None:
    event = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    customer_id = doors.customer_of("user_id", own("u"), doors.send(web, event))
    response = doors.ask(path.format(customer_id), **query)
    assert (response.status_code, response.json()["type"]) == (400, "bad-request"), response.text


def test_without_its_scope_value_is_masked_in_the_document_and_an_address_in_the_orders_without_pii(
    doors: Doors, web: Source, own: Named
) -> None:
    mail = f"{own('ann')}@mail.example"
    order = bought(own, "A1", "2026-03-01", "10.00", user_id=own("u"))
    order["properties"]["order_id"] = mail
    position = doors.send(web, order)
    customer_id = doors.customer_of("user_id", own("u"), position)
    hidden = doors.profile(customer_id, position, key=doors.key("profile:read", "profile:pii"))
    assert hidden["value"] is None
    assert hidden["meta"]["masked"] == ["value"]
    assert "value" not in hidden["meta"]["missing"]
    seen = doors.profile(customer_id, key=doors.key("profile:read", "value:read"))
    assert seen["value"]["actual"]["revenue"] == "10.00"
    assert "value" not in seen["meta"]["masked"]
    for scopes, shown in ((("value:read",), False), (("value:read", "profile:pii"), True)):
        response = doors.ask(f"/v1/customers/{customer_id}/value", key=doors.key(*scopes))
        assert (mail in response.text) is shown


@pytest.mark.parametrize("page", ["migration", "growth", "churn", "what-if"])
def test_without_days_the_book_is_of_the_year_that_ends_today(doors: Doors, page: str) -> None:
    found = answer(doors, f"/v1/value/{page}", **({"defection": "0.5"} if page == "what-if" else {}))
    since, until = (date.fromisoformat(found[name]) for name in ("from", "to"))
    assert until - since == timedelta(days=365)
    assert abs(until - datetime.now(UTC).date() - timedelta(days=1)) <= timedelta(days=1)
