"""Groups: what their events say, and what stands of it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event, event_id, microseconds
from schemas.identifiers import Identifier
from services.identity.domain import groups
from services.identity.domain.groups import (
    Group,
    Part,
    Word,
    group_of,
    listed,
    member,
    membership,
    part_of,
    shown,
    word_of,
)
from services.identity.domain.observing import observe
from tests.support.belonging import IDS
from tests.support.house import NOON, an_event

MINUTE_US = 60_000_000
ACME = {"group_id": ["acc-5"]}
ANN = {"user_id": ["u-1"], "email": ["ann@x.com"]}


def heard(type: str, identifiers: dict[str, list[str]], **data: Any) -> Word:
    """The word of such an event."""
    word = word_of(an_event("e", identifiers, type=type, **data), IDS)
    assert word is not None
    return word


def word(minute: int, *, joins: bool = True, role: str | None = None, event: str = "", **facts: str) -> Word:
    """One record's part in one group, said at this minute."""
    return Word(event or f"e{minute:02}", "g", "group_id", "acc-5", minute * MINUTE_US, facts, "m", joins, role)


def about(minute: int, facts: dict[str, str]) -> Word:
    """What is said of the group at this minute."""
    return replace(word(minute), facts=facts)


def group(*words: Word) -> Group:
    """All that was said of it."""
    found = group_of(words[0])
    for one in words[1:]:
        found = found.hearing(one)
    return found


# -- reading ---------------------------------------------------------------------------------------------------------


def test_a_joined_person_is_the_strongest_identifier_beside_the_groups() -> None:
    said = heard("group.joined", {**ACME, **ANN}, properties={"kind": "account", "role": "buyer"})
    assert (said.type, said.value, said.joins, said.role) == ("group_id", "acc-5", True, "buyer")
    assert said.member_id == IDS(Identifier("user_id", "u-1"))
    assert said.group_id == IDS(Identifier("group_id", "acc-5"))
    assert said.facts == {"kind": '"account"'}


def test_whoever_stands_in_an_identified_group_belongs_to_it_and_nobody_else_does() -> None:
    assert heard("group.identified", {**ACME, **ANN}).joins
    assert heard("group.identified", ACME).member_id is None
    assert not heard("group.left", {**ACME, **ANN}).joins


def test_a_groups_namespace_makes_it_another_group() -> None:
    mine, other = heard("group.joined", ACME), heard("group.joined", {"group_id.shop2": ["acc-5"]})
    assert (mine.value, other.value, other.type) == ("acc-5", "acc-5", "group_id.shop2")
    assert mine.group_id != other.group_id


@pytest.mark.parametrize(
    ("type", "identifiers"), [("page.viewed", {**ACME, **ANN}), ("group.renamed", ACME), ("group.joined", ANN)]
)
def test_an_event_that_is_none_of_a_group_says_nothing_of_one(type: str, identifiers: dict[str, list[str]]) -> None:
    assert word_of(an_event("e", identifiers, type=type, group_id="acc-5"), IDS) is None


def test_a_group_event_links_nobody() -> None:
    event = an_event("e", {**ACME, **ANN}, type="group.joined", traits={"name": "Acme"})
    assert not observe(event, 0, IDS)


def test_a_name_may_stand_in_the_traits_or_in_the_properties_and_is_no_trait() -> None:
    by_traits = heard("group.identified", ACME, traits={"name": "Acme", "employees": 7, "created_at": "2020-01-01"})
    assert by_traits.facts == {
        "name": '"Acme"', "traits.employees": "7", "traits.createdAt": '"2020-01-01"',
    }  # fmt: skip
    both = heard("group.identified", ACME, traits={"name": "Acme"}, properties={"name": "Acme Ltd"})
    assert both.facts == {"name": '"Acme Ltd"'}


@pytest.mark.parametrize("junk", [{"first": "A"}, ["A"], "", " ", True, "x" * 5_000])
def test_what_is_no_name_leaves_the_one_before_it(junk: Any) -> None:
    assert heard("group.identified", ACME, traits={"name": junk}).facts == {}


# -- a group ---------------------------------------------------------------------------------------------------------


def test_of_every_field_the_last_said_stands() -> None:
    found = group(word(1, name='"Acme"', kind='"account"'), word(3, name='"Acme Ltd"'), word(2, name='"Old"'))
    assert (found.fact("name"), found.fact("kind")) == ("Acme Ltd", "account")
    assert found.since_us == MINUTE_US


def test_at_one_time_the_larger_event_id_wins() -> None:
    assert group(word(1, event="b", name='"B"'), word(1, event="a", name='"A"')).fact("name") == "B"


def test_null_takes_a_trait_and_a_name_away() -> None:
    before = about(1, {"traits.plan": '"gold"', "name": '"Acme"'})
    found = group(before, about(2, {"traits.plan": "null", "name": "null"}))
    assert (found.traits, found.fact("name")) == ({}, None)


def test_a_group_is_shown_with_its_own_id_and_since_when_it_is_known() -> None:
    assert shown(group(about(2, {"traits.plan": '"gold"'}), word(1))) == {
        "group_id": "acc-5", "record_id": "g", "type": "group_id", "kind": None, "name": None,
        "traits": {"plan": "gold"}, "since": "1970-01-01T00:01:00Z",
    }  # fmt: skip


# -- a part ----------------------------------------------------------------------------------------------------------


def test_a_member_has_belonged_since_he_first_joined() -> None:
    part = part_of([word(5, role="owner"), word(2, role="buyer"), word(7)])
    assert (part.since, part.role) == ((2 * MINUTE_US, "e02"), "owner")


def test_who_left_is_no_member_whatever_came_before() -> None:
    part = part_of([word(3, joins=False), word(2, role="buyer")])
    assert (part.since, part.role, part.left) == (None, None, (3 * MINUTE_US, "e03"))


def test_who_came_back_belongs_since_then_and_has_no_role_of_before() -> None:
    part = part_of([word(1, role="buyer"), word(2, joins=False), word(3), word(4)])
    assert (part.since, part.role) == ((3 * MINUTE_US, "e03"), None)


def test_at_one_time_the_larger_event_id_decides_whether_he_left() -> None:
    assert part_of([word(1, event="a"), word(1, event="b", joins=False)]).since is None
    assert part_of([word(1, event="b"), word(1, event="a", joins=False)]).since is not None


said = st.lists(
    st.builds(
        lambda minute, event, joins, role: word(minute, event=f"{minute}{event}", joins=joins, role=role),
        st.integers(0, 5), st.sampled_from("abc"), st.integers(0, 3).map(bool), st.sampled_from([None, "a", "b"]),
    ),
    max_size=9, unique_by=lambda w: w.rank,
)  # fmt: skip


@given(said, st.randoms(use_true_random=False))
def test_a_part_is_what_stood_last_in_any_order(words: list[Word], order: random.Random) -> None:
    part = part_of(words)
    line = sorted(words, key=lambda w: w.rank)
    assert (part.since is not None) == bool(line and line[-1].joins)
    standing: list[Word] = []
    for one in line:
        standing = [*standing, one] if one.joins else []
    assert part.since == (standing[0].rank if standing else None)
    assert part.role == next((w.role for w in reversed(standing) if w.role), None)
    order.shuffle(words)
    assert part_of(words) == part


@given(said)
def test_another_joined_needs_no_look_at_the_words_before_it(words: list[Word]) -> None:
    joined = [w for w in words if w.joins]
    part = part_of(w for w in words if not w.joins)
    for one in joined:
        part = part.joining(one)
    assert part == part_of(words)


# -- shown -----------------------------------------------------------------------------------------------------------


def joined(minute: int, role: str | None = None) -> Part:
    """A member since this minute."""
    return part_of([word(minute, role=role)])


def test_several_records_of_one_customer_are_one_member() -> None:
    assert member("c", [joined(3, "owner"), joined(1, "buyer")]) == {
        "customer_id": "c", "role": "owner", "since": "1970-01-01T00:01:00Z", "records": 2,
    }  # fmt: skip
    acme = group(word(1, name='"Acme"', kind='"account"'))
    assert listed([membership(acme, 2, joined(3)), membership(acme, 2, joined(1, "buyer"))]) == [
        {
            "group_id": "acc-5", "record_id": "g", "kind": "account", "name": "Acme", "role": "buyer",
            "since": "1970-01-01T00:01:00Z",
        }
    ]  # fmt: skip


def test_members_of_a_large_group_are_not_told_what_it_is_called() -> None:
    acme = group(word(1, name='"Acme"', kind='"account"'))
    for members, name in ((groups.NAMED_MEMBERS_MAX, "Acme"), (groups.NAMED_MEMBERS_MAX + 1, None)):
        (one,) = listed([membership(acme, members, joined(1))])
        assert one["name"] == name
        assert (one["kind"] is None) == (name is None)


def test_at_most_a_hundred_groups_of_a_customer_are_listed_in_the_order_of_their_ids() -> None:
    many = [Group(f"g{n}", "group_id", f"acc-{n:03}", 0) for n in range(groups.LISTED_MAX + 5)]
    random.Random(7).shuffle(many)
    told = listed(membership(one, 1, joined(1)) for one in many)
    assert [g["group_id"] for g in told] == [f"acc-{n:03}" for n in range(groups.LISTED_MAX)]


def test_the_time_of_a_word_is_its_events() -> None:
    event: Event = an_event("late", {**ACME, **ANN}, type="group.left", time=NOON + timedelta(minutes=1))
    found = word_of(event, IDS)
    assert found is not None
    assert found.rank == (microseconds(event.time), event_id("web", "late"))
