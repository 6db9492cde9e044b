"""Needs: stated and observed, in the policy's taxonomy, less sure as time passes; and services used."""

from __future__ import annotations

import copy
import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answers.needs import answered
from schemas.envelope import Event
from services.interaction.domain.facts import Fact
from services.interaction.domain.needs import NEEDS_MAX, SERVICES_MAX, needs, say, services_used
from services.interaction.domain.policy import read_policy
from tests.unit.interaction.hearing import ODD, POLICY, SHIPPED, apart, at, event, facts, us


def stated(day: float, need: Any, record: str = "a", **properties: Any) -> Event:
    """A need stated."""
    return event("need.stated", {"need": need, **properties}, day=day, record=record)


def viewed(day: float, category: Any, record: str = "a") -> Event:
    """A product looked at."""
    return event("product.viewed", {"product_id": "p", "category": category}, day=day, record=record)


def searched(day: float, query: Any, record: str = "a") -> Event:
    """A search."""
    return event("search.performed", {"query": query}, day=day, record=record)


def bought(day: float, *categories: Any, order: Any = None, record: str = "a") -> Event:
    """An order."""
    lines = [{"sku": "s", "category": category} for category in categories]
    named = f"o{day}" if order is None else order
    return event("order.completed", {"order_id": named, "products": lines}, day=day, record=record)


def used(day: float, service_id: Any = "repair", record: str = "a", **properties: Any) -> Event:
    """A service used."""
    return event("service.used", {"service_id": service_id, **properties}, day=day, record=record)


def shown(*events: Event, day: float = 10) -> list[dict[str, Any]]:
    """The public shape on a day."""
    return answered(needs(facts(say, *events), POLICY), us(day))


def codes(*events: Event) -> list[str]:
    """The codes told."""
    return [need["need"] for need in needs(facts(say, *events), POLICY)]


def test_a_stated_need_is_found_in_the_taxonomy_and_sure_when_it_is_stated() -> None:
    one = stated(10, "Running shoes!", importance="high", by_when="2026-04-01", recurring=True)
    assert shown(one) == [
        {
            "need": "footwear", "label": "Shoes", "kind": "stated", "recurring": True, "confidence": 1.0,
            "since": at(10), "evidence": {"stated": 1, "last_at": at(10)}, "importance": "high",
            "by_when": "2026-04-01", "event_id": one.event_id,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("need", ["home_and_garden", "Home and Garden", "home-and garden"])
def test_a_need_named_by_code_or_label_is_that_one_only(need: str) -> None:
    assert codes(stated(1, need)) == ["home_and_garden"]


def test_a_need_speaks_for_all_whose_words_it_has() -> None:
    assert codes(stated(1, "repair of my shoes")) == ["footwear", "repair_and_care"]


def test_a_stated_need_that_no_taxonomy_knows_stands_under_its_own_words() -> None:
    (found,) = shown(stated(1, "A quiet  Piano"))
    assert (found["need"], found["label"], found["recurring"]) == ("a quiet piano", "A quiet  Piano", False)


def test_surety_halves_with_every_half_life_since_it_was_last_stated() -> None:
    half_life = POLICY.taxonomy.stated_half_life_days
    found = [shown(stated(0, "shoes"), day=day)[0]["confidence"] for day in (0, half_life, 2 * half_life)]
    assert found == [1.0, 0.5, 0.25]
    assert shown(stated(0, "shoes"), stated(half_life, "shoes"), day=half_life)[0]["confidence"] == 1.0


def test_a_need_of_which_nothing_is_sure_any_more_is_forgotten() -> None:
    assert shown(stated(0, "shoes"), day=20 * 365) == []


def test_a_clock_days_ahead_makes_nothing_surer_than_sure() -> None:
    assert shown(stated(12, "shoes"), day=10)[0]["confidence"] == 1.0


def test_what_is_seen_makes_a_need_surer_by_points() -> None:
    seen = [viewed(10, "Shoes"), viewed(10.1, "Shoes"), searched(10.2, "red sneakers"), bought(10.3, "Footwear")]
    (found,) = shown(*seen)
    points = 1 + 1 + 2 + 3
    assert (found["kind"], found["confidence"]) == ("observed", round(points / (points + 6), 2))
    assert found["evidence"] == {"bought": 1, "searched": 1, "viewed": 2, "last_at": at(10.3)}
    assert found["since"] == at(10)


def test_what_is_only_seen_is_never_quite_sure_and_fades_faster() -> None:
    seen = [bought(n / 1_000, "Shoes") for n in range(400)]
    assert shown(*seen, day=0)[0]["confidence"] == 0.99
    assert shown(*seen, day=95)[0]["confidence"] == 0.48


def test_what_no_taxonomy_knows_and_nobody_stated_is_no_need() -> None:
    assert codes(viewed(1, "Pianos"), searched(1, "piano"), bought(1, "Pianos"), used(1, "tuning")) == []


def test_categories_count_by_their_path_and_words_in_a_search_only_as_words() -> None:
    assert codes(viewed(1, "Women > Shoes / Running")) == ["footwear", "sport"]
    assert codes(searched(1, "outdoor")) == []
    assert codes(viewed(1, "outdoor")) == ["sport"]


def test_an_order_sent_twice_is_one_purchase() -> None:
    (found,) = shown(bought(1, "Shoes", "Footwear", order="o1"), bought(2, "Shoes", order="o1", record="b"))
    assert found["evidence"]["bought"] == 1


def test_a_stated_need_that_is_seen_too_is_stated_and_as_sure_as_the_surer() -> None:
    (found,) = shown(stated(0, "shoes"), *(bought(n, "Shoes") for n in range(700, 740)), day=739)
    assert found["kind"] == "stated"
    assert found["confidence"] == round(120 * 100 // 126 / 100, 2)
    assert found["evidence"]["stated"] == 1


def test_a_need_stated_until_a_day_is_only_seen_from_then_on() -> None:
    events = stated(1, "shoes", until=at(5), recurring=True), viewed(2, "Shoes")
    assert [shown(*events, day=day)[0]["kind"] for day in (4, 5)] == ["stated", "observed"]
    assert shown(*events, day=5)[0]["recurring"] is False
    assert shown(stated(1, "piano", until=at(5)), day=6) == []


@pytest.mark.parametrize(("days", "recurring"), [((1, 1.2), False), ((1, 2), True)])
def test_a_need_recurs_for_whom_bought_on_enough_days(days: tuple[float, ...], recurring: bool) -> None:
    assert shown(*(bought(day, "Shoes") for day in days))[0]["recurring"] is recurring


def test_a_need_recurs_as_the_taxonomy_says_unless_he_says_otherwise() -> None:
    assert shown(stated(1, "groceries"))[0]["recurring"] is True
    assert shown(stated(1, "groceries", recurring=False))[0]["recurring"] is False
    assert shown(stated(1, "gift"))[0]["recurring"] is False


def test_another_taxonomy_needs_no_reading_of_the_log() -> None:
    said = facts(say, viewed(1, "Pianos"), stated(2, "a piano"))
    changed = copy.deepcopy(SHIPPED)
    changed["needs"]["taxonomy"] = {"music": {"label": "Music", "words": ["piano"], "categories": ["pianos"]}}
    assert [n["need"] for n in needs(said, POLICY)] == ["a piano"]
    (found,) = needs(said, read_policy(changed))
    assert (found["need"], found["observed"]["by"], found["stated"]["count"]) == ("music", {"viewed": 1}, 1)


def test_a_split_leaves_each_record_its_own_needs() -> None:
    both = facts(say, viewed(1, "Shoes", "a"), viewed(2, "Shoes", "b"), stated(2, "gift", "b"))
    assert [n["need"] for n in needs(both, POLICY)] == ["footwear", "gifts"]
    (alone,) = needs(apart(both, "a"), POLICY)
    assert (alone["need"], alone["observed"]["by"]) == ("footwear", {"viewed": 1})


def test_of_very_many_needs_those_heard_of_last_are_told() -> None:
    told = needs(facts(say, *(stated(n, f"thing number {n}") for n in range(NEEDS_MAX + 5))), POLICY)
    assert len(told) == NEEDS_MAX
    assert "thing number 4" not in {n["need"] for n in told}


def test_services_are_told_with_uses_and_the_last_name() -> None:
    found = services_used(facts(say, used(1, name="Repair"), used(3, "Gym"), used(2, " REPAIR", name="Shoe repair")))
    assert found == [
        {"service_id": "Gym", "name": None, "uses": 1, "last_at": at(3), "recurring": False},
        {"service_id": "REPAIR", "name": "Shoe repair", "uses": 2, "last_at": at(2), "recurring": False},
    ]


def test_a_service_recurs_as_was_said_last_else_by_its_days() -> None:
    three = [used(1), used(2), used(3)]
    assert services_used(facts(say, *three))[0]["recurring"] is True
    assert services_used(facts(say, *three, used(4, recurring=False)))[0]["recurring"] is False
    assert services_used(facts(say, used(1, recurring=True), used(2, recurring="yes")))[0]["recurring"] is True


def test_a_service_may_have_a_name_only_and_shows_a_need() -> None:
    assert services_used(facts(say, used(1, None, name="Shoe repair")))[0]["service_id"] is None
    assert codes(used(1, None, name="Shoe repair")) == ["repair_and_care"]
    assert codes(used(1, "repair")) == ["repair_and_care"]


def test_of_very_many_services_the_last_used_are_told() -> None:
    found = services_used(facts(say, *(used(n, f"s{n}") for n in range(SERVICES_MAX + 5))))
    assert (len(found), found[0]["service_id"]) == (SERVICES_MAX, f"s{SERVICES_MAX + 4}")


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_never_raise(odd: Any) -> None:
    names = ("need", "category", "query", "service_id", "name", "recurring", "until", "importance", "products",
             "order_id")  # fmt: skip
    for event_type in ("need.stated", "product.viewed", "product.added", "search.performed", "order.completed",
                       "service.used"):  # fmt: skip
        line = {"products": [odd, {"category": odd}]}
        events = [event(event_type, dict.fromkeys(names, odd)), event(event_type, odd, day=1)]
        events += [event(event_type, {"need": "n", "name": "n", **line, "until": odd, "recurring": odd}, day=2)]
        said = facts(say, *events)
        told = needs(said, POLICY)
        assert len(orjson.dumps([told, answered(told, us(1)), services_used(said)])) < 10_000
        assert all(len(orjson.dumps(fact.body)) < 1_000 for fact in said)


def test_browsing_without_a_category_says_nothing() -> None:
    assert facts(say, event("product.viewed", {"product_id": "p"}), event("page.viewed", {"category": "Shoes"})) == []


WORDS = st.sampled_from(["shoes", "gift", "dog food", "piano"])
DAYS, RECORDS = st.integers(0, 9), st.sampled_from("ab")
EVENTS = (
    st.builds(stated, DAYS, WORDS, RECORDS) | st.builds(viewed, DAYS, WORDS, RECORDS)
    | st.builds(searched, DAYS, WORDS, RECORDS) | st.builds(used, DAYS, WORDS, RECORDS)
    | st.builds(lambda day, word, record: bought(day, word, order="o", record=record), DAYS, WORDS, RECORDS)
)  # fmt: skip
SAID = st.lists(EVENTS, max_size=15, unique_by=lambda e: (e.record_id, e.event_id)).map(lambda e: facts(say, *e))


@given(SAID, st.randoms(use_true_random=False))
def test_any_order_with_copies_tells_the_same(said: list[Fact], order: random.Random) -> None:
    again = said + said[:3]
    order.shuffle(again)
    assert orjson.dumps(needs(again, POLICY)) == orjson.dumps(needs(said, POLICY))
    assert services_used(again) == services_used(said)


@given(SAID, st.integers(0, 3_000))
def test_surety_is_between_nothing_and_one_and_never_grows_with_time(said: list[Fact], day: int) -> None:
    told = needs(said, POLICY)
    now, later = ({n["need"]: n["confidence"] for n in answered(told, us(d))} for d in (day, day + 30))
    assert all(0 < confidence <= 1 for confidence in now.values())
    assert all(confidence <= now[need] for need, confidence in later.items())


@given(SAID)
def test_records_united_and_taken_apart_have_exactly_their_own(said: list[Fact]) -> None:
    united = apart(said, "b") + apart(said, "a")
    assert (needs(united, POLICY), services_used(united)) == (needs(said, POLICY), services_used(said))
    for record in "ab":
        alone = apart(united, record)
        assert needs(alone, POLICY) == needs(apart(said, record), POLICY)
        assert sum(s["uses"] for s in services_used(alone)) == sum(f.kind == "service" for f in alone)


@given(SAID)
def test_what_is_told_has_no_floats(said: list[Fact]) -> None:
    assert "." not in orjson.dumps(needs(said, POLICY)).decode()
