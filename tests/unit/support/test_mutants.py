"""Planted bugs can still be planted, their tests exist, and the guarantees tell of each (`make test-mutants`)."""

from __future__ import annotations

import re

import pytest

from tests.mutants.planting import CHECKOUT, Edit, Mutant, NotThere, mutants

TABLE = mutants()
LEAST = 20


@pytest.mark.parametrize("mutant", TABLE, ids=lambda mutant: mutant.name)
def test_a_bug_changes_the_code_that_is_there_and_names_tests_that_are_there(mutant: Mutant) -> None:
    for path, text in mutant.texts(CHECKOUT).items():
        assert text != path.read_text()
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert re.search(rf"^(async )?def {re.escape(name)}\(", (CHECKOUT / file).read_text(), re.MULTILINE), test


def test_the_guarantees_name_every_bug_and_there_are_enough() -> None:
    page = (CHECKOUT / "docs" / "guarantees.md").read_text()
    rows = {mutant.name: re.search(rf"^.*`{mutant.name}`.*$", page, re.MULTILINE) for mutant in TABLE}
    assert [name for name, row in rows.items() if row is None] == []
    for mutant in TABLE:
        row = rows[mutant.name]
        assert row is not None
        assert all(test.rpartition("::")[2] in row.group() for test in mutant.tests), mutant.name
    assert len(TABLE) >= LEAST


SWAPPED = "def act(a):\n    if a:\n        two(a)\n        one(a)\n    return a\n"
CODE = "def act(a):\n    if a:\n        one(a)\n        two(a)\n    return a\n"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("if a", "if not a", CODE.replace("if a", "if not a")),
        ("one(a)\ntwo(a)\n", "two(a)\n", CODE.replace("        one(a)\n", "")),
        (
            "  one(a)\n  two(a)",
            "  two(a)\n  one(a)",
            "def act(a):\n    if a:\n        two(a)\n        one(a)\n    return a\n",
        ),
        ("return a", "b = a\nreturn b", CODE.replace("return a", "b = a\n    return b")),
    ],
)
def test_an_edit_replaces_lines_or_a_part_of_one_however_they_are_indented(old: str, new: str, changed: str) -> None:
    assert Edit("f.py", old, new).applied(CODE) == changed


@pytest.mark.parametrize("old", ["three(a)", "(a)", "two(a)\none(a)", "if a:\none(a)"])
def test_what_is_not_there_or_there_twice_is_not_planted(old: str) -> None:
    with pytest.raises(NotThere):
        Edit("f.py", old, "x").applied(CODE)
