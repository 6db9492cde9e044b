"""Summaries are the same in any order and any grouping, and keep the newest ten."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.interaction.domain.summary import (
    BY_RECORD_MAX,
    LAST_ITEMS_MAX,
    Item,
    Summary,
    combine,
    newest,
    read,
    write,
)

ITEMS = st.builds(
    lambda t, n, kind, channel, way: (t, f"event-{n:03}", kind, channel, way, kind.title(), "shop"),
    st.integers(-3, 6), st.integers(0, 400), st.sampled_from(["page.viewed", "order.completed"]),
    st.sampled_from(["web", "call"]), st.sampled_from(["inbound", "outbound"]),
)  # fmt: skip
MANY = st.lists(ITEMS, max_size=25, unique_by=lambda i: i[1])


def item(time_us: int, event_id: str = "e", kind: str = "page.viewed") -> Item:
    """One line."""
    return time_us, event_id, kind, "web", "inbound", "Page", "shop"


def folded(items: list[Item]) -> Summary:
    """A record's summary."""
    summary = Summary()
    for one in items:
        summary.add(one)
    return summary


def spread(items: list[Item], records: int) -> dict[str, Summary]:
    """The items under some records."""
    return {f"r{n}": folded(items[n::records]) for n in range(records)}


@given(MANY, st.randoms(use_true_random=False))
def test_folding_does_not_depend_on_order(items: list[Item], order: random.Random) -> None:
    first = write(folded(items))
    order.shuffle(items)
    assert write(folded(items)) == first


@given(MANY)
def test_a_fold_counts_everything_and_keeps_the_extremes(items: list[Item]) -> None:
    summary = folded(items)
    assert summary.count == len(items) == sum(summary.by_channel.values())
    assert summary.by_type == Counter(i[2] for i in items)
    assert summary.first_us == min((i[0] for i in items), default=None)
    assert summary.last_us == max((i[0] for i in items), default=None)
    assert summary.last == sorted(items, reverse=True)[:LAST_ITEMS_MAX]


@given(MANY)
def test_what_is_stored_is_read_back(items: list[Item]) -> None:
    summary = folded(items)
    assert read(write(summary)) == summary
    assert write(read(write(summary))) == write(summary)


def test_nothing_stored_is_an_empty_summary() -> None:
    assert read(None) == Summary()


@given(MANY, st.integers(1, 4), st.randoms(use_true_random=False))
def test_combining_does_not_depend_on_the_order_of_records(
    items: list[Item], count: int, order: random.Random
) -> None:
    parts = list(spread(items, count).items())
    first = combine(dict(parts))
    order.shuffle(parts)
    assert combine(dict(parts)) == first


@given(MANY, st.integers(1, 4))
def test_a_customer_of_many_records_is_told_as_if_all_were_one_record(items: list[Item], count: int) -> None:
    one, many = combine({"r": folded(items)}), combine(spread(items, count))
    if one is None or many is None:
        assert not items
        assert one is many is None
        return
    apart = one.pop("by_record"), many.pop("by_record")
    assert one == many
    assert sum(n for n, _, _ in apart[0].values()) == sum(n for n, _, _ in apart[1].values()) == len(items)


@given(MANY, MANY)
def test_splitting_off_a_record_gives_what_the_rest_gives_alone(one: list[Item], other: list[Item]) -> None:
    """Combining reads stored summaries only: a record that leaves leaves nothing behind."""
    both = {"a": write(folded(one)), "b": write(folded(other))}
    together = combine({r: read(s) for r, s in both.items()})
    alone = combine({"a": read(both["a"])})
    assert alone == combine({"a": folded(one)})
    assert together == combine({"b": folded(other), "a": folded(one)})


def test_nothing_passed_is_no_section() -> None:
    assert combine({}) is None
    assert combine({"r": Summary()}) is None


def test_of_equal_times_the_larger_event_id_is_newer() -> None:
    tied = [item(5, f"e{n:02}") for n in range(LAST_ITEMS_MAX + 2)]
    kept = [i[1] for i in newest(random.Random(1).sample(tied, len(tied)))]
    assert kept == [f"e{n:02}" for n in range(LAST_ITEMS_MAX + 1, 1, -1)]


def test_a_customer_of_very_many_records_lists_some_and_counts_all() -> None:
    told = combine({f"r{n:04}": folded([item(n)]) for n in range(BY_RECORD_MAX + 5)})
    assert told is not None
    assert len(told["by_record"]) == BY_RECORD_MAX
    assert told["count"] == BY_RECORD_MAX + 5


def test_times_are_told_as_rfc_3339_in_utc_and_before_1970_too() -> None:
    told = combine({"r": folded([item(-1), item(1_000_000)])})
    assert told is not None
    assert (told["first_at"], told["last_at"]) == ("1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:01Z")
    assert told["by_record"]["r"] == [2, "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:01Z"]
