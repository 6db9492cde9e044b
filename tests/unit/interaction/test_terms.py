"""Words and names: folded alike, found as the longest phrase first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.interaction.domain.terms import FOLDED_CHARS_MAX, NAME_CHARS_MAX, fold, name_of, phrases_of
from tests.unit.interaction.hearing import ODD


def test_case_punctuation_and_apostrophes_do_not_count() -> None:
    assert fold("  Don't -- WAIT_long! ") == "dont wait long"
    assert fold("Straße") == "strasse"
    assert fold("schön") != fold("schon")


def test_names_keep_their_marks_and_lose_case_and_spaces() -> None:
    assert name_of("  Order_Updates \n now ") == "order_updates now"
    assert name_of(7) == "7"
    assert name_of("\x00\x01") is None


@pytest.mark.parametrize("odd", ODD)
def test_a_name_is_short_and_printable_or_none(odd: Any) -> None:
    found = name_of(odd)
    assert found is None or (0 < len(found) <= NAME_CHARS_MAX and found.isprintable())


@given(st.text(max_size=200))
def test_folded_text_is_words_with_one_space_between(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    assert len(folded) <= FOLDED_CHARS_MAX


def test_of_overlapping_phrases_the_first_and_longest_counts() -> None:
    phrases = phrases_of([("pet", "dog food"), ("dog", "dog"), ("food", "food"), ("both", "Dog Food")])
    assert list(phrases.found("dog food for a dog")) == [(0, "both"), (0, "pet"), (4, "dog")]
    assert phrases.labels("good food") == ["food"]


def test_a_phrase_without_a_word_is_none() -> None:
    assert list(phrases_of([("x", "?!")]).found("x")) == []
