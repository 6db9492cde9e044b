"""Webhooks: an endpoint is told of every change once by id, whatever it, or the process that tells it, does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.doors import Doors, Named, Source
from tests.support.receiver import Got, Receiver, receiving
from tests.support.running import until
from tests.support.streams import listening

TOLD_WITHIN_S = 30.0
OTHERS_WITHIN_S = 5.0
WEBHOOKS = "/v1/webhooks"


class Endpoint:
    """An endpoint of this test's own, on the receiver."""

    def __init__(self, doors: Doors, receiver: Receiver, name: str, **given: Any) -> None:
        self.doors, self.receiver, self.name = doors, receiver, name
        made = doors.post_api(WEBHOOKS, {"url": receiver.url(name), "timeout_ms": 1_000, **given})
        assert made.status_code == 201, made.text
        self.made = made.json()
        self.path = f"{WEBHOOKS}/{self.made['webhook_id']}"

    def now(self) -> Any:
        """How it does."""
        return self.doors.ask(self.path).json()

    def deliveries(self, state: str) -> Any:
        """Its deliveries in this state."""
        return self.doors.ask(f"{self.path}/deliveries", state=state).json()["deliveries"]

    def taken(self, *customers: str) -> list[Got]:
        """What it accepted of these customers."""
        return [one for one in self.receiver.got(self.name, "200") if one.event["subject"] in customers]

    def change(self, **given: Any) -> Any:
        """PATCH."""
        bearer = {"Authorization": f"Bearer {self.doors.copy.operator_key}"}
        return self.doors.http.patch(self.doors.copy.profile + self.path, json=given, headers=bearer)

    def remove(self) -> None:
        """DELETE."""
        bearer = {"Authorization": f"Bearer {self.doors.copy.operator_key}"}
        assert self.doors.http.delete(self.doors.copy.profile + self.path, headers=bearer).status_code == 204


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(Path(tmp_path_factory.mktemp("receiver"))) as one:
        yield one


@pytest.fixture
def endpoint(doors: Doors, receiver: Receiver, own: Named) -> Iterator[Any]:
    """Makes endpoints, which are removed at the end."""
    made: list[Endpoint] = []

    def make(name: str, **given: Any) -> Endpoint:
        made.append(Endpoint(doors, receiver, own(name), **given))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def note(user: str) -> dict[str, Any]:
    return {"type": "note.added", "identifiers": {"user_id": user}, "properties": {"text": "x"}}


def answers(doors: Doors) -> bool:
    """Whether the profile API does."""
    try:
        return doors.ask("/healthz").is_success
    except httpx.TransportError:
        return False


def changes_since(doors: Doors, cursor: str, customers: list[str], at_least: int) -> list[dict[str, Any]]:
    """The events of these customers as a stream tells them, up to so many."""
    found: list[dict[str, Any]] = []
    with listening(doors, last_event_id=cursor) as stream:
        for sent in stream.events():
            found += [sent.data] if sent.data.get("subject") in customers else []
            if len(found) >= at_least:
                return found
    return found


def both(endpoint: Endpoint, doors: Doors, customers: list[str]) -> Any:
    """(what it took, what a stream tells), once all has come that was said twice of each of them."""
    got = endpoint.taken(*customers)
    ids = {request.event["id"] for request in got}
    if len(ids) < 2 * len(customers):
        return None
    told = changes_since(doors, endpoint.made["cursor"], customers, len(ids))
    return (got, told) if {event["id"] for event in told} == ids else None


@pytest.mark.feature("O2")
def test_every_change_comes_once_by_id_though_the_endpoint_fails_and_hangs_and_the_sender_is_killed(
    doors: Doors, web: Source, own: Named, receiver: Receiver, endpoint: Any
) -> None:
    receiver.says(own("a"), "500")
    one, other = endpoint("a"), endpoint("b")
    users = [own(f"u{number}") for number in range(3)]
    customers = [doors.customer_of("user_id", user, doors.send(web, note(user))) for user in users]
    until(lambda: len(receiver.got(one.name, "500")) >= 2, "it is tried again", TOLD_WITHIN_S)
    until(lambda: one.now()["failed_reason"] == "status-500", "that is noted", TOLD_WITHIN_S)
    receiver.says(one.name, "hang")
    until(lambda: receiver.got(one.name, "hang"), "it hangs", TOLD_WITHIN_S)
    doors.send(web, *map(note, users))
    until(lambda: len(other.taken(*customers)) >= 6, "the other one is not kept waiting", OTHERS_WITHIN_S)
    os.kill(doors.copy.pids()["profile"], signal.SIGKILL)
    receiver.says(one.name, "200")
    until(lambda: answers(doors), "it is started again", TOLD_WITHIN_S)
    for endpoint_ in (one, other):
        got, told = until(lambda e=endpoint_: both(e, doors, customers), "all of it", TOLD_WITHIN_S)  # type: ignore[misc]
        assert all(request.is_signed_with(endpoint_.made["secret"]) for request in got)
        by_id = {request.headers["webhook-id"]: request.event for request in got}
        unanswered = [g for g in receiver.got(endpoint_.name, "hang") if g.event["subject"] in customers]
        assert {g.headers["webhook-id"] for g in unanswered} <= by_id.keys(), (
            "sent and not noted: sent again as it was"
        )
        assert {event["id"]: event for event in by_id.values()} == {event["id"]: event for event in told}
        for customer in customers:
            first = dict.fromkeys(g.event["id"] for g in got if g.event["subject"] == customer)
            assert list(first) == [event["id"] for event in told if event["subject"] == customer]
    until(lambda: one.now()["waiting"] == 0, "all is noted", TOLD_WITHIN_S)
    assert one.now()["failing_since"] is None


@pytest.mark.feature("O2")
def test_what_is_refused_for_good_is_a_dead_letter_and_is_delivered_when_asked(
    doors: Doors, web: Source, own: Named, receiver: Receiver, endpoint: Any
) -> None:
    receiver.says(own("a"), "400")
    one = endpoint("a", types=["customer.created"], retry_for_s=1)
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, note(own("ann"))))

    def dead() -> Any:
        return [found for found in one.deliveries("dead") if found["customer_id"] == ann]

    (letter,) = until(dead, "it is given up", TOLD_WITHIN_S)
    assert (letter["reason"], letter["status"], letter["type"]) == ("status-400", 400, "customer.created")
    receiver.says(one.name, "200")
    wanted = (one.made["webhook_id"], str(letter["delivery_id"]))
    assert doors.copy.json("webhooks", "deliveries", wanted[0], "--state", "dead")["deliveries"] == [letter]
    assert "--execute" in doors.copy.command("webhooks", "retry", *wanted)
    assert dead(), "nothing was changed"
    assert doors.copy.json("webhooks", "retry", *wanted, "--execute")["state"] == "waiting"
    (got,) = until(lambda: one.taken(ann), "it is delivered", TOLD_WITHIN_S)
    assert got.headers["webhook-id"] == letter["message_id"]
    until(lambda: not dead(), "it is no dead letter any more", TOLD_WITHIN_S)
    again = doors.post_api(f"{one.path}/deliveries/{letter['delivery_id']}/retry", None)
    assert (again.status_code, again.json()["type"]) == (409, "refused")


def test_a_replay_tells_once_more_under_the_same_ids_and_a_new_secret_signs_beside_the_old_one(
    doors: Doors, web: Source, own: Named, receiver: Receiver, endpoint: Any
) -> None:
    one = endpoint("a", types=["customer.created"])
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, note(own("ann"))))
    (first,) = until(lambda: one.taken(ann), "it is told", TOLD_WITHIN_S)
    fresh = doors.post_api(f"{one.path}/rotate", {"overlap_s": 600}).json()["secret"]
    for number, given in enumerate([{"after": one.made["cursor"]}, {"from": began}], 2):
        asked = doors.post_api(f"{one.path}/replay", given)
        assert asked.status_code == 202, asked.text
        got = until(lambda n=number: (g := one.taken(ann)) and len(g) == n and g, "once more", TOLD_WITHIN_S)  # type: ignore[misc]
    assert {request.headers["webhook-id"] for request in got} == {first.headers["webhook-id"]}
    assert [request.body for request in got] == [first.body] * 3
    assert got[-1].is_signed_with(fresh)
    assert got[-1].is_signed_with(one.made["secret"])
    assert not first.is_signed_with(fresh)


@pytest.mark.feature("D1", "D6")
def test_an_endpoint_hears_of_moves_between_segments_and_tiers_alone_if_it_asks_for_these(
    doors: Doors, web: Source, own: Named, endpoint: Any
) -> None:
    one = endpoint("a", types=["segment.entered", "tier.changed"])
    where = {"field": "contact.traits.club", "is": own("club")}
    made = doors.post_api("/v1/segments", {"segment_id": own("club"), "name": "The club", "where": where})
    assert made.status_code == 201, made.text
    who = {"user_id": own("ann")}
    bought = {"order_id": own("o"), "currency": "USD", "subtotal": "5000"}
    position = doors.send(
        web,
        {"type": "contact.identified", "identifiers": who, "traits": {"club": own("club")}},
        {"type": "order.completed", "identifiers": who, "properties": bought},
    )
    ann = doors.customer_of("user_id", own("ann"), position)
    until(lambda: len(one.taken(ann)) >= 2, "both are told", TOLD_WITHIN_S)
    got = one.taken(ann)
    assert {request.event["type"] for request in got} == {"segment.entered", "tier.changed"}
    about = {request.event["type"]: request.event["data"] for request in got}
    assert about["segment.entered"]["segment_id"] == own("club")
    assert about["tier.changed"]["to"] == "A"


def test_a_redirect_is_not_followed_and_an_endpoint_that_is_gone_is_disabled_until_it_is_enabled(
    doors: Doors, web: Source, own: Named, receiver: Receiver, endpoint: Any
) -> None:
    receiver.says(own("a"), "redirect")
    one = endpoint("a", types=["customer.created"])
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, note(own("ann"))))
    until(lambda: one.now()["failed_reason"] == "redirect", "it is tried", TOLD_WITHIN_S)
    assert receiver.got("elsewhere") == []
    receiver.says(one.name, "410")
    until(lambda: one.now()["state"] == "disabled", "it says that it is gone", TOLD_WITHIN_S)
    assert one.now()["disabled_reason"] == "gone"
    receiver.says(one.name, "200")
    assert one.change(enabled=True).json()["state"] == "enabled"
    until(lambda: one.taken(ann), "what waited is delivered", TOLD_WITHIN_S)


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://shop.example/x"},
        {"url": "https://user:pass@shop.example/"},
        {"url": "https:///x"},
        {"url": "nothing"},
        {"url": "http://127.0.0.1:99999/"},
        {"url": "http://127.0.0.1/", "types": ["customer.everything"]},
        {"url": "http://127.0.0.1/", "timeout_ms": 10**9},
        {"url": "http://nobody.invalid/"},
    ],
    ids=str,
)
def test_what_is_no_endpoint_is_refused_with_the_place(doors: Doors, body: Any) -> None:
    refused = doors.post_api(WEBHOOKS, body)
    assert (refused.status_code, refused.json()["type"]) == (400, "bad-request"), refused.text
    assert list(body)[-1] in refused.json()["detail"]


def test_only_ops_may_have_webhooks(doors: Doors, own: Named) -> None:
    assert doors.ask(WEBHOOKS, key=doors.key("profile:read", "events:read")).status_code == 403
    assert doors.ask(f"{WEBHOOKS}/wh_nobody").status_code == 404
    assert doors.ask(f"{WEBHOOKS}/wh_nobody/deliveries").status_code == 404
    for page in ("rotate", "replay", "deliveries/1/retry"):
        refused = doors.post_api(f"{WEBHOOKS}/wh_nobody/{page}", {"after": "begin"} if page == "replay" else {})
        assert refused.status_code == 404, page
