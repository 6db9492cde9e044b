"""A customer's history: every decision with records by name, and an operator's reason with an operator's word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from services.identity.domain.clustering import cluster
from services.identity.domain.decisions import Decisions, apart, wanted
from services.identity.domain.evidence import Assertion, Evidence
from services.identity.domain.explain import LISTED_MAX
from services.identity.domain.history import history, mentioned
from tests.unit.identity.stating import POLICY, Fact, evidence, said, together

AT = datetime(2024, 3, 1, tzinfo=UTC)
ANN, MAIL, PHONE, OTHER = "user_id:1", "email:a", "phone:42", "crm_id.a:1"
MET = together(ANN, MAIL, 1)
SAME = said(ANN, OTHER, same=True, time_us=2, event="said-same")
SPLIT = said(ANN, OTHER, same=False, time_us=3, event="said-different")


def stream(*steps: tuple[Fact, ...]) -> list[Any]:
    """What was decided of Ann, when each step's facts are all there are."""
    one = Decisions.first(str(uuid5(NAMESPACE_OID, ANN)), [ANN], AT)
    was: dict[str, str | None] = {}
    for facts in steps:
        found = evidence(*facts)
        clusters = cluster(found.records, found.links.values(), found.assertions.values(), POLICY)
        now = {r: b.customer_id for r, b in clusters.bindings.items()}
        want = wanted(clusters, found.links.values(), found.assertions.values())[ANN]
        one.become(want, was, now, apart(clusters), AT)
        was = {**now}
    return list(one.pending_events)


def told(decisions: list[Any], *facts: Fact) -> dict[str, Any]:
    """The answer, newest first."""
    found: Evidence = evidence(*facts)
    words: dict[tuple[str, str, str], Assertion] = {w.key: w for w in found.assertions.values()}
    return history(ANN, ANN, decisions[::-1], len(decisions), found.records, words)


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["record_id"] for row in rows]


def text(answer: dict[str, Any]) -> str:
    return "".join(p if isinstance(p, str) else p["record_id"] for p in answer["why"])


def test_joining_by_an_event_by_an_operator_and_leaving_are_told_with_their_reasons() -> None:
    answer = told(stream((MET,), (MET, SAME), (MET, SAME, SPLIT)), MET, SAME, SPLIT)
    assert [(d["version"], d["decision"]) for d in answer["decisions"]] == [
        (4, "left"), (3, "joined"), (2, "joined"), (1, "founded"),
    ]  # fmt: skip
    left, by_word, by_event, founded = answer["decisions"]
    assert ids(founded["records"]) == [ANN]
    (mail,) = by_event["records"]
    assert (mail["record_id"], mail["type"], mail["value"], mail["from"]) == (MAIL, "email", "a", None)
    assert mail["because"] == {
        "kind": "seen_together", "with": {"record_id": ANN, "type": "user_id", "value": "1"}, "event_id": "event-1",
        "source": "web", "bits": None, "reason": None, "actor": None,
    }  # fmt: skip
    (other,) = by_word["records"]
    assert (other["record_id"], other["because"]["kind"]) == (OTHER, "same_asserted")
    assert (other["because"]["event_id"], other["because"]["reason"], other["because"]["actor"]) == (
        "said-same", "looked", "op",
    )  # fmt: skip
    (gone,) = left["records"]
    assert (gone["record_id"], gone["to"]) == (OTHER, OTHER)
    assert all(d["total"] == 1 for d in answer["decisions"])
    assert text(answer) == "4 decisions were made about user_id:1, the latest of these 2024-03-01T00:00:00Z."


def test_a_word_that_was_taken_back_is_a_reason_without_its_words() -> None:
    decisions = stream((MET, SAME))
    joined = told(decisions, MET)["decisions"][0]["records"]
    reasons = {r["record_id"]: r["because"] for r in joined}
    assert (reasons[OTHER]["kind"], reasons[OTHER]["reason"], reasons[OTHER]["actor"]) == (
        "same_asserted",
        None,
        None,
    )


def test_a_record_whose_row_is_gone_keeps_its_id() -> None:
    joined = told(stream((MET,)))["decisions"][0]["records"]
    assert [(r["record_id"], r["type"], r["value"]) for r in joined] == [(MAIL, "", "")]


def test_refusals_and_their_end_name_both_records() -> None:
    rival = together("user_id:2", MAIL, 5)
    answer = told(stream((MET,), (MET, rival), (MET,)), MET, rival)
    lifted, refused = answer["decisions"][:2]
    (pair,) = refused["refused"]
    assert (ids(pair["records"]), pair["constraint"]) == ([MAIL, "user_id:2"], "exclusive:user_id")
    assert [ids(p) for p in lifted["lifted"]] == [[MAIL, "user_id:2"]]
    assert lifted["refused"] == []


def test_becoming_generic_is_told_of_records_by_name() -> None:
    one = Decisions.first(str(uuid5(NAMESPACE_OID, MAIL)), [MAIL], AT)
    crowd = [together(f"crm_id.a:{n}", MAIL, n) for n in range(9)]
    found = evidence(*crowd)
    clusters = cluster(found.records, found.links.values(), (), POLICY)
    one.become(wanted(clusters, found.links.values(), ())[MAIL], {}, {}, {}, AT)
    answer = history(MAIL, MAIL, list(one.pending_events)[::-1], 2, found.records, {})
    assert answer["decisions"][0]["decision"] == "generic"
    assert ids(answer["decisions"][0]["records"]) == [MAIL]


def test_a_customer_that_never_was_more_than_one_record_has_an_empty_history_and_is_told_so() -> None:
    answer = history(ANN, ANN, [], 0, evidence(MET).records, {})
    assert (answer["decisions"], answer["totals"]) == ([], {"decisions": 0})
    assert text(answer) == (
        "user_id:1 never was more than one record, and no link was refused to it: nothing was decided."
    )


def test_a_page_beyond_the_end_still_counts_all() -> None:
    answer = history(ANN, ANN, [], 4, evidence(MET).records, {})
    assert text(answer) == "4 decisions were made about user_id:1."


def test_a_large_decision_lists_some_and_counts_all() -> None:
    crowd = [together(ANN, f"passport:{n:03}", n) for n in range(150)]
    answer = told(stream(tuple(crowd)), *crowd)
    assert (len(answer["decisions"][0]["records"]), answer["decisions"][0]["total"]) == (LISTED_MAX, 150)


def test_what_the_decisions_speak_of_is_found_to_be_named() -> None:
    rival = together("user_id:2", MAIL, 5)
    records, events = mentioned(stream((MET,), (MET, SAME, rival), (MET, SAME, SPLIT)))
    assert records == {ANN, MAIL, OTHER, "user_id:2"}
    assert events == {"event-1", "said-same"}
