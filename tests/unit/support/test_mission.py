"""The mission page says what the markers show: no row works unshown, no marker is lost."""

from __future__ import annotations

import pytest

from tests.support.mission import (
    IN_PART,
    NOT_YET,
    WORKS,
    Marked,
    Row,
    mistakes,
    page,
    read_markers,
    read_rows,
    sentence,
)

FILE = "end_to_end/test_doors.py"
WHOLE = Row("A1", "Doors", "All doors open.", "")
PART = Row("A2", "Locks", "All locks lock.", "the back door's.")
SHOWN = Marked(FILE, "test_a_door_opens", ("A1",))


def test_rows_are_read_with_what_is_missing_of_them() -> None:
    doors = "A1: {title: Doors, must: All doors open.}"
    locks = "A2: {title: Locks, must: All locks lock., missing: the back door's.}"
    assert read_rows(f"{doors}\n{locks}") == [WHOLE, PART]


def test_a_marker_is_read_from_the_source_with_the_test_it_is_on() -> None:
    text = """
import pytest
nothing_there = 1

@pytest.mark.parametrize("door", [1, 2])
@pytest.mark.feature("A1", "A2")
def test_a_door_opens(door): nothing_there.imported

class TestLocks:
    @pytest.mark.feature("A2")
    async def test_a_lock_locks(self): ...

def test_without_a_row(): ...
"""
    assert read_markers(text, FILE) == [
        Marked(FILE, "test_a_door_opens", ("A1", "A2")),
        Marked(FILE, "test_a_lock_locks", ("A2",)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        'pytestmark = pytest.mark.feature("A1")',
        '@pytest.mark.feature("A1")\ndef helper(): ...',
        "x = pytest.mark.feature",
    ],
)
def test_a_marker_on_no_test_is_a_mistake(line: str) -> None:
    (found,) = read_markers(f"import pytest\n{line}\n", FILE)
    assert found.test == ""
    assert any("on no test" in one for one in mistakes([WHOLE], [SHOWN, found]))


@pytest.mark.parametrize("marker", ["feature", "feature()", "feature(ROWS)"])
def test_a_marker_that_names_no_row_is_a_mistake(marker: str) -> None:
    markers = read_markers(f"@pytest.mark.{marker}\ndef test_a_door_opens(): ...", FILE)
    assert mistakes([WHOLE], [SHOWN, *markers]) == [f"{FILE}::test_a_door_opens: the marker names no row"]


def test_an_unknown_row_a_row_unshown_and_a_test_from_elsewhere_are_mistakes() -> None:
    assert mistakes([WHOLE, PART], [SHOWN]) == []
    assert mistakes([WHOLE], []) == ["A1: it claims to work, and no test shows it"]
    assert mistakes([WHOLE], [SHOWN, Marked(FILE, "test_x", ("A9",))]) == [f"{FILE}::test_x: there is no row A9"]
    (found,) = mistakes([WHOLE], [Marked("unit/test_y.py", "test_y", ("A1",))])
    assert found == "unit/test_y.py::test_y: only end-to-end tests show that a row works"


def test_a_row_works_in_part_or_not_yet_by_what_is_missing_and_what_is_shown() -> None:
    other = Row("A3", "Windows", "All windows close.", "there are none.")
    made = page([WHOLE, PART, other], [SHOWN, Marked(FILE, "test_a_lock_locks", ("A1", "A2"))])
    assert f"Of 3 rows: 1 {WORKS}, 1 {IN_PART}, 1 {NOT_YET}." in made
    assert "| A2 | Locks | in part |" in made
    doors, locks, windows = (block.strip() for block in made.split("\n## ")[1:])
    assert doors.splitlines() == [
        "A1 Doors", "", "All doors open.", "", "**works**", "",
        "- [A door opens](../tests/end_to_end/test_doors.py)", "- [A lock locks](../tests/end_to_end/test_doors.py)",
    ]  # fmt: skip
    assert "**in part**: the back door's." in locks
    assert windows.endswith("**not yet**: there are none.")


def test_a_name_is_read_as_a_sentence() -> None:
    assert sentence("test_two_shops_numbers_are_kept_apart") == "Two shops numbers are kept apart"
