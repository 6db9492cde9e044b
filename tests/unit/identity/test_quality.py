"""Contact quality, the stored half: values that contradict each other."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.evidence import Trait
from services.identity.domain.quality import CLAIMS_MAX, doubts, facts, misspelt
from services.identity.domain.reach import Kind, Medium, Word
from services.identity.domain.similarity.kinds import Kind as Compared
from tests.unit.identity.stating import NEVER, record

MINUTE_US = 60_000_000
USER, ANN = "user_id:1", "email:ann@x.com"


def trait(name: str, value: Any, minute: int, by: str = USER, source: str = "crm") -> Trait:
    """One value said once."""
    time_us = minute * MINUTE_US
    return Trait(by, name, orjson.dumps(value).decode(), time_us, time_us, f"event-{minute}", source)


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "a", "b", "slip"),
    [
        ("given", "Anna", "Ana", True), ("given", "John", "Jonh", True), ("given", "Catherine", "Kathryn", True),
        ("given", "Anna Maria", "Anna Marai", True), ("given", "Anna", "anna", False), ("given", "Zoë", "Zoe", False),
        ("given", "William", "Bill", False), ("given", "A.", "Anna", False),
        ("given", "Anna M.", "Anna Maria", False),
        ("given", "Anna", "Anna Maria", False), ("given", "Maria Anna", "Anna Maria", False),
        ("given", "Dr. Anna", "Anna", False), ("given", "Jean-Luc", "Jeanluc", False), ("given", "Tim", "Tom", False),
        ("given", "Anna", "Peter", False), ("given", "Anna Maria", "Ana Petra", False),
        ("given", "Anna", "n/a", False),
        ("surname", "Smith", "Smyth", True), ("surname", "Smith", "Smiht", True),
        ("surname", "Müller", "Miller", True),
        ("surname", "Müller", "Mueller", False), ("surname", "Müller", "Muller", False),
        ("surname", "Smith", "Jones", False), ("surname", "Smith", "Smith-Jones", False),
        ("surname", "van Berg", "Berg", False), ("surname", "O'Brien", "OBrien", False),
        ("surname", "Smith", "Smith jr", False), ("surname", "Smith", "Smyth Jones", False),
    ],
)  # fmt: skip
def test_what_is_a_slip_of_a_name(kind: str, a: str, b: str, slip: bool) -> None:
    compared = Compared.GIVEN_NAME if kind == "given" else Compared.SURNAME
    assert misspelt(compared, a, b) is misspelt(compared, b, a) is slip


def test_two_spellings_are_a_doubt_since_the_second_was_said_and_the_last_stands_first() -> None:
    said = [trait("lastName", "Smiht", 1), trait("lastName", "Smith", 5, by=ANN, source="shop")]
    assert doubts(said) == [
        {
            "code": "name_conflict", "ask_for": "lastName", "values": ["Smith", "Smiht"],
            "since": "1970-01-01T00:05:00Z",
        }
    ]  # fmt: skip


def test_a_name_taken_at_marriage_is_no_doubt() -> None:
    assert doubts([trait("lastName", "Smith", 1), trait("lastName", "Jones", 5, by=ANN, source="shop")]) == []


def test_what_its_source_corrected_or_took_away_is_no_doubt() -> None:
    wrong = trait("firstName", "Ana", 3)
    assert doubts([wrong, trait("firstName", "Anna", 5)]) == []
    other = trait("firstName", "Anna", 2, by=ANN)
    assert len(doubts([wrong, other])) == 1
    assert doubts([wrong, other, trait("firstName", None, 6)]) == []


def test_a_third_name_beside_two_spellings_is_not_doubted() -> None:
    said = [trait("firstName", name, n, by=f"user_id:{n}") for n, name in enumerate(["Anna", "Ana", "Petra"])]
    assert doubts(said)[0]["values"] == ["Ana", "Anna"]


def test_full_names_are_compared_where_there_are_no_parts() -> None:
    ana, anna = trait("name", "Ana Smith", 1), trait("name", "Anna Smith", 2, by=ANN)
    (found,) = doubts([ana, anna])
    assert (found["ask_for"], found["values"]) == ("name", ["Anna Smith", "Ana Smith"])
    assert doubts([ana, anna, trait("lastName", "Smith", 1)]) == []
    assert doubts([ana, trait("name", "Anna Jones", 2, by=ANN)]) == []
    assert doubts([ana, trait("name", "Smith, Ana", 2, by=ANN)]) == []


@pytest.mark.parametrize("junk", [None, "", "  ", 7, True, ["Anna"], {"first": "Anna"}])
def test_what_is_no_text_contradicts_nothing(junk: Any) -> None:
    for name in ("firstName", "lastName", "name", "birthday"):
        assert doubts([trait(name, "Anna", 2), trait(name, junk, 1, by=ANN)]) == []


def test_of_very_many_values_only_the_last_are_compared() -> None:
    said = [trait("firstName", f"Anna{'x' * n}", n, by=f"user_id:{n}") for n in range(CLAIMS_MAX + 30)]
    assert all(len(one["values"]) <= CLAIMS_MAX for one in doubts(said))


# -- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "conflict"), [("1980-02-03", True), ("1980-02", False), ("02.01.1980", False), ("1900-01-01", False)]
)
def test_only_two_full_dates_contradict_each_other(other: str, conflict: bool) -> None:
    found = doubts([trait("birthday", "1980-01-02", 1), trait("birthday", other, 2, by=ANN)])
    assert [one["code"] for one in found] == (["birthday_conflict"] if conflict else [])


# -- facts -----------------------------------------------------------------------------------------------------------


def test_an_address_is_as_old_as_its_first_mention_and_a_customer_as_his_first_known_record() -> None:
    home = trait("address", {"city": "Bath"}, 3)
    records = [record("anonymous_id:1", 1), record(USER, 4 * MINUTE_US), record(ANN, NEVER)]
    found = facts(records, [home, trait("address", {"city": "Bath"}, 9, by=ANN)], [])
    assert found["address"]["said_at"] == "1970-01-01T00:03:00Z"
    assert found["known_since"] == "1970-01-01T00:04:00Z"
    assert found["emails"] == [{}], "when it was first mentioned is not plausible"
    assert facts([record("anonymous_id:1")], [], [])["known_since"] is None


traits = st.builds(
    trait, st.sampled_from(["firstName", "lastName", "name", "birthday", "address"]),
    st.sampled_from(["Anna", "Ana", "Ann", "Anna Lee", "1980-01-02", "1980-01-03", None, {"city": "X"}]),
    st.integers(0, 4), st.sampled_from([USER, ANN]), st.sampled_from(["crm", "shop"]),
)  # fmt: skip
words = st.builds(
    lambda kind, minute: Word(f"{kind}{minute}", USER, ANN, Medium.EMAIL, kind, minute * MINUTE_US),
    st.sampled_from(Kind), st.integers(0, 4),
)  # fmt: skip


@given(st.lists(traits, max_size=10, unique_by=lambda t: t.key), st.lists(words), st.randoms(use_true_random=False))
def test_facts_do_not_depend_on_the_order_of_what_was_said(
    said: list[Trait], heard: list[Word], order: random.Random
) -> None:
    records = [record(USER), record(ANN)]
    first = facts(records, said, heard)
    order.shuffle(said)
    order.shuffle(heard)
    assert facts(records, said, [*heard, *heard[:2]]) == first
