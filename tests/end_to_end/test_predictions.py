"""A model is fitted on the ledger, promoted, and tells what is to come of everybody; the book of business adds up."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support import deployment
from tests.support.doors import Doors, later_of
from tests.support.running import until

pytestmark = pytest.mark.faults
"""They have a copy of their own, or take long."""

CUSTOMERS = 160
BATCH = 200
REFIT_S = 60.0
NOW = datetime.now(UTC).replace(microsecond=0)


def _orders() -> list[dict[str, Any]]:
    """A year of customers, most of whom buy once or twice, some often, some not for long."""
    draw = random.Random(7)
    found = []
    for number in range(CUSTOMERS):
        ago, often = draw.uniform(30, 360), draw.choice([20, 40, 90, 200])
        while ago > 0:
            when = NOW - timedelta(days=ago)
            properties = {
                "order_id": f"o{number}-{ago:.3f}",
                "currency": "USD",
                "subtotal": f"{draw.uniform(10, 90):.2f}",
            }
            found.append(
                {
                    "type": "order.completed",
                    "time": when.isoformat().replace("+00:00", "Z"),
                    "identifiers": {"user_id": f"buyer-{number}"},
                    "properties": properties,
                }
            )
            if draw.random() < 0.3:
                break
            ago -= draw.expovariate(1 / often)
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A copy of this module's own: a model concerns everybody."""
    with deployment.running(tmp_path_factory.mktemp("alone")) as copy:
        doors = Doors(copy)
        yield doors
        doors.close()


@pytest.fixture(scope="module")
def position(alone: Doors) -> str:
    shop = alone.source("shop", "--channel", "web")
    orders = _orders()
    return later_of(*(alone.send(shop, *orders[n : n + BATCH]) for n in range(0, len(orders), BATCH)))


@pytest.mark.feature("D5")
def test_a_model_is_fitted_refused_or_promoted_and_tells_what_is_to_come(
    alone: Doors, position: str, tmp_path: Path
) -> None:
    customer = alone.customer_of("user_id", "buyer-3", position)
    assert alone.profile(customer, position)["value"]["predicted"] is None
    refused = alone.post_api("/v1/value/score", {"all": True})
    assert (refused.status_code, "promoted" in refused.text) == (400, True)
    file = tmp_path / "fitted.yaml"
    fit = alone.copy.json("value", "fit", "--out", str(file))
    assert {one["family"] for one in fit["candidates"]} == {"bg", "mbg", "pareto"}
    if fit["refused"]:
        assert alone.copy.run("value", "promote", str(file), "--reason", "test", "--execute").returncode != 0
    alone.copy.json("value", "promote", str(file), "--reason", "test", "--anyway", "--execute")
    alone.copy.command("wait", "--timeout", "60")
    predicted = alone.profile(customer)["value"]["predicted"]
    assert predicted["model_version"] == 1
    assert 0 < predicted["alive_probability"] <= 1
    lines = alone.post_api("/v1/value/score", {"all": True}).text.splitlines()
    scores = {one["customer_id"]: one for one in map(json.loads, lines)}
    assert len(scores) == CUSTOMERS
    now = alone.ask(f"/v1/customers/{customer}/value").json()["predicted"]
    assert scores[customer]["alive_probability"] == pytest.approx(now["alive_probability"], abs=2e-4)
    sooner = alone.ask(f"/v1/customers/{customer}/value", horizon_days=30).json()["predicted"]
    assert (sooner["horizon_days"], sooner["expected_purchases"] < now["expected_purchases"]) == (30, True)
    assert alone.ask(f"/v1/customers/{customer}/value", model_version=9).status_code == 400
    assert "promoted by operator" in alone.copy.command("value", "models")
    refit = alone.copy.json("value", "fit", "--out", str(file))
    assert not any("change tier" in why for why in refit["refused"]), "the same model moves nobody"
    alone.copy.json("value", "promote", str(file), "--reason", "a year on", "--anyway", "--execute")
    versions = [alone.ask(f"/v1/customers/{customer}/value", model_version=n).json()["predicted"] for n in (1, 2)]
    assert [one["model_version"] for one in versions] == [1, 2]


@pytest.mark.feature("D2", "D7")
def test_the_book_of_business_tells_who_brings_it_who_moved_and_where_growth_came_from(
    alone: Doors, position: str
) -> None:
    alone.customer_of("user_id", "buyer-3", position)
    pareto = alone.ask("/v1/value/pareto").json()
    assert pareto["customers"] == CUSTOMERS
    assert Decimal(pareto["top"]["share_of_revenue"]) > Decimal("0.2")
    day = NOW.date()
    spans: dict[str, Any] = {"from": (day - timedelta(days=90)).isoformat(), "to": (day + timedelta(1)).isoformat()}
    growth = alone.ask("/v1/value/growth", **spans).json()
    parts = {part["kind"]: part for part in growth["parts"]}
    assert sum(Decimal(part["difference"]) for part in parts.values()) == Decimal(growth["difference"])
    assert all(parts[kind]["customers"] for kind in ("new", "lost"))
    whatif = alone.ask("/v1/value/what-if", defection="0.5", **spans).json()
    assert Decimal(whatif["lost_revenue"]) == -Decimal(parts["lost"]["difference"])
    moves = alone.ask("/v1/value/migration", **spans).json()["moves"]
    assert sum(move["customers"] for move in moves) == CUSTOMERS
    assert alone.ask("/v1/value/growth", **{**spans, "to": "2000-01-01"}).status_code == 400
    assert "four fifths" in alone.copy.command("value", "pareto")


@pytest.mark.feature("D5")
def test_the_model_is_fitted_anew_the_next_night_beside_the_lane(alone: Doors, position: str, tmp_path: Path) -> None:
    customer, file = alone.customer_of("user_id", "buyer-3", position), tmp_path / "model.yaml"
    alone.copy.json("value", "fit", "--out", str(file))
    alone.copy.json("value", "promote", str(file), "--reason", "today", "--anyway", "--execute")
    version = alone.copy.json("value", "models")["prediction"]["version"]
    alone.copy.command("down")
    night = {"C360_VALUE_DAYS_AHEAD": "1", "C360_VALUE_REFIT_HOUR": "0"}
    with deployment.running(alone.copy.home, settings=night) as copy, closing(Doors(copy)) as later:
        (done,) = until(lambda: copy.json("value", "refits")["refits"], "it is fitted by itself", REFIT_S)
        assert (done["outcome"] in ("promoted", "refused"), done["version"]) == (True, version + 1), done
        assert (done["outcome"] == "refused") == bool(done["refused"])
        if done["outcome"] == "refused":
            assert copy.json("value", "models")["prediction"]["version"] == version, "it is not in force"
            copy.command("value", "refits", "--out", str(file))
            copy.command("value", "promote", str(file), "--reason", "seen", "--anyway", "--execute")

        def told() -> bool:
            return bool(later.profile(customer)["value"]["predicted"]["model_version"] == version + 1)

        until(told, "his profile is told by it", REFIT_S)
