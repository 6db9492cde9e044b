"""What a repair needs no database for: what may be asked, who is tied to whom, and what a registry says."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.beside import Refused
from services.runtime.http import Problem
from services.runtime.repair import selecting
from services.runtime.repair.owned import Owned, owned, read
from services.runtime.repair.pages import read as asked_in
from services.runtime.repair.repairing import portions
from services.runtime.repair.replacing import Unit
from services.runtime.repair.selecting import Asked, Ids

NOW_MS = 1_800_000_000_000
CUSTOMER = "0b1f7c5e-9a6d-4c1e-8f00-0a1b2c3d4e5f"
NAMES = st.sampled_from("abcdefgh")


@given(pairs=st.lists(st.tuples(NAMES, NAMES), max_size=12), alone=st.sets(NAMES))
def test_units_part_everybody_and_never_what_is_tied(pairs: list[tuple[str, str]], alone: set[str]) -> None:
    ids = Ids()
    ids.add("record", alone | {one for one, _ in pairs})
    ids.add("group", {other for _, other in pairs})
    ids.ties = {(("record", one), ("group", other)) for one, other in pairs}
    units = ids.units()
    for kind, those in ids.of.items():
        assert sorted(i for unit in units for i in unit.get(kind, ())) == sorted(those), "each is in one unit"
    for one, other in pairs:
        (unit,) = [u for u in units if one in u.get("record", ())]
        assert other in unit["group"]
    # No unit could be parted further: what is in it is one chain of ties.
    for unit in units:
        reached = {next((kind, i) for kind, those in unit.items() for i in those)}
        for _ in range(2 * len(pairs)):
            reached |= {other for tie in ids.ties for other in tie if reached & set(tie)}
        assert reached == {(kind, i) for kind, those in unit.items() for i in those}


def test_too_many_records_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "RECORDS_MAX", 2)
    ids = Ids()
    assert ids.add("record", ["a", "b"])
    assert not ids.add("record", ["a"])
    with pytest.raises(Refused, match="replay start"):
        ids.add("record", ["c"])


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"by": "me"},
        {"by": "me", "customer": CUSTOMER, "from": "2026-03-01T14:00:00Z"},
        {"by": "me", "customer": "ann@x.com"},
        {"by": "me", "customer": 7},
        {"by": "me", "to": "2026-03-01T14:00:00Z"},
        {"by": "me", "from": "14:00"},
        {"by": "me", "from": 14},
        {"by": "me", "from": "2026-03-01T14:00:00Z", "to": "2026-03-01T14:00:00Z"},
        {"by": "me", "from": "2126-03-01T14:00:00Z"},
        [],
    ],
)
def test_a_question_that_makes_no_sense_is_a_problem_that_shows_nothing_of_it(sent: Any) -> None:
    with pytest.raises(Problem) as problem:
        asked_in(orjson.dumps(sent), NOW_MS)
    assert problem.value.kind == "bad-request"
    assert "ann" not in problem.value.detail


def test_a_question_is_read_and_nothing_is_done_unless_it_is_said() -> None:
    body: dict[str, Any] = {"by": "me", "reason": "why", "customer": CUSTOMER.upper()}
    asked, by, execute = asked_in(orjson.dumps(body), NOW_MS)
    assert (asked, by.who, by.reason, execute) == (Asked(CUSTOMER), "me", "why", False)
    ranged = {"by": "me", "from": "2026-03-01T15:00:00+01:00", "execute": True}
    asked, _, execute = asked_in(orjson.dumps(ranged), NOW_MS)
    assert (asked, execute) == (Asked(None, 1_772_373_600_000, NOW_MS), True)
    assert asked.text.startswith("2026-03-01T14:00:00")


def test_a_registry_says_whose_rows_are_in_the_order_of_its_columns_and_refuses_what_says_nothing() -> None:
    found = read({"a": {"x": "record", "y": "order"}, "b": "counts"})
    assert found == {"a": Owned("a", "x", "record", (("y", "order"),)), "b": "counts"}
    sayings: list[Any] = [{}, None, 3, []]
    for nothing in sayings:
        with pytest.raises(ValueError, match="a says neither"):
            read({"a": nothing})
    with pytest.raises(Refused, match="replay start profile"):
        owned("profile")


def test_portions_hold_every_unit_once() -> None:
    units: list[Unit] = [{"record": {f"r{n}.{k}" for k in range(1 + n % 3)}} for n in range(20)]
    found = portions(units, 5)
    assert [unit for portion in found for unit in portion] == units
    sizes = [sum(len([*unit["record"]]) for unit in portion) for portion in found]
    assert all(size < 5 + 3 for size in sizes)
    assert all(one >= 5 for one, _ in pairwise(sizes)), "but for the last, none is smaller than need be"
