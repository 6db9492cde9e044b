"""A map makes the same event of the same row, tells all that is wrong with it, and of a row what it lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.importing.mapping import BadMap, read_map
from services.ops.importing.rows import Row, UnreadableFile, rows_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "type": "contact.imported",
    "id": ["number", "changed"],
    "time": "changed",
    "identifiers": {"crm_id.acme": "number", "email": "mail"},
    "traits": {"firstName": "first", "address.city": "town"},
    "properties": {"updated_at": "changed", "source_status": {"value": "active"}},
    "channel": "import",
}
ROW = {"number": "7", "mail": " ann@x.com ", "first": "Ann", "town": "Leeds", "changed": "2026-01-01T00:00:00Z"}


def event(columns: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the map makes of a row."""
    made: dict[str, Any] = orjson.loads(read_map(DOCUMENT | changes).event(columns, "crm", NOW))
    return made


def test_a_row_becomes_an_event_with_what_it_has() -> None:
    made = event(ROW)
    assert (made["source"], made["type"], made["time"]) == ("crm", "contact.imported", "2026-01-01T00:00:00Z")
    assert made["data"] == {
        "identifiers": {"crm_id.acme": "7", "email": "ann@x.com"},
        "channel": "import",
        "traits": {"firstName": "Ann", "address": {"city": "Leeds"}},
        "properties": {"updated_at": "2026-01-01T00:00:00Z", "source_status": "active"},
    }
    assert "traits" not in event({**ROW, "first": "", "town": None})["data"]
    assert event({**ROW, "changed": ""})["time"] == NOW.isoformat()


@given(st.dictionaries(st.sampled_from(sorted(ROW)), st.text(max_size=5)))
def test_an_id_is_of_the_cells_it_is_made_of(other: dict[str, str]) -> None:
    changed = {**ROW, **other}
    same = all(changed[name].strip() == ROW[name] for name in DOCUMENT["id"])
    try:
        made = event(changed)
    except ValueError:
        return
    assert (made["id"] == event(ROW)["id"]) is same


def test_a_row_without_identifiers_says_so_and_a_type_may_stand_in_a_column() -> None:
    with pytest.raises(ValueError, match=r"crm_id\.acme, email"):
        event({"first": "Ann"})
    assert event({**ROW, "kind": "note.added"}, type={"column": "kind"})["type"] == "note.added"
    with pytest.raises(ValueError, match="type"):
        event(ROW, type={"column": "kind"})


def test_every_error_of_a_map_is_told_at_once() -> None:
    with pytest.raises(BadMap) as error:
        read_map({"type": 5, "id": "number", "traits": {"a": {"b": 1}}, "properties": [], "colour": "red"})
    for part in ("type", "id", "traits.a", "properties", "colour", "identifiers"):
        assert f"{part}:" in str(error.value)
    with pytest.raises(BadMap):
        read_map([])


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_csv_is_read_row_by_row_and_a_broken_row_is_one(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text("\ufeffnumber,mail\n1,a@x.com\n\n2\n3,\"c,d\"\n".replace(",", separator), encoding="utf-8")
    with rows_of(file) as rows:
        found = list(rows)
    assert found[0] == Row(1, {"number": "1", "mail": "a@x.com"})
    assert (found[1].number, found[1].columns) == (2, None)
    assert found[2].columns is not None
    assert found[2].columns["number"] == "3"


def test_json_lines_are_read_with_numbers_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_text('{"n": 1.10}\nnonsense\n[1]\n')
    with rows_of(file) as rows:
        found = list(rows)
    assert str((found[0].columns or {})["n"]) == "1.10"
    assert [row.why for row in found[1:]] == ["no JSON", "no JSON object"]


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    for name in ("people.xls", "missing.csv"):
        with pytest.raises(UnreadableFile), rows_of(tmp_path / name) as rows:
            list(rows)
