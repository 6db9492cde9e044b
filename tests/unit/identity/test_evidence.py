"""What events say: merging is a law, reading is by example."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event, microseconds
from schemas.identifiers import Identifier, leading, record_id
from services.identity.domain.evidence import ALIAS, NEVER_US, SEEN_TOGETHER, Evidence
from services.identity.domain.observing import observe
from services.intake.domain.model import Accepted
from tests.contracts.examples import EXAMPLES, KEY, outcomes
from tests.support.house import NOON
from tests.unit.identity.stating import evidence, links, records, traits, words

IDS = partial(record_id, KEY)
said = st.lists(st.one_of(records, links, words, traits), max_size=10)


def taken(*parts: Evidence) -> Evidence:
    """Merged, without touching the parts."""
    merged = Evidence()
    for part in parts:
        merged.take(copy.deepcopy(part))
    return merged


@settings(max_examples=150)
@given(said, said)
def test_merging_does_not_depend_on_who_is_first(one: list[Any], other: list[Any]) -> None:
    a, b = evidence(*one), evidence(*other)
    assert taken(a, b) == taken(b, a)


@settings(max_examples=150)
@given(said, said, said)
def test_merging_does_not_depend_on_grouping(one: list[Any], two: list[Any], three: list[Any]) -> None:
    a, b, c = evidence(*one), evidence(*two), evidence(*three)
    assert taken(taken(a, b), c) == taken(a, taken(b, c))


@settings(max_examples=150)
@given(said)
def test_the_same_said_twice_is_said_once(one: list[Any]) -> None:
    a = evidence(*one)
    assert taken(a, a) == a


@settings(max_examples=150)
@given(said, said)
def test_what_goes_beyond_the_known_is_exactly_what_changes_it(one: list[Any], other: list[Any]) -> None:
    known, new = evidence(*one), evidence(*other)
    beyond = new.beyond(known)
    assert taken(known, beyond) == taken(known, new)
    assert not new.beyond(taken(known, new)), "what is known already is beyond nothing"


def an_event(identifiers: dict[str, Any], type: str = "page.viewed", **changes: Any) -> Event:
    """An event under its leading record at noon."""
    lead = leading(identifiers, type)
    assert lead is not None
    clamped = changes.pop("clamped", False)
    return Event("e1", "web", type, NOON, IDS(lead), NOON, {"identifiers": identifiers, **changes}, clamped)


def seen(event: Event) -> Evidence:
    """What it says."""
    return observe(event, microseconds(event.time), IDS)


def named(found: Evidence) -> set[tuple[str, str]]:
    """(type, value) of its records."""
    return {(r.type, r.value) for r in found.records.values()}


def pairs(found: Evidence) -> set[tuple[frozenset[tuple[str, str]], int]]:
    """Linked pairs by type and value, with the kind of link."""
    of = {r.record_id: (r.type, r.value) for r in found.records.values()}
    return {(frozenset({of[k.a], of[k.b]}), k.kind) for k in found.links.values()}


def test_every_identifier_is_linked_to_the_leading_one_and_to_no_other() -> None:
    found = seen(an_event({"email": ["A@x.com"], "user_id": ["1"], "anonymous_id": ["c"]}))
    user, email, cookie = ("user_id", "1"), ("email", "a@x.com"), ("anonymous_id", "c")
    assert named(found) == {user, email, cookie}
    assert pairs(found) == {(frozenset({user, o}), SEEN_TOGETHER) for o in (email, cookie)}


def test_a_placeholder_is_no_record_and_what_policy_blocks_is_evidence_that_does_not_count() -> None:
    found = seen(an_event({"user_id": ["1"], "email": ["null", "test@shop.com"]}))
    assert named(found) == {("user_id", "1"), ("email", "test@shop.com")}
    assert len(found.links) == 1, "the policy may change: f leaves it out, not the reading"


def test_a_clamped_event_links_but_is_later_than_any_other_sighting() -> None:
    found = seen(an_event({"user_id": ["1"], "email": ["a@x.com"]}, clamped=True))
    assert {r.first_us for r in found.records.values()} == {NEVER_US}
    assert {k.first_us for k in found.links.values()} == {NEVER_US}


def test_traits_are_said_of_the_leading_record_under_one_spelling_and_null_is_said_too() -> None:
    event = an_event({"user_id": ["1"]}, traits={"first_name": "Ann", "lastName": None, "address": {"b": 1, "a": 2}})
    assert {(t.name, t.value) for t in seen(event).traits.values()} == {
        ("firstName", '"Ann"'),
        ("lastName", "null"),
        ("address", '{"a":2,"b":1}'),
    }
    assert {t.record_id for t in seen(event).traits.values()} == {event.record_id}


def test_a_trait_without_end_is_left_out() -> None:
    assert not seen(an_event({"user_id": ["1"]}, traits={"about": "x" * 5_000})).traits


def test_traits_are_as_old_as_the_source_says_they_are_but_never_newer_than_the_event() -> None:
    for told, expected in (("2020-01-01T00:00:00Z", 1_577_836_800_000_000), ("2030-01-01T00:00:00Z", None)):
        event = an_event({"user_id": ["1"]}, traits={"name": "A"}, properties={"updated_at": told})
        (trait,) = seen(event).traits.values()
        assert trait.last_us == (expected or microseconds(NOON))


def example(path: str) -> Event:
    """An example file's event as intake accepts it."""
    (outcome,) = outcomes(EXAMPLES / path)
    assert isinstance(outcome, Accepted)
    return outcome.event


def test_an_alias_with_its_type_links_that_record_only() -> None:
    found = seen(example("alias.asserted/a-visitor-becomes-a-user.json"))
    assert pairs(found) == {(frozenset({("user_id", "u-1001"), ("anonymous_id", "a-77")}), ALIAS)}


def test_an_alias_of_unsaid_type_is_read_both_ways() -> None:
    found = seen(example("alias.asserted/a-previous-id-of-unsaid-type.json"))
    user = ("user_id", "u-1001")
    assert pairs(found) == {
        (frozenset({user, ("anonymous_id", "a-79")}), ALIAS),
        (frozenset({user, ("user_id", "a-79")}), ALIAS),
    }


def test_an_alias_to_a_placeholder_links_nothing() -> None:
    assert not seen(example("alias.asserted/a-previous-id-that-is-a-placeholder.json")).links


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_an_operators_word_is_about_two_records_and_links_nothing(verdict: str) -> None:
    event = example("identity.same_asserted/one-woman-in-shop-and-crm.json")
    found = seen(msgspec.structs.replace(event, type=f"identity.{verdict}_asserted"))
    (word,) = found.assertions.values()
    assert {word.a, word.b} == {IDS(Identifier("user_id", "u-1001")), IDS(Identifier("crm_id.acme", "7"))}
    assert (word.same, word.reason, word.actor) == (verdict == "same", "checked on the phone", "op-3")
    assert not found.links


def test_a_word_about_one_record_only_is_none() -> None:
    assert not seen(example("identity.same_asserted/incomplete-with-one-record-only.json")).assertions


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("group.*/*.json")), ids=lambda p: p.stem)
def test_a_group_is_nobody(path: Path) -> None:
    event = example(str(path.relative_to(EXAMPLES)))
    if event.data["identifiers"].get("group_id"):
        assert not seen(event)


@pytest.mark.parametrize(
    "path", sorted(p for p in EXAMPLES.glob("*/*.json") if p.parent.name != "segment"), ids=lambda p: p.stem
)
def test_what_an_example_says_is_about_the_record_it_is_kept_under(path: Path) -> None:
    event = example(str(path.relative_to(EXAMPLES)))
    found = seen(event)
    if found:
        assert event.record_id in found.records
        assert all(event.record_id in (k.a, k.b) and k.a < k.b for k in found.links.values())
