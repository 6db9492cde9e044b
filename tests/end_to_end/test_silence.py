"""What somebody is worth without doing anything: he falls when silence says so; costs, words and causes count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import deployment
from tests.support.doors import Doors, later_of
from tests.support.running import until

pytestmark = pytest.mark.faults
CUSTOMERS, BATCH, GRADES, FALLS_S = 120, 200, "ABCD", 30.0
NOW = datetime.now(UTC).replace(microsecond=0)


def at(days_ago: float) -> str:
    """RFC 3339."""
    return (NOW - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")


def order(customer: str, number: int, days_ago: float, net: str, **more: Any) -> dict[str, Any]:
    """A customer's order."""
    properties = {"order_id": f"{customer}-{number}", "currency": "USD", "subtotal": net, **more}
    return {
        "type": "order.completed",
        "time": at(days_ago),
        "identifiers": {"user_id": customer},
        "properties": properties,
    }


def _orders() -> list[dict[str, Any]]:
    """Two years of customers who buy often or seldom, of whom many stop."""
    draw = random.Random(7)
    found: list[dict[str, Any]] = []
    for number in range(CUSTOMERS):
        ago, often = draw.uniform(60, 700), draw.choice([15, 30, 60, 120])
        while ago > 1:
            found.append(order(f"buyer-{number}", len(found), ago, f"{draw.uniform(10, 90):.2f}"))
            if draw.random() < 0.2:
                break
            ago -= draw.expovariate(1 / often)
    return found


def _send(doors: Doors, *events: dict[str, Any]) -> str:
    shop = doors.source("shop", "--channel", "web")
    return later_of(*(doors.send(shop, *events[n : n + BATCH]) for n in range(0, len(events), BATCH)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("silent")


@pytest.fixture(scope="module")
def graded(home: Path) -> Iterator[Doors]:
    """A copy of this module's own, whose customers a fitted model grades; it is up until the clock is moved."""
    with deployment.running(home) as copy:
        doors = Doors(copy)
        position = _send(doors, *_orders())
        doors.customer_of("user_id", "buyer-0", position)
        file = home / "fitted.yaml"
        copy.json("value", "fit", "--out", str(file))
        copy.json("value", "promote", str(file), "--reason", "test", "--anyway", "--execute")
        copy.command("wait", "--timeout", "60")
        yield doors
        doors.close()


def _worth(doors: Doors, customer: str, position: str | None = None, **params: Any) -> dict[str, Any]:
    at_position: dict[str, Any] = {"min_position": position, "wait_ms": 10_000} if position else {}
    answer = doors.ask(f"/v1/customers/{customer}/value", **at_position, **params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _costs(doors: Doors, home: Path, costs: list[dict[str, Any]]) -> None:
    """A cost table is put in force, and everybody is looked at again."""
    policy = doors.copy.json("value", "policy", "show")["document"]
    file = home / "policy.yaml"
    file.write_text(yaml.safe_dump({**policy, "costs": costs}, sort_keys=False))
    doors.copy.command("value", "policy", "apply", str(file), "--reason", "what calls cost", "--execute")
    doors.copy.command("wait", "--timeout", "60")


@pytest.mark.feature("D1", "D3")
def test_a_cost_table_changes_a_margin_and_a_tier_and_forty_calls_are_unprofitable(graded: Doors, home: Path) -> None:
    calls = [
        {"type": "call.held", "channel": "call", "direction": "inbound", "time": at(60 - n), "id": f"call-{n}",
         "identifiers": {"user_id": "caller"}, "properties": {"duration_s": 600, "outcome": "answered"}}
        for n in range(40)
    ]  # fmt: skip
    position = _send(graded, order("caller", 1, 70, "2000.00"), order("quiet", 1, 70, "2000.00"), *calls, calls[0])
    caller, quiet = (graded.customer_of("user_id", name, position) for name in ("caller", "quiet"))
    free = _worth(graded, caller, position)
    assert (free["actual"]["contribution"], free["tier"]["actual"]) == ("500.00", "high")
    _costs(graded, home, [{"channel": "call", "direction": "inbound", "piece": 2, "minute": "1.50"}])
    told = graded.profile(caller)["value"]
    assert told["actual"]["cost_to_serve"] == "680.00"
    assert (told["actual"]["margin"], told["actual"]["contribution"]) == ("500.00", "-180.00")
    assert (told["tier"]["actual"], told["tier"]["purposes"]["actual"][:5]) == ("low", "serve")
    assert told["predicted"]["clv"].startswith("-"), "he costs more than he brings, and so he will"
    assert graded.profile(quiet)["value"]["tier"]["actual"] == "high"
    before = _worth(graded, caller, as_of=at(51))["actual"]
    assert before["cost_to_serve"] == "170.00", "ten calls by then"
    totals = graded.ask("/v1/value/totals").json()["totals"]
    assert next(one for one in totals if one["currency"] == "USD")["cost_to_serve"] == "680.00"


def _said(customer: str, kind: str, days_ago: float, /, **properties: Any) -> dict[str, Any]:
    """What somebody states or suffers."""
    return {"type": kind, "time": at(days_ago), "identifiers": {"user_id": customer}, "properties": properties}


@pytest.mark.feature("D4")
def test_an_intention_is_stated_fades_and_comes_true_and_an_unknown_wallet_is_not_empty(graded: Doors) -> None:
    meant = _said("planner", "intention.stated", 40, intention="buy", amount="4000", currency="USD", area="Shoes")
    wallet = _said("planner", "wallet.stated", 30, amount_elsewhere="300", currency="USD", provider="Rival")
    position = _send(graded, order("planner", 1, 60, "100.00"), meant)
    customer = graded.customer_of("user_id", "planner", position)
    told = graded.profile(customer, position)["value"]
    assert (told["strategic"]["share_of_wallet"], told["strategic"]["intentions"][0]["state"]) == (None, "open")
    assert told["tier"]["strategic"] == "high", "as of the day he said it"
    fresh, faded = (_worth(graded, customer, as_of=at(days))["strategic"] for days in (39.99, 0))
    assert float(faded["potential"]) < float(fresh["potential"]) <= 1200
    assert _worth(graded, customer, as_of=at(41))["strategic"] is None
    line = {"product_id": "boot", "category": "Shoes", "quantity": 1, "price": "4000"}
    position = _send(graded, wallet, order("planner", 2, 1, "4000.00", products=[line]))
    told = graded.profile(customer, position)["value"]
    assert (told["strategic"]["intentions"][0]["state"], told["strategic"]["share_of_wallet"]) == ("realised", 0.25)
    assert (told["strategic"]["potential"], told["tier"]["strategic"]) == ("300.00", "medium")
    assert told["strategic"]["realisation"] == 0.44
    assert told["tier"]["purposes"]["strategic"].startswith("probe")


def _planted() -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Customers who left, each with his cause, and what was heard of it: from himself, or before he went."""
    shown: list[tuple[str, str, dict[str, Any]]] = [
        ("service", "call.held", {"resolved": False, "outcome": "answered"}),
        ("complaint", "ticket.opened", {"ticket_id": "t", "subject": "no", "kind": "complaint"}),
        ("payment", "payment.failed", {"invoice_id": "i"}),
        ("price", "feedback.given", {"score": 1, "scale": "nps", "topic": "prices"}),
    ]
    causes, events = {}, []
    for number in range(36):
        name, (cause, kind, properties) = f"gone-{number}", shown[number % len(shown)]
        events += [order(name, n, 300 - 10 * n, "40.00") for n in range(15)]
        if number % 3 == 0:
            causes[name] = "competitor"
            events.append(_said(name, "relationship.ended", 140, reason="went to a competitor"))
            continue
        causes[name] = cause
        events.append({**_said(name, kind, 150, **properties), "channel": "call"})
        if number % 3 == 1:
            events.append(_said(name, "relationship.ended", 140, reason="no longer needed"))
    return causes, events


@pytest.mark.feature("D5")
def test_planted_defections_are_seen_with_their_causes_and_the_report_names_them(graded: Doors) -> None:
    causes, events = _planted()
    position = _send(graded, *events)
    graded.customer_of("user_id", "gone-0", position)
    named = 0
    for result in graded.look_up(*(("user_id", name) for name in causes), position=position, include=["value"]):
        churn = result["customer"]["value"]["churn"]
        assert churn["state"] in ("lapsed", "defected"), (result["value"], churn)
        named += churn["cause"] == causes[result["value"]]
    assert named >= 0.9 * len(causes)
    spans: dict[str, Any] = {"from": at(365)[:10], "to": at(-1)[:10]}
    report = graded.ask("/v1/value/churn", **spans).json()
    by_cause = {one["cause"]: one["customers"] for one in report["by_cause"]}
    assert by_cause["competitor"] >= 12
    assert sum(by_cause.get(cause, 0) for cause in set(causes.values())) >= 0.9 * len(causes)
    assert sum(one["customers"] for one in report["by_month"]) == report["customers"]
    assert "competitor" in graded.copy.command("value", "churn", "--from", spans["from"], "--to", spans["to"])


def _basket(customer: str, number: int, days_ago: float, *products: str) -> dict[str, Any]:
    """An order of these products, one of each."""
    lines = [{"product_id": one, "price": "5.00", "category": "Kitchen"} for one in products]
    return order(customer, number, days_ago, f"{5 * len(lines)}.00", products=lines)


@pytest.mark.feature("C1")
def test_what_he_needs_next_is_listed_with_reasons_and_not_what_he_sent_back(graded: Doors) -> None:
    events = []
    for number in range(30):
        kind = ("coffee", "filter") if number % 2 else ("tea", "pot")
        events += [_basket(f"taster-{number}", n, 200 - 30 * n - number, *kind) for n in range(4)]
    mine = [_basket("drinker", n, 100 - 30 * n, "coffee") for n in range(3)]
    wrong = _basket("drinker", 9, 3, "pot")
    back = _said("drinker", "order.refunded", 2, order_id="drinker-9", total="5.00", currency="USD")
    position = _send(graded, *events, *mine, wrong, back)
    customer = graded.customer_of("user_id", "drinker", position)
    at_position: dict[str, Any] = {"min_position": position, "wait_ms": 10_000}
    found = graded.ask(f"/v1/customers/{customer}/recommendations", limit=3, **at_position).json()
    (again,) = found["replenish"]
    assert (again["item"], again["days"], again["every_days"]) == ("coffee", 3, 30)
    assert again["reason"] == f"bought on 3 days, about every 30 days, last on {at(40)[:10]}"
    assert (found["discover"][0]["item"], found["discover"][0]["because"]) == ("filter", "coffee")
    fresh = graded.ask(f"/v1/customers/{graded.customer_of('user_id', 'buyer-0')}/recommendations").json()
    assert (fresh["replenish"], {one["because"] for one in fresh["discover"]}) == ([], {None})
    assert graded.ask(f"/v1/customers/{customer}/recommendations", key=graded.key("profile:read")).status_code == 403


def _needy() -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Customers of three kinds of need, who buy mostly of it, with what they are."""
    draw, kinds, events = random.Random(4), {"Ropes": "Shoes", "Pans": "Spices", "Seeds": "Pots"}, []
    are = {f"needy-{number}": list(kinds)[number % 3] for number in range(60)}
    for name, kind in are.items():
        for n in range(8):
            area = draw.choices([kind, kinds[kind], *kinds], [6, 2, 0.3, 0.3, 0.3])[0]
            line = {"product_id": f"{area}-{n}", "quantity": 1, "price": "9.00", "category": area}
            events.append(order(name, n, 300 - 30 * n, "9.00", products=[line]))
    return are, events


@pytest.mark.feature("D6")
def test_planted_needs_groups_are_found_and_named_and_told_in_the_profile(graded: Doors, home: Path) -> None:
    are, events = _needy()
    stated = _said("sayer", "need.stated", 5, need="Ropes")
    position = _send(graded, *events, stated, order("sayer", 1, 5, "9.00"))
    graded.customer_of("user_id", "sayer", position)
    file = home / "grouped.yaml"
    learnt = graded.copy.json("value", "groups", "--out", str(file))
    assert {"Ropes", "Pans", "Seeds"} <= {word for one in learnt["groups"] for word in one["label"].split(" and ")}
    graded.copy.command("value", "policy", "apply", str(file), "--reason", "groups", "--execute")
    graded.copy.command("wait", "--timeout", "60")
    results = graded.look_up(*(("user_id", name) for name in are), include=["value"])
    groups = {one["value"]: one["customer"]["value"]["group"] for one in results}
    right = sum(are[name] in group["needs_group"].split(" and ") for name, group in groups.items())
    assert right >= 0.9 * len(are)
    assert all(group["recurring"] and 0 <= group["confidence"] <= 1 for group in groups.values())


@pytest.mark.feature("D7")
def test_growth_adds_up_to_the_cent_and_names_what_came_of_new_areas(graded: Doors) -> None:
    book = {"product_id": "b", "quantity": 1, "price": "12.34", "category": "Atlases"}
    boot = {**book, "product_id": "boot", "category": "Boots"}
    spans: dict[str, Any] = {"from": at(30)[:10], "to": at(-1)[:10]}
    _send(graded, order("roamer", 1, 500, "12.34", products=[boot]))
    position = _send(graded, order("settler", 1, 500, "12.34", products=[boot]))
    settled: dict[str, Any] = {"min_position": position, "wait_ms": 10_000}
    before = graded.ask("/v1/value/growth", **spans, **settled).json()
    position = _send(graded, order("roamer", 2, 2, "12.34", products=[book]), order("settler", 2, 2, "0.10"))
    after = graded.ask("/v1/value/growth", **spans, min_position=position, wait_ms=10_000).json()
    new = [Decimal(one["new_areas"]["revenue"]) for one in (before, after)]
    assert new[1] - new[0] == Decimal("12.44"), "settler's order names no area, which is one of its own"
    assert Decimal(after["revenue"]) - Decimal(before["revenue"]) == Decimal("12.44")
    assert sum(Decimal(part["difference"]) for part in after["parts"]) == Decimal(after["difference"])


def _next_to_fall(doors: Doors) -> tuple[str, dict[str, Any]]:
    """Of the regular customers the one whose grade falls soonest."""
    found = []
    for number in range(CUSTOMERS):
        customer = doors.customer_of("user_id", f"buyer-{number}")
        tier = doors.profile(customer)["value"]["tier"]
        if tier["next_drop_at"]:
            found.append((tier["next_drop_at"], customer, number, tier))
    _, customer, number, tier = min(found)
    return f"buyer-{number}", {"customer": customer, **tier}


@pytest.mark.feature("D1", "D5")
def test_who_does_nothing_falls_a_tier_on_the_predicted_day_and_a_purchase_restores_him(
    graded: Doors, home: Path
) -> None:
    name, tier = _next_to_fall(graded)
    customer, falls = tier["customer"], datetime.fromisoformat(tier["next_drop_at"])
    sooner, then = (at((NOW - falls - timedelta(hours=h)) / timedelta(days=1)) for h in (-1, 1))
    assert _worth(graded, customer, as_of=sooner)["tier"]["grade"] == tier["grade"]
    assert _worth(graded, customer, as_of=then)["tier"]["grade"] > tier["grade"]
    graded.copy.command("down")
    ahead = (falls - datetime.now(UTC)) // timedelta(days=1) + 1
    settings = {"C360_VALUE_DAYS_AHEAD": str(ahead), "C360_VALUE_REFIT_HOUR": "-1"}
    with deployment.running(home, settings=settings) as copy, closing(Doors(copy)) as later:
        until(
            lambda: later.profile(customer)["value"]["tier"]["grade"] != tier["grade"], "he falls in silence", FALLS_S
        )
        fallen = later.profile(customer)["value"]["tier"]
        assert fallen["grade"] == GRADES[GRADES.index(tier["grade"]) + 1]
        assert (fallen["was"], fallen["because"], fallen["since"]) == (tier["grade"], "silence", str(falls.date()))
        assert _worth(later, customer, as_of=sooner)["tier"]["grade"] == tier["grade"]
        position = _send(later, order(name, 999, 0, "80.00"))
        restored = later.profile(customer, position)["value"]["tier"]
        assert restored["grade"] <= tier["grade"]
        assert restored["next_drop_at"] > tier["next_drop_at"]
