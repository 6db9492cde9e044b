"""Plots are SVG that anything reads, drawn to scale, whatever the names are."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.benchmarks import plots

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str, tag: str) -> list[ElementTree.Element]:
    """The elements of a kind."""
    return list(ElementTree.fromstring(svg).iter(f"{SVG}{tag}"))


def texts(svg: str) -> set[str]:
    """All that is written."""
    return {element.text or "" for element in drawn(svg, "text")}


def test_a_bar_is_as_long_as_its_value_and_stands_behind_the_one_before() -> None:
    svg = plots.bars("Cost", "µs", {"ours": {"a": 10.0, "b": 30.0}, "theirs": {"a": 80.0}})
    boxes = [b for b in drawn(svg, "rect") if b.find(f"{SVG}title") is not None]
    first, second, third = ((float(b.attrib["x"]), float(b.attrib["width"])) for b in boxes)
    assert second[1] == pytest.approx(3 * first[1], abs=0.1)
    assert third[1] == pytest.approx(8 * first[1], abs=0.1)
    assert second[0] == pytest.approx(first[0] + first[1], abs=0.1)
    assert {"Cost", "ours", "theirs", "40 µs", "80 µs", "a", "b"} <= texts(svg)


def test_a_line_rises_with_its_values_and_equal_factors_are_equally_far_on_a_logarithmic_axis() -> None:
    svg = plots.lines("Growth", "stored", "µs", {"all": [(10.0, 100.0), (100.0, 200.0), (1_000.0, 300.0)]}, log="x")
    at = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in drawn(svg, "circle")]
    assert at[1][0] - at[0][0] == pytest.approx(at[2][0] - at[1][0], abs=0.2)
    assert at[0][1] - at[1][1] == pytest.approx(at[1][1] - at[2][1], abs=0.2)
    assert at[0][1] > at[2][1], "higher values are higher"
    assert {"10", "100", "1,000", "stored", "µs", "all"} <= texts(svg)


def test_one_value_and_none_can_be_drawn() -> None:
    assert drawn(plots.lines("One", "x", "y", {"all": [(5.0, 0.0)]}, log="x"), "circle")
    assert not drawn(plots.bars("None", "µs", {}), "rect")


def test_a_name_may_be_any_text() -> None:
    assert '<b> & "c"' in texts(plots.bars('<b> & "c"', "µs", {"<row>": {"a": 1.0}}))
