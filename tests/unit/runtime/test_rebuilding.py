"""Parts of a rebuild that need no database: its pace, what is left out of a comparison, masks, causes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import State, Version
from services.profile.store.whole import retold
from services.runtime.contents import fields
from services.runtime.parked import masked
from services.runtime.postgres import ServiceSchema
from services.runtime.rebuild import DEBT_MAX_S, Pace
from services.runtime.uncompared import read, uncompared

SERVICES = ("identity", "interaction", "value", "profile", "treatment")
BATCHES = st.lists(st.tuples(st.integers(1, 400), st.floats(0, 0.2)), min_size=1, max_size=60)


@given(per_s=st.integers(50, 5_000), batches=BATCHES)
def test_a_rebuild_never_exceeds_its_rate_by_more_than_a_second_of_it(
    per_s: int, batches: list[tuple[int, float]]
) -> None:
    pace, now, done = Pace(per_s), 100.0, 0
    for records, worked_s in batches:
        now += worked_s
        done += records
        now += pace.pause_s(records, now)
    assert done <= per_s * (now - 100.0 + DEBT_MAX_S) + 1e-6


@given(per_s=st.integers(50, 5_000), records=st.lists(st.integers(1, 400), min_size=20, max_size=60))
def test_a_rebuild_that_has_work_holds_its_rate(per_s: int, records: list[int]) -> None:
    pace, now = Pace(per_s), 100.0
    now += pace.pause_s(per_s, now)
    began = now
    for one in records:
        now += pace.pause_s(one, now)
    assert sum(records) / (now - began) == pytest.approx(per_s, rel=0.1)


@pytest.mark.parametrize("service", SERVICES)
def test_all_that_is_not_compared_has_a_reason_and_is_there(service: str) -> None:
    schema = ServiceSchema.of(
        service, grouped=service in ("interaction", "value"), event_sourced=service != "profile"
    )
    ddl = "\n".join((*schema.derived, *(ServiceSchema.of(service, grouped=True, event_sourced=True).derived)))
    made = {m[1]: m[2] for m in re.finditer(r"CREATE TABLE (\w+) \((.*?)\n\)", ddl, re.DOTALL)}
    added = dict(re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", ddl))
    registry = uncompared(service)
    for one in registry.listed(registry.tables.keys()):
        table, what = one["table"], one["what"]
        assert one["why"].strip(), one
        if table == "review" and service == "treatment":
            continue  # a change of its policy asks for nobody to be looked at again
        assert table in made, f"{service} has no table {table}"
        if what != "all" and not what.startswith("rows"):
            assert what in made[table] or added.get(table) == what, f"{table} has no column {what}"


def test_a_registry_with_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="record says colums"):
        read({"record": {"colums": {"n": "a slip"}}})


def test_differing_fields_are_named_once_each() -> None:
    assert fields({"a": 1, "b": {"x": 1}}, {"a": 1, "b": {"x": 2}, "c": None}) == ["b"]
    assert fields(None, {"a": 1}) == ["a"]
    assert fields(None, None) == []


@given(st.text(min_size=4))
def test_no_value_is_shown_whole(text: str) -> None:
    assert masked({"name": text}) != {"name": text} or not text.strip()
    assert masked({"n": 42, "on": True, "none": None}) == {"n": "•••", "on": True, "none": None}


def test_a_name_of_a_field_that_is_an_address_is_masked_too() -> None:
    assert masked({"ann@x.com": 1}) == {"a•••@x.com": "•••"}


STATE = State("c", Version(7, 3), {})
SHOWN = {"identity": {"members": "", "body": {}}}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (SHOWN, SHOWN, None),
        (None, {"value": {}}, None),
        (None, SHOWN, {"type": "customer.created", "sections": ["identity"]}),
        (SHOWN, None, {"type": "customer.removed"}),
        (SHOWN, {"answers_with": "d"}, {"type": "customer.merged", "from": ["c"], "into": "d"}),
        (SHOWN, {**SHOWN, "value": {}}, {"type": "customer.updated", "sections": ["value"]}),
    ],
)
def test_a_swap_of_profiles_tells_what_became_of_whom(
    before: dict[str, object] | None, after: dict[str, object] | None, told: dict[str, object] | None
) -> None:
    assert retold(STATE, before, after) == (told and {"7.3": told | {"cause": "replay"}})
