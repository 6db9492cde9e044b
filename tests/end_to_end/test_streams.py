"""Streams of changes: what happens to customers is told as it happens, and nothing is missed or heard twice."""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack
from typing import Any

import pytest

from services.profile.listening.audience import STREAMS_PER_KEY_MAX
from tests.support.doors import Doors, Named, Source
from tests.support.streams import Sent, listening


def note(user: str, text: str = "x") -> dict[str, Any]:
    return {"type": "note.added", "identifiers": {"user_id": user}, "properties": {"text": text}}


def of(customer_id: str, *types: str) -> Any:
    """Whether an event is of this customer, and of one of these types."""
    return lambda sent: sent.data.get("subject") == customer_id and sent.type in (types or (sent.type,))


@pytest.mark.feature("T5")
def test_a_stream_tells_of_every_customer_who_comes_and_changes(doors: Doors, web: Source, own: Named) -> None:
    with listening(doors) as stream:
        ann = doors.customer_of("user_id", own("ann"), doors.send(web, note(own("ann"))))
        created = stream.until(of(ann, "customer.created"))[-1]
        called = {"identifiers": {"user_id": own("ann")}, "traits": {"name": "Ann"}}
        doors.send(web, {"type": "contact.identified", **called})
        updated = stream.until(lambda s: of(ann, "customer.updated")(s) and "contact" in s.data["data"]["changed"])[
            -1
        ]
    for sent in (created, updated):
        event = sent.data
        assert (event["specversion"], event["type"], event["subject"]) == ("1.0", sent.type, ann)
        assert event["source"] == "customer360/profile"
        assert event["time"]
        assert event["data"]["customer_id"] == ann
        assert set(event["data"]["sections"]) <= {"identity", "interaction", "value"}
    assert updated.data["data"]["version"] > created.data["data"]["version"]
    assert updated.data["id"] != created.data["id"]
    assert "Ann" not in json.dumps([created.data, updated.data])


@pytest.mark.feature("T5")
def test_who_comes_back_misses_nothing_and_hears_nothing_twice(doors: Doors, web: Source, own: Named) -> None:
    customers: list[str] = []
    heard: list[Sent] = []
    cursor = None
    for turn in range(3):
        with listening(doors, last_event_id=cursor) as stream:
            for number in range(3):
                name = own(f"u{turn}{number}")
                customers.append(doors.customer_of("user_id", name, doors.send(web, note(name))))
            heard += stream.until(of(customers[-2], "customer.created"))
            cursor = stream.cursor
            assert cursor == heard[-1].id
        # While nobody listens.
        name = own(f"away{turn}")
        customers.append(doors.customer_of("user_id", name, doors.send(web, note(name))))
    created = {sent.data["subject"] for sent in heard if sent.type == "customer.created"}
    with listening(doors, last_event_id=cursor) as stream:
        while not created >= set(customers):
            heard += stream.until(lambda sent: sent.type == "customer.created")
            created.add(heard[-1].data["subject"])
    told = [sent.data["id"] for sent in heard]
    assert len(set(told)) == len(told), "nothing twice"


@pytest.mark.feature("T5", "D1", "D6")
def test_segments_and_tiers_are_told_as_they_change_and_from_any_cursor_exactly_the_rest(
    doors: Doors, web: Source, own: Named
) -> None:
    who = {"user_id": own("ann")}
    club = {"field": "contact.traits.club", "is": own("club")}
    made = doors.post_api("/v1/segments", {"segment_id": own("club"), "name": "The club", "where": club})
    assert made.status_code == 201, made.text
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, note(own("ann"))))

    def is_told(kind: str, **about: str) -> Any:
        return lambda s: of(ann, kind)(s) and about.items() <= s.data["data"].items()

    def of_club(text: str) -> dict[str, Any]:
        return {"type": "contact.identified", "identifiers": who, "traits": {"club": text}}

    def buys(order: str, total: str) -> dict[str, Any]:
        about = {"order_id": own(order), "currency": "USD", "subtotal": total}
        return {"type": "order.completed", "identifiers": who, "properties": about}

    with listening(doors, f"/v1/customers/{ann}/stream") as stream:
        start = stream.cursor
        doors.send(web, of_club(own("club")))
        heard = stream.until(is_told("segment.entered", segment_id=own("club")))
        doors.send(web, buys("o1", "200"))
        heard += stream.until(is_told("tier.changed"))
        doors.send(web, buys("o2", "5000"))
        heard += stream.until(is_told("tier.changed", to="A"))
        doors.send(web, of_club("none"))
        heard += stream.until(is_told("segment.left", segment_id=own("club")))
    tiers = [sent.data["data"] for sent in heard if sent.type == "tier.changed"]
    assert tiers[0]["from"] is None
    assert [one["to"] for one in tiers[:-1]] == [one["from"] for one in tiers[1:]]
    whole = [sent.data["id"] for sent in heard]
    assert len(set(whole)) == len(whole), "nothing twice"
    moves = [n for n, sent in enumerate(heard) if not sent.type.startswith("customer.")]
    for place in [-1, *(n - 1 for n in moves), *moves]:
        cursor = start if place < 0 else heard[place].id
        with listening(doors, f"/v1/customers/{ann}/stream", last_event_id=cursor) as again:
            rest = [] if place == len(heard) - 1 else again.until(lambda sent: sent.id == heard[-1].id)
        assert [sent.data["id"] for sent in rest] == whole[place + 1 :]


@pytest.mark.feature("T5")
def test_one_customers_stream_tells_of_him_alone_and_goes_on_when_he_is_another(
    doors: Doors, web: Source, own: Named
) -> None:
    cookie, mail = {"anonymous_id": own("c")}, f"{own('ann')}@mail.example"
    seen = {"type": "page.viewed", "identifiers": cookie, "properties": {"path": "/"}}
    visitor = doors.customer_of("anonymous_id", own("c"), doors.send(web, seen))
    ann = doors.customer_of("email", mail, doors.send(web, {**note("x"), "identifiers": {"email": mail}}))
    with listening(doors, f"/v1/customers/{visitor}/stream") as stream:
        doors.send(web, note(own("somebody")), {**seen, "properties": {"path": "/2"}})
        heard = stream.until(of(visitor, "customer.updated"))
        doors.send(web, {"type": "contact.identified", "identifiers": {**cookie, "email": mail}})
        heard += stream.until(of(visitor, "customer.merged"))
        merged, ended = heard[-1], next(stream.events())
        assert list(stream.events()) == [], "it is over"
    assert {sent.data["subject"] for sent in heard} == {visitor}
    assert (merged.data["data"]["from"], merged.data["data"]["into"]) == ([visitor], ann)
    assert (ended.type, ended.data["reason"], ended.data["after"]) == ("stream.ended", "customer-gone", merged.id)
    with listening(doors, f"/v1/customers/{visitor}/stream", last_event_id=ended.id) as stream:
        doors.send(web, {**note("x"), "identifiers": {"email": mail}})
        assert of(ann, "customer.updated")(stream.until(of(ann))[-1])


def test_an_operators_word_that_two_are_two_is_told_as_a_split(doors: Doors, web: Source, own: Named) -> None:
    pair = [{"type": "user_id", "value": own("ann")}, {"type": "crm_id.acme", "value": own("7")}]
    both = {"user_id": own("ann"), "crm_id.acme": own("7")}
    position = doors.send(web, {"type": "contact.identified", "identifiers": both})
    ann = doors.customer_of("user_id", own("ann"), position)
    with listening(doors, f"/v1/customers/{ann}/stream") as stream:
        said = {"kind": "different", "records": pair, "reason": "two people"}
        told = doors.post_api("/v1/identity/assertions", said, key=doors.key("identity:write")).json()
        split = stream.until(of(ann, "customer.split"))[-1].data["data"]
    other = doors.customer_of("crm_id.acme", own("7"), told["position"])
    assert (split["from"], split["into"]) == (ann, [other])


def test_a_key_has_only_so_many_streams_open(doors: Doors, own: Named) -> None:
    key = doors.copy.json("key", "create", own("listener"), "--scope", "profile:read")["key"]
    with ExitStack() as held:
        # Kept: a stream that nobody holds is closed.
        streams = [held.enter_context(listening(doors, key=key)) for _ in range(STREAMS_PER_KEY_MAX)]
        assert all(stream.cursor for stream in streams)
        refused = doors.ask("/v1/changes", key=key)
        assert (refused.status_code, refused.json()["type"]) == (429, "too-many-streams")
        assert refused.headers["Retry-After"]
        with listening(doors, key=doors.key("profile:read")):
            pass


def test_a_cursor_that_is_none_or_of_another_log_is_refused(doors: Doors) -> None:
    for path in ("/v1/changes", f"/v1/customers/{uuid.UUID(int=9)}/stream"):
        for cursor, status in (("x", 400), ("1-2-3", 400), ("-".join(["9999999999"] * 8), 410)):
            response = doors.ask(path, after=cursor)
            expected = status if path == "/v1/changes" else 404
            assert response.status_code == expected, response.text
            assert response.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("path", ["/v1/changes", f"/v1/customers/{uuid.UUID(int=9)}/stream"])
def test_a_stream_needs_a_key_that_may_read_profiles(doors: Doors, path: str) -> None:
    assert doors.ask(path, key="").status_code == 401
    other = doors.key("events:read", "value:read")
    assert doors.ask(path, key=other).status_code == 403


def test_what_is_kept_can_be_read_from_its_beginning(doors: Doors, web: Source, own: Named) -> None:
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, note(own("ann"))))
    with listening(doors, f"/v1/customers/{ann}/stream", after="begin") as stream:
        heard: list[Sent] = stream.until(of(ann))
    assert heard[0].type == "customer.created"


def test_the_changes_command_tails_one_customer(doors: Doors, web: Source, own: Named) -> None:
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, note(own("ann"))))
    given = ("--customer", f"user_id:{own('ann')}", "--after", "begin", "--limit", "1")
    (event,) = [json.loads(text) for text in doors.copy.command("changes", *given, "--json").splitlines()]
    assert (event["type"], event["subject"]) == ("customer.created", ann)
    assert f"created     {ann}" in doors.copy.command("changes", *given)
