"""Snowplow's events: in base64 or plain, mapped by the table, nothing lost, transactions in pieces made whole."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Unreadable
from schemas.envelope import Event
from services.intake.domain.mapping import shipped
from services.intake.domain.model import Parked, Raw
from services.intake.domain.snowplow import app_id_of, events_of, read_tracked
from tests.unit.intake.arriving import accepted, leaves, outcome

DTM = str(int(datetime(2026, 3, 2, 9, 15, tzinfo=UTC).timestamp() * 1000))
STM = str(int(datetime(2026, 3, 2, 9, 15, 5, tzinfo=UTC).timestamp() * 1000))
WHO = {"eid": "e1", "dtm": DTM, "stm": STM, "uid": "u1", "duid": "d1", "p": "web", "tv": "py-1.1.0", "aid": "shop"}
SNOWPLOW = "com.snowplowanalytics.snowplow"
PACKED = pytest.mark.parametrize("packed", [True, False], ids=["base64", "plain"])


def of_schema(path: str, data: Any) -> dict[str, Any]:
    return {"schema": f"iglu:{path}/jsonschema/1-0-0", "data": data}


def as_parameter(value: Any, names: tuple[str, str], packed: bool) -> dict[str, str]:
    text = json.dumps(value)
    return {names[0]: base64.urlsafe_b64encode(text.encode()).decode()} if packed else {names[1]: text}


def described(path: str, data: Any, packed: bool = True) -> dict[str, str]:
    return as_parameter(of_schema(f"{SNOWPLOW}/unstruct_event", of_schema(path, data)), ("ue_px", "ue_pr"), packed)


def entities(*told: Any, packed: bool = True) -> dict[str, str]:
    return as_parameter(of_schema(f"{SNOWPLOW}/contexts", list(told)), ("cx", "co"), packed)


def tracked(kind: str, **parameters: Any) -> Event:
    (raw,) = read_tracked([{**WHO, "e": kind, **parameters}])
    return accepted(raw).event


def test_a_page_view_has_its_address_and_its_visitor() -> None:
    made = tracked("pv", url="https://x.de/a", page="A", refr="https://r.de", tz="Europe/Berlin", lang="de")
    assert (made.type, made.id, made.data["channel"]) == ("page.viewed", "e1", "web")
    assert made.data["properties"] == {"url": "https://x.de/a", "title": "A", "referrer": "https://r.de"}
    assert made.data["identifiers"] == {"user_id": ["u1"], "anonymous_id": ["d1"]}
    assert (made.data["timezone"], made.data["locale"]) == ("Europe/Berlin", "de")
    assert made.extensions["c360mapping"] == "snowplow/1"
    assert made.time == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


def test_a_third_partys_cookie_is_another_identifier_than_the_sites_own() -> None:
    made = tracked("pv", url="/", tnuid="n1", uid=None)
    assert made.data["identifiers"] == {"anonymous_id": ["d1"], "anonymous_id.network": ["n1"]}


@pytest.mark.parametrize(
    ("action", "event_type"), [("add-to-basket", "add-to-basket"), ("Checkout Started", "checkout.started")]
)
def test_a_structured_event_is_named_by_its_action(action: str, event_type: str) -> None:
    made = tracked("se", se_ca="shop", se_ac=action, se_la="L", se_pr="P", se_va="2.5")
    assert made.type == event_type
    expected = {"category": "shop", "action": action, "label": "L", "property": "P", "value": "2.5"}
    assert made.data["properties"] == expected


@PACKED
@pytest.mark.parametrize(
    ("path", "sent", "event_type", "properties"),
    [
        ("com.acme/order_completed", {"orderId": "1"}, "order.completed", {"order_id": "1"}),
        ("com.acme/basket_saved", {"basketId": 1}, "basket_saved", {"basketId": 1}),
        ("com.snowplowanalytics.mobile/screen_view", {"name": "home"}, "screen.viewed", {"name": "home"}),
        (f"{SNOWPLOW}/add_to_cart", {"sku": "S", "unitPrice": 2}, "product.added", {"sku": "S", "price": 2}),
        (f"{SNOWPLOW}/site_search", {"terms": ["a"]}, "search.performed", {"query": ["a"]}),
    ],
)
def test_a_self_describing_event_is_known_by_its_schema(
    packed: bool, path: str, sent: Any, event_type: str, properties: Any
) -> None:
    made = tracked("ue", **described(path, sent, packed))
    assert (made.type, made.data["properties"]) == (event_type, properties)
    assert made.extensions["dataschema"] == f"iglu:{path}/jsonschema/1-0-0"


@PACKED
def test_an_entity_that_is_a_person_says_who_it_was(packed: bool) -> None:
    told = [
        of_schema("com.acme/user", {"email": "Ann@x.de", "plan": "gold"}),
        of_schema("com.acme/weather", {"c": 9}),
    ]
    made = tracked("pv", url="/", **entities(*told, packed=packed))
    assert made.data["traits"] == {"email": "Ann@x.de", "plan": "gold"}
    assert made.data["identifiers"]["email"] == ["Ann@x.de"]
    assert made.data["context"]["snowplow_entities"] == told


def test_an_installation_is_a_device() -> None:
    told = of_schema(f"{SNOWPLOW}/client_session", {"userId": "install-1", "sessionId": "s"})
    assert tracked("pv", url="/", p="mob", **entities(told)).data["identifiers"]["device_id"] == ["install-1"]


def test_a_transaction_has_the_items_sent_beside_it_as_its_lines() -> None:
    order = {**WHO, "e": "tr", "tr_id": "O1", "tr_tt": "50", "tr_tx": "1", "tr_sh": "2", "tr_cu": "EUR"}
    item = {**WHO, "eid": "e2", "e": "ti", "ti_id": "O1", "ti_sk": "S1", "ti_pr": "10", "ti_qu": "2", "ti_cu": "EUR"}
    other = {**item, "eid": "e3", "ti_id": "O2"}
    made = [accepted(raw).event for raw in read_tracked([order, item, other])]
    assert [e.type for e in made] == ["order.completed", "transaction_item", "transaction_item"]
    assert made[0].data["properties"] == {
        "order_id": "O1", "total": "50", "tax": "1", "shipping": "2", "currency": "EUR",
        "products": [{"sku": "S1", "price": "10", "quantity": "2", "currency": "EUR"}],
    }  # fmt: skip
    assert "incomplete" not in made[0].data
    assert made[1].data["properties"]["order_id"] == "O1"


def test_an_ecommerce_action_is_named_by_its_type_and_told_by_its_entities() -> None:
    vendor = f"{SNOWPLOW}.ecommerce"
    product = of_schema(f"{vendor}/product", {"id": "P1", "price": 10, "currency": "EUR", "name": "Shoe"})
    bought = of_schema(f"{vendor}/transaction", {"transaction_id": "T1", "revenue": 12, "currency": "EUR"})
    action = f"{vendor}/snowplow_ecommerce_action"
    order = tracked("ue", **described(action, {"type": "transaction"}), **entities(bought, product))
    assert order.type == "order.completed"
    assert order.data["properties"]["order_id"] == "T1"
    assert order.data["properties"]["products"][0]["product_id"] == "P1"
    view = tracked("ue", **described(action, {"type": "product_view"}), **entities(product))
    assert (view.type, view.data["properties"]["product_id"]) == ("product.viewed", "P1")
    assert tracked("ue", **described(action, {"type": "list_view"})).type == "list_view"


def test_a_slow_clock_is_corrected_and_a_true_time_is_not() -> None:
    slow = str(int(STM) - 7_200_000)
    late = str(int(DTM) - 7_200_000)
    assert tracked("pv", url="/", stm=slow, dtm=late).time == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    assert tracked("pv", url="/", stm=slow, ttm=late).time == datetime(2026, 3, 2, 7, 15, tzinfo=UTC)
    assert tracked("pv", url="/", dtm="yesterday").clamped


def test_an_event_without_id_is_the_same_when_sent_again() -> None:
    first, again = (tracked("pv", url="/", eid=None, stm=stm) for stm in (STM, str(int(STM) + 9_000)))
    assert first.id == again.id
    assert first.id != tracked("pv", url="/b", eid=None).id


def test_a_bad_event_is_parked_beside_the_good_ones() -> None:
    bad: list[Any] = [
        5,
        {**WHO},
        {**WHO, "e": "ue"},
        {**WHO, "e": "ue", "ue_px": "!!"},
        {**WHO, "e": "ue", "ue_pr": "{"},
        {**WHO, "e": "se"},
    ]
    made = read_tracked([{**WHO, "e": "pv", "url": "/"}, *bad])
    assert [one.reason if isinstance(one, Parked) else "good" for one in made] == [
        "good", "not_an_object", "bad_type", "not_an_event", "not_json", "not_json", "bad_type",
    ]  # fmt: skip


def test_entities_that_cannot_be_read_are_kept_as_they_came() -> None:
    made = tracked("pv", url="/", cx="%%%")
    assert made.data["unread"] == {"contexts": "%%%"}


@pytest.mark.parametrize("body", [5, None, [], {}, {"data": {}}, {"schema": "x", "data": None}])
def test_a_body_without_events_is_refused(body: Any) -> None:
    with pytest.raises(Unreadable):
        events_of(body)


def test_an_app_names_itself() -> None:
    assert app_id_of({"aid": " shop "}) == "shop"
    assert app_id_of({}) is app_id_of(5) is app_id_of({"aid": ""}) is None


@pytest.mark.parametrize("kind", ["pv", "pp", "se", "tr", "ti", "ue", "xx"])
def test_mapping_loses_nothing(kind: str) -> None:
    names = {n for fields in shipped("snowplow").more["fields"].values() for n in fields}
    sent = {
        **{name: f"V-{name}" for name in names},
        "eid": "e1", "dtm": DTM, "stm": STM, "uid": "U1", "duid": "D1", "tnuid": "N1", "aid": "A1", "p": "X1",
        "tna": "X2", "fp": "X3", "tz": "X4", "lang": "X5", "ip": "X6", "e": kind,
    }  # fmt: skip
    inside = {"a": "I1", "b": {"c": ["I2"]}}
    packed = {**described("com.acme/thing", inside), **entities(of_schema("com.acme/user", {"d": "I3"}))}
    (raw,) = read_tracked([{**sent, **packed}])
    made = accepted(raw).event
    kept = leaves(made.data) | {made.type, kind}
    assert leaves(sent) - kept <= {"e1", DTM, STM}, "but the id and the times, which are the event's own"
    assert "I3" in kept
    if kind == "ue":
        assert {"I1", "I2"} <= kept


NAMES = st.sampled_from(
    ["e", "eid", "dtm", "ttm", "stm", "ue_px", "ue_pr", "cx", "co", "se_ac", "tr_id", "ti_id", "p"]
)
VALUES = (
    st.none()
    | st.text(max_size=6)
    | st.integers()
    | st.lists(st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.none(), max_size=2)
    | st.sampled_from(["pv", "ue", "se", "tr", "ti", "{}", "[]", "e30=", '{"schema": "iglu:a/b/c/1", "data": [1]}'])
)


@given(st.lists(st.dictionaries(NAMES, VALUES), max_size=3))
def test_no_event_breaks_the_reader(sent: list[dict[str, Any]]) -> None:
    made = read_tracked(sent)
    assert len(made) == len(sent)
    assert all(isinstance(one, Raw | Parked) for one in made)
    for one in made:
        outcome(one)
