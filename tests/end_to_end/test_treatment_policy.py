"""By which policy it is decided what to do for a customer: drafted, tried, applied, scored, experimented with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.doors import Doors, Named, Source
from tests.support.treatments import CALL, HOME, a_good_customer, ask, decided, tried

VISITORS_MIN, VISITORS_MAX = 8, 48
"""Half of them are challengers, by the hash of ids that are others each time: eight may all be on one side."""


@pytest.fixture
def ann(doors: Doors, web: Source, own: Named) -> str:
    return a_good_customer(doors, web, own)


def test_a_key_needs_the_scope_and_one_without_leave_sees_no_personal_value(
    doors: Doors, ann: str, tmp_path: Path, own: Named
) -> None:
    refused = ask(doors, {"customer_id": ann}, **CALL, key=doors.key("profile:read"))
    assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")
    where = {"field": "contact.name", "is": "Nobody"}
    with tried(doors, tmp_path, {"hello": {"kind": "message", "value": 1, "when": where}}):
        shown = [
            decided(doors, {"customer_id": ann}, **HOME, key=key)["left_out"][0]["why"]["actual"]
            for key in (None, doors.key("treatment:decide"))
        ]
    assert shown == [["Ann"], ["A•••"]]


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
    doors: Doors, web: Source, ann: str, tmp_path: Path, own: Named
) -> None:
    offer = {"kind": "offer", "value": 10, "consent": "marketing"}
    bad = {"field": "interaction.feedback.open_follow_ups", "above": 0}
    with tried(doors, tmp_path, {"tea": offer}, suppress={"open_follow_up": {"when": bad}}):
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
    doors: Doors, web: Source, tmp_path: Path, own: Named
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
    with tried(doors, tmp_path, {"suggest": suggest, "wait": {"kind": "next_step", "value": 1}}) as file:
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


@pytest.mark.feature("C5")
def test_experiments_count_by_variant_and_the_better_one_is_promoted(
    doors: Doors, web: Source, tmp_path: Path, own: Named
) -> None:
    offer = {"kind": "offer", "value": 10, "propensity": "0.2"}
    experiment = {"share": "0.5", "change": {"tea": {"text": {"en": "Better tea"}}}}
    with tried(doors, tmp_path, {"tea": offer}, experiments={own("x"): experiment}):
        variants: dict[str, str] = {}
        for number in range(VISITORS_MAX):
            if number >= VISITORS_MIN and len(set(variants.values())) == 2:
                break
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
