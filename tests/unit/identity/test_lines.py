"""Lines of a timeline: when two customers became one, were parted, and what operators said, of the evidence alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import moment_at
from services.identity.domain.clustering import cluster
from services.identity.domain.evidence import NEVER_US, Evidence
from services.identity.domain.lines import Line, Wanted, lines, shown
from tests.unit.identity.stating import POLICY, Fact, evidence, said, together

ANN, MAIL, CARD, BOB = "user_id:1", "email:a", "loyalty_id:7", "user_id:2"
KNOWN = (together(ANN, MAIL, 10), together(CARD, "phone:4", 20))
MET = together(ANN, CARD, 30)


def told(customer: str, *facts: Fact) -> list[Line]:
    """The customer's lines, the oldest first; a record is first seen by the earliest of the facts about it."""
    found: Evidence = evidence(*facts)
    for record in list(found.records.values()):
        times = [k.first_us for k in found.links.values() if record.record_id in (k.a, k.b)]
        first_us = min(times, default=NEVER_US)
        found.records[record.record_id] = msgspec.structs.replace(record, first_us=first_us)
    clusters = cluster(found.records, found.links.values(), found.assertions.values(), POLICY)
    customer_of = {r: b.customer_id for r, b in clusters.bindings.items()}
    every = lines(customer_of[customer], found.records, customer_of, found.links.values(), found.assertions.values())
    return sorted(every, key=lambda line: line.place)


def kinds(found: list[Line]) -> list[tuple[str, int, str | None]]:
    return [(line.type.partition(".")[2], line.time_us, line.other) for line in found]


def test_two_who_were_known_before_an_event_named_both_are_merged_at_its_time() -> None:
    (line,) = told(ANN, *KNOWN, MET)
    assert kinds([line]) == [("merged", 30, CARD)]
    assert (line.because, line.record_id, line.event_id, line.source) == ("seen_together", CARD, "event-30", "web")
    assert told(MAIL, *KNOWN, MET) == [line]


def test_a_new_name_of_somebody_known_is_no_merge() -> None:
    assert told(ANN, together(ANN, MAIL, 10), together(ANN, CARD, 20)) == []


def test_what_only_supports_a_merge_makes_no_second_line() -> None:
    assert kinds(told(ANN, *KNOWN, MET, together(MAIL, CARD, 40))) == [("merged", 30, CARD)]


def test_an_operator_merges_and_parts_and_both_sides_say_so() -> None:
    words = said(ANN, BOB, same=True, time_us=30, event="s"), said(ANN, BOB, same=False, time_us=40, event="d")
    facts = (together(ANN, MAIL, 10), together(BOB, "email:b", 20), *words)
    assert kinds(told(ANN, *facts)) == [("merged", 30, BOB), ("split", 40, BOB)]
    assert kinds(told(BOB, *facts)) == [("merged", 30, ANN), ("split", 40, ANN)]
    again = said(ANN, BOB, same=True, time_us=50, event="s2")
    assert [k[0] for k in kinds(told(ANN, *facts, again))] == ["merged", "split", "merged"]


def test_a_word_that_changes_nothing_is_told_as_a_word() -> None:
    assert kinds(told(ANN, together(ANN, CARD, 10), said(ANN, CARD, same=True, time_us=20, event="s"))) == [
        ("same_asserted", 20, None)
    ]
    strangers = (
        together(ANN, MAIL, 10),
        together(BOB, "email:b", 10),
        said(ANN, BOB, same=False, time_us=20, event="d"),
    )
    assert kinds(told(ANN, *strangers)) == [("different_asserted", 20, BOB)]


def test_an_event_whose_time_is_not_plausible_makes_no_line() -> None:
    assert told(ANN, *KNOWN, together(ANN, CARD, NEVER_US)) == []


def test_a_line_is_an_item_of_the_timeline_with_its_reason() -> None:
    word = said(ANN, BOB, same=True, time_us=30, event="s")
    (item,) = shown(told(ANN, together(ANN, MAIL, 10), together(BOB, "email:b", 20), word))
    assert (item["channel"], item["direction"], item["type"]) == ("internal", "internal", "customer.merged")
    assert item["decision"]["because"] == "same_asserted"
    assert item["summary"] == item["decision"]["reason"]
    assert str(UUID(item["event_id"])) == item["event_id"]


NAMES = [ANN, BOB, MAIL, CARD, "phone:4", "crm_id.a:1"]
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda p: p[0] != p[1])
LINKS = st.builds(lambda p, t: together(p[0], p[1], t), PAIRS, st.integers(1, 9))
WORDS = st.builds(
    lambda p, same, t, n: said(*p, same=same, time_us=t, event=f"w{n}"),
    PAIRS, st.booleans(), st.integers(1, 9), st.integers(0, 9),
)  # fmt: skip


@given(facts=st.lists(LINKS | WORDS, min_size=1, max_size=12), turn=st.randoms(use_true_random=False))
def test_lines_are_the_same_in_any_order_of_arrival(facts: list[Fact], turn: Any) -> None:
    shuffled = list(facts)
    turn.shuffle(shuffled)
    for customer in evidence(*facts).records:
        one = told(customer, *facts)
        assert one == told(customer, *shuffled)
        assert len({line.line_id for line in one}) == len(one)


@given(facts=st.lists(LINKS | WORDS, min_size=1, max_size=12), limit=st.integers(1, 4))
def test_pages_tell_each_line_once(facts: list[Fact], limit: int) -> None:
    for customer in evidence(*facts).records:
        every = told(customer, *facts)
        paged: list[Line] = []
        after = None
        while page := Wanted(limit, after=after).page(every):
            paged += page
            after = page[-1].place
        assert paged == every[::-1]
        assert Wanted(99, since=moment_at(3), until=moment_at(6)).page(every) == [
            line for line in every[::-1] if 3 <= line.time_us < 6
        ]
