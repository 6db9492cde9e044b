"""What to do for a customer, asked by an app over the public doors: decided, kept, shown, and learnt from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.end_to_end.test_erasure import erase, records_of
from tests.support.doors import Doors, Named, Source, a_phone

CALL = {"channel": "call", "placement": "call_screen"}
NOBODY = {"type": "user_id", "value": "nobody-at-all"}
HOME = {"channel": "web", "placement": "home"}


def ask(
    doors: Doors, who: dict[str, Any], *, key: str | None = None, sent_id: str | None = None, **more: Any
) -> httpx.Response:
    headers = {"Idempotency-Key": sent_id} if sent_id else {}
    return doors.post_api("/v1/decisions", {**who, **more}, key=key, headers=headers)


def decided(doors: Doors, who: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = ask(doors, who, **more)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["C360-Position"] == found["position"]
    return found


def valued(own: Named) -> list[dict[str, Any]]:
    """Ann, whom a large order made a customer of grade A, known by an account and a cookie."""
    ids = {"user_id": own("ann"), "anonymous_id": own("cookie")}
    order = {"order_id": own("o1"), "currency": "USD", "subtotal": "2500"}
    return [
        {"type": "contact.identified", "identifiers": ids, "traits": {"firstName": "Ann"}},
        {"type": "order.completed", "identifiers": {"user_id": own("ann")}, "properties": order},
    ]


@pytest.fixture
def ann(doors: Doors, web: Source, own: Named) -> str:
    position = doors.send(web, *valued(own))
    return doors.customer_of("user_id", own("ann"), position)


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


def test_a_key_needs_the_scope_and_one_without_leave_sees_no_personal_value(
    doors: Doors, ann: str, tried: Any, own: Named
) -> None:
    refused = ask(doors, {"customer_id": ann}, **CALL, key=doors.key("profile:read"))
    assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")
    where = {"field": "contact.name", "is": "Nobody"}
    with tried({"hello": {"kind": "message", "value": 1, "when": where}}):
        shown = [
            decided(doors, {"customer_id": ann}, **HOME, key=key)["left_out"][0]["why"]["actual"]
            for key in (None, doors.key("treatment:decide"))
        ]
    assert shown == [["Ann"], ["A•••"]]


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


@pytest.fixture
def tried(doors: Doors, tmp_path: Path) -> Any:
    """With a policy of these actions in force; afterwards the one before is."""
    pages, said = f"{doors.copy.internal['treatment']}/policy", {"by": "a test", "reason": "a test"}

    @contextmanager
    def put(actions: dict[str, Any], **more: Any) -> Iterator[Path]:
        before = doors.http.get(pages).json()["number"]
        policy = {"version": 1, "currency": "EUR", "actions": actions, **more}
        applied = doors.http.put(pages, json={**said, "document": policy})
        assert applied.status_code == 200, applied.text
        file = tmp_path / "policy.yaml"
        file.write_text(json.dumps(policy))
        try:
            yield file
        finally:
            back = doors.http.post(f"{pages}/rollback", json={**said, "number": before}, params={"execute": "true"})
            assert back.status_code == 200, back.text

    return put


@pytest.mark.feature("C3", "C6")
def test_business_people_draft_try_apply_and_take_back_a_policy(doors: Doors, ann: str, tmp_path: Path) -> None:
    shipped = doors.copy.json("treatment", "policy", "show")
    draft = tmp_path / "draft.yaml"
    offer = {"kind": "offer", "value": 10, "propensity": "0.2", "text": {"en": "Tea", "de": "Tee"}}
    draft.write_text(json.dumps({"currency": "EUR", "actions": {"tea": offer}}))
    found = doors.copy.json("treatment", "policy", "test", str(draft), "--channel", "web", "--placement", "home")
    assert found["customers"] > 0
    assert {"action_id": "tea", "in_force": 0, "tried": found["customers"]} in found["actions"]
    assert doors.copy.json("treatment", "policy", "show") == shipped, "nothing was changed"
    doors.copy.command("treatment", "policy", "apply", str(draft), "--reason", "tea sells", "--execute")
    try:
        now = decided(doors, {"customer_id": ann}, **HOME, context={"language": "de-AT"})
    finally:
        number = str(shipped["number"])
        doors.copy.command("treatment", "policy", "rollback", number, "--reason", "it does not", "--execute")
    assert (now["action"]["action_id"], now["action"]["text"]) == ("tea", "Tee")
    assert (now["candidates"][0]["score"], now["currency"]) == ("2", "EUR")
    assert now["policy_number"] == shipped["number"] + 1
    back = doors.copy.json("treatment", "policy", "show")
    assert (back["number"], back["document"]) == (shipped["number"] + 2, shipped["document"])
    draft.write_text(json.dumps({"currency": "EUR", "actions": {"tea": {**offer, "kind": "gift", "valeu": 1}}}))
    refused = doors.copy.run("treatment", "policy", "apply", str(draft), "--reason", "x", "--execute")
    assert refused.returncode == 1
    assert "actions.tea.kind" in refused.stderr
    assert "actions.tea.valeu" in refused.stderr


@pytest.mark.feature("T3", "T4", "C6")
def test_consent_and_an_open_follow_up_are_heeded(
    doors: Doors, web: Source, ann: str, tried: Any, own: Named
) -> None:
    offer = {"kind": "offer", "value": 10, "consent": "marketing"}
    bad = {"field": "interaction.feedback.open_follow_ups", "above": 0}
    with tried({"tea": offer}, suppress={"open_follow_up": {"when": bad}}):
        left = decided(doors, {"customer_id": ann}, **HOME)["left_out"][0]
        assert (left["rule"], left["why"]["state"]) == ("actions.tea.consent", "unknown")
        who = {"user_id": own("ann")}
        granted = {"type": "consent.granted", "identifiers": who, "properties": {"purpose": "marketing"}}
        doors.profile(ann, doors.send(web, granted))
        assert decided(doors, {"customer_id": ann}, **HOME)["action"]["action_id"] == "tea"
        score = {"score": 1, "scale": "nps", "survey_id": "s", "text": "bad"}
        complaint = {"type": "feedback.given", "identifiers": who, "properties": score}
        doors.profile(ann, doors.send(web, complaint))
        left = decided(doors, {"customer_id": ann}, **HOME)["left_out"][0]
        assert (left["rule"], left["why"]["actual"]) == ("suppress.open_follow_up.when", [1])


@pytest.mark.feature("C1", "C4")
def test_what_he_needs_next_is_offered_and_a_policy_is_scored_on_what_was_decided(
    doors: Doors, web: Source, tried: Any, tmp_path: Path, own: Named
) -> None:
    who, item = {"user_id": own("ann")}, own("tea")
    line = {"product_id": item, "quantity": 1, "price": 5, "category": "Tea"}
    orders = [
        {"type": "order.completed", "identifiers": who, "time": f"2026-0{month}-01T10:00:00Z",
         "properties": {"order_id": own(f"o{month}"), "currency": "USD", "products": [line]}}
        for month in (1, 2, 3)
    ]  # fmt: skip
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, *orders))
    suggest = {"kind": "offer", "value": 4, "when": {"field": "value.next.replenish.item", "exists": True},
               "fill": {"items": "value.next.replenish.item"}}  # fmt: skip
    with tried({"suggest": suggest, "wait": {"kind": "next_step", "value": 1}}) as file:
        found = decided(doors, {"customer_id": ann}, **HOME)
        assert found["action"]["action_id"] == "suggest", found["left_out"]
        assert item in found["action"]["parameters"]["items"]
        hidden = decided(doors, {"customer_id": ann}, **HOME, key=doors.key("treatment:decide"))
        assert (hidden["action"]["action_id"], hidden["action"]["parameters"]["items"]) == ("suggest", [])
        doors.profile(ann, hidden["position"])
        policy = json.loads(file.read_text())
        policy["actions"]["wait"]["value"] = 9
        other = tmp_path / "other.yaml"
        other.write_text(json.dumps(policy))
        same, moved = (
            doors.copy.json("treatment", "policy", "score", str(one), "--days", "1") for one in (file, other)
        )
        assert same["all"]["decided"] >= same["agreeing"]["decided"] >= 2
        changed = {(one["decided"], one["would_be"]): one["decisions"] for one in moved["others"]}
        assert changed["suggest", "wait"] == 2
        assert ("suggest", "wait") not in {(one["decided"], one["would_be"]) for one in same["others"]}


def test_an_app_cannot_speak_as_the_one_who_decides(doors: Doors, ann: str) -> None:
    said = {"treatment_id": "trt_" + "a" * 32, "action_id": "tea", "placement": "home"}
    refused = doors.post_api(f"/v1/customers/{ann}/events", {"type": "treatment.decided", "properties": said})
    assert (refused.status_code, refused.json()["type"]) == (403, "not-permitted")


@pytest.mark.feature("C5")
def test_experiments_count_by_variant_and_the_better_one_is_promoted(
    doors: Doors, web: Source, tried: Any, own: Named
) -> None:
    offer = {"kind": "offer", "value": 10, "propensity": "0.2"}
    experiment = {"share": "0.5", "change": {"tea": {"text": {"en": "Better tea"}}}}
    with tried({"tea": offer}, experiments={own("x"): experiment}):
        variants: dict[str, str] = {}
        for number in range(8):
            name = own(f"visitor{number}")
            found = decided(doors, {"identifier": {"type": "user_id", "value": name}}, **HOME)
            assert found["experiment"] == own("x")
            assert found["action"]["text"] == ("Better tea" if found["variant"] == "challenger" else None)
            variants[found["treatment_id"]] = found["variant"]
        said = [
            {"type": "treatment.outcome", "identifiers": {"user_id": own("v")},
             "properties": {"treatment_id": one, "outcome": "accepted" if variant == "challenger" else "rejected"}}
            for one, variant in variants.items()
        ]  # fmt: skip
        doors.customer_of("user_id", own("visitor0"), doors.send(web, *said))
        (told,) = doors.copy.json("treatment", "experiments")["experiments"]
        assert 0 < sum(variant == "challenger" for variant in variants.values()) < len(variants)
        for variant in ("champion", "challenger"):
            count = sum(one == variant for one in variants.values())
            accepted = count if variant == "challenger" else 0
            assert told[variant] == {
                "decided": count, "shown": count, "accepted": accepted, "rejected": count - accepted,
            }  # fmt: skip
        assert told["challenger_better"] > 0.6
        action = doors.copy.json("treatment", "actions")["actions"][0]
        assert action["prior"] == "0.2"
        assert action["shown"] >= len(variants)
        promoted = doors.copy.json("treatment", "promote", own("x"), "--reason", "it is better", "--execute")
        assert promoted["document"]["actions"]["tea"]["text"] == {"en": "Better tea"}
        assert "experiments" not in promoted["document"]
