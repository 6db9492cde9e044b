"""What people read of how a customer's records came together: every decision in words, every step in a row."""

from __future__ import annotations

from typing import Any

from services.ops.commands.identity import LISTED_MAX
from services.ops.commands.identity_history import lines, rows

AT = "2026-03-01T10:00:00Z"


def record(name: str, **more: Any) -> dict[str, Any]:
    type_, _, value = name.partition(":")
    return {"record_id": f"r-{value}", "type": type_, "value": value, **more}


ANN, MAIL, OTHER = record("user_id:ann"), record("email:a@x.de"), record("crm_id:7")


def because(kind: str, beside: dict[str, Any], **more: Any) -> dict[str, Any]:
    none = dict.fromkeys(("event_id", "source", "bits", "reason", "actor"))
    return {**none, "kind": kind, "with": beside, **more}


def decision(kind: str, total: int = 1, version: int = 2, **more: Any) -> dict[str, Any]:
    return {"version": version, "decision": kind, "at": AT, "total": total, **more}


def test_who_joined_is_told_with_where_from_and_why() -> None:
    joined = [
        {**MAIL, "from": None, "because": because("seen_together", ANN, source="shop")},
        {**OTHER, "from": "r-karl", "because": because("same_asserted", ANN, actor="olga", reason="met both")},
        {**record("crm_id:8"), "from": "r-8", "because": because("similar", ANN, bits=7.25)},
        {**record("crm_id:9"), "from": None, "because": None},
    ]
    assert lines(decision("joined", 4, records=joined)) == [
        "2. 2026-03-01T10:00:00Z  joined",
        "    email:a@x.de, seen_together with user_id:ann by shop",
        "    crm_id:7 from r-karl, same_asserted with user_id:ann by olga: met both",
        "    crm_id:8, similar (7.25 bits) with user_id:ann",
        "    crm_id:9",
    ]


def test_who_left_was_refused_or_became_generic_is_told() -> None:
    left = [{**OTHER, "to": "r-7", "constraint": "different"}, {**MAIL, "to": None, "constraint": None}]
    assert lines(decision("left", 2, records=left))[1:] == [
        "    crm_id:7 to r-7: different", "    email:a@x.de to nobody: no link any more",
    ]  # fmt: skip
    refused = decision(
        "refused",
        2,
        refused=[{"records": [MAIL, OTHER], "constraint": "exclusive:user_id"}],
        lifted=[[ANN, OTHER]],
    )
    assert lines(refused)[1:] == [
        "    email:a@x.de with crm_id:7: exclusive:user_id", "    user_id:ann with crm_id:7: not refused any more",
    ]  # fmt: skip
    generic = decision("generic", 2, records=[MAIL], cleared=[OTHER])
    assert lines(generic)[1:] == ["    email:a@x.de is seen with too many people", "    crm_id:7 is so no more"]
    assert lines(decision("founded", version=1, records=[ANN])) == [
        "1. 2026-03-01T10:00:00Z  founded", "    user_id:ann",
    ]  # fmt: skip


def test_what_a_large_decision_does_not_list_is_counted() -> None:
    assert lines(decision("founded", 1_501, records=[ANN]))[-1] == "    and 1,500 more"


def step(number: int, hanging: int = 0, *, weakest: bool = False) -> dict[str, Any]:
    link = {"a": MAIL, "b": ANN, "kind": "seen_together", "weight": 7, "first_seen": AT, "source": "shop",
            "likeness": None}  # fmt: skip
    return {"number": number, "link": link, "a_records": 1, "b_records": number, "hanging": hanging,
            "weakest": weakest}  # fmt: skip


def test_steps_tell_the_link_the_sizes_and_what_hangs_on_it() -> None:
    first, last = step(1, 3), step(2, weakest=True)
    what = "seen_together, weight 7, since 2026-03-01 by shop"
    assert rows({"steps": [first, last], "weakest": last, "hinge": first}) == [
        ("1", "email:a@x.de", "user_id:ann", what, "1 + 1", "3 hang on it, most"),
        ("2", "email:a@x.de", "user_id:ann", what, "1 + 2", "weakest"),
    ]


def test_of_many_steps_the_first_and_the_weakest_are_shown() -> None:
    many = [step(n) for n in range(1, 101)]
    last = step(150, weakest=True)
    shown = rows({"steps": many, "weakest": last, "hinge": None})
    assert [int(row[0]) for row in shown] == [*range(1, LISTED_MAX + 1), 150]
