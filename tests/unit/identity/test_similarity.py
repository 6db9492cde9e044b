"""Values of two people by example: what is read out of them, and how far they agree."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from services.identity.domain.similarity.kinds import LEVELS, Kind, compare, normalise, sound, split_name

NAN, INFINITY = float("nan"), float("inf")


def level(kind: Kind, a: Any, b: Any) -> str:
    """The name of the level, of two values as they are sent."""
    return LEVELS[kind][compare(kind, normalise(kind, a), normalise(kind, b))]


@pytest.mark.parametrize("value", ["", " - ", "N/A", "unknown", "None", "NULL", "Test", "xxx", "x x", "0000", "tbd"])
@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.DATE])
def test_a_placeholder_says_nothing(kind: Kind, value: str) -> None:
    assert normalise(kind, value) == ""


@pytest.mark.parametrize("value", [None, [], ["Ann"], {"street": "Main St"}, NAN, INFINITY, object()])
@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_no_single_value_says_nothing(kind: Kind, value: object) -> None:
    assert normalise(kind, value) == ""


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        (Kind.GIVEN_NAME, "  ANNA-María ", "anna maria"),
        (Kind.GIVEN_NAME, "Dr. Zoë", "zoe"),
        (Kind.GIVEN_NAME, "Na", "na"),
        (Kind.GIVEN_NAME, "Guest", ""),
        (Kind.GIVEN_NAME, "X", "x"),
        (Kind.SURNAME, "O\u2019Brien", "obrien"),
        (Kind.SURNAME, "Smith Jr.", "smith"),
        (Kind.SURNAME, "Guest", "guest"),
        (Kind.SURNAME, "Łukasz-Sørensen", "lukasz sorensen"),
        (Kind.SURNAME, "Straße", "strasse"),
        (Kind.SURNAME, "王", "王"),
        (Kind.GIVEN_NAME, "Алёна", "алена"),
        (Kind.GIVEN_NAME, "राज", "राज"),
        (Kind.GIVEN_NAME, "أحمد", "احمد"),
        (Kind.PLACE, "Saint-Étienne", "st etienne"),
        (Kind.PLACE, "Mount Isa", "mt isa"),
        (Kind.TEXT, "Apartment 3, 12 Main Street", "apt 3 12 main st"),
        (Kind.TEXT, "Smith & Sons Limited", "smith sons ltd"),
        (Kind.TEXT, "Smith and Sons Ltd.", "smith sons ltd"),
        (Kind.TEXT, "Hauptstraße 5", "hauptstr 5"),
        (Kind.CODE, " sw1a 1aa", "SW1A1AA"),
        (Kind.CODE, 2134, "2134"),
        (Kind.CODE, 2134.0, "2134"),
        (Kind.CODE, "\u0662\u0661\u0663\u0664", "2134"),
        (Kind.CODE, "99999", ""),
        (Kind.CODE, "N A", ""),
        (Kind.EXACT, "Male", "m"),
        (Kind.EXACT, "female", "f"),
        (Kind.EXACT, "X", "x"),
        (Kind.EXACT, "N.S.W.", "n s w"),
        (Kind.EXACT, True, "true"),
        (Kind.GIVEN_NAME, True, ""),
        (Kind.FULL_NAME, "Smith, Anna", "smith anna"),
        (Kind.TEXT, "a" * 300, "a" * 200),
    ],
)
def test_a_value_has_one_comparable_form(kind: Kind, value: object, form: str) -> None:
    assert normalise(kind, value) == form


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("1980-04-05", "1980-04-05"),
        ("1980-4-5", "1980-04-05"),
        ("1980/04/05", "1980-04-05"),
        ("1980-04-05T23:30:00+02:00", "1980-04-05"),
        ("1980-04-05 00:00", "1980-04-05"),
        (date(1980, 4, 5), "1980-04-05"),
        (datetime(1980, 4, 5, 12), "1980-04-05"),
        ("19800405", "1980-04-05"),
        (19800405, "1980-04-05"),
        (19800405.0, "1980-04-05"),
        ("20111980", "1980-11-20"),
        ("20111112", "2011-11-12"),
        ("19801345", "1980-13-45"),
        ("05.04.1980", "1980-04-05"),
        ("5/4/1980", "1980-04-05"),
        ("04/25/1980", "1980-04-25"),
        ("25/04/1980", "1980-04-25"),
        ("1980-04", "1980-04"),
        ("1980-04-00", "1980-04"),
        ("1980-00-00", "1980"),
        ("04/1980", "1980-04"),
        (1980, "1980"),
        ("\uff11\uff19\uff18\uff10-04-05", "1980-04-05"),
        ("1900-01-01", ""),
        ("0001-01-01T00:00:00Z", ""),
        ("1970-01-01", ""),
        ("00000000", ""),
        ("9999-12-31", ""),
        ("5/4/80", ""),
        ("198", ""),
        ("198004", ""),
        ("unknown", ""),
    ],
)
def test_a_date_is_read_from_how_people_write_it(value: object, form: str) -> None:
    assert normalise(Kind.DATE, value) == form


@pytest.mark.parametrize(
    ("value", "given", "surname"),
    [
        ("Anna Smith", "anna", "smith"),
        ("Dr. Anna Maria Smith-Jones jr", "anna maria", "smith jones"),
        ("Smith, Anna", "anna", "smith"),
        ("Smith-Jones, Dr. Anna Maria", "anna maria", "smith jones"),
        ("Anna Smith, PhD", "anna", "smith"),
        ("Smith, John, Jr.", "john", "smith"),
        ("John Smith Ph.D.", "john", "smith"),
        ("Prof. Dr. Ludwig van Beethoven", "ludwig", "van beethoven"),
        ("Maria de la Cruz", "maria", "de la cruz"),
        ("Van Nguyen", "van", "nguyen"),
        ("Mr. Smith", "", "smith"),
        ("Mr. John Smith III", "john", "smith"),
        ("John Junior", "john", "junior"),
        ("Cher", "cher", ""),
        ("J.R.R. Tolkien", "j r r", "tolkien"),
        ("Robert (Bob) O'Brien", "robert bob", "obrien"),
        ("Unknown Smith", "", "smith"),
        ("Smith, ", "", "smith"),
        ("Anna Smith, ", "anna", "smith"),
        (", Anna", "anna", ""),
        ("Иван Петров", "иван", "петров"),
        ("王小明", "王小明", ""),
        ("n/a", "", ""),
        ("", "", ""),
        (",", "", ""),
        (None, "", ""),
    ],
)
def test_a_full_name_is_split(value: object, given: str, surname: str) -> None:
    assert split_name(value) == (given, surname)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Anna", "ANNA", "exact"),
        ("Bob", "Robert", "nickname"),
        ("Bob James", "Robert", "nickname"),
        ("Liz", "Elizabeth", "nickname"),
        ("Bill", "Liz", "clearly_different"),
        ("Dana", "Dane", "close"),
        ("Katherine", "Catherine", "close"),
        ("Micheal", "Michael", "close"),
        ("Anna Maria", "Anna", "close"),
        ("Anna Maria", "Anna M.", "close"),
        ("Anna Maria", "Maria Anna", "close"),
        ("Jean-Paul", "Jeanpaul", "close"),
        ("J", "John", "initial"),
        ("J. R.", "John Ronald", "initial"),
        ("J. R.", "John Paul", "different"),
        ("J.", "J. R.", "initial"),
        ("Kaitlyn", "Catelin", "sounds"),
        ("Jean Paul", "Jean Marie", "sounds"),
        ("Tim", "Tom", "sounds"),
        ("Maria", "Mario Luis", "close"),
        ("Martin", "Marlon", "different"),
        ("Anna", "Peter", "clearly_different"),
        ("J", "Mary", "clearly_different"),
        ("Иван", "Ивана", "close"),
        ("王", "李", "clearly_different"),
    ],
)
def test_given_names_agree(a: str, b: str, expected: str) -> None:
    assert level(Kind.GIVEN_NAME, a, b) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Smith", "SMITH Jr", "exact"),
        ("O'Brien", "OBrien", "exact"),
        ("Müller", "Muller", "exact"),
        ("Müller", "Mueller", "close"),
        ("Johnson", "Johnston", "close"),
        ("Smith-Jones", "Smith", "close"),
        ("Smith-Jones", "Jones", "close"),
        ("Smyth", "Smith-Jones", "close"),
        ("Smyth Jones", "Smith Jones", "close"),
        ("van der Berg", "Vanderberg", "close"),
        ("van der Berg", "Berg", "close"),
        ("Mac Donald", "MacDonald", "close"),
        ("Garcia Lopez", "Garcia Perez", "sounds"),
        ("Wright", "Rite", "sounds"),
        ("van Dyk", "van Gogh", "different"),
        ("Harris", "Harvey", "different"),
        ("Smith", "Okafor", "clearly_different"),
    ],
)
def test_surnames_agree(a: str, b: str, expected: str) -> None:
    assert level(Kind.SURNAME, a, b) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("1980-04-05", "05/04/1980", "exact"),
        ("1980-04-05", "1980-05-04", "slip"),
        ("1980-04-05", "1990-04-05", "slip"),
        ("1980-04-15", "1980-04-51", "slip"),
        ("1908-04-15", "1980-04-15", "slip"),
        ("1980-13-05", "1980-12-05", "slip"),
        ("1980-04-15", "1980-04-26", "near"),
        ("1979-04-15", "1980-04-15", "near"),
        ("1980-04-15", "1980", "partial"),
        ("1980-04-15", "1980-04", "partial"),
        ("1980-04-15", "1980-05", "different"),
        ("1980", "1999", "different"),
        ("1980-04-15", "1980-11-26", "different"),
        ("1980-04-15", "1952-04-26", "different"),
        ("1980-04-15", "1970-11-26", "different"),
        ("1980-04-15", "1969-11-26", "clearly_different"),
    ],
)
def test_dates_agree(a: str, b: str, expected: str) -> None:
    assert level(Kind.DATE, a, b) == expected


@pytest.mark.parametrize(
    ("kind", "a", "b", "expected"),
    [
        (Kind.PLACE, "St. Kilda", "Saint Kilda", "exact"),
        (Kind.PLACE, "Melbourne", "Melborne", "close"),
        (Kind.PLACE, "Frankfurt Main", "Main-Frankfurt", "close"),
        (Kind.PLACE, "North Sydney", "Sydney", "contains"),
        (Kind.PLACE, "New York", "New York City", "contains"),
        (Kind.PLACE, "North", "North Sydney", "different"),
        (Kind.PLACE, "North Sydney", "South Sydney", "different"),
        (Kind.PLACE, "Perth", "Darwin", "different"),
        (Kind.TEXT, "12 Main Street", "12 main st.", "exact"),
        (Kind.TEXT, "12 Main Street", "12 Mains St", "close"),
        (Kind.TEXT, "12 Main Street", "12 Main", "close"),
        (Kind.TEXT, "Engineer, Software", "software engineer", "close"),
        (Kind.TEXT, "Acme Pty Ltd", "Acme", "close"),
        (Kind.TEXT, "12 Main Street", "14 Main Street", "some"),
        (Kind.TEXT, "12 Main Street", "12 Main Road", "some"),
        (Kind.TEXT, "Unit 3, 12 Main St", "12 Main St", "some"),
        (Kind.TEXT, "Software Engineer", "Senior Software Developer", "some"),
        (Kind.TEXT, "12 Main Street", "12 Oak Street", "different"),
        (Kind.TEXT, "12 Main Street North", "14 Mason Street", "different"),
        (Kind.TEXT, "12 / 5", "12", "some"),
        (Kind.TEXT, "12", "14", "different"),
        (Kind.TEXT, "12", "12 Main St", "different"),
        (Kind.TEXT, "The Avenue", "The Parade", "different"),
        (Kind.CODE, "SW1A 1AA", "sw1a1aa", "exact"),
        (Kind.CODE, "2134", "2143", "slip"),
        (Kind.CODE, "2134", "21345", "slip"),
        (Kind.CODE, "0800", 800, "slip"),
        (Kind.CODE, "213", "214", "different"),
        (Kind.CODE, "2134", "2256", "different"),
        (Kind.EXACT, "M", "male", "exact"),
        (Kind.EXACT, "NSW", "nsw", "exact"),
        (Kind.EXACT, "NSW", "VIC", "different"),
    ],
)
def test_places_texts_codes_and_exact_values_agree(kind: Kind, a: object, b: object, expected: str) -> None:
    assert level(kind, a, b) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("smith", "smyth"), ("knight", "night"), ("de la cruz", "cruz"), ("van der berg", "berg"), ("王", "王")],
)
def test_names_heard_alike_have_one_code(one: str, other: str) -> None:
    assert sound(one) == sound(other) != ""


def test_what_is_no_word_has_no_code() -> None:
    assert [sound(text) for text in ("", " ", "12", "x3")] == ["", "", "", ""]


def test_a_full_name_is_not_compared_whole() -> None:
    assert LEVELS[Kind.FULL_NAME] == ()
    with pytest.raises(KeyError):
        compare(Kind.FULL_NAME, "anna smith", "ann smith")


def test_a_number_too_long_to_be_written_says_nothing() -> None:
    assert normalise(Kind.CODE, 1 << 20_000) == ""
