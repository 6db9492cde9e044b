"""docs/mission.md says what the end-to-end tests show, and no more."""

from tests.support.mission import PAGE, ROWS, all_markers, mistakes, page, read_rows


def test_every_marker_names_a_row_and_every_row_that_works_is_shown() -> None:
    found = mistakes(read_rows(ROWS.read_text()), all_markers())
    assert not found, "\n".join(found)


def test_the_page_is_what_rows_and_tests_give() -> None:
    made = page(read_rows(ROWS.read_text()), all_markers())
    assert PAGE.read_text() == made, "docs/mission.md is behind: `make mission` writes it"
