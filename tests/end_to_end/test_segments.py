"""Customers enter and leave segments by what is known of them, and every answer says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source, later_of
from tests.support.running import until

REBUILT_WITHIN_S = 60.0
WAIT: dict[str, Any] = {"wait_ms": 10_000}


class Club:
    """A segment of this test's own: who is of its club and allows marketing."""

    def __init__(self, doors: Doors, web: Source, own: Named) -> None:
        self.doors, self.web, self.own = doors, web, own
        self.segment_id = own("club")
        of_club = {"field": "contact.traits.club", "is": own("club")}
        self.where = {"all": [of_club, {"field": "consents.marketing.state", "is": "granted"}]}

    def define(self, **changed: Any) -> Any:
        """POST /v1/segments of this club, or another segment."""
        body = {"segment_id": self.segment_id, "name": "The club", "where": self.where, **changed}
        return self.doors.post_api("/v1/segments", body)

    def joins(self, name: str) -> str:
        """Somebody is of the club and allows marketing."""
        who = {"user_id": self.own(name)}
        traits = {"club": self.own("club"), "firstName": name}
        granted = {"type": "consent.granted", "identifiers": who, "properties": {"purpose": "marketing"}}
        return self.doors.send(
            self.web, {"type": "contact.identified", "identifiers": who, "traits": traits}, granted
        )

    def withdraws(self, name: str) -> str:
        """He allows it no longer."""
        properties = {"purpose": "marketing"}
        who = {"user_id": self.own(name)}
        return self.doors.send(self.web, {"type": "consent.withdrawn", "identifiers": who, "properties": properties})

    def customer(self, name: str, position: str) -> str:
        """Who that is."""
        return self.doors.customer_of("user_id", self.own(name), position)

    def members(self, position: str | None = None, segment_id: str | None = None) -> list[str]:
        """Customer ids, over all pages, two at a time."""
        found: list[str] = []
        query: dict[str, Any] = {"limit": 2, **({"min_position": position, **WAIT} if position else {})}
        while True:
            page = self.doors.ask(f"/v1/segments/{segment_id or self.segment_id}/members", **query).json()
            found += [one["customer_id"] for one in page["members"]]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    def why(self, customer_id: str, position: str, **more: Any) -> Any:
        """Why he is in, or is not."""
        path = f"/v1/customers/{customer_id}/segments/{self.segment_id}"
        return self.doors.ask(path, min_position=position, **WAIT, **more).json()


@pytest.fixture
def club(doors: Doors, web: Source, own: Named) -> Club:
    return Club(doors, web, own)


@pytest.mark.feature("D6")
def test_an_event_brings_a_customer_in_and_another_takes_him_out(club: Club) -> None:
    made = club.define()
    assert (made.status_code, made.json()["version"]) == (201, 1)
    position = later_of(*(club.joins(name) for name in ("ann", "bob", "cyd")))
    ids = {name: club.customer(name, position) for name in ("ann", "bob", "cyd")}
    assert club.members(position) == sorted(ids.values())
    (part,) = club.doors.profile(ids["ann"], position, include="segments")["segments"]
    assert (part["segment_id"], part["name"], part["version"]) == (club.segment_id, "The club", 1)
    found = club.doors.ask("/v1/customers", segment=club.segment_id, sort="name", limit=2).json()
    assert [one["customer_id"] for one in found["items"]] == [ids["ann"], ids["bob"]]
    more = club.doors.ask(
        "/v1/customers", segment=club.segment_id, sort="name", limit=2, cursor=found["next_cursor"]
    ).json()
    assert [one["customer_id"] for one in more["items"]] == [ids["cyd"]]
    asked = club.doors.ask("/v1/customers", segment=club.segment_id, query=club.own("bob")).json()
    assert [one["customer_id"] for one in asked["items"]] == [ids["bob"]]

    position = later_of(position, club.withdraws("ann"))
    assert club.members(position) == sorted([ids["bob"], ids["cyd"]])
    assert club.doors.profile(ids["ann"], position)["segments"] == []
    asked = club.doors.ask("/v1/customers", segment=club.segment_id, query=club.own("ann")).json()
    assert asked["items"] == []


@pytest.mark.feature("D6")
def test_why_and_why_not_is_told_with_the_actual_value(club: Club) -> None:
    club.define()
    position = later_of(club.joins("ann"), club.joins("bob"))
    position = later_of(position, club.withdraws("bob"))
    ann, bob = (club.why(club.customer(name, position), position) for name in ("ann", "bob"))
    assert ann["member"]
    assert ann["since"]
    assert [one["holds"] for one in ann["conditions"]["conditions"]] == [True, True]
    assert (bob["member"], bob["since"]) == (False, None)
    of_club, allowed = bob["conditions"]["conditions"]
    assert (of_club["holds"], of_club["actual"]) == (True, [club.own("club")])
    assert (allowed["holds"], allowed["actual"]) == (False, ["withdrawn"])
    masked = club.why(bob["customer_id"], position, key=club.doors.key("profile:read"))
    assert masked["conditions"]["conditions"][0]["holds"]
    assert club.own("club") not in str(masked["conditions"]["conditions"][0]["actual"])


@pytest.mark.feature("D6")
def test_a_change_looks_at_everybody_again_and_a_part_holds_only_who_is_in_the_whole(club: Club) -> None:
    position = later_of(club.joins("ann"), club.joins("bob"))
    position = later_of(position, club.withdraws("bob"))
    ann, bob = (club.customer(name, position) for name in ("ann", "bob"))
    club.define()
    named = {"field": "contact.name", "has": "bob"}
    part = club.own("part")
    assert club.define(segment_id=part, name="Bobs", within=club.segment_id, where=named).status_code == 201
    club.doors.copy.command("wait")
    assert club.members() == [ann]
    assert club.members(segment_id=part) == []
    again = club.define()
    assert (again.status_code, again.json()["version"], again.json()["size"]) == (200, 1, 1), "nothing is changed"
    changed = club.define(where=club.where["all"][0])
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    club.doors.copy.command("wait")
    assert club.members() == sorted([ann, bob])
    assert club.members(segment_id=part) == [bob]
    summary = club.doors.ask(f"/v1/segments/{club.segment_id}/summary").json()
    assert (summary["size"], summary["revenue"], summary["masked"]) == (2, [], [])
    assert sum(summary["tiers"].values()) == 2


@pytest.mark.feature("D6")
def test_an_order_is_what_a_segment_is_worth(club: Club) -> None:
    club.define(where={"all": [club.where["all"][0], {"field": "value.actual.revenue", "above": 99.5}]})
    position = club.joins("ann")
    ann = club.customer("ann", position)
    assert club.members(position) == []
    properties = {"order_id": club.own("o"), "currency": "EUR", "subtotal": "100.00"}
    order = {"type": "order.completed", "identifiers": {"user_id": club.own("ann")}, "properties": properties}
    position = later_of(position, club.doors.send(club.web, order))
    assert club.members(position) == [ann]
    summary = club.doors.ask(f"/v1/segments/{club.segment_id}/summary").json()
    assert summary["revenue"] == [{"currency": "EUR", "revenue": "100.00", "customers": 1}]
    blind = club.doors.key("profile:read")
    summary = club.doors.ask(f"/v1/segments/{club.segment_id}/summary", key=blind).json()
    assert (summary["revenue"], summary["tiers"], summary["masked"]) == (
        None,
        None,
        ["revenue", "tiers", "compared.areas", "compared.needs", "compared.gaps"],
    )


def test_a_broken_definition_tells_every_error_and_changes_nothing(club: Club) -> None:
    club.define()
    before = club.doors.ask("/v1/segments").json()
    where = {"any": [{"field": "salary", "is": 1}, {"cel": "a >"}, {"field": "value.tier.grade", "above": []}]}
    broken = club.define(name="", within=club.own("nobody"), where=where)
    assert (broken.status_code, broken.json()["type"]) == (400, "bad-request")
    for part in ("name:", "within:", "where.any[0].field:", "where.any[1].cel:", "where.any[2].above:"):
        assert part in broken.json()["detail"]
    assert "within" in club.define(within=club.own("nobody")).json()["detail"]
    for body in ({"segment_id": "NO"}, {"version": 3}, {"where": {"field": "contact.name", "is": 2**70}}):
        assert club.define(**body).status_code == 400, body
    for unreadable in (b'{"segment_id": "a", "name": "\\ud800"}', b'{"\\ud800": 1}', b"[]", b"{", b"{}"):
        headers = {"Authorization": f"Bearer {club.doors.copy.operator_key}", "Content-Type": "application/json"}
        sent = club.doors.http.post(f"{club.doors.copy.profile}/v1/segments", content=unreadable, headers=headers)
        assert sent.status_code == 400, unreadable
    for about in ("", "/members", "/summary"):
        assert club.doors.ask(f"/v1/segments/{club.own('nobody')}{about}").status_code == 404
    assert club.doors.ask("/v1/segments").json()["segments"] == before["segments"]


def test_nobody_defines_a_segment_by_what_he_may_not_see(club: Club) -> None:
    key = club.doors.key("segments:write", "profile:read")
    for field in ("contact.name", "value.actual.revenue"):
        body = {"segment_id": club.segment_id, "name": "x", "where": {"field": field, "exists": True}}
        refused = club.doors.post_api("/v1/segments", body, key=key)
        assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")


@pytest.mark.faults
def test_the_command_sets_a_segment_from_a_file_and_explains_it(club: Club, tmp_path: Path) -> None:
    position = club.joins("ann")
    ann = club.customer("ann", position)
    file = tmp_path / "club.yaml"
    file.write_text(
        f"segment_id: {club.segment_id}\nname: The club\nwhere:\n  field: contact.traits.club\n"
        f"  is: {club.own('club')}\n"
    )
    run = club.doors.copy.command
    assert "nothing was changed" in run("segment", "set", str(file))
    assert club.doors.ask(f"/v1/segments/{club.segment_id}").status_code == 404
    assert "version 1" in run("segment", "set", str(file), "--execute")
    run("wait")
    assert club.segment_id in run("segment", "list")
    assert ann in run("segment", "members", club.segment_id)
    shown = run("segment", "show", club.segment_id)
    assert "1 customers" in shown
    file.write_text(shown)
    assert club.doors.copy.json("segment", "set", str(file), "--execute")["version"] == 1
    told = run("segment", "why", club.segment_id, f"user_id:{club.own('ann')}")
    assert f"{ann} is in {club.segment_id}" in told
    assert club.own("club") in told


@pytest.fixture
def rebuilt(club: Club) -> Iterator[Club]:
    """The copy, which has no other generation of profile before and after."""
    yield club
    club.doors.copy.run("replay", "abort", "profile", "--execute")


@pytest.mark.faults
def test_a_rebuild_puts_everybody_into_the_segments_he_is_in(rebuilt: Club) -> None:
    club, copy = rebuilt, rebuilt.doors.copy
    club.define(where={"field": "identity.totals.records", "at_least": 2})
    who = {"user_id": club.own("ann"), "email": f"{club.own('ann')}@x.com"}
    position = club.doors.send(club.web, {"type": "contact.identified", "identifiers": who})
    ann = club.customer("ann", position)
    copy.command("wait")
    assert ann in club.members()
    copy.command("replay", "start", "profile", "--execute", "--reason", "a test")

    def is_level() -> bool:
        beside = copy.json("replay", "status", "profile")["beside"]
        return beside is not None and beside["left"] == 0 and beside["worker"] == "fetching"

    until(is_level, "the rebuild follows the tail", REBUILT_WITHIN_S)
    compared = copy.run("verify", "profile")
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "membership" in compared.stdout
    members = club.members()
    copy.json("replay", "swap", "profile", "--execute")
    copy.command("wait")
    until(lambda: club.members() == members, "the other generation answers", REBUILT_WITHIN_S)
