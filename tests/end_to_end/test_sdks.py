"""The clients people already have, pointed at the running collector over a bad road, just work.

Each runs in an environment of its own, installed from a package registry, and is met by 429, 503 and cut connections,
also after the collector has taken what it sent. So it sends again; all of it counts once.
"""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest

from tests.end_to_end.clients import rooms
from tests.end_to_end.clients.road import CUT_AFTER, CUT_BEFORE, TOO_FAST, TROUBLES, road
from tests.support.doors import Doors, Named, later_of

pytestmark = pytest.mark.faults

TOLD_MAX_S = 120
WEB = ["page.viewed", "product.viewed", "contact.identified", "product.added", "screen.viewed", "Signed Contract"]
POSTHOG = ["Feature Used", "search.performed", "page.viewed", "contact.updated", "alias.asserted"]
SNOWPLOW = ["page.viewed", "page_ping", "liked", "need_stated", "page.viewed"]
TOLD: dict[str, list[str]] = {
    "segment": [*WEB, "alias.asserted"],
    "rudderstack": [
        "checkout.started", "order.completed", "message.opened", "contact.identified", "page.viewed",
        "order.refunded",
    ],
    "posthog": POSTHOG,
    "posthog-v1": POSTHOG,
    "snowplow": SNOWPLOW,
    "snowplow-get": SNOWPLOW,
    "cloudevents": ["note.added"] * 6,
    "segment-node": ["contact.identified", "page.viewed", "order.completed", "order.updated", "My Own Thing"],
    "rudderstack-node": [
        "contact.identified", "product.removed", "consent.withdrawn", "screen.viewed", "Something Else",
    ],
    "posthog-node": ["Feature Used", "product.viewed", "search.performed", "page.viewed", "contact.identified"],
}  # fmt: skip
"""Client → the types of the events its chapter makes of the customer; what is a group's is none of his."""


@pytest.fixture(scope="module")
def programs() -> dict[str, list[str]]:
    """Client → how its program is run; those of Node where there is Node."""
    python, node = rooms.python(), rooms.node()
    runs = {client: node if client.endswith("-node") else python for client in TOLD}
    return {client: [*program, client] for client, program in runs.items() if program is not None}


@pytest.mark.feature("O2", "I1")
def test_one_customers_story_by_every_client_over_a_bad_road_is_his_and_counts_once(
    doors: Doors, own: Named, programs: dict[str, list[str]]
) -> None:
    name = own("sdk")
    positions: list[str] = []
    for client, program in programs.items():
        source = doors.source(own(client), "--currency", "EUR")
        with road(doors.copy.intake) as way:
            words = [*program, way.address, source.write_key, name]
            told = subprocess.run(words, capture_output=True, text=True, timeout=TOLD_MAX_S)
        assert told.returncode == 0, (client, told.stderr[-2_000:], told.stdout[-2_000:])
        assert {*way.answered} == {200}, (client, way.answered)
        assert {*way.met} == {*TROUBLES}, (client, way.met)
        positions += way.positions
    position = later_of(*positions)
    customer_id = doors.customer_of("user_id", f"{name}-user", position)
    assert doors.customer_of("anonymous_id", f"{name}-visitor") == customer_id
    items = doors.timeline(customer_id, position)
    found = {
        client: Counter(i["type"] for i in items if i["source"].partition("/")[0] == own(client))
        for client in programs
    }
    assert found == {client: Counter(TOLD[client]) for client in programs}
    value = doors.profile(customer_id, position)["value"]["actual"]
    assert value["orders"] == (2 if "segment-node" in programs else 1)
    (group,) = doors.look_up(("group_id", f"{name}-account"))
    assert group["customer_id"] is None


def test_the_road_is_bad_as_it_says(doors: Doors, own: Named, programs: dict[str, list[str]]) -> None:
    """Without it nothing is sent twice: what the test above shows is shown by the road."""
    name, source = own("sdk"), doors.source(own("calm"))
    with road(doors.copy.intake, is_bad=False) as way:
        words = [*programs["segment"], way.address, source.write_key, name]
        subprocess.run(words, check=True, capture_output=True, timeout=TOLD_MAX_S)
    assert not way.met
    customer_id = doors.customer_of("user_id", f"{name}-user", later_of(*way.positions))
    assert len(doors.timeline(customer_id)) == len(TOLD["segment"])
    assert {TOO_FAST, CUT_AFTER, CUT_BEFORE} < {*TROUBLES}
