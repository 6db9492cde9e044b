"""What to do for a customer, asked by an app over the public doors: decided, kept, shown, merged, erased, refused."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.end_to_end.test_erasure import erase, records_of
from tests.support.doors import Doors, Named, Source, a_phone
from tests.support.treatments import CALL, HOME, a_good_customer, ask, decided

NOBODY = {"type": "user_id", "value": "nobody-at-all"}


@pytest.fixture
def ann(doors: Doors, web: Source, own: Named) -> str:
    return a_good_customer(doors, web, own)


@pytest.mark.feature("C2")
def test_an_app_asks_and_is_told_what_to_do_and_why_and_the_log_has_it(doors: Doors, ann: str) -> None:
    found = decided(doors, {"customer_id": ann}, **CALL, key=doors.key("treatment:decide"))
    assert (found["customer_id"], found["action"]["action_id"]) == (ann, "answer_first")
    assert (found["action"]["kind"], found["action"]["parameters"]) == ("service_level", {"queue": "first"})
    assert found["candidates"][0]["action_id"] == "answer_first"
    assert {"action_id": "keep_promise", "rule": "actions.keep_promise.when"}.items() <= next(
        one for one in found["left_out"] if one["action_id"] == "keep_promise"
    ).items()
    document = doors.profile(ann, found["position"])
    (item,) = document["treatment"]["open"]
    assert (item["treatment_id"], item["action_id"]) == (found["treatment_id"], "answer_first")
    assert "treatment" not in document["meta"]["missing"]
    line = doors.timeline(ann, found["position"])[0]
    assert (line["type"], line["source"], line["record_id"]) == ("treatment.decided", "customer360", ann)
    told = doors.ask(f"/v1/decisions/{found['treatment_id']}").json()
    assert (told["customer_id"], told["action_id"], told["gives_again"]) == (ann, "answer_first", True)
    assert told["candidates"] == found["candidates"]
    assert (told["policy_number"], told["seed"]) == (str(found["policy_number"]), found["seed"])
    assert told["profile_version"] == found["profile_version"] > 0


@pytest.mark.feature("C4", "C5")
def test_what_was_shown_and_came_of_it_is_known_whatever_record_tells_it(
    doors: Doors, web: Source, own: Named
) -> None:
    who = {"identifier": {"type": "anonymous_id", "value": own("visitor")}}
    found = decided(doors, who, **HOME)
    assert (found["customer_id"], found["action"]["action_id"]) == (None, "welcome")
    again = decided(doors, who, **HOME)
    assert again["seed"] == found["seed"]
    said = {"treatment_id": found["treatment_id"]}
    other = {"device_id": own("phone")}
    shown = {"type": "treatment.shown", "identifiers": other, "properties": said}
    refused = {"type": "treatment.outcome", "identifiers": other, "properties": {**said, "outcome": "rejected"}}
    position = doors.send(web, refused, shown)
    visitor = doors.customer_of("anonymous_id", own("visitor"), position)
    part = doors.profile(visitor, position)["treatment"]
    assert part["outcomes"] == {"rejected": 1}
    assert part["pressure"] == {"shown_1d": 1, "shown_7d": 1, "shown_30d": 1}
    assert [one["treatment_id"] for one in part["open"]] == [again["treatment_id"]]
    told = doors.ask(f"/v1/decisions/{found['treatment_id']}").json()
    assert (told["outcome"], told["shown_at"] is not None) == ("rejected", True)
    now = decided(doors, who, **HOME)
    # He is somebody now of whom nearly everything is missing.
    assert (now["action"]["action_id"], now["action"]["kind"]) == ("ask_what_is_missing", "question")
    assert now["action"]["parameters"]["ask_for"][0] == doors.profile(visitor)["contact"]["ask_next"][0]["ask_for"]
    rest = next(one for one in now["left_out"] if one["action_id"] == "welcome")
    assert (rest["rule"], rest["why"]) == ("actions.welcome.rest_days", {"days_left": 30})
    assert doors.profile(visitor, now["position"])["treatment"]["last"][0]["treatment_id"] == now["treatment_id"]


def test_asked_again_under_its_key_it_is_the_same_decision_and_another_question_is_refused(
    doors: Doors, ann: str, own: Named
) -> None:
    who = {"customer_id": ann}
    one, two = (decided(doors, who, **CALL, sent_id=own("k")) for _ in range(2))
    for name in ("treatment_id", "action", "decided_at", "candidates", "seed"):
        assert one[name] == two[name], name
    other = ask(doors, who, **HOME, sent_id=own("k"))
    assert (other.status_code, other.json()["type"]) == (400, "bad-request")
    lines = [i for i in doors.timeline(ann, two["position"]) if i["type"] == "treatment.decided"]
    assert len(lines) == 1


def test_who_becomes_one_has_the_treatments_of_both_and_who_is_erased_has_none(
    doors: Doors, web: Source, ann: str, own: Named
) -> None:
    first = decided(doors, {"customer_id": ann}, **CALL)
    visitor = {"identifier": {"type": "device_id", "value": own("phone")}}
    second = decided(doors, visitor, **HOME, sent_id=own("kept"))
    both = {"user_id": own("ann"), "device_id": own("phone")}
    position = doors.send(web, {"type": "contact.identified", "identifiers": both})
    part = doors.profile(ann, position)["treatment"]
    assert {one["treatment_id"] for one in part["last"]} == {first["treatment_id"], second["treatment_id"]}
    records = asyncio.run(records_of(doors.copy.database, ann))
    assert asyncio.run(_rows(doors.copy.database, records)) > 0
    erase(doors, ann)
    assert asyncio.run(_rows(doors.copy.database, records)) == 0
    gone = ask(doors, {"customer_id": ann}, **CALL)
    assert (gone.status_code, gone.json()["type"]) == (410, "erased")
    gone = ask(doors, visitor, **HOME)
    assert (gone.status_code, gone.json()["type"]) == (410, "erased")
    assert doors.ask(f"/v1/decisions/{first['treatment_id']}").status_code == 404


async def _rows(database: str, records: list[str]) -> int:
    """Rows of treatment's tables that name one of these records."""
    connection = await asyncpg.connect(database)
    try:
        tables = ("treatment_g1.word", "treatment_g1.treated", "treatment.reply")
        counts = [
            await connection.fetchval(f"SELECT count(*) FROM {t} WHERE record_id = any($1::uuid[])", records)
            for t in tables
        ]
        return sum(counts)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("body", "status", "kind", "named"),
    [
        ({**CALL}, 400, "bad-request", "customer_id or identifier"),
        ({**CALL, "customer_id": "x", "identifier": {"type": "email", "value": "x"}}, 400, "bad-request", "body"),
        ({**CALL, "customer_id": "x"}, 404, "unknown-customer", ""),
        ({**CALL, "customer": "00000000-0000-0000-0000-000000000000"}, 404, "unknown-customer", ""),
        ({**CALL, "identifier": {"type": "email", "value": "undefined"}}, 400, "bad-request", "identifier.value"),
        ({**CALL, "identifier": {"type": "group_id", "value": "g1"}}, 400, "bad-request", "identifier.type"),
        ({"customer_id": "x", "placement": "home", "channel": "telepathy"}, 400, "bad-request", "body.channel"),
        ({"customer_id": "x", "channel": "web"}, 400, "bad-request", "body.placement"),
        ({**CALL, "customer_id": "x", "surprise": 1}, 400, "bad-request", "body.surprise"),
        ({**CALL, "identifier": NOBODY, "context": {"x": "y" * 9_000}}, 413, "too-large", "body.context"),
    ],
)
def test_what_cannot_be_asked_is_said(doors: Doors, body: dict[str, Any], status: int, kind: str, named: str) -> None:
    response = ask(doors, body)
    assert (response.status_code, response.json()["type"]) == (status, kind), response.text
    assert named in response.json()["detail"]


def test_a_shared_value_is_ambiguous(doors: Doors, web: Source, own: Named) -> None:
    phone = a_phone()
    shared = [
        {"type": "contact.identified", "identifiers": {"user_id": own(name), "phone": phone}}
        for name in ("ann", "bob")
    ]
    doors.customer_of("user_id", own("ann"), doors.send(web, *shared))
    response = ask(doors, {"identifier": {"type": "phone", "value": phone}}, **CALL)
    assert (response.status_code, response.json()["type"]) == (409, "ambiguous")
    assert phone[-6:] not in response.text


def test_an_app_cannot_speak_as_the_one_who_decides(doors: Doors, ann: str) -> None:
    said = {"treatment_id": "trt_" + "a" * 32, "action_id": "tea", "placement": "home"}
    refused = doors.post_api(f"/v1/customers/{ann}/events", {"type": "treatment.decided", "properties": said})
    assert (refused.status_code, refused.json()["type"]) == (403, "not-permitted")
