"""What somebody needs next: what he buys again and what others like him buy, each with a reason a person can read."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.value.domain.models.tastes import Sold, Tastes, tastes
from services.value.domain.wanting import recommended
from tests.unit.value.stating import SHOES_AND_BOOKS, back, folded, line, of_lines

DAY = 20_000
PAIRS = [(f"a{n}", item) for n in range(20) for item in ("coffee", "filter")]
PAIRS += [(f"b{n}", item) for n in range(30) for item in ("tea", "pot")]
SOLD = [Sold("coffee", DAY, 20), Sold("filter", DAY, 20), Sold("tea", DAY, 30), Sold("pot", DAY - 300, 30)]
LEARNT = tastes(SOLD, PAIRS)
OWN = [("coffee", DAY - 90), ("coffee", DAY - 60), ("coffee", DAY - 30), ("tea", DAY - 400)]


def test_both_lists_say_why() -> None:
    found = recommended(LEARNT, OWN, DAY, 10)
    again = {one["item"]: (one["reason"], one["due_on"]) for one in found["replenish"]}
    assert again == {
        "coffee": ("bought on 3 days, about every 30 days, last on 2024-09-04", "2024-10-04"),
        "tea": ("bought once, last on 2023-08-31", None),
    }
    reasons = {one["item"]: one["reason"] for one in found["discover"]}
    assert reasons == {"filter": "bought by many who bought coffee", "pot": "bought by many who bought tea"}


def test_of_whom_nothing_is_known_the_list_is_what_most_buy() -> None:
    found = recommended(LEARNT, [], DAY, 3)
    assert found["replenish"] == []
    assert [one["item"] for one in found["discover"]] == ["tea", "coffee", "filter"]
    assert {one["because"] for one in found["discover"]} == {None}


def test_what_he_buys_later_says_nothing_of_today() -> None:
    assert recommended(LEARNT, [*OWN, ("pot", DAY + 1)], DAY, 10) == recommended(LEARNT, OWN, DAY, 10)


def test_where_nothing_was_ever_sold_there_is_nothing_to_recommend() -> None:
    nothing = tastes([], [])
    assert recommended(nothing, [], DAY, 5) == {"replenish": [], "discover": []}
    assert [one["item"] for one in recommended(nothing, OWN, DAY, 5)["replenish"]] == ["coffee", "tea"]


def test_products_beyond_the_limit_cannot_be_discovered_but_bought_again() -> None:
    few = tastes(SOLD, PAIRS, items_max=2)
    assert list(few.items) == ["tea", "coffee"]
    found = recommended(few, [("pot", DAY - 5)], DAY, 10)
    assert [one["item"] for one in found["replenish"]] == ["pot"]
    assert {one["item"] for one in found["discover"]} == {"tea", "coffee"}


def _same(one: Tastes, other: Tastes) -> bool:
    return recommended(one, OWN, DAY, 10) == recommended(other, OWN, DAY, 10)


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_in_any_order_and_with_copies_the_same_is_learnt(chance: random.Random) -> None:
    pairs, sold = [*PAIRS, *PAIRS[:9]], list(SOLD)
    chance.shuffle(pairs)
    chance.shuffle(sold)
    assert _same(tastes(sold, pairs), LEARNT)


def test_an_order_names_what_was_bought_and_nothing_of_what_came_back_or_never_was() -> None:
    sold = of_lines(*SHOES_AND_BOOKS, line("r", -1, 5), line("s", 1, 1))
    assert folded(sold).items == ("b", "s")
    assert folded(sold, back(products=[line("b", 1, 5)])).items == ("b", "s"), "in part, he has bought all of it"
    assert folded(sold, back()).items == ()
    assert folded(sold, back("order.cancelled", days=0)).items == ()
    assert folded(back()).items == ()
