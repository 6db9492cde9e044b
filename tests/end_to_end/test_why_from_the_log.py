"""Why, from the log alone: every stored decision and every answered way follows of the events, by pure functions.

The story is told to a running copy event by event. What it answered meanwhile is kept; then the log is read with a
plain consumer, and folded again without any of the copy's tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import pytest

from services.identity.domain import explain, joined
from services.identity.domain.history import history
from services.profile.domain import sentence
from tests.support import deployment
from tests.support.deciding import Deciding, Told, in_time
from tests.support.doors import VISIBLE_MS, Doors, Source
from tests.support.load import read

ANN, MAIL, USER = ("crm_id.shop", "ann"), ("email", "ann@post.example"), ("user_id", "u-1")
ALIKE, CARD, RIVAL = ("crm_id.fair", "7"), ("loyalty_id", "card"), ("user_id", "u-2")
KNOWN = (ANN, MAIL, USER, ALIKE, CARD, RIVAL)
TRAITS = {"firstName": "Elisabeth", "lastName": "Okafor", "birthday": "1984-05-17"}
MISSPELT = {"firstName": "Elizabeth", "lastName": "Okafour", "birthday": "1984-05-17"}
Name = tuple[str, str]


pytestmark = pytest.mark.faults
"""A copy of its own with nothing else in its log: half a minute before the first question."""


@dataclass
class Answered:
    """What the copy answered after each event; `paths`: (from, to) → the answer."""

    doors: Doors
    paths: list[dict[tuple[Name, Name], Any]] = field(default_factory=list)
    position: str = ""

    def hear(self, position: str, known: tuple[Name, ...]) -> None:
        """Wait until the event is visible, and ask for every way there may be."""
        self.position = position
        at: dict[str, Any] = {"min_position": position, "wait_ms": VISIBLE_MS}
        found = {}
        for start, end in permutations(known, 2):
            ends = {"from": ":".join(start), "to": ":".join(end)}
            response = self.doors.ask("/v1/identity/path", **{**at, **ends})
            assert response.status_code == 200, response.text
            found[start, end] = response.json()
        self.paths.append(found)

    def ask(self, page: str, customer_id: str, **query: Any) -> dict[str, Any]:
        """A page below a customer's identity, as it is in the end."""
        response = self.doors.ask(f"/v1/customers/{customer_id}/identity{page}", **query)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


def imported(*identifiers: Name, day: int, traits: dict[str, str] | None = None) -> dict[str, Any]:
    event = {"type": "contact.imported", "time": f"2026-03-0{day}T10:00:00Z", "identifiers": dict(identifiers)}
    return {**event, "traits": traits} if traits else event


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    """The story, told to a copy of its own: nothing else is in its log."""
    with deployment.running(tmp_path_factory.mktemp("alone")) as copy:
        doors = Doors(copy)
        _tell(story := Answered(doors), doors.source("shop"))
        yield story
        doors.close()


def _tell(story: Answered, shop: Source) -> None:
    """Merges by a shared identifier, by likeness and by an operator's word; a refusal; a split."""
    send = story.doors.send
    story.hear(send(shop, imported(ANN, MAIL, day=1, traits=TRAITS)), KNOWN[:2])
    story.hear(send(shop, imported(USER, MAIL, day=2)), KNOWN[:3])
    story.hear(send(shop, imported(ALIKE, day=3, traits=MISSPELT)), KNOWN[:4])
    story.hear(send(shop, imported(CARD, day=4)), KNOWN[:5])
    story.hear(_say(story, "same", USER, CARD, "she showed the card"), KNOWN[:5])
    story.hear(send(shop, imported(RIVAL, MAIL, day=5)), KNOWN)
    story.hear(_say(story, "different", ANN, ALIKE, "cousins, met both"), KNOWN)


def _say(story: Answered, kind: str, one: Name, other: Name, reason: str) -> str:
    pair = [{"type": type_, "value": value} for type_, value in (one, other)]
    body = {"kind": kind, "records": pair, "reason": reason, "actor": {"id": "olga"}}
    given = story.doors.post_api("/v1/identity/assertions", body)
    assert given.status_code == 202, given.text
    return str(given.json()["position"])


@pytest.fixture(scope="module")
def told(answered: Answered) -> list[Told]:
    """What follows of the log alone, up to each of its events."""
    deciding = Deciding()
    found = [deciding.take(record) for record in in_time(read(answered.doors.copy.kafka, "channel.events"))]
    assert len(found) == len(answered.paths), "the log holds the story and nothing else"
    return found


def _as_answered(body: Any) -> Any:
    return json.loads(json.dumps(body))


def _id_of(told: Told, name: Name) -> str:
    (found,) = [r.record_id for r in told.weighed.records.values() if (r.type, r.value) == name]
    return found


@pytest.mark.feature("I2")
def test_every_way_that_was_answered_follows_of_the_log_up_to_then(answered: Answered, told: list[Told]) -> None:
    same: set[bool] = set()
    for then, ways in zip(told, answered.paths, strict=True):
        for (start, end), answer in ways.items():
            found = explain.path(then.weighed, _id_of(then, start), _id_of(then, end))
            assert _as_answered({**found, "why": sentence(found["why"]), "masked": []}) == answer
            same.add(answer["same_customer"])
    assert same == {True, False}


@pytest.mark.feature("I2")
def test_every_stored_decision_with_its_reasons_follows_of_the_log_alone(
    answered: Answered, told: list[Told]
) -> None:
    last = told[-1]
    names = last.weighed.records
    words = {word.key: word for word in last.weighed.words.values()}
    kinds, reasons = set(), set()
    for stream, decided in last.decided.items():
        customer_id = last.weighed.customer_of(stream)
        answer = answered.ask("/history", customer_id, former=stream, limit=100)
        found = history(customer_id, stream, decided[::-1], len(decided), names, words)
        assert answer["decisions"] == _as_answered(found["decisions"])
        assert (answer["of"], answer["why"]) == (stream, sentence(found["why"]))
        kinds |= {d["decision"] for d in answer["decisions"]}
        reasons |= {r["because"]["kind"] for d in answer["decisions"] if d["decision"] == "joined"
                    for r in d["records"]}  # fmt: skip
    assert kinds == {"founded", "joined", "left", "refused"}
    assert reasons == {"seen_together", "similar", "same_asserted"}


def test_the_members_after_each_stored_decision_are_those_that_follow_of_the_log(
    answered: Answered, told: list[Told]
) -> None:
    last = told[-1]
    sizes = set()
    for stream in last.decided:
        answer = answered.ask("/history", last.weighed.customer_of(stream), former=stream, limit=100)
        for then in told:
            until_then = len(then.decided.get(stream, ()))
            stored = [d for d in answer["decisions"] if d["version"] <= until_then]
            if stored:
                members = then.members.get(stream, frozenset())
                assert _members(stored[::-1]) == members
                sizes.add(len(members))
    assert sizes >= {0, 1, 2, 4, 5}, "an id that nobody has any more, one record, and what was joined step by step"


def _members(decisions: list[dict[str, Any]]) -> frozenset[str]:
    """Folded of what was answered."""
    found: set[str] = set()
    for decision in decisions:
        ids = {r["record_id"] for r in decision.get("records", ())}
        if decision["decision"] in ("founded", "joined"):
            found |= ids
        elif decision["decision"] == "left":
            found -= ids
    return frozenset(found)


def test_how_records_join_follows_of_the_log_and_a_split_leaves_the_others_as_they_were(
    answered: Answered, told: list[Told]
) -> None:
    last = told[-1]
    for customer_id in last.members:
        found = joined.how(last.weighed, customer_id)
        answer = answered.ask("/how", customer_id)
        assert answer == _as_answered(
            {**found, "requested_id": customer_id, "why": sentence(found["why"]), "masked": []}
        )
    user, alike = _id_of(last, USER), _id_of(last, ALIKE)
    assert last.members[user] == {_id_of(last, n) for n in (ANN, MAIL, USER, CARD)}
    assert last.members[alike] == {alike}
    assert told[-2].members[user] == last.members[user] | {alike}
