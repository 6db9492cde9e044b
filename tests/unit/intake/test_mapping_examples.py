"""Named examples of what other families' clients send, each beside the events it becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.envelope import rfc3339
from services.intake.domain.accept import accept
from services.intake.domain.mapping import shipped
from services.intake.domain.model import Accepted, Parked, Raw, Received, Source
from services.intake.domain.posthog import Sending, read_captured
from services.intake.domain.reading import read_body
from services.intake.domain.snowplow import events_of, read_tracked
from tests.contracts.examples import ARRIVAL, KEY

MAPPINGS = Path(__file__).parents[3] / "schemas" / "mappings"
FILES = sorted((MAPPINGS / "examples").glob("*/*.json"))


def read(family: str, body: bytes) -> list[Raw | Parked]:
    """The file's request as its family's door reads it."""
    sent = read_body(body)
    return read_captured(sent, Sending(ARRIVAL)) if family == "posthog" else read_tracked(events_of(sent))


def shown(path: Path) -> list[dict[str, Any]]:
    """What the events of a file's request are."""
    body = json.dumps(json.loads(path.read_text())["sent"]).encode()
    outcomes = [accept(raw, Received(ARRIVAL, Source("shop")), KEY) for raw in read(path.parent.name, body)]
    assert all(isinstance(one, Accepted) for one in outcomes), outcomes
    events = [one.event for one in outcomes if isinstance(one, Accepted)]
    return [
        {
            "id": event.id,
            "type": event.type,
            "time": rfc3339(event.time),
            **({"attributes": event.extensions} if event.extensions else {}),
            "data": json.loads(json.dumps(event.data, default=float)),
        }
        for event in events
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_becomes_exactly_the_events_beside_it(path: Path) -> None:
    assert shown(path) == json.loads(path.read_text())["events"]


def test_every_table_has_a_version_and_every_new_family_examples() -> None:
    names = {path.stem for path in MAPPINGS.glob("*.yaml")}
    assert {path.parent.name for path in FILES} == names - {"segment"}, "Segment's stand in schemas/examples"
    for name in names:
        content = yaml.safe_load((MAPPINGS / f"{name}.yaml").read_text())
        assert shipped(name).version == f"{name}/{content['version']}"
