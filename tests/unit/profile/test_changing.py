"""What is told of customers that come, change and go."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from schemas.codec import State, Version
from services.profile.domain.changing import Batch, Move, folded, parts_of, tier_changed
from services.profile.domain.occasions import read
from services.profile.handlers import encode_change
from services.runtime.batch import Told

ANN, BO, CY = "r-ann", "r-bo", "r-cy"


def told(**changed: Any) -> dict[str, dict[str, Any]]:
    """What a batch tells; nothing changed but what is given."""
    return Batch(**{"services": {}, "existed": {}, "exists": {}, **changed}).details()


def test_who_is_shown_for_the_first_time_is_created_and_after_that_updated() -> None:
    services = {ANN: ["identity", "value"]}
    first = told(services=services, existed={}, exists={ANN: True})
    assert first == {ANN: {"type": "customer.created", "sections": ["identity", "value"]}}
    assert parts_of(["identity", "value"]) == ["identity", "contact", "groups", "value"]
    later = told(services={ANN: ["value"]}, existed={ANN: True}, exists={ANN: True})
    assert later == {ANN: {"type": "customer.updated", "sections": ["value"]}}


def test_of_who_is_not_shown_nothing_is_told() -> None:
    assert told(services={ANN: ["interaction"]}, existed={}, exists={}) == {}
    assert told(services={ANN: ["identity"]}, existed={ANN: False}, exists={ANN: False}) == {}


def test_who_goes_into_somebody_that_was_shown_is_merged_and_into_a_new_one_has_another_id() -> None:
    gone = {"services": {BO: ["identity"]}, "exists": {BO: False}, "bound": {BO: ANN}}
    merged = told(**gone, existed={BO: True, ANN: True})
    assert merged == {BO: {"type": "customer.merged", "from": [BO], "into": ANN}}
    renamed = told(**gone, existed={BO: True})
    assert renamed == {BO: {"type": "customer.id_changed", "from": [BO], "into": ANN}}


def test_who_goes_and_answers_with_nobody_is_removed() -> None:
    gone = told(services={BO: ["identity"]}, existed={BO: True}, exists={BO: False}, bound={BO: BO})
    assert gone == {BO: {"type": "customer.removed"}}


def test_where_he_went_is_told_when_it_is_known() -> None:
    late = told(existed={BO: False, ANN: True}, exists={BO: False, ANN: True}, late={BO}, bound={BO: ANN})
    assert late == {BO: {"type": "customer.merged", "from": [BO], "into": ANN}}


def test_who_goes_on_without_others_is_split_from_them() -> None:
    both = {ANN: True, BO: True, CY: True}
    split = told(services={ANN: ["identity"]}, existed={ANN: True}, exists=both, parted={ANN: [CY, BO]})
    assert split[ANN]["type"] == "customer.split"
    assert (split[ANN]["from"], split[ANN]["into"], split[ANN]["sections"]) == (ANN, [BO, CY], ["identity"])
    alone = told(existed={ANN: True}, exists=both, parted={ANN: [BO]})
    assert alone == {ANN: {"type": "customer.split", "from": ANN, "into": [BO]}}


@pytest.mark.parametrize(
    ("former", "customer", "away", "home"),
    [
        (ANN, BO, True, False), (None, BO, True, False), (BO, ANN, False, True), (None, ANN, False, False),
        (ANN, ANN, False, False), (BO, CY, True, False), (BO, BO, False, False),
    ],
)  # fmt: skip
def test_a_records_move_leads_away_from_itself_or_home(
    former: str | None, customer: str, away: bool, home: bool
) -> None:
    move = Move(ANN, former, customer)
    assert (move.leads_away, move.comes_home) == (away, home)


def updated(*sections: str, type: str = "customer.updated", **more: Any) -> dict[str, Any]:
    return {"type": type, "sections": list(sections), **more}


def test_what_was_noted_twice_before_it_was_told_is_told_together() -> None:
    created = updated("identity", type="customer.created")
    version, detail = folded({"7.5": created, "7.6": updated("value")})
    assert (version, detail["type"], detail["sections"]) == ("7.6", "customer.created", ["identity", "value"])
    parted = updated("identity", type="customer.split", into=[BO])
    assert folded({"7.10": updated("value"), "7.9": parted})[1]["into"] == [BO], "ten comes after nine"


def test_that_he_went_hides_what_was_noted_before_and_that_he_came_again_that_he_went() -> None:
    gone = {"type": "customer.merged", "from": [ANN], "into": BO}
    assert folded({"7.5": updated("value"), "7.6": gone}) == ("7.6", gone)
    assert folded({"7.5": gone, "7.6": updated("identity", type="customer.created")})[1]["type"] == "customer.created"
    assert folded({"7.5": gone, "8.1": updated("value")}) == ("8.1", updated("value"))


@pytest.mark.parametrize("detail", [None, {"type": "customer.updated", "sections": ["value"]}])
def test_a_change_that_was_noted_at_no_version_is_the_states_own(detail: dict[str, Any] | None) -> None:
    told = Told("profile.changes", State(ANN, Version(7, 3), {}), detail)
    key, value, headers = encode_change(told)
    assert (key, dict(headers)["ce_id"]) == (ANN.encode(), b"r-ann:7.3")
    assert orjson.loads(value)["version"] == 3
    assert orjson.loads(value).get("changed") == (["value"] if detail else None)


def test_a_change_keeps_its_id_when_it_is_told_with_a_later_state() -> None:
    notes = {"7.3": {"type": "customer.updated", "sections": ["interaction"]}}
    _, value, headers = encode_change(Told("profile.changes", State(ANN, Version(7, 9), {}), notes))
    assert dict(headers)["ce_id"] == b"r-ann:7.3"
    assert orjson.loads(value)["changed"] == ["interaction", "needs", "preferences", "consents"]


def test_moves_stand_in_a_header_of_the_change_and_not_in_its_data() -> None:
    notes = {"7.9": {"type": "customer.updated", "sections": ["value"], "moves": [tier_changed("C", "A")]}}
    _, value, headers = encode_change(Told("profile.changes", State(ANN, Version(7, 9), {}), notes))
    (move,) = orjson.loads(dict(headers)["c360_moves"])
    assert (move["id"], move["type"], move["data"]["to"]) == (f"{ANN}:7.9:tier.changed", "tier.changed", "A")
    assert "moves" not in orjson.loads(value)
    assert "c360_moves" not in dict(encode_change(Told("profile.changes", State(ANN, Version(7, 9), {}), None))[2])


def test_what_came_to_pass_has_the_same_id_whoever_is_told_as_the_customer_at_whatever_version() -> None:
    text = orjson.dumps({"due": [{"words": ["shop:p"], "promise_id": "p", "due_us": 1_000_000}]}).decode()
    (due,) = read("interaction", text)
    notes = {"7.9": {"type": "customer.updated", "moves": [due.as_move()]}}
    sent = [encode_change(Told("profile.changes", State(who, Version(7, 9), {}), notes)) for who in (ANN, BO)]
    moves = [orjson.loads(dict(headers)["c360_moves"])[0] for _, _, headers in sent]
    assert moves[0]["id"] == moves[1]["id"] == f"promise.due:{due.word}"
    assert moves[0]["data"] == {
        "customer_id": ANN, "version": 9, "promise_id": "p", "due_at": "1970-01-01T00:00:01Z", "by": None,
        "conversation_id": None,
    }  # fmt: skip
    assert orjson.loads(sent[0][1])["changed"] == ["interaction"], "it is overdue there"
