"""A policy is printed so that it can be applied again."""

from __future__ import annotations

from pathlib import Path

from services.identity.handlers import shipped_document
from services.ops.commands.policies import as_yaml, read_document


def test_what_is_shown_is_read_again_as_the_same_document(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(as_yaml(shipped_document()))
    assert read_document(file) == shipped_document()


def test_numbers_with_a_point_are_shown_without_quotes() -> None:
    assert as_yaml({"bits": "7.5", "number": "12"}) == "bits: 7.5\nnumber: '12'\n"
