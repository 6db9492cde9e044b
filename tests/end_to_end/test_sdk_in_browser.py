"""Segment's browser library, unchanged, in a real browser on an origin of its own, just works.

The pages ask the collector for the library's settings, then send across origins, with the browser's own questions
before it. Message ids are read off the road, where the library sent them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from schemas.envelope import event_id
from tests.end_to_end.clients import rooms
from tests.end_to_end.clients.browser import LIBRARY, Shop, Visit, walking
from tests.end_to_end.clients.road import TROUBLES, Road, road
from tests.support.doors import Doors, Named, later_of
from tests.support.running import until

pytestmark = pytest.mark.faults

TOLD_MAX_S = 90.0
AT_ONCE = {"strategy": "batching", "config": {"size": 1, "timeout": 100}}
ONLY_ON_LEAVING = {"strategy": "batching", "config": {"size": 100, "timeout": 600_000}}
HOME = ["page.viewed", "product.viewed", "contact.identified", "product.added"]
BASKET = ["alias.asserted", "page.viewed", "order.completed"]
"""What the pages below make of the customer; the call `group` makes nothing of him."""


def home(name: str) -> list[list[Any]]:
    """A visitor looks round and logs in."""
    return [
        ["page", "Home"],
        ["track", "Product Viewed", {"product_id": "P-1"}],
        ["identify", f"{name}-user", {"firstName": "Ann", "email": f"{name}@example.com"}],
        ["track", "Product Added", {"product_id": "P-1", "quantity": 1}],
    ]


def basket(name: str) -> list[list[Any]]:
    """The user, known by now, buys."""
    return [
        ["group", f"{name}-account", {"name": "Acme"}],
        ["alias", f"{name}-user", f"{name}-older"],
        ["page", "Basket"],
        ["track", "Order Completed", {"order_id": f"{name}-order", "total": 25, "currency": "EUR"}],
    ]


@pytest.fixture(scope="module")
def chromium() -> str:
    """Where the browser is."""
    try:
        return rooms.chromium()
    except rooms.NotHere as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def library() -> bytes:
    """The library's bundle for script tags, as its package holds it."""
    room = rooms.node_room()
    if room is None:
        pytest.skip("npm is missing")
    return (room / LIBRARY).read_bytes()


def messages(bodies: Iterable[bytes]) -> list[dict[str, Any]]:
    """The calls in these bodies, single ones and those of batches."""
    read = [json.loads(body) for body in bodies]
    return [message for body in read for message in body.get("batch", [body])]


def of_calls(told: Iterable[dict[str, Any]]) -> set[str]:
    """Their message ids."""
    return {message["messageId"] for message in told}


def the_customer(doors: Doors, name: str, way: Road, types: list[str]) -> str:
    """Who all of it is about, once each call is his exactly once, under the library's own id."""
    told = messages(way.sent)
    (visitor,) = {message["anonymousId"] for message in told}
    position = later_of(*way.positions)
    customer_id = doors.customer_of("user_id", f"{name}-user", position)
    assert doors.customer_of("anonymous_id", visitor) == customer_id
    items = doors.timeline(customer_id, position)
    assert Counter(item["type"] for item in items) == Counter(types)
    (source,) = {item["source"] for item in items}
    of_his = of_calls(message for message in told if message["type"] != "group")
    assert Counter(item["event_id"] for item in items) == Counter(event_id(source, sent) for sent in of_his)
    assert {*way.answered} == {200}, way.answered
    return customer_id


@pytest.mark.feature("O2", "I1")
def test_what_a_visitor_does_over_a_bad_road_is_his_and_counts_once_though_he_goes_on_before_it_is_told(
    doors: Doors, own: Named, chromium: str, library: bytes
) -> None:
    """The next page tells what the first could not: the library keeps it in the browser."""
    name, source = own("browser"), doors.source(own("shop"), "--currency", "EUR")
    calls = len([*home(name), *basket(name)])
    visits = {"/home": Visit(home(name), next="/basket"), "/basket": Visit(basket(name))}
    with road(doors.copy.intake) as way:
        told_by: dict[str, int] = {}
        way.is_shut = True

        def noticed(path: str) -> None:
            told_by[path] = len(way.heard)
            way.is_shut = path == "/home"

        shop = Shop(way.address, source.write_key, visits, library, noticed)
        with walking(chromium, shop):
            until(lambda: len(of_calls(messages(way.heard))) == calls, "each call is told", TOLD_MAX_S)
    assert told_by == {"/home": 0, "/basket": 0}
    assert {*way.met} == {*TROUBLES}, way.met
    assert len(messages(way.sent)) > calls
    assert {path.removeprefix("/v1/") for path in +way.preflights} == {"p", "t", "i", "g", "a"}
    customer_id = the_customer(doors, name, way, [*HOME, *BASKET])
    assert doors.profile(customer_id)["value"]["actual"]["orders"] == 1
    (group,) = doors.look_up(("group_id", f"{name}-account"))
    assert group["customer_id"] is None


@pytest.mark.feature("O2", "I1")
def test_batches_from_a_browser_over_a_bad_road_count_once(
    doors: Doors, own: Named, chromium: str, library: bytes
) -> None:
    """The visitor does the next thing once all before it is told: else one batch would hold the most of it."""
    name, source = own("browser"), doors.source(own("shop"), "--currency", "EUR")
    calls = [*home(name), *basket(name)]
    with road(doors.copy.intake) as way:

        def told() -> bool:
            return of_calls(messages(way.sent)) == of_calls(messages(way.heard))

        shop = Shop(way.address, source.write_key, {"/": Visit(calls, AT_ONCE, is_slow=True)}, library)
        shop.noticed = lambda _path: until(told, "what was sent is told", TOLD_MAX_S)
        with walking(chromium, shop):
            until(lambda: len(of_calls(messages(way.heard))) == len(calls), "each call is told", TOLD_MAX_S)
    assert {*way.met} == {*TROUBLES}, way.met
    assert {*+way.preflights} == {"/v1/b"}
    the_customer(doors, name, way, [*HOME, *BASKET])


@pytest.mark.feature("O2", "I1")
def test_what_waits_in_a_page_is_told_as_the_visitor_leaves_it(
    doors: Doors, own: Named, chromium: str, library: bytes
) -> None:
    """The library sends it with `keepalive`, across origins, while the page is being thrown away."""
    name, source = own("browser"), doors.source(own("shop"), "--currency", "EUR")
    visits = {"/home": Visit(home(name), ONLY_ON_LEAVING, next="/left"), "/left": Visit([])}
    with road(doors.copy.intake, is_bad=False) as way:
        shop = Shop(way.address, source.write_key, visits, library)
        with walking(chromium, shop):
            until(lambda: way.heard, "the batch is told", TOLD_MAX_S)
    assert len(way.sent) == 1
    assert {*+way.preflights} == {"/v1/b"}
    the_customer(doors, name, way, HOME)
