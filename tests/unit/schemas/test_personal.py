"""Marks, paths and masks of personal data."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel

from schemas.events import EVENT_TYPES, personal_fields
from schemas.personal import PERSONAL, mask, personal_paths


class Inner(BaseModel):
    text: Annotated[str | None, PERSONAL] = None
    number: int = 0


class Outer(BaseModel):
    name: Annotated[str, PERSONAL]
    inner: Inner | None = None
    many: list[Inner] | None = None
    named: dict[str, Inner] | None = None
    deep: dict[str, list[Inner]] | None = None
    whole: Annotated[dict[str, str] | None, PERSONAL] = None


def test_paths_go_into_nested_models_lists_and_mappings() -> None:
    assert personal_paths(Outer) == {
        "name", "inner.text", "many[].text", "named.*.text", "deep.*[].text", "whole",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("ann@x.com", "a•••@x.com"),
        ("+44 20 7946 0042", "•••42"),
        ("Ann", "A•••"),
        ("1980-04-02", "1•••"),
        ("  ", ""),
        ("@x.com", "@•••"),
    ],
)
def test_a_mask_shows_just_enough_to_recognise(value: str, masked: str) -> None:
    assert mask(value) == masked


def test_identifiers_traits_and_context_are_personal_in_every_type() -> None:
    for known in EVENT_TYPES.values():
        assert {"identifiers", "traits", "context", "unread"} <= known.personal


def test_what_people_wrote_is_personal() -> None:
    for event_type, path in (
        ("note.added", "properties.text"),
        ("call.held", "properties.promises[].text"),
        ("search.performed", "properties.query"),
        ("message.sent", "properties.address"),
        ("page.viewed", "properties.url"),
        ("meeting.held", "properties.participants"),
    ):
        assert path in personal_fields(event_type)


def test_all_properties_of_an_unknown_type_are_personal() -> None:
    assert "properties" in personal_fields("Signed Contract")
    assert "properties" not in personal_fields("page.viewed")
