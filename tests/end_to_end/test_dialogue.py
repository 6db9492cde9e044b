"""A talk goes on where the last one ended, over all channels, through a merge and a split that leave no trace."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.support.doors import Doors, Named, Source, later_of

TIME = "2026-03-{:02}T10:00:00Z"


@pytest.fixture
def crm(doors: Doors) -> Source:
    """The help desk and CRM, which may say who is the same."""
    return doors.source("crm", "--may", "assert")


class Talk:
    """One visitor and one CRM contact, who turn out to be one person."""

    def __init__(self, doors: Doors, web: Source, crm: Source, own: Named) -> None:
        self.doors, self.web, self.crm, self.own = doors, web, crm, own
        self.visitor = {"anonymous_id": own("visitor")}
        self.contact = {"crm_id.desk": own("77")}

    def event(self, who: dict[str, Any], day: int, kind: str, channel: str, **data: Any) -> dict[str, Any]:
        """Something of one of the two."""
        return {"type": kind, "time": TIME.format(day), "identifiers": who, "channel": channel, **data}

    def visited(self) -> str:
        """He browses, calls and gets a promise, under his cookie."""
        call = {
            "summary": "Wants to know where the parcel is", "topics": ["parcel"],
            "promises": [{"promise_id": self.own("p1"), "text": "call back about the parcel"}],
            "questions": [{"question_id": "size", "text": "Which size?", "answer": "42"}],
        }  # fmt: skip
        return self.doors.send(
            self.web,
            self.event(self.visitor, 1, "page.viewed", "web", properties={"url": "/parcel"}),
            self.event(self.visitor, 2, "call.held", "call", properties=call),
            self.event(self.visitor, 2, "consent.granted", "web", properties={"purpose": "marketing"}),
        )

    def wrote(self) -> str:
        """He mails, answers a survey and complains in a chat, under his CRM number."""
        survey = {"survey_id": "nps", "response_id": self.own("a1"), "question_id": "nps"}
        answer = {**survey, "score": 2, "scale": "nps", "text": "slow delivery"}
        said = {"conversation_id": self.own("c1"), "text": "My parcel is broken!", "sentiment": -0.8}
        withdrawn = {"purpose": "marketing", "channels": ["email"]}
        mail = {"text": "Please send an invoice", "message_id": self.own("m1")}
        return self.doors.send(
            self.crm,
            self.event(self.contact, 1, "contact.imported", "import", traits={"firstName": "Ann"}),
            self.event(self.contact, 3, "message.replied", "email", properties=mail),
            self.event(self.contact, 4, "survey.asked", "email", direction="outbound", properties=survey),
            self.event(self.contact, 5, "feedback.given", "email", properties=answer),
            self.event(self.contact, 6, "conversation.message", "chat", properties=said),
            self.event(self.contact, 7, "consent.withdrawn", "email", properties=withdrawn),
        )

    def word(self, kind: str, day: int) -> str:
        """An operator's word on the two."""
        pair = [{"type": t, "value": v} for who in (self.visitor, self.contact) for t, v in who.items()]
        properties = {"records": pair, "reason": "checked"}
        return self.doors.send(self.crm, self.event(self.contact, day, kind, "other", properties=properties))

    def of(self, who: dict[str, Any], position: str) -> dict[str, Any]:
        """What is known of one of them: the document's parts, conversations, where to resume, feedback."""
        ((type_, value),) = who.items()
        customer_id = self.doors.customer_of(type_, value, position)
        found = {"document": self.doors.profile(customer_id, position)}
        for page in ("conversations", "conversations/resume", "known", "feedback"):
            answer = self.doors.ask(f"/v1/customers/{customer_id}/{page}", min_position=position, wait_ms=10_000)
            assert answer.status_code == 200, answer.text
            found[page] = answer.json()
        document = found.pop("document")
        parts = ("interaction", "needs", "preferences", "consents")
        return {**found, **{part: document[part] for part in parts}, "reachable": document["contact"]["reachable"]}


@pytest.fixture
def talk(doors: Doors, web: Source, crm: Source, own: Named) -> Talk:
    return Talk(doors, web, crm, own)


def open_points(found: dict[str, Any]) -> list[str]:
    """Texts of what is open, sorted."""
    return sorted(point["text"] for point in found["conversations/resume"]["open_points"])


async def _rows(doors: Doors, customers: list[str]) -> dict[str, set[Any]]:
    """Where the rows of these customers lie: a row that is rewritten lies elsewhere."""
    connection = await asyncpg.connect(doors.copy.database)
    try:
        found = {}
        for table in ("history", "fact"):
            rows = await connection.fetch(
                f"SELECT t.ctid::text AS at FROM interaction_g1.{table} t JOIN interaction_g1.member m"
                " ON m.member_id = t.record_id WHERE m.group_id = any($1::uuid[])",
                customers,
            )
            found[table] = {r["at"] for r in rows}
        return found
    finally:
        await connection.close()


@pytest.mark.feature("T1", "T2", "T3", "T4")
def test_a_talk_goes_on_where_it_ended_and_a_split_restores_what_each_had(talk: Talk) -> None:
    position = later_of(talk.visited(), talk.wrote())
    visitor, contact = talk.of(talk.visitor, position), talk.of(talk.contact, position)
    assert open_points(visitor) == ["call back about the parcel"]
    assert open_points(contact) == ["My parcel is broken!", "Please send an invoice"]
    assert visitor["consents"]["marketing"]["state"] == "granted"
    ids = [talk.doors.customer_of(t, v, position) for who in (talk.visitor, talk.contact) for t, v in who.items()]
    before = asyncio.run(_rows(talk.doors, ids))

    position = later_of(position, talk.word("identity.same_asserted", 8))
    one = talk.of(talk.visitor, position)
    assert one == talk.of(talk.contact, position)
    assert open_points(one) == ["My parcel is broken!", "Please send an invoice", "call back about the parcel"]
    resume = one["conversations/resume"]
    assert resume["greeting_name"] == "Ann"
    assert [p["text"] for p in resume["promises_due"]] == ["call back about the parcel"]
    assert "size" in [q["question_id"] for q in resume["do_not_ask"]]
    assert resume["tone"] == "negative"
    assert one["known"]["questions"]
    assert (one["feedback"]["nps"]["score"], one["feedback"]["surveys"][0]["follow_up"]) == (-100, "open")
    marketing = one["consents"]["marketing"]
    assert (marketing["state"], marketing["channels"]) == ("withdrawn", ["email"])
    assert marketing["by_channel"]["all"]["state"] == "granted"
    assert one["reachable"]["email"]["allowed"] is False
    after = asyncio.run(_rows(talk.doors, ids))
    assert before["history"] <= after["history"]
    assert before["fact"] == after["fact"], "a merge rewrites nothing that was said"
    print(f"rows of history and facts rewritten by the merge: 0 of {len(before['history']) + len(before['fact'])}")

    position = later_of(position, talk.word("identity.different_asserted", 9))
    assert talk.of(talk.visitor, position) == visitor
    parted = talk.of(talk.contact, position)
    # The two words were told under the contact's record: its history has them, and nothing else is other.
    for found in (contact, parted):
        for name in ("count", "last", "by_type", "by_channel", "last_at"):
            del found["interaction"][name]
    assert parted == contact


@pytest.mark.feature("T2")
def test_what_was_asked_is_remembered_and_masked_for_those_who_may_not_see_it(talk: Talk) -> None:
    position = talk.visited()
    customer_id = talk.doors.customer_of("anonymous_id", talk.own("visitor"), position)
    ask: dict[str, Any] = {"question": "which size", "min_position": position, "wait_ms": 10_000}
    page = f"/v1/customers/{customer_id}/known"
    known = talk.doors.ask(page, **ask).json()
    assert (known["known"], known["answer"], known["ask_again"], known["because"]) == (True, "42", False, "answered")
    masked = talk.doors.ask(page, key=talk.doors.key("events:read"), **ask).json()
    assert masked["answer"] != "42"
    assert "answer" in masked["masked"]
    never = talk.doors.ask(page, question="shoe colour").json()
    assert (never["known"], never["ask_again"], never["because"]) == (False, True, "never_asked")
    assert talk.doors.ask(page, key=talk.doors.key("profile:read")).status_code == 403


@pytest.mark.feature("T4")
def test_feedback_adds_up_over_time(talk: Talk) -> None:
    position = talk.wrote()
    customer_id = talk.doors.customer_of("crm_id.desk", talk.own("77"), position)
    own = talk.doors.ask(f"/v1/customers/{customer_id}/feedback", min_position=position, wait_ms=10_000).json()
    assert (own["nps"]["detractors"], own["response_rate"]) == (1, "1.00")
    months: dict[str, Any] = {"from": "2026-03", "to": "2026-04"}
    totals = talk.doors.ask("/v1/feedback", **months).json()
    assert [month["month"] for month in totals["by_month"]] == ["2026-03"]
    assert totals["total"]["nps"]["detractors"] >= 1
    assert talk.doors.ask("/v1/feedback", **(months | {"from": "March"})).status_code == 400
