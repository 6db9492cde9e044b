"""The customer as identity tells it: best values with where they came from."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.clustering import Binding
from services.identity.domain.evidence import Record, Trait
from services.identity.domain.reach import Kind, Medium, Word
from services.identity.domain.section import LIST_ITEMS_MAX, contact, section
from tests.unit.identity.stating import NEVER, record

MINUTE_US = 60_000_000


def trait(name: str, value: Any, minute: int, event: str = "e", by: str = "user_id:1", source: str = "crm") -> Trait:
    """One value said once."""
    time_us = minute * MINUTE_US
    return Trait(by, name, orjson.dumps(value).decode(), time_us, time_us, event, source)


def test_the_latest_value_wins_and_says_where_it_came_from() -> None:
    told = contact([], [trait("firstName", "Ann", 1, "e1"), trait("firstName", "Anna", 2, "e2", source="shop")])
    assert told["name"] == "Anna"
    assert told["provenance"]["firstName"] == {
        "source": "shop", "event_id": "e2", "time": "1970-01-01T00:02:00Z", "rivals": ["Ann"],
    }  # fmt: skip


def test_at_one_time_the_larger_event_id_wins() -> None:
    assert contact([], [trait("name", "B", 1, "e2"), trait("name", "A", 1, "e1")])["name"] == "B"


def test_a_late_backfill_does_not_overwrite_what_is_newer() -> None:
    assert contact([], [trait("name", "New", 9), trait("name", "Old", 1)])["name"] == "New"


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_value_can_be_taken_away_and_said_again(nothing: Any) -> None:
    ann, gone = trait("birthday", "1980-04-02", 1), trait("birthday", nothing, 2)
    assert contact([], [ann, gone])["birthday"] is None
    assert "birthday" not in contact([], [ann, gone])["provenance"]
    again = Trait("user_id:1", "birthday", ann.value, ann.first_us, 3 * MINUTE_US, "e3", "crm")
    assert contact([], [again, gone])["birthday"] == "1980-04-02"


def test_null_is_no_rival() -> None:
    told = contact([], [trait("name", None, 1), trait("name", "Ann", 2)])
    assert told["provenance"]["name"]["rivals"] == []


def test_a_name_is_put_together_from_its_parts() -> None:
    parts = [trait("lastName", "Lee", 1), trait("firstName", "Ann", 1), trait("name", "A. Lee", 5)]
    assert contact([], parts)["name"] == "Ann Lee"


def test_addresses_are_those_the_customer_is_identified_by() -> None:
    told = contact([record("email:ann@x.com"), record("phone:4420")], [trait("email", "test@x.com", 9)])
    assert [e["value"] for e in told["emails"]] == ["ann@x.com"]
    assert told["phones"] == ["4420"]


def test_what_was_said_of_addresses_stands_beside_them_and_nothing_that_depends_on_the_day() -> None:
    ann = record("email:ann@x.com")
    heard = [Word("e", ann.record_id, ann.record_id, Medium.EMAIL, Kind.BOUNCED, MINUTE_US)]
    told = section([ann], {ann.record_id: Binding("c")}, (), (), heard)["contact"]
    assert [one["failed_at"] for one in told["facts"]["emails"]] == ["1970-01-01T00:01:00Z"]
    assert not {"completeness", "issues", "reachable"} & told.keys()


def test_other_traits_are_kept_apart_from_named_fields() -> None:
    told = contact([], [trait("shoeSize", 38, 1), trait("firstName", "Ann", 1)])
    assert told["traits"] == {"shoeSize": 38}


def whole(*records: Record, generic: tuple[str, ...] = ()) -> dict[str, Any]:
    """The section of these records."""
    bindings = {r.record_id: Binding("c", r.record_id in generic) for r in records}
    found: dict[str, Any] = section(records, bindings, ())["identity"]
    return found


def test_only_a_cookie_is_an_anonymous_customer_and_a_generic_phone_does_not_make_it_known() -> None:
    assert whole(record("anonymous_id:1"), record("device_id:1"))["status"] == "anonymous"
    assert whole(record("anonymous_id:1"), record("phone:7"), generic=("phone:7",))["status"] == "anonymous"
    assert whole(record("anonymous_id:1"), record("phone:7"))["status"] == "known"


def test_an_implausible_first_time_is_not_shown() -> None:
    assert whole(record("email:a", NEVER))["records"][0]["first_seen"] is None


def test_at_most_a_hundred_records_are_listed_and_all_are_counted() -> None:
    told = whole(*(record(f"anonymous_id:{n:03}") for n in range(LIST_ITEMS_MAX + 5)), record("user_id:1", 9))
    assert len(told["records"]) == len(told["identifiers"]) == LIST_ITEMS_MAX
    assert told["totals"] == {"records": LIST_ITEMS_MAX + 6, "identifiers": LIST_ITEMS_MAX + 6}
    assert told["records"][0]["type"] == "user_id", "the strongest are listed first"


values = st.one_of(st.none(), st.sampled_from(["", "x", "y"]), st.integers(0, 2), st.just({"city": "X"}))
said = st.lists(
    st.tuples(
        st.sampled_from(["name", "firstName", "address", "size"]), values, st.integers(0, 3), st.integers(0, 5)
    ),
    max_size=10,
    unique_by=lambda t: (t[0], orjson.dumps(t[1]), t[3] % 2),
)


@given(
    said,
    st.lists(st.sampled_from(["user_id:1", "email:a", "phone:7"]), unique=True),
    st.randoms(use_true_random=False),
)
def test_the_section_does_not_depend_on_the_order_of_what_was_said(
    drawn: list[tuple[str, Any, int, int]], names: list[str], order: random.Random
) -> None:
    traits = [trait(n, v, t, f"e{e}", by=f"user_id:{e % 2}", source=f"s{e}") for n, v, t, e in drawn]
    records = [record(name) for name in names]
    bindings = {r.record_id: Binding("c") for r in records}
    first = section(records, bindings, traits)
    order.shuffle(traits)
    order.shuffle(records)
    assert section(records, bindings, traits) == first
