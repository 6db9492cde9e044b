"""How a customer's records join: the strongest link first, with the sizes of the parts and what hangs on each."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from services.identity.domain import joined, paths
from services.identity.domain.explain import LISTED_MAX
from services.identity.domain.weighing import State, Tie, Weighed, weigh
from tests.unit.identity.stating import POLICY, Fact, alias, evidence, facts, record, said, together

DAY_US = 86_400_000_000
CHAIN = [
    together("user_id:1", "crm_id.a:1", 4 * DAY_US),
    together("crm_id.a:1", "email:a", 3 * DAY_US),
    together("email:a", "phone:42", 2 * DAY_US),
    together("phone:42", "device_id:1", DAY_US),
]
"""Four records and a device, each linked to the next only."""


def weighed(*given_facts: Fact) -> Weighed:
    found = evidence(*given_facts)
    return weigh(found.records, list(found.links.values()), list(found.assertions.values()), POLICY)


def how(customer_id: str, *given_facts: Fact) -> dict[str, Any]:
    return joined.how(weighed(*given_facts), customer_id)


def ends(step: dict[str, Any] | None) -> tuple[str, str] | None:
    return (step["link"]["a"]["record_id"], step["link"]["b"]["record_id"]) if step else None


def text(answer: dict[str, Any]) -> str:
    return "".join(p if isinstance(p, str) else p.get("words") or p["record_id"] for p in answer["why"])


def test_links_are_taken_strongest_first_whenever_they_were_seen() -> None:
    answer = how("user_id:1", *CHAIN)
    assert [(ends(s), s["link"]["weight"]) for s in answer["steps"]] == [
        (("crm_id.a:1", "user_id:1"), 9),
        (("crm_id.a:1", "email:a"), 7),
        (("email:a", "phone:42"), 6),
        (("device_id:1", "phone:42"), 4),
    ]
    assert [s["number"] for s in answer["steps"]] == [1, 2, 3, 4]
    assert [s["weakest"] for s in answer["steps"]] == [False, False, False, True]
    assert answer["weakest"] == answer["steps"][-1]
    assert answer["totals"] == {"records": 5, "steps": 4}


def test_each_step_tells_how_large_the_two_parts_were() -> None:
    pairs = [together("user_id:1", "crm_id.a:1"), together("email:a", "email:b"), together("crm_id.a:1", "phone:42")]
    answer = how("user_id:1", *pairs, together("phone:42", "email:b"))
    sizes = {ends(s): (s["a_records"], s["b_records"]) for s in answer["steps"]}
    assert sizes[("crm_id.a:1", "user_id:1")] == (1, 1)
    assert sizes[("email:a", "email:b")] == (1, 1)
    assert sizes[("crm_id.a:1", "phone:42")] == (2, 1)
    assert sizes[("email:b", "phone:42")] == (2, 3)


def test_what_hangs_on_a_link_is_the_smaller_side_that_nothing_else_holds() -> None:
    answer = how("user_id:1", *CHAIN)
    assert [s["hanging"] for s in answer["steps"]] == [1, 2, 2, 1]
    assert ends(answer["hinge"]) == ("email:a", "phone:42"), "of two on which equally many hang the weaker"
    round_about = how("user_id:1", *CHAIN, together("device_id:1", "user_id:1"))
    assert [s["hanging"] for s in round_about["steps"]] == [0, 0, 0, 0]
    assert round_about["hinge"] is None
    assert text(round_about).endswith("; without it other links would still hold them together.")


def test_the_weakest_link_and_the_hinge_are_told_in_words() -> None:
    assert text(how("user_id:1", *CHAIN)) == (
        "5 records became one customer in 4 steps, the strongest first. The weakest link: phone:42 was seen "
        "with device_id:1 by web on 1970-01-02; nothing else holds 1 of them to the rest. Most hangs on this one: "
        "email:a was seen with phone:42 by web on 1970-01-03; nothing else holds 2 of them to the rest."
    )


def test_an_operators_word_joins_first_and_a_link_beside_it_only_supports() -> None:
    word = said("crm_id.a:1", "email:a", same=True, time_us=9 * DAY_US)
    answer = how("user_id:1", *CHAIN, word)
    assert (ends(answer["steps"][0]), answer["steps"][0]["link"]["kind"]) == (
        ("crm_id.a:1", "email:a"),
        "same_asserted",
    )
    assert answer["steps"][0]["hanging"] == 0, "the link of the same pair holds them too"
    assert len(answer["steps"]) == 4


def test_a_record_that_stands_alone_had_nothing_to_join() -> None:
    answer = how("user_id:1", record("user_id:1"))
    assert (answer["steps"], answer["weakest"], answer["hinge"]) == ([], None, None)
    assert answer["totals"] == {"records": 1, "steps": 0}
    assert text(answer) == "user_id:1 is one record: nothing had to join."


def test_what_is_refused_is_no_step_and_the_other_customers_links_are_none_either() -> None:
    shared = [
        together("user_id:1", "phone:42"),
        together("user_id:2", "phone:42", 1),
        together("user_id:2", "email:b"),
    ]
    assert [ends(s) for s in how("user_id:1", *shared)["steps"]] == [("phone:42", "user_id:1")]
    assert [ends(s) for s in how("user_id:2", *shared)["steps"]] == [("email:b", "user_id:2")]


def test_of_many_steps_the_strongest_are_listed_and_the_weakest_is_told_too() -> None:
    crowd: list[Fact] = [together("crm_id.a:1", f"passport:{n:03}", n) for n in range(150)]
    answer = how("crm_id.a:1", *crowd)
    assert len(answer["steps"]) == LISTED_MAX
    assert answer["totals"] == {"records": 151, "steps": 150}
    assert (answer["weakest"]["number"], answer["weakest"]["weakest"]) == (150, True)


def _hanging(ties: list[Tie], left_out: Tie, members: set[str]) -> int:
    """By trying: how many records fall away without this tie."""
    rest = [t for t in ties if t is not left_out]
    side = {r for r in members if paths.connected(rest, r, left_out.a)}
    return 0 if len(side) == len(members) else min(len(side), len(members) - len(side))


@settings(max_examples=200)
@given(facts)
def test_the_steps_join_exactly_the_customers_records_and_what_hangs_is_what_falls_away(found: list[Fact]) -> None:
    picture = weighed(*found, alias("user_id:1", "user_id:2"), together("user_id:1", "email:a"))
    for customer_id in {b.customer_id for b in picture.bindings.values()}:
        members = {r.record_id for r in picture.members(customer_id)}
        mine = [t for t in picture.ties if t.counts and t.a in members]
        found_steps = joined.steps(mine)
        assert [s.tie for s in found_steps] == [t for t in mine if t.state is State.JOINS]
        assert len(found_steps) == len(members) - 1
        parts = [{m} for m in sorted(members)]
        for step in found_steps:
            one, other = (next(p for p in parts if end in p) for end in step.tie.pair)
            assert (step.a_records, step.b_records) == (len(one), len(other))
            parts = [p for p in parts if p not in (one, other)] + [one | other]
            assert step.hanging == _hanging(mine, step.tie, members)
        told = joined.how(picture, customer_id)
        assert text(told).endswith(".")
        assert (told["hinge"] is None) == (not any(s.hanging for s in found_steps))
