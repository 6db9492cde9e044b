"""Why two people are, or are not, one customer; and an operator's word on it, given over HTTP or by the command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from schemas.envelope import event_id
from tests.support.doors import VISIBLE_MS, Doors, Named, Source, a_phone

ASSERTIONS = "/v1/identity/assertions"


class Couple:
    """Ann and Bob with one phone, without names: taken for one customer until somebody says otherwise."""

    def __init__(self, doors: Doors, web: Source, own: Named) -> None:
        self.doors, self.phone = doors, a_phone()
        self.ann, self.bob = own("ann"), own("bob")
        self.position = doors.send(
            web,
            *(
                {
                    "type": "contact.imported",
                    "time": f"2026-03-0{day}T10:00:00Z",
                    "identifiers": {"crm_id.acme": name, "phone": self.phone},
                }
                for day, name in enumerate((self.ann, self.bob), 1)
            ),
        )

    @property
    def pair(self) -> list[dict[str, str]]:
        """Both, as a word names them."""
        return [{"type": "crm_id.acme", "value": name} for name in (self.ann, self.bob)]

    def say(self, kind: str, reason: str = "met both", **more: Any) -> httpx.Response:
        """An operator's word over HTTP."""
        headers = more.pop("headers", None)
        body = {"kind": kind, "records": self.pair, "reason": reason, "min_position": self.position, **more}
        response = self.doors.post_api(ASSERTIONS, {"wait_ms": VISIBLE_MS, **body}, headers=headers)
        if response.status_code == 202:
            self.position = response.json()["position"]
        return response

    def customers(self) -> set[str]:
        """Who they are once all that was said is visible."""
        found = self.doors.look_up(*((r["type"], r["value"]) for r in self.pair), position=self.position)
        return {one["customer_id"] for one in found}

    def path(self, start: str | None = None, end: str | None = None) -> dict[str, Any]:
        """The way from one to the other."""
        ends = {"from": start or f"crm_id.acme:{self.ann}", "to": end or f"crm_id.acme:{self.bob}"}
        query: dict[str, Any] = {**ends, "min_position": self.position, "wait_ms": VISIBLE_MS}
        response = self.doors.ask("/v1/identity/path", **query)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def identity(self, customer_id: str) -> dict[str, Any]:
        """What holds a customer together."""
        at: dict[str, Any] = {"min_position": self.position, "wait_ms": VISIBLE_MS}
        response = self.doors.ask(f"/v1/customers/{customer_id}/identity", **at)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
def couple(doors: Doors, web: Source, own: Named) -> Couple:
    """Two people sharing a phone."""
    return Couple(doors, web, own)


def named(record: dict[str, Any]) -> str:
    return f"{record['type']}:{record['value']}"


@pytest.mark.feature("I2")
def test_the_way_between_two_who_are_one_names_the_phone_they_share(couple: Couple) -> None:
    answer = couple.path()
    digits = "".join(c for c in couple.phone if c.isdigit())
    assert answer["same_customer"] is True
    assert [named(s["record"]) for s in answer["path"]] == [
        f"crm_id.acme:{couple.ann}", f"phone:{digits}", f"crm_id.acme:{couple.bob}"
    ]  # fmt: skip
    via = answer["path"][1]["via"]
    assert (via["kind"], via["state"], via["source"]) == ("seen_together", "joins", "webshop")
    assert via["first_seen"] == "2026-03-01T10:00:00Z"
    assert answer["cut"] == answer["path"][2]["via"], "of two equal ones the later"
    assert f"was seen with phone:{digits} by webshop on 2026-03-01" in answer["why"]
    assert answer["from"]["customer_id"] == answer["to"]["customer_id"]


@pytest.mark.feature("I2")
def test_two_told_apart_are_told_why_by_whom_and_when(couple: Couple) -> None:
    assert len(couple.customers()) == 1
    given = couple.say("different", "father and son", actor={"id": "op-3", "name": "Olga"})
    assert given.status_code == 202, given.text
    assert given.headers["C360-Position"] == given.json()["position"]
    assert len(couple.customers()) == 2
    answer = couple.path()
    today = datetime.now(UTC).date().isoformat()
    assert (answer["same_customer"], answer["because"], answer["path"]) == (False, "different", [])
    assert f"op-3 said on {today} that" in answer["why"]
    assert answer["why"].endswith("are different: father and son.")
    assert [r["constraint"] for r in answer["refused"]] == ["different"]
    for customer_id in couple.customers():
        found = couple.identity(customer_id)
        (word,) = found["assertions"]
        assert (word["kind"], word["reason"], word["actor"]) == ("different", "father and son", "op-3")
        assert word["event_id"] == given.json()["event_id"]
        (refusal,) = found["refusals"]
        assert {refusal["customer_id"], customer_id} == couple.customers()
        assert "different" in [r["constraint"] for d in found["decisions"] for r in d.get("refused", ())]


@pytest.mark.feature("I2")
def test_the_latest_word_on_a_pair_stands(couple: Couple) -> None:
    for kind, customers in (("different", 2), ("same", 1), ("different", 2)):
        assert couple.say(kind, f"it is {kind}").status_code == 202
        assert len(couple.customers()) == customers
    (word,) = couple.identity(couple.customers().pop())["assertions"]
    assert (word["kind"], word["reason"]) == ("different", "it is different")


@pytest.mark.feature("I1")
def test_an_old_id_answers_with_todays_customer_and_what_is_in_it(couple: Couple) -> None:
    couple.say("different")
    apart = couple.customers()
    couple.say("same")
    (one,) = couple.customers()
    for customer_id in apart:
        found = couple.identity(customer_id)
        assert (found["customer_id"], found["requested_id"]) == (one, customer_id)
        assert found["totals"].pop("decisions") == len(found["decisions"]) > 0
        assert found["totals"] == {"records": 3, "links": 3, "assertions": 1, "refusals": 0}
        assert {k["kind"] for k in found["links"]} == {"same_asserted", "seen_together"}
        records = {named(r): r for r in found["records"]}
        assert records[f"crm_id.acme:{couple.ann}"]["events"] >= 1
        assert records[f"crm_id.acme:{couple.ann}"]["first_seen"] == "2026-03-01T10:00:00Z"


@pytest.mark.feature("T1")
def test_a_word_is_in_the_timeline_of_the_stronger_record_and_says_who(doors: Doors, web: Source, own: Named) -> None:
    ids = [("device_id", own("d")), ("user_id", own("u"))]
    position = doors.send(web, *({"type": "note.added", "identifiers": {t: v}} for t, v in ids))
    body = {
        "kind": "different",
        "records": [{"type": t, "value": v} for t, v in ids],
        "reason": "x",
        "min_position": position,
        "wait_ms": VISIBLE_MS,
    }
    given = doors.post_api(ASSERTIONS, body, key=doors.key("identity:write")).json()
    customer_id = doors.customer_of("user_id", own("u"), given["position"])
    items = doors.timeline(customer_id)
    assert [(i["type"], i["source"]) for i in items if i["event_id"] == given["event_id"]] == [
        ("identity.different_asserted", "customer360")
    ]
    assert items[0]["actor"] == {"kind": "system", "id": "identity:write"}, "the key's name, where nobody is named"


def test_sent_again_under_its_key_a_word_is_the_same_event_and_overrules_nothing(couple: Couple, own: Named) -> None:
    key = {"Idempotency-Key": own("key")}
    first = couple.say("different", headers=key).json()
    assert first["event_id"] == event_id("customer360", own("key"))
    couple.say("same")
    again = couple.say("different", headers=key)
    assert (again.status_code, again.json()["event_id"]) == (202, first["event_id"])
    assert len(couple.customers()) == 1, "what was said in between stands"
    other = couple.say("same", headers=key)
    assert (other.status_code, other.json()["type"]) == (400, "bad-request")


def test_a_word_on_an_unknown_record_is_not_taken(couple: Couple, own: Named) -> None:
    response = couple.say("same", records=[couple.pair[0], {"type": "crm_id.acme", "value": own("nobody")}])
    assert (response.status_code, response.json()["type"]) == (404, "unknown-record")
    assert own("nobody") not in response.text
    ends: dict[str, Any] = {"from": f"crm_id.acme:{couple.ann}", "to": f"email:{own('x')}"}
    asked = couple.doors.ask("/v1/identity/path", **ends)
    assert (asked.status_code, asked.json()["type"]) == (404, "unknown-record")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "maybe"},
        {"reason": " "},
        {"reason": None},
        {"records": []},
        {"records": [{"type": "email", "value": "A@x.example"}, {"type": "email", "value": "a@X.example "}]},
        {"records": [{"type": "email", "value": "a@x.example"}, {"type": "user_id", "value": "null"}]},
        {"records": [{"type": "email", "value": "a@x.example"}, {"type": "...", "value": "1"}]},
        {"actor": {"id": ""}},
        {"time": "2026-03-01T00:00:00Z"},
    ],
    ids=str,
)
def test_a_word_that_cannot_be_meant_is_a_bad_request(couple: Couple, change: dict[str, Any]) -> None:
    response = couple.say(**{"kind": "same", **change})
    assert (response.status_code, response.json()["type"]) == (400, "bad-request")


@pytest.mark.parametrize("end", ["", "email", "email:null", "...:1", ":x"])
def test_a_path_between_what_are_no_identifiers_is_a_bad_request(doors: Doors, end: str) -> None:
    queries: list[dict[str, Any]] = [{"from": end, "to": "user_id:1"}, {"from": "user_id:1", "to": end}]
    for ends in queries:
        response = doors.ask("/v1/identity/path", **ends)
        assert (response.status_code, response.json()["type"]) == (400, "bad-request"), ends


def test_without_the_scope_no_word_is_taken(couple: Couple) -> None:
    body = {"kind": "same", "records": couple.pair, "reason": "x"}
    response = couple.doors.post_api(ASSERTIONS, body, key=couple.doors.key("profile:read", "profile:pii"))
    assert (response.status_code, response.json()["type"]) == (403, "forbidden")


def test_a_phone_of_two_users_says_whose_it_is_and_that_it_is_ambiguous(
    doors: Doors, web: Source, own: Named
) -> None:
    phone = a_phone()
    position = doors.send(
        web,
        *(
            {"type": "note.added", "time": f"2026-03-0{day}T10:00:00Z", "identifiers": {"user_id": u, "phone": phone}}
            for day, u in enumerate((own("ann"), own("bob")), 1)
        ),
    )
    ends = {"from": f"phone:{phone}", "to": f"user_id:{own('bob')}"}
    query: dict[str, Any] = {**ends, "min_position": position, "wait_ms": VISIBLE_MS}
    answer = doors.ask("/v1/identity/path", **query).json()
    assert answer["because"] == "exclusive"
    assert [r["constraint"] for r in answer["refused"]] == ["exclusive:user_id"]
    assert "two of type user_id, of which a customer has only one" in answer["why"]
    assert "is ambiguous" in answer["why"]


@pytest.mark.feature("I2")
def test_the_command_explains_and_says_nothing_without_execute(couple: Couple) -> None:
    copy = couple.doors.copy
    ends = f"crm_id.acme:{couple.ann}", f"crm_id.acme:{couple.bob}"
    couple.customers()
    assert copy.json("explain", *ends)["same_customer"] is True
    text = copy.command("identity", "path", *ends)
    assert "are one customer" in text
    assert "hangs on this" in text
    words = ("identity", "assert", "different", *ends, "--reason", "met both", "--actor", "op-9")
    tried = copy.json(*words)
    assert (tried["executed"], "event_id" in tried) == (False, False)
    assert len(couple.customers()) == 1
    done = copy.json(*words, "--execute")
    couple.position = done["position"]
    assert len(couple.customers()) == 2
    assert "op-9 said on" in copy.command("identity", "why", *ends)
    shown = copy.command("identity", "show", ends[0])
    assert "are different, says op-9" in shown
    assert copy.json("identity", "show", couple.customers().pop())["totals"]["assertions"] == 1
