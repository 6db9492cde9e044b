"""What comes to pass of a customer reaches who listens: a promise that is due, a low answer, a leaving.

And what was taken back, and who became one, is on his timeline as people read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import rfc3339
from tests.support.doors import Doors, Named, Source
from tests.support.receiver import Receiver, receiving
from tests.support.running import until
from tests.support.streams import Sent, listening

TOLD_WITHIN_S = 20.0
DUE_IN_S = 3.0
AT = "2026-03-0{}T10:00:00Z"
TYPES = ["promise.due", "feedback.detractor", "customer.defected"]


@pytest.fixture
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(Path(tmp_path_factory.mktemp("receiver"))) as one:
        yield one


def said(own: Named, kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "identifiers": {"user_id": own("ann")}, "properties": properties}


def happened(doors: Doors, web: Source, own: Named) -> tuple[str, str]:
    """(customer, when his promise is due): one was kept, one was not; he is not content, and he left."""
    due_at = rfc3339(datetime.now(UTC) + timedelta(seconds=DUE_IN_S))
    promise = {"promise_id": own("p"), "text": "call back", "due_at": due_at, "conversation_id": own("c")}
    kept = {"promise_id": own("kept"), "text": "send it", "due_at": due_at}
    doors.send(web, said(own, "promise.made", **promise), said(own, "promise.made", **kept))
    doors.send(web, said(own, "promise.kept", promise_id=own("kept")))
    answer = {"survey_id": "nps", "response_id": own("r"), "scale": "nps", "score": 2, "text": "Never again."}
    low, left = said(own, "feedback.given", **answer), said(own, "relationship.ended", reason="too expensive")
    return doors.customer_of("user_id", own("ann"), doors.send(web, low, left)), due_at


@pytest.mark.feature("T2", "T4", "D5", "T5")
def test_a_promise_due_a_detractor_and_a_defection_are_told_once_on_a_stream_and_to_the_endpoint_that_asked(
    doors: Doors, web: Source, own: Named, receiver: Receiver
) -> None:
    given = {"url": receiver.url("told"), "timeout_ms": 1_000, "types": TYPES}
    made = doors.post_api("/v1/webhooks", given)
    assert made.status_code == 201, made.text
    ann, due_at = happened(doors, web, own)
    with listening(doors, f"/v1/customers/{ann}/stream", after="begin") as stream:
        heard = stream.until(lambda sent: sent.type == "promise.due")
        assert datetime.now(UTC) >= datetime.fromisoformat(due_at)
        for kind in sorted(set(TYPES) - {sent.type for sent in heard}):
            heard += stream.until(lambda sent, kind=kind: sent.type == kind)  # type: ignore[misc]
        doors.send(web, said(own, "note.added", text="x"))
        heard += stream.until(lambda sent: sent.type == "customer.updated")
    about = of(heard)
    assert all(about[kind].pop("version") > 0 for kind in TYPES)
    assert about["promise.due"] == {
        "customer_id": ann, "promise_id": own("p"), "due_at": due_at, "by": "us", "conversation_id": own("c"),
    }  # fmt: skip
    said_low = {"survey_id": "nps", "response_id": own("r"), "scale": "nps", "score": 2, "follow_up": "open"}
    assert said_low.items() <= about["feedback.detractor"].items()
    assert {"state": "defected", "cause": "price"}.items() <= about["customer.defected"].items()
    assert doors.profile(ann)["interaction"]["promises"][0]["overdue"] is True
    assert "Never" not in str(heard)
    until(lambda: len(receiver.got("told")) >= len(TYPES), "the endpoint is told", TOLD_WITHIN_S)
    told = {one.event["id"]: one for one in receiver.got("told") if one.event["subject"] == ann}
    assert sorted(one.event["type"] for one in told.values()) == sorted(TYPES)
    assert all(one.is_signed_with(made.json()["secret"]) for one in told.values())
    bearer = {"Authorization": f"Bearer {doors.copy.operator_key}"}
    removed = doors.http.delete(f"{doors.copy.profile}/v1/webhooks/{made.json()['webhook_id']}", headers=bearer)
    assert removed.status_code == 204


@pytest.mark.feature("T1")
def test_the_command_and_the_page_show_what_was_taken_back_and_who_became_one(
    doors: Doors, own: Named, tmp_path: Path
) -> None:
    desk = doors.source("corrector", "--may", "retract")
    user, mail = {"user_id": own("ann")}, {"email": f"{own('ann')}@mail.example"}
    note = {
        "type": "note.added",
        "time": AT.format(1),
        "identifiers": user,
        "id": own("n"),
        "properties": {"text": "wrong person"},
    }
    about = {"source": desk.name, "id": own("n"), "reason": "a slip"}
    back = {"type": "event.retracted", "time": AT.format(8), "identifiers": user, "properties": about}
    seen = {"type": "page.viewed", "time": AT.format(2), "identifiers": mail, "properties": {"path": "/"}}
    doors.send(desk, note, seen, {**seen, "identifiers": user})
    met = {
        "type": "contact.identified",
        "time": AT.format(5),
        "identifiers": {**user, **mail},
        "traits": {"name": "Ann"},
    }
    ann = doors.customer_of("user_id", own("ann"), doors.send(desk, back, met))
    file = tmp_path / "ann.html"
    said = doors.copy.command("customer", ann, "--timeline")
    doors.copy.command("customer", ann, "--html", str(file))
    for shown in (" ".join(said.split()), file.read_text()):
        assert "Became one with another customer" in shown
        assert "seen together" in shown
        assert "taken back on 8 Mar 2026" in shown
        assert "a slip" in shown


def of(heard: list[Sent]) -> dict[str, Any]:
    """Type → data of what came to pass; each came once."""
    found = [sent for sent in heard if sent.type in TYPES]
    assert len(found) == len(TYPES)
    return {sent.type: dict(sent.data["data"]) for sent in found}
