"""What holds for any two values: no order, no surprise, and a form's form is itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.identity.domain.similarity.kinds import LEVELS, Kind, compare, normalise, sound, split_name
from services.identity.domain.similarity.resemblance import is_close, one_slip, similarity

MANY = settings(max_examples=100)
COMPARED = [kind for kind in Kind if LEVELS[kind]]
WORDS = (
    "Anna", "anne", "Bob", "Robert", "J.", "Smith", "Smith-Jones", "van der", "O'Brien", "Jr.", "Dr.", "Mr", "II",
    "North", "Saint", "St", "12", "14 b", "Street", "strasse", "Hauptstraße", "and", "unknown", "n/a", "xxx", "0",
    "1980-04-05", "05/04/1980", "19800405", "1980", "Łódź", "王小明", "か\u3099", "ᄀ", "ᅡ", "İ", "\u0345", ",",
)  # fmt: skip
"""Such as fields hold, and letters that fold in unusual ways."""

anything = st.one_of(
    st.text(st.characters(), max_size=12),
    st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=3).map("".join),
    st.sampled_from(WORDS).map(lambda word: f"{word}-" * 90),
    st.dates().map(str),
)


@MANY
@given(st.sampled_from(COMPARED), anything, anything)
def test_neither_value_is_the_first(kind: Kind, a: str, b: str) -> None:
    for one, other in ((a, b), (normalise(kind, a), normalise(kind, b))):
        found = compare(kind, one, other)
        assert found == compare(kind, other, one)
        assert 0 <= found < len(LEVELS[kind])
        assert (found == 0) == (one == other)


@MANY
@given(st.sampled_from(COMPARED), st.text("ab ", max_size=8), st.text("ab ", max_size=8))
def test_nor_where_letters_can_be_paired_in_many_ways(kind: Kind, a: str, b: str) -> None:
    assert compare(kind, a, b) == compare(kind, b, a)


@MANY
@given(st.sampled_from(COMPARED), anything)
def test_every_value_agrees_with_itself(kind: Kind, a: str) -> None:
    assert compare(kind, a, a) == 0


@settings(max_examples=250)
@given(st.sampled_from(list(Kind)), anything)
def test_the_form_of_a_form_is_itself(kind: Kind, value: str) -> None:
    form = normalise(kind, value)
    assert normalise(kind, form) == form
    assert len(form) <= 200


@MANY
@given(anything)
def test_the_parts_of_a_name_are_forms_of_such(value: str) -> None:
    given_names, surname = split_name(value)
    assert normalise(Kind.GIVEN_NAME, given_names) == given_names
    assert normalise(Kind.SURNAME, surname) == surname


@MANY
@given(anything)
def test_any_text_has_a_code_or_none(value: str) -> None:
    assert isinstance(sound(value), str)
    assert sound(normalise(Kind.SURNAME, value)) == sound(normalise(Kind.SURNAME, value))


@MANY
@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=1, max_size=8))
def test_letters_of_no_script_vanish(name: str) -> None:
    assert normalise(Kind.SURNAME, f"ok{name}") not in ("", "ok")


@MANY
@given(st.sampled_from(list(Kind)), anything)
def test_a_form_can_be_stored(kind: Kind, value: str) -> None:
    normalise(kind, value).encode()


@given(st.text("abc", min_size=4, max_size=7), st.text("abc", min_size=4, max_size=7))
def test_no_slip_is_overlooked(a: str, b: str) -> None:
    assert is_close(a, b, similarity(a, b)) or not one_slip(a, b)
