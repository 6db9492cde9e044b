"""How a customer's records came together, and what was decided when: joined by an event, by a word, split again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doors import VISIBLE_MS, Doors, Named, Source


class Life:
    """Ann's CRM record and e-mail met in one event; an operator joined her card, and a second one parted it again."""

    def __init__(self, doors: Doors, web: Source, own: Named) -> None:
        self.doors = doors
        self.crm, self.mail = ("crm_id.acme", own("ann")), ("email", f"{own('ann')}@mail.example")
        self.card = ("loyalty_id", own("card"))
        met = {"time": "2026-03-01T10:00:00Z", "identifiers": dict([self.crm, self.mail])}
        own_card = {"time": "2026-03-02T10:00:00Z", "identifiers": dict([self.card])}
        self.position = doors.send(web, {"type": "contact.imported", **met})
        self.customer_id = self.customer(self.crm)
        self.position = doors.send(web, {"type": "contact.imported", **own_card})
        assert self.customer(self.card) != self.customer_id

    def customer(self, identifier: tuple[str, str]) -> str:
        """Whose it is once all that was said is visible."""
        return self.doors.customer_of(*identifier, self.position)

    def say(self, kind: str, reason: str) -> str:
        """An operator's word on the card; the event's id, once it is visible."""
        pair = [{"type": type_, "value": value} for type_, value in (self.crm, self.card)]
        body = {"kind": kind, "records": pair, "reason": reason, "actor": {"id": "olga"}}
        given = self.doors.post_api("/v1/identity/assertions", body)
        assert given.status_code == 202, given.text
        self.position = given.json()["position"]
        assert (self.customer(self.card) == self.customer_id) is (kind == "same")
        return str(given.json()["event_id"])

    def ask(self, page: str, customer_id: str | None = None, **query: Any) -> dict[str, Any]:
        """A page below the customer's identity."""
        at: dict[str, Any] = {"min_position": self.position, "wait_ms": VISIBLE_MS}
        path = f"/v1/customers/{customer_id or self.customer_id}/identity/{page}"
        response = self.doors.ask(path, **at, **query)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
def life(doors: Doors, web: Source, own: Named) -> Life:
    """Three records, of which two are one customer."""
    return Life(doors, web, own)


def named(record: dict[str, Any]) -> tuple[str, str]:
    return record["type"], record["value"]


def ends(step: dict[str, Any]) -> set[tuple[str, str]]:
    return {named(step["link"][end]) for end in "ab"}


@pytest.mark.feature("I2")
def test_how_tells_the_order_in_which_records_join_and_the_weakest_link(life: Life) -> None:
    word = life.say("same", "she showed the card")
    answer = life.ask("how")
    first, last = answer["steps"]
    assert (ends(first), first["link"]["kind"], first["link"]["event_id"]) == (
        {life.crm, life.card}, "same_asserted", word,
    )  # fmt: skip
    assert (first["a_records"], first["b_records"], first["weakest"]) == (1, 1, False)
    assert (ends(last), last["link"]["kind"], last["weakest"]) == ({life.crm, life.mail}, "seen_together", True)
    assert {last["a_records"], last["b_records"]} == {1, 2}
    assert answer["weakest"] == last
    assert [step["hanging"] for step in answer["steps"]] == [1, 1]
    assert answer["totals"] == {"records": 3, "steps": 2}
    assert "3 records became one customer in 2 steps" in answer["why"]
    assert f"was seen with email:{life.mail[1]} by webshop on 2026-03-01" in answer["why"]


@pytest.mark.feature("I2")
def test_history_tells_founded_joined_and_left_with_their_reasons(life: Life) -> None:
    same = life.say("same", "she showed the card")
    life.say("different", "it is her mother's card")
    answer = life.ask("history")
    told = [d for d in answer["decisions"] if d["decision"] in ("founded", "joined", "left")]
    assert [d["decision"] for d in told] == ["left", "joined", "joined", "founded"]
    left, by_word, by_event, founded = told
    assert [named(r) for r in founded["records"]] == [life.crm]
    (mail,) = by_event["records"]
    assert (named(mail), mail["from"], named(mail["because"]["with"])) == (life.mail, None, life.crm)
    assert (mail["because"]["kind"], mail["because"]["source"]) == ("seen_together", "webshop")
    (card,) = by_word["records"]
    assert (named(card), card["from"]) == (life.card, card["record_id"])
    because = card["because"]
    assert (because["kind"], because["event_id"], because["reason"], because["actor"]) == (
        "same_asserted", same, "she showed the card", "olga",
    )  # fmt: skip
    (gone,) = left["records"]
    assert (named(gone), gone["to"], life.customer(life.card)) == (life.card, gone["record_id"], gone["record_id"])
    versions = [d["version"] for d in answer["decisions"]]
    assert versions == sorted(versions, reverse=True) == list(range(len(versions), 0, -1))
    assert (answer["totals"]["decisions"], answer["next_cursor"]) == (len(versions), None)
    assert life.ask("how")["totals"] == {"records": 2, "steps": 1}


def test_history_is_read_page_by_page(life: Life) -> None:
    life.say("same", "one")
    life.say("different", "two")
    whole = life.ask("history")["decisions"]
    paged: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = life.ask("history", **query)
        assert len(page["decisions"]) <= 2
        assert page["totals"]["decisions"] == len(whole)
        paged += page["decisions"]
        if page["next_cursor"] is None:
            break
        assert page["next_cursor"] == str(page["decisions"][-1]["version"])
        query["cursor"] = page["next_cursor"]
    assert paged == whole


def test_an_old_id_answers_with_todays_customer_and_what_was_decided_under_it_is_kept(
    life: Life, web: Source, own: Named
) -> None:
    """She makes an account, after which the customer is named from then on."""
    old, account = life.customer_id, {"user_id": own("ann")}
    signed_up = {"type": "contact.identified", "identifiers": {**account, "email": life.mail[1]}}
    life.position = life.doors.send(web, signed_up)
    today = life.customer(("user_id", own("ann")))
    assert today != old
    for page in ("how", "history"):
        answer = life.ask(page, old)
        assert (answer["customer_id"], answer["requested_id"]) == (today, old)
    answer = life.ask("history", old)
    assert (answer["of"], answer["former"]) == (today, [old])
    joined = answer["decisions"][0]["records"]
    assert {(named(r), r["from"]) for r in joined} == {(life.crm, old), (life.mail, old)}
    earlier = life.ask("history", former=old)
    assert (earlier["customer_id"], earlier["of"]) == (today, old)
    assert [d["decision"] for d in earlier["decisions"]] == ["left", "joined", "founded"]
    assert {(named(r), r["to"], r["constraint"]) for r in earlier["decisions"][0]["records"]} == {
        (life.crm, today, None), (life.mail, today, None),
    }  # fmt: skip
    told = life.doors.copy.command("identity", "history", today, "--former", old)
    assert f"crm_id.acme:{life.crm[1]} to {today}" in told


def test_a_customer_that_never_was_more_than_one_record_is_told_so(life: Life) -> None:
    alone = life.customer(life.card)
    answer = life.ask("history", alone)
    assert (answer["decisions"], answer["next_cursor"], answer["totals"]) == ([], None, {"decisions": 0})
    assert answer["why"].startswith(f"loyalty_id:{life.card[1]} never was more than one record")
    assert life.ask("how", alone)["why"] == f"loyalty_id:{life.card[1]} is one record: nothing had to join."


def test_what_cannot_be_asked_is_told_so(life: Life) -> None:
    path = f"/v1/customers/{life.customer_id}/identity/history"
    for query in ({"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"cursor": "0"}, {"former": "x"}):
        response = life.doors.ask(path, **query)
        assert (response.status_code, response.json()["type"]) == (400, "bad-request"), query
    strangers = life.doors.ask(path, former=life.customer(life.card))
    assert (strangers.status_code, strangers.json()["type"]) == (404, "unknown-customer")
    for page in ("how", "history"):
        unknown = life.doors.ask(f"/v1/customers/00000000-0000-4000-8000-000000000000/identity/{page}")
        assert (unknown.status_code, unknown.json()["type"]) == (404, "unknown-customer")


def test_without_pii_both_are_told_without_a_word_of_a_person(life: Life) -> None:
    life.say("same", "zqxplanted reason")
    for page in ("how", "history"):
        shown = life.ask(page, key=life.doors.key("profile:read"))
        assert shown["masked"]
        assert not [word for word in ("zqxplanted", life.mail[1], "olga") if word in str(shown)]
    assert "zqxplanted" in str(life.ask("history"))


@pytest.mark.feature("I2")
def test_the_commands_tell_both(life: Life) -> None:
    life.say("same", "she showed the card")
    copy, ann = life.doors.copy, f"crm_id.acme:{life.crm[1]}"
    told = copy.command("identity", "how", ann)
    assert "3 records became one customer" in told
    assert "weakest" in told
    assert copy.json("identity", "how", life.customer_id)["totals"]["steps"] == 2
    told = copy.command("identity", "history", ann)
    assert "founded" in told
    assert f"same_asserted with {ann} by olga: she showed the card" in told
    page = copy.json("identity", "history", ann, "--limit", "1")
    assert [d["decision"] for d in page["decisions"]] == ["joined"]
    rest = copy.json("identity", "history", ann, "--cursor", page["next_cursor"])
    assert [d["decision"] for d in rest["decisions"]] == ["joined", "founded"]
