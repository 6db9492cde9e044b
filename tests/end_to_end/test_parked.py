"""What was parked is looked at without what people wrote, tried again by the lane, and discarded for a reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.test_kafka_door import paths, publish, viewed
from tests.support.doors import Doors, Named, Source, cloudevent
from tests.support.running import until

REASON = "source_not_registered"
PARKED_S = 20.0


def _of(doors: Doors, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = doors.copy.json("parked", "list", "intake", "--limit", "1000", *options)["parked"]
    return rows


@pytest.mark.faults
@pytest.mark.feature("O1")
def test_a_parked_event_counts_once_its_source_is_known(doors: Doors, web: Source, own: Named) -> None:
    before = {(row["partition"], row["offset"]) for row in _of(doors)}
    name = own("stranger")
    publish(doors.copy.kafka, cloudevent(Source(name, ""), viewed(own, "/early")))

    def new() -> list[dict[str, Any]]:
        rows = _of(doors, "--reason", REASON)
        return [row for row in rows if (row["partition"], row["offset"]) not in before]

    (row,) = until(new, "it is parked", PARKED_S)
    place = f"{row['topic']}/{row['partition']}/{row['offset']}"
    shown = doors.copy.command("parked", "show", "intake", place)
    assert REASON in shown
    assert own("u") not in shown
    assert doors.copy.json("parked", "retry", "intake", "--place", place) == {"chosen": 1, "execute": False}
    doors.source(name)

    def retried() -> bool:
        # The door remembers for a moment that the source was not there.
        doors.copy.command("parked", "retry", "intake", "--place", place, "--execute")
        return not new()

    until(retried, "it is parked no more", PARKED_S)
    assert paths(doors, own, 1) == {"/early"}
    refused = doors.copy.run("parked", "discard", "intake", "--because", "a test", "--execute")
    assert refused.returncode == 2, "which ones must be said"
    doors.copy.command("parked", "discard", "intake", "--reason", REASON, "--because", "a test", "--execute")
    assert not _of(doors, "--reason", REASON)
