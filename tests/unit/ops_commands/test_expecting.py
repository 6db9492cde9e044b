"""What must be true after a step of a story: how it is written, and when an answer is as expected."""

from __future__ import annotations

from typing import Any

import pytest

from services.ops.commands.expecting import at, read_expectation, unmet
from services.ops.commands.failures import UsageMistake

ANSWER = {
    "contact": {"name": "Ann", "birthday": None},
    "value": None,
    "by_type": {"order.completed": 2},
    "items": [{"type": "a", "tags": ["x", "y"]}, {"type": "b", "tags": []}],
    "why": "olga said so: father and daughter.",
    "same": True,
}


def lacks(question: str = "customer", about: Any = "user_id:1", answer: Any = ANSWER, **wanted: Any) -> list[str]:
    """What an answer lacks; `wanted` are paths with `__` for dots."""
    paths = {name.replace("__", "."): value for name, value in wanted.items()}
    return unmet(read_expectation({question: about, **({"is": paths} if paths else {})}), answer)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("contact.name", "Ann"),
        ("contact.birthday", None),
        ("value.actual.revenue", None),
        ("by_type.order.completed", 2),
        ("items.#", 2),
        ("items.0.type", "a"),
        ("items.-1.type", "b"),
        ("items.*.type", ["a", "b"]),
        ("items.*.tags.#", [2, 0]),
    ],
)
def test_a_path_leads_into_objects_and_lists(path: str, found: Any) -> None:
    assert at(ANSWER, path.split(".")) == found


@pytest.mark.parametrize("path", ["contact__nmae", "items__2__type", "items__first", "why__text", "same__0"])
def test_what_is_not_there_is_never_as_expected_not_even_as_null(path: str) -> None:
    [why] = lacks("customer", "user_id:1", ANSWER, **{path: None})
    assert "there is no" in why


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"contact__name": "Ann"}, True),
        ({"contact__name": "Bob"}, False),
        ({"value": None}, True),
        ({"contact__name": None}, False),
        ({"why": {"has": "father and daughter"}}, True),
        ({"why": {"has": "mother"}}, False),
        ({"items__*__type": {"has": "b"}}, True),
        ({"same": True}, True),
        ({"same": 1}, False),
        ({"items__#": 2, "contact__name": "Bob"}, False),
    ],
    ids=str,
)
def test_an_answer_is_as_expected_when_every_path_is(wanted: dict[str, Any], holds: bool) -> None:
    assert (lacks(**wanted) == []) is holds


def test_what_was_found_is_told_beside_what_was_expected() -> None:
    assert lacks(contact__name="Bob") == ["contact.name is Ann, not Bob"]


@pytest.mark.parametrize(
    ("question", "owners", "why"),
    [
        ("one", ["a", "a", "a"], []),
        ("one", ["a", "b", "a"], ["they are 2 customers, not 1"]),
        ("apart", ["a", "b", "c"], []),
        ("apart", ["a", "b", "a"], ["they are 2 customers, not 3"]),
        ("one", ["a", None, "a"], ["email:x is nobody's, or several people's", "they are 2 customers, not 1"]),
    ],
)
def test_one_and_apart_are_about_whose_identifiers_are(
    question: str, owners: list[str | None], why: list[str]
) -> None:
    assert lacks(question, ["user_id:1", "email:x", "phone:2"], owners) == why


def test_nobodys_identifiers_are_not_one_customer() -> None:
    assert lacks("one", ["user_id:1", "email:x"], [None, None])


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("customer", "a question with what must be true"),
        ({"is": {"a": 1}}, "asks one of"),
        ({"customer": "user_id:1", "value": "user_id:1", "is": {"a": 1}}, "asks one of"),
        ({"customer": "user_id:1", "are": {"a": 1}}, "not are"),
        ({"customer": "user_id:1"}, "needs an `is`"),
        ({"one": ["user_id:1", "email:x"], "is": {"a": 1}}, "needs no `is`"),
        ({"one": ["user_id:1"]}, "two or more"),
        ({"path": ["user_id:1"], "is": {"a": 1}}, "about 2"),
        ({"customer": ["user_id:1", "user_id:2"], "is": {"a": 1}}, "about 1"),
        ({"customer": "Ann", "is": {"a": 1}}, "Ann is not TYPE:VALUE"),
        ({"customer": "user_id:1", "is": [1]}, "from names to values"),
        ({"timeline": "user_id:1", "is": {"a": 1}, "with": "chat"}, "from names to values"),
    ],
)
def test_an_expectation_that_cannot_be_meant_says_why(told: Any, why: str) -> None:
    with pytest.raises(UsageMistake, match=why):
        read_expectation(told)


def test_an_expectation_says_itself_when_nobody_does() -> None:
    found = read_expectation({"path": ["user_id:1", "email:x"], "is": {"same_customer": True}})
    assert found.say == "path user_id:1, email:x"
