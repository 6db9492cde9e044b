"""Who is one customer: given this evidence, exactly these customers."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from services.identity.domain.clustering import Binding, Refused, cluster
from services.identity.domain.policy import Held, Policy
from services.identity.domain.similarity.features import Features
from services.identity.domain.similarity.likeness import Looks
from tests.unit.identity.stating import (
    NEVER,
    POLICY,
    Fact,
    alias,
    clusters,
    evidence,
    parts,
    record,
    said,
    same_customer,
    together,
)  # fmt: skip


def test_two_user_ids_stay_apart_whatever_joins_them() -> None:
    assert parts(together("user_id:1", "email:a"), together("user_id:2", "email:a", 1)) == {
        frozenset({"user_id:1", "email:a"}),
        frozenset({"user_id:2"}),
    }


def test_user_ids_of_two_namespaces_do_not_exclude_each_other() -> None:
    assert same_customer("user_id:1", "user_id.shop:9", together("user_id:1", "user_id.shop:9"))


def test_two_crm_ids_of_one_crm_may_be_one_customer() -> None:
    assert same_customer(
        "crm_id.a:1", "crm_id.a:2", together("crm_id.a:1", "email:a"), together("crm_id.a:2", "email:a")
    )


def test_an_alias_joins_two_user_ids() -> None:
    assert same_customer("user_id:1", "user_id:2", alias("user_id:1", "user_id:2"))


def test_an_alias_lifts_exclusivity_for_exactly_its_pair() -> None:
    facts = [
        alias("user_id:1", "user_id:2"),
        together("user_id:2", "email:a", 1),
        together("user_id:3", "email:a", 2),
    ]
    assert parts(*facts) == {frozenset({"user_id:1", "user_id:2", "email:a"}), frozenset({"user_id:3"})}


def test_two_aliases_do_not_lift_the_third_pair() -> None:
    found = clusters(evidence(alias("user_id:1", "user_id:2", 1), alias("user_id:2", "user_id:3", 2)))
    assert found.refused == [Refused("user_id:2", "user_id:3", "exclusive:user_id")]


def test_an_operators_same_joins_what_nothing_else_joins() -> None:
    assert same_customer("user_id:1", "user_id:2", said("user_id:1", "user_id:2", same=True))


def test_an_operators_different_beats_a_link_and_an_alias() -> None:
    pair = "crm_id.a:1", "email:a"
    assert not same_customer(*pair, together(*pair), alias(*pair), said(*pair, same=False))


def test_different_keeps_a_pair_apart_also_by_way_of_others() -> None:
    facts = [together("crm_id.a:1", "email:a"), together("crm_id.a:2", "email:a", 1)]
    apart = said("crm_id.a:1", "crm_id.a:2", same=False)
    assert parts(*facts, apart) == {frozenset({"crm_id.a:1", "email:a"}), frozenset({"crm_id.a:2"})}


@pytest.mark.parametrize("same", [True, False])
def test_the_latest_word_on_a_pair_wins_in_whatever_order_it_is_heard(same: bool) -> None:
    first, last = (said("user_id:1", "crm_id.a:1", same=s, time_us=t) for s, t in ((not same, 1), (same, 2)))
    for words in ((first, last), (last, first)):
        assert same_customer("user_id:1", "crm_id.a:1", *words) is same


def test_of_two_words_at_one_time_the_larger_event_id_wins() -> None:
    words = [said("email:a", "crm_id.a:1", same=s, event=e) for s, e in ((True, "e1"), (False, "e2"))]
    assert not same_customer("email:a", "crm_id.a:1", *words)
    assert not same_customer("email:a", "crm_id.a:1", *reversed(words))


def test_a_device_seen_with_several_user_ids_goes_to_the_earliest_sighting() -> None:
    found = clusters(evidence(*(together(f"user_id:{n}", "device_id:1", t) for n, t in ((1, 5), (2, 3), (3, 4)))))
    assert found.bindings["device_id:1"] == Binding("user_id:2", False, 4, (("user_id:1", 4), ("user_id:3", 4)))


def test_of_equal_sightings_a_device_goes_to_the_smaller_id() -> None:
    found = clusters(evidence(*(together(f"user_id:{n}", "device_id:1", 3) for n in (3, 2))))
    assert found.bindings["device_id:1"].customer_id == "user_id:2"
    assert found.bindings["device_id:1"].rivals == (("user_id:3", 4),)


def test_a_clamped_sighting_is_later_than_any() -> None:
    facts = [together("user_id:1", "device_id:1", NEVER), together("user_id:2", "device_id:1", 99)]
    assert same_customer("user_id:2", "device_id:1", *facts)


def test_a_rival_is_named_with_its_strongest_link() -> None:
    facts = [
        together("user_id:1", "email:a", 1), together("email:a", "device_id:1", 2),
        together("user_id:2", "email:a", 3), together("user_id:2", "device_id:1", 4),
    ]  # fmt: skip
    found = clusters(evidence(*facts)).bindings
    assert found["email:a"].rivals == (("user_id:2", 7),)
    assert found["device_id:1"].rivals == (("user_id:2", 4),)


def test_a_refused_link_says_which_constraint_refused_it() -> None:
    facts: list[Fact] = [
        together("user_id:1", "email:a"), together("user_id:2", "email:a", 1),
        together("crm_id.a:1", "email:a", 2),
        said("crm_id.a:1", "email:a", same=False),
    ]  # fmt: skip
    assert clusters(evidence(*facts)).refused == [
        Refused("email:a", "user_id:2", "exclusive:user_id"),
        Refused("crm_id.a:1", "email:a", "different"),
    ]


def test_a_strong_link_is_taken_before_an_earlier_weak_one() -> None:
    facts = [together("user_id:1", "anonymous_id:1", 1), together("anonymous_id:1", "email:a", 2)]
    strong = together("user_id:2", "email:a", 9)
    found = clusters(evidence(*facts, strong)).bindings
    assert found["email:a"].customer_id == "user_id:2"


@pytest.mark.parametrize("base", ["email:a", "phone:7"])
@pytest.mark.parametrize("over", [0, 1])
def test_a_value_is_generic_only_beyond_the_limit_and_then_links_nobody(base: str, over: int) -> None:
    limit = POLICY.generic_limit(base.partition(":")[0])
    assert limit is not None
    crowd = [f"crm_id.a:{n:02}" for n in range(limit + over)]
    found = clusters(evidence(*(together(name, base, n) for n, name in enumerate(crowd)))).bindings
    assert found[base].generic is bool(over)
    expected = dict.fromkeys(crowd, crowd[0]) if not over else {name: name for name in crowd}
    assert {name: found[name].customer_id for name in crowd} == expected
    assert found[base].customer_id == (base if over else crowd[0])
    assert not any(found[name].generic for name in crowd)


def test_only_distinct_values_of_one_type_make_a_value_generic() -> None:
    mixed = [together(f"{t}:{n}", "phone:7") for t in ("crm_id.a", "crm_id.b", "email") for n in range(4)]
    repeated = [together("user_id:1", "phone:7", t) for t in range(20)]
    assert not clusters(evidence(*mixed, *repeated)).bindings["phone:7"].generic


def test_a_value_that_policy_blocks_is_generic_whoever_has_it() -> None:
    found = clusters(evidence(together("crm_id.a:1", "email:noreply@shop.com"))).bindings
    assert found["email:noreply@shop.com"].generic
    assert found["crm_id.a:1"].customer_id == "crm_id.a:1"


@pytest.mark.parametrize("over", [0, 1])
def test_a_value_is_generic_beyond_so_many_given_names(over: int) -> None:
    limit = POLICY.generic_names_limit("phone")
    assert limit is not None
    names = ["ann", "bob", "carl", "dora", "emil", "fritz", "gina", "hugo", "ivan", "jutta", "kurt"][: limit + over]
    crowd = [f"passport:{n}" for n in range(len(names))]
    found = evidence(*(together(name, "phone:7", n) for n, name in enumerate(crowd)))
    looks = Looks({record: Features({"firstName": (name,)}) for record, name in zip(crowd, names, strict=True)})
    got = cluster(found.records, found.links.values(), (), POLICY, looks=looks).bindings
    assert got["phone:7"].generic is bool(over)


def limited(**changes: Any) -> Policy:
    """The shipped policy with other limits."""
    return dataclasses.replace(POLICY, **changes)


def test_a_customer_has_no_more_values_of_a_type_than_its_limit_but_by_an_operators_word() -> None:
    policy = limited(limits={"email": 2})
    facts: list[Fact] = [together("user_id:1", f"email:{n}", n) for n in range(3)]
    found = clusters(evidence(*facts), policy)
    assert [b.customer_id for r, b in sorted(found.bindings.items()) if r.startswith("email")] == [
        "user_id:1", "user_id:1", "email:2",
    ]  # fmt: skip
    assert found.refused == [Refused("email:2", "user_id:1", "limit:email")]
    agreed = clusters(evidence(*facts, said("user_id:1", "email:2", same=True)), policy)
    held = sorted(r for r, b in agreed.bindings.items() if b.customer_id == "user_id:1")
    assert "email:2" in held, "the word is taken first, and one of the others is refused in its place"
    assert len(held) == 3


def test_a_join_of_two_large_customers_waits_for_an_operators_word() -> None:
    policy = limited(held_from=Held(records=3, personal=2))
    one = [together("crm_id.a:1", "email:a"), together("crm_id.a:1", "device_id:1")]
    other = [together("crm_id.b:1", "email:b", 1), together("crm_id.b:1", "device_id:2", 1)]
    bridge = together("device_id:1", "device_id:2", 5)
    found = clusters(evidence(*one, *other, bridge), policy)
    assert found.refused == [Refused("device_id:1", "device_id:2", "held")]
    assert len({b.customer_id for b in found.bindings.values()}) == 2
    agreed = clusters(evidence(*one, *other, bridge, said("crm_id.a:1", "crm_id.b:1", same=True)), policy)
    assert len({b.customer_id for b in agreed.bindings.values()}) == 1


def test_a_customer_is_named_after_the_highest_class() -> None:
    facts = [together("anonymous_id:1", "email:a", 1), together("email:a", "user_id:1", 9)]
    assert {b.customer_id for b in clusters(evidence(*facts)).bindings.values()} == {"user_id:1"}


def test_in_one_class_the_earliest_names_the_customer_then_the_smallest_id() -> None:
    link = together("crm_id.a:1", "crm_id.a:2", 5)
    later = [record("crm_id.a:1", 5), record("crm_id.a:2", 4)]
    equal = [record("crm_id.a:1", 4), record("crm_id.a:2", 4)]
    assert clusters(evidence(*later, link)).bindings["crm_id.a:1"].customer_id == "crm_id.a:2"
    assert clusters(evidence(*equal, link)).bindings["crm_id.a:2"].customer_id == "crm_id.a:1"
    # Also when it is the last to join those that are one already.
    three = [record(f"crm_id.a:{n}") for n in (3, 2, 1)]
    joined = together("crm_id.a:2", "crm_id.a:3", 1), together("crm_id.a:1", "crm_id.a:3", 5)
    assert clusters(evidence(*three, *joined)).bindings["crm_id.a:3"].customer_id == "crm_id.a:1"


def test_a_record_with_implausible_times_only_does_not_name_a_customer() -> None:
    link = together("crm_id.a:1", "crm_id.a:2", NEVER)
    found = clusters(evidence(record("crm_id.a:1", NEVER), record("crm_id.a:2", 10), link)).bindings
    assert found["crm_id.a:1"].customer_id == "crm_id.a:2"


def test_a_record_nobody_linked_is_a_customer_of_its_own() -> None:
    assert clusters(evidence(record("email:a"))).bindings == {"email:a": Binding("email:a")}


def test_links_and_words_on_records_not_given_are_left_out() -> None:
    found = evidence(together("user_id:1", "email:a"), said("user_id:1", "email:b", same=True))
    del found.records["email:a"], found.records["email:b"]
    assert clusters(found).bindings == {"user_id:1": Binding("user_id:1")}
