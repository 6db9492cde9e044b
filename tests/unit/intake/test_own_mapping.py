"""A source's own mapping comes before the shipped tables; one that cannot be read tells every error and its place."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event
from services.intake.domain.mapping import Row, table_of
from services.intake.domain.own_mapping import BadMapping, expected, number_of, read_own, version_of
from services.intake.domain.posthog import Sending, read_captured
from services.intake.domain.segment import read_calls
from services.intake.domain.shaping import shaped
from services.intake.domain.snowplow import read_tracked
from tests.unit.intake.arriving import ARRIVAL, accepted
from tests.unit.intake.test_mapping_examples import MAPPINGS

DONE = {"type": "order.completed", "rename": {"no": "order_id", "sum": "total"}, "defaults": {"currency": "EUR"}}
OWN = read_own({"events": {"Checkout Done": DONE, "Shop *": {"type": "page.viewed", "channel": "store"}}}, "shop", 3)
SENT = {"no": "7", "sum": 40}


def by_segment(name: str, properties: dict[str, Any]) -> Event:
    message = {"type": "track", "userId": "1", "messageId": "m", "event": name, "properties": properties}
    (raw,) = read_calls(message, None, OWN)
    return accepted(raw).event


def by_posthog(name: str, properties: dict[str, Any]) -> Event:
    message = {"event": name, "distinct_id": "1", "uuid": "m", "properties": properties}
    (raw,) = read_captured(message, Sending(ARRIVAL), OWN)
    return accepted(raw).event


def by_snowplow(name: str, properties: dict[str, Any]) -> Event:
    schema = f"iglu:shop/{name}/jsonschema/1-0-0"
    described = {"schema": "iglu:x/unstruct_event/y/1-0-0", "data": {"schema": schema, "data": properties}}
    (raw,) = read_tracked([{"e": "ue", "eid": "m", "uid": "1", "p": "web", "ue_pr": described}], OWN)
    return accepted(raw).event


FAMILIES = {"segment": by_segment, "posthog": by_posthog, "snowplow": by_snowplow}


@pytest.mark.parametrize("family", FAMILIES)
def test_an_own_row_counts_for_every_client_and_stands_in_the_header(family: str) -> None:
    made = FAMILIES[family]("checkout_done", SENT)
    assert (made.type, made.extensions["c360mapping"]) == ("order.completed", "own.shop/3")
    properties = made.data["properties"]
    assert (properties["order_id"], properties["total"], properties["currency"]) == ("7", 40, "EUR")
    assert made.extensions["c360call"].startswith(f"{family}/")


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_own_table_does_not_know_is_asked_of_the_shipped_one(family: str) -> None:
    made = FAMILIES[family]("Order_Completed", {"order_id": "7"})
    assert (made.type, made.extensions["c360mapping"]) == ("order.completed", "segment/1")
    unknown = FAMILIES[family]("Contract", {})
    assert (unknown.type, "c360mapping" in unknown.extensions) == ("Contract", False)


def test_an_own_row_wins_over_the_shipped_one_also_of_a_call_and_by_a_beginning() -> None:
    own = read_own(
        {"events": {"Order Completed": {"type": "order.updated"}}, "calls": {"page": {"type": "screen.viewed"}}},
        "shop",
        1,
    )
    track = {"type": "track", "userId": "1", "messageId": "m", "event": "Order Completed"}
    page = {"type": "page", "userId": "1", "messageId": "n", "name": "Home"}
    made = [accepted(raw).event for raw in read_calls({"batch": [track, page]}, "batch", own)]
    assert [(one.type, one.extensions["c360mapping"]) for one in made] == [
        ("order.updated", "own.shop/1"),
        ("screen.viewed", "own.shop/1"),
    ]
    assert by_segment("Shop visit", {"path": "/"}).data["channel"] == "store"


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ([], [""]),
        ({}, ["events"]),
        ({"events": {}, "includes": ["segment"], "rows": 1}, ["includes", "rows", "events"]),
        ({"events": [], "calls": 1}, ["calls", "events"]),
        ({"events": {"A": {"type": "order.complete"}, "B": None}}, ["events.A.type", "events.B"]),
        ({"events": {"A": {"type": "page.viewed", "colour": 1, "each": "x"}}}, ["events.A.colour", "events.A.each"]),
        ({"events": {"A b": {"type": "page.viewed"}, "a_B": {"type": "page.viewed"}}}, ["events.a_B"]),
        ({"events": {"*": {"type": "page.viewed"}, "a*b": {"type": "page.viewed"}}}, ["events.*", "events.a*b"]),
        ({"events": {1: {"type": "page.viewed"}}}, ["events.1"]),
        ({"events": {"A": {"type": ["x"], "channel": ["web"]}}}, ["events.A.type", "events.A.channel"]),
        (
            {
                "events": {
                    "A": {"type": "order.completed", "rename": {"no": "order_no"}, "defaults": {"curency": "EUR"}}
                }
            },
            ["events.A.rename.no", "events.A.defaults.curency"],
        ),
        (
            {"events": {"A": {"type": "call.held", "actor": {"kind": "robot", "x": "age"}, "traits": {"a": 1}}}},
            ["events.A.traits.a", "events.A.actor.kind", "events.A.actor.x"],
        ),
        ({"calls": {"track": {"type": "page.viewed"}, "zz": {"type": "page.viewed"}}}, ["calls.track", "calls.zz"]),
    ],
)
def test_every_error_is_told_with_its_place(document: Any, places: list[str]) -> None:
    with pytest.raises(BadMapping) as wrong:
        read_own(document, "shop", 1)
    assert [place for place, _ in wrong.value.errors] == places


def test_a_slip_is_told_with_what_was_meant() -> None:
    with pytest.raises(
        BadMapping, match=r"events\.A\.type: order\.complete is no event type; do you mean order\.comp"
    ):
        read_own({"events": {"A": {"type": "order.complete"}}}, "shop", 1)
    with pytest.raises(BadMapping, match=r"no event type has a property totl; do you mean total\?"):
        read_own({"events": {"A": {"type": "order.completed", "rename": {"a": "totl"}}}}, "shop", 1)


@pytest.mark.parametrize("name", ["segment", "posthog", "snowplow"])
def test_the_rows_of_a_shipped_table_are_rows_of_an_own_one(name: str) -> None:
    shipped = yaml.safe_load((MAPPINGS / f"{name}.yaml").read_text())
    own = read_own({key: shipped[key] for key in ("name", "version", "calls", "events") if key in shipped}, "shop", 1)
    assert own.events == table_of(name).events


def test_what_must_be_sent_beside_a_row_is_told() -> None:
    rows = {"A": {"type": "order.completed", "rename": {"no": "order_id"}}, "B": {"type": "page.viewed"}}
    assert expected({"events": rows}) == {
        "A": ["currency", "subtotal|revenue|total|products"],
        "B": ["url|path|name"],
    }


def test_a_version_is_told_from_other_tables() -> None:
    assert number_of(version_of("shop", 12), "shop") == 12
    assert [number_of(version, "shop") for version in ("segment/1", "own.shop2/1", "own.shop/x", "shop/1")] == [
        None
    ] * 4


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["page.viewed", "web", "total"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)
ANY_NAME = st.text(max_size=4) | st.sampled_from(["page", "pv", "Order Done", "Order_done", "Shop *", "track"])
ROWS = st.dictionaries(st.sampled_from([f.name for f in fields(Row)]), ANYTHING, max_size=6) | ANYTHING


@given(st.dictionaries(st.sampled_from(["events", "calls", "name"]), st.dictionaries(ANY_NAME, ROWS) | ANYTHING))
def test_whatever_a_document_holds_it_is_a_table_or_told_what_is_wrong(document: Any) -> None:
    try:
        table = read_own(document, "shop", 1)
    except BadMapping:
        return
    for row in (*table.events.values(), *table.calls.values(), *(row for _, row in table.prefixes)):
        shaped({"properties": {"a": 1, "total": 2, "products": [{}]}, "original": {}}, row)
    assert expected(document) is not None
