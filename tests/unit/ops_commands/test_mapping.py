"""A mapping's file is read as it was meant, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.intake.domain.own_mapping import read_own
from services.ops.command import run
from services.ops.commands.policies import as_yaml, read_document

DOCUMENT = {"events": {"Done": {"type": "order.completed", "rename": {"no": "order_id", "1": "total"}}}}


def test_a_name_that_yaml_takes_for_another_value_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("events: {Done: {type: order.completed, rename: {no: order_id, 1: total, sum: total}}}")
    assert run(["mapping", "apply", "shop", str(file), "--reason", "words", "--execute"]) == 2
    told = capsys.readouterr().err
    assert "events.Done.rename.False: YAML reads this name as another value" in told
    assert "events.Done.rename.1: " in told
    assert "errors in the mapping: 2" in told


def test_what_is_shown_can_be_applied_again(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(as_yaml(DOCUMENT))
    assert read_document(file) == DOCUMENT
    assert read_own(read_document(file), "shop", 1).row("done") == read_own(DOCUMENT, "shop", 1).row("done")
