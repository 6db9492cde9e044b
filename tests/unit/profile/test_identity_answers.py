"""How records came together, for whom who may not see personal data: no name, no address, no word of a person."""

from __future__ import annotations

from typing import Any

import orjson

from services.profile.domain import masked_evidence
from services.profile.history_shapes import HistoryAnswer, HowAnswer

SECRET = "zqxplanted"
AT = "2026-03-01T10:00:00Z"
CUSTOMER = "11111111-1111-1111-1111-111111111111"


def record(type_: str, **more: Any) -> dict[str, Any]:
    return {"record_id": "r", "type": type_, "value": f"{SECRET}@mail.example", **more}


def link() -> dict[str, Any]:
    return {"a": record("email"), "b": record("crm_id"), "kind": "same_asserted", "weight": 12, "first_seen": AT,
            "source": None, "event_id": "e", "likeness": None, "state": "joins", "constraint": None}  # fmt: skip


STEP = {"number": 1, "link": link(), "a_records": 1, "b_records": 1, "hanging": 1, "weakest": True}
WHY = ["2 records: ", {"words": f"{SECRET} Olga"}, " said that ", record("email"), " is the same"]
HOW = {"customer_id": CUSTOMER, "requested_id": CUSTOMER, "steps": [STEP], "weakest": STEP, "hinge": STEP,
       "totals": {"records": 2, "steps": 1}, "why": WHY}  # fmt: skip
BECAUSE = {"kind": "same_asserted", "with": record("email"), "event_id": "e", "source": None, "bits": None,
           "reason": f"{SECRET} looked", "actor": f"{SECRET} Olga"}  # fmt: skip


def decision(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"version": number, "decision": kind, "at": AT, "total": 1, **more}


HISTORY = {
    "customer_id": CUSTOMER,
    "requested_id": CUSTOMER,
    "of": CUSTOMER,
    "former": [],
    "next_cursor": None,
    "totals": {"decisions": 5},
    "why": WHY,
    "decisions": [
        decision(5, "generic", records=[record("email")], cleared=[record("phone")]),
        decision(4, "refused", refused=[{"records": [record("email")] * 2, "constraint": "different"}],
                 lifted=[[record("email"), record("phone")]]),
        decision(3, "left", records=[record("email", to="c", constraint="different")]),
        decision(2, "joined", records=[record("email", **{"from": None}, because=BECAUSE)]),
        decision(1, "founded", records=[record("email")]),
    ],
}  # fmt: skip


def test_nothing_personal_is_left_of_either_answer_and_what_is_masked_is_listed() -> None:
    for answer, listed in (
        (HOW, {"steps[].link.*.value", "weakest.link.*.value", "hinge.link.*.value", "why"}),
        (HISTORY, {"decisions[].records[].value", "decisions[].records[].because.reason", "why"}),
    ):
        shown = masked_evidence(answer)
        assert SECRET.encode() in orjson.dumps(answer)
        assert SECRET.encode() not in orjson.dumps(shown)
        assert set(shown["masked"]) >= listed


def test_masked_or_not_both_answers_have_the_shape_that_is_described() -> None:
    for found in (HOW, masked_evidence(HOW)):
        HowAnswer.model_validate({**found, "masked": [], "why": "x"})
    for found in (HISTORY, masked_evidence(HISTORY)):
        HistoryAnswer.model_validate({**found, "masked": [], "why": "x"})
