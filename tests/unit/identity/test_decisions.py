"""A customer's stream of decisions: its state is what is true now, whatever the way there."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid5

import pytest
from eventsourcing.domain import CanMutateAggregate

from schemas.envelope import EVENT_NAMESPACE
from services.identity.domain.clustering import Clusters, cluster
from services.identity.domain.decisions import Decisions, Want, apart, wanted
from services.identity.domain.evidence import Evidence
from tests.unit.identity.stating import POLICY, alias, evidence, record, said, together

AT = datetime(2024, 3, 1, tzinfo=UTC)


def named(*facts: object) -> Evidence:
    """Evidence whose record ids are the customers' ids."""
    return evidence(*facts)  # type: ignore[arg-type]


def answer(found: Evidence) -> Clusters:
    """f of it."""
    return cluster(found.records, found.links.values(), found.assertions.values(), POLICY)


def want(*facts: object) -> dict[str, Want]:
    """Customer → what is true of it."""
    found = named(*facts)
    return wanted(answer(found), found.links.values(), found.assertions.values())


def stream(customer: str = "user_id:1") -> Decisions:
    """A customer's new stream; its id stands for the name."""
    return Decisions.first(str(uuid5(EVENT_NAMESPACE, customer)), [customer], AT)


def kinds(one: Decisions) -> list[str]:
    """Names of the decisions that were not stored yet."""
    return [str(getattr(type(event), "TOPIC", "")).partition(":")[2] for event in one.pending_events]


def test_who_joined_is_told_with_the_link_that_weighs_most() -> None:
    found = want(together("user_id:1", "email:a", 5), alias("email:a", "user_id:1", 9), record("phone:7"))
    because = found["user_id:1"].members["email:a"]
    assert because == {"kind": "alias", "event_id": "event-9", "source": "web", "with": "user_id:1"}
    assert not found["phone:7"].is_told


def test_an_operators_word_is_told_before_any_link() -> None:
    found = want(together("user_id:1", "email:a", 5), said("user_id:1", "email:a", same=True, event="e"))
    assert found["user_id:1"].members["email:a"] == {
        "kind": "same_asserted", "event_id": "e", "source": None, "with": "user_id:1",
    }  # fmt: skip


def test_joining_and_leaving_are_decisions_and_nothing_new_is_none() -> None:
    one = stream()
    joined = want(together("user_id:1", "email:a"))["user_id:1"]
    one.become(joined, {"email:a": None}, {}, {}, AT)
    one.become(joined, {}, {}, {}, AT)
    assert one.members == {"user_id:1", "email:a"}
    one.become(Want({"user_id:1": None}), {}, {"email:a": "email:a"}, {"email:a": "different"}, AT)
    assert one.members == {"user_id:1"}
    assert kinds(one) == ["founded", "joined", "left"]
    assert one.pending_events[-1].records == [["email:a", "email:a", "different"]]  # type: ignore[attr-defined]


def test_a_refusal_is_told_to_both_sides_and_lifted_when_it_does_not_apply_any_more() -> None:
    facts = (together("user_id:1", "email:a", 1), together("user_id:2", "email:a", 2))
    found = want(*facts)
    pair = "email:a user_id:2"
    assert found["user_id:1"].refused == {pair: "exclusive:user_id"}
    assert found["user_id:2"].refused == {pair: "exclusive:user_id"}
    one = stream()
    one.become(found["user_id:1"], {}, {}, {}, AT)
    one.become(want(facts[0])["user_id:1"], {}, {}, {}, AT)
    assert one.refused == {}
    assert kinds(one) == ["founded", "joined", "refused", "refused"]


def test_becoming_generic_and_being_so_no_more_are_decisions() -> None:
    crowd = [together(f"crm_id.a:{n}", "email:a", n) for n in range(9)]
    found = want(*crowd)
    one = stream("email:a")
    one.become(found["email:a"], {}, {}, {}, AT)
    assert one.generic == {"email:a"}
    one.become(Want({"email:a": None}), {}, {}, {}, AT)
    assert one.generic == set()
    assert kinds(one)[-2:] == ["generic", "generic"]


def test_an_operators_word_keeps_apart_before_other_constraints() -> None:
    facts = (
        together("crm_id.a:1", "email:a", 1),
        together("crm_id.a:2", "email:a", 2),
        said("crm_id.a:2", "email:a", same=False),
    )
    assert apart(answer(named(*facts)))["crm_id.a:2"] == "different"


def test_decisions_have_the_time_of_the_log_and_stored_names_of_their_own() -> None:
    with pytest.raises(TypeError):
        Decisions.Event.create_timestamp()
    for decision in (Decisions.Founded, Decisions.Joined, Decisions.Left, Decisions.Refused, Decisions.Generic):
        assert issubclass(decision, CanMutateAggregate)
        assert decision.TOPIC.startswith("identity.customer:")
