"""The JSON Schemas upstreams rely on change only on purpose, as a visible difference."""

from __future__ import annotations

import json

from schemas import export
from schemas.events import EVENT_TYPES


def test_the_frozen_schemas_are_those_of_the_models() -> None:
    told = export.differences()
    assert not told, (
        "Upstreams validate against schemas/frozen; if this change is meant, write it with "
        f"`{export.COMMAND}` and review the difference: " + "; ".join(told)
    )


def test_a_changed_model_is_noticed(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    changed = export.schemas()
    changed["page.viewed"]["x-direction"] = "outbound"
    monkeypatch.setattr(export, "schemas", lambda: changed)
    assert export.differences() == ["page.viewed.json differs from its model"]


def test_a_schema_says_what_is_personal_and_what_an_event_is_incomplete_without() -> None:
    order = json.loads((export.FROZEN / "order.completed.json").read_text(encoding="utf-8"))
    assert order["x-incomplete-without"] == ["currency", "order_id", "subtotal|revenue|total|products"]
    assert {"identifiers", "traits", "context"} <= set(order["x-personal"])


def test_the_envelope_names_every_type() -> None:
    envelope = json.loads((export.FROZEN / "envelope.json").read_text(encoding="utf-8"))
    assert set(envelope["properties"]["type"]["examples"]) == set(EVENT_TYPES)
