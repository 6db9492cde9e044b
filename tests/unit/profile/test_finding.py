"""Search: names are found with slips, e-mails by their beginning, phones by their end, ids as they are."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.identifiers import Identifier
from services.profile.domain.finding import (
    EXACT,
    Query,
    asked_keys,
    fitness,
    fold,
    identifier_keys,
    is_same_phone,
    kept_keys,
    only_ids,
    read_query,
    telling,
    words_of,
)

A_CUSTOMER = "b1946ac9-2492-4d23-8a3c-0b1c2d3e4f50"
letters = st.sampled_from("abcdefghijklmnopqrstuvwxyz\u0436\u044f")
words = st.text(letters, min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Dr. José MÜLLER-Lüdenscheidt", "dr jose muller ludenscheidt"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien ", "obrien"),
        ("Þóra Ærø", "thora aero"),
        ("Łukasz  Đorđe", "lukasz dorde"),
        ("李 小龍", "李 小龍"),
        ("", ""),
        ("💌 !!", ""),
    ],
)
def test_a_name_is_folded_to_its_words(name: str, folded: str) -> None:
    assert fold(name) == folded
    assert fold(folded) == folded


@given(st.text(max_size=400))
def test_folding_twice_changes_nothing_and_is_bounded(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert len(once) <= 100
    assert len(kept_keys(once)) <= 6 * 29


def slipped(word: str, place: int, letter: str, kind: int) -> str:
    """The word with one letter more, less, another, or two changed over."""
    at = place % len(word)
    return (
        word[:at] + letter + word[at:],
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    )[kind]


@given(words, st.integers(0, 20), letters, st.integers(0, 3))
def test_a_name_with_one_slip_is_found_and_fits(word: str, place: int, letter: str, kind: int) -> None:
    typed = slipped(word, place, letter, kind)
    assume(fold(typed) == typed and typed and max(len(typed), len(word)) >= 4)
    assume(min(len(typed), len(word)) >= 4)
    assert set(asked_keys(typed)) & set(kept_keys(word))
    assert fitness([typed], word) > 0


@given(words, st.integers(3, 12))
def test_a_name_is_found_while_it_is_typed(word: str, typed: int) -> None:
    beginning = word[:typed]
    assert set(asked_keys(beginning, unfinished=True)) & set(kept_keys(word))
    assert fitness([beginning], word) >= 90


@pytest.mark.parametrize(
    ("better", "worse", "name"),
    [
        ("anna smith", "ana smith", "anna smith"),
        ("anna smith", "smith anna x", "anna smith"),
        ("smith", "smyth", "anna smith"),
        ("anna sm", "anna smoth", "anna smith"),
    ],
)
def test_what_is_nearer_fits_better(better: str, worse: str, name: str) -> None:
    assert fitness(better.split(), name) > fitness(worse.split(), name)


def test_words_nobody_asked_for_cost_a_little_and_a_word_that_fits_none_all_unless_some_will_do() -> None:
    asked = ["anna", "smith"]
    assert fitness(asked, "anna smith") == EXACT > fitness(asked, "anna maria smith") > 90
    assert fitness(asked, "smith anna") == EXACT, "in any order"
    assert fitness(asked, "anna jones") == 0
    assert fitness(asked, "anna jones", some=True) == 50
    assert fitness(asked, "") == 0
    assert fitness([], "anna") == 0
    assert fitness(["a", "smith"], "anna smith") == 80, "an initial"


def test_a_name_is_looked_for_by_its_longest_words() -> None:
    assert telling(["a", "smith", "wu"]) == ["smith"]
    assert telling(["li", "wu"]) == ["li", "wu"]
    assert telling(["anna", "smithson"]) == ["smithson", "anna"]


def test_identifiers_are_kept_by_kind_but_for_those_of_machines() -> None:
    held = [("email", "ann@x.com"), ("phone", "4930123"), ("crm_id.acme", "A-7"), ("device_id", "d"), ("user_id", "")]
    assert identifier_keys(Identifier(*one) for one in held) == ["eann@x.com", "ia-7", "p3210394"]


@pytest.mark.parametrize(
    ("asked", "kept", "same"),
    [
        ("30123456", "4930123456", True),
        ("4930123456", "030123456", True),
        ("3456", "4930123456", True),
        ("4930123457", "030123456", False),
        ("123456789", "6789", False),
    ],
)
def test_a_number_is_the_same_with_and_without_its_countrys_code(asked: str, kept: str, same: bool) -> None:
    assert is_same_phone(asked, kept) is same


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Anna Smith", Query(words=("anna", "smith"))),
        ("ann@x", Query(email="ann@x", ids=("ann@x",))),
        ("+49 30 123456", Query(phone="4930123456", ids=("+49 30 123456",))),
        ("email:Ann@X.com", Query(records=(Identifier("email", "ann@x.com"),))),
        ("crm_id.acme:7", Query(records=(Identifier("crm_id.acme", "7"),))),
    ],
)
def test_a_query_means_what_it_looks_like(text: str, meant: Query) -> None:
    assert read_query(text) == meant


def test_a_bare_id_may_be_of_any_type_and_a_uuid_a_customers_own() -> None:
    assert Identifier("user_id", "A-7") in read_query("A-7").records
    assert read_query("A-7").ids == ("a-7",)
    assert read_query(A_CUSTOMER.upper()).record_id == A_CUSTOMER


@pytest.mark.parametrize(
    "text", ["Anna", "Anna 7", "ann@x.com", "email:ann@x.com", "phone:4930123", "+49 30 1234567"]
)
def test_without_leave_for_personal_data_nothing_personal_can_be_meant(text: str) -> None:
    assert only_ids(text) is None


@given(st.text(max_size=30))
def test_no_text_lets_one_without_leave_ask_for_a_person(text: str) -> None:
    asked = only_ids(text)
    assert asked is None or not asked.is_personal


@pytest.mark.parametrize("text", ["4711", "A-7", A_CUSTOMER, "user_id:42", "crm_id.acme:ann"])
def test_ids_can_be_asked_for_by_all(text: str) -> None:
    asked = only_ids(text)
    assert asked is not None
    assert asked.records or asked.ids


def test_many_words_and_long_ones_are_cut() -> None:
    assert len(words_of(" ".join(["word"] * 50))) == 6
    assert max(map(len, words_of("x" * 200))) == 24
