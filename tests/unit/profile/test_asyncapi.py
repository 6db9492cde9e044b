"""The published AsyncAPI document is what is taken and told, and what would break a client is told in a sentence."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schemas.events import EVENT_TYPES
from services.profile import contract
from services.profile.change_shapes import DATA
from services.profile.contract.events import taken_away
from services.profile.domain.webhooks import TYPES

SERVED = contract.served(contract.EVENTS)


def test_the_published_document_is_what_is_taken_and_told_and_nothing_was_taken_away() -> None:
    lost = contract.lost(contract.EVENTS)
    assert not lost, "Clients rely on what was published; this change breaks them: " + "; ".join(lost)
    now = contract.relied_on(SERVED)
    assert contract.published(contract.EVENTS) == now, f"events have changed; write them with `{contract.COMMAND}`"


def test_every_type_is_there_that_is_taken_and_every_one_that_a_webhook_may_be_told() -> None:
    assert set(SERVED["channels"]["raw"]["messages"]) == set(EVENT_TYPES)
    assert set(SERVED["channels"]["webhooks"]["messages"]) == set(TYPES) == set(DATA)
    assert set(SERVED["channels"]["changes"]["messages"]) == {*TYPES, "stream.ended"}


def test_all_that_is_referred_to_is_in_the_document() -> None:
    for reference in references(SERVED):
        place: Any = SERVED
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for one in part.values():
            yield from references(one)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


def schemas(document: Any) -> Any:
    return document["components"]["schemas"]


BREAKS: dict[str, Callable[[Any], Any]] = {
    "/v1/changes is no longer there": lambda d: d["channels"].pop("changes"),
    "/v1/changes: tier.changed is no longer told": lambda d: d["channels"]["changes"]["messages"].pop("tier.changed"),
    "channel.raw: call.held is no longer taken": lambda d: d["channels"]["raw"]["messages"].pop("call.held"),
    "/v1/changes: promise.due.due_at is no longer told": lambda d: (
        schemas(d)["told.PromiseDue"]["properties"].pop("due_at")
    ),
    "/v1/changes: segment.left.segment_id may now be integer": lambda d: (
        schemas(d)["told.SegmentMoved"]["properties"]["segment_id"].update(type="integer")
    ),
    "/v1/changes: customer.split.into is no longer always told": lambda d: (
        schemas(d)["told.Split"]["required"].remove("into")
    ),
    "/events: page.viewed.channel must now be sent": lambda d: (
        schemas(d)["page.viewed"].update(required=[*schemas(d)["page.viewed"].get("required", ()), "channel"])
    ),
    "every event.subject may no longer be string": lambda d: (
        schemas(d)["CloudEvent"]["properties"]["subject"].update(type="integer")
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BREAKS)
def test_what_breaks_who_sends_or_reads_events_is_told_in_a_sentence(sentence: str) -> None:
    changed = copy.deepcopy(SERVED)
    BREAKS[sentence](changed)
    assert sentence in taken_away(SERVED, changed)


ADDS: dict[str, Callable[[Any], Any]] = {
    "a type that is told": lambda d: d["channels"]["changes"]["messages"].update(more={"$ref": "#"}),
    "a field that is told": lambda d: (
        schemas(d)["told.PromiseDue"]["properties"].update(more={"type": "string"})
    ),
    "a field that may be sent": lambda d: schemas(d)["page.viewed"]["properties"].update(more={"type": "string"}),
}  # fmt: skip


@pytest.mark.parametrize("what", ADDS)
def test_what_is_added_breaks_nobody(what: str) -> None:
    changed = copy.deepcopy(SERVED)
    ADDS[what](changed)
    assert changed != SERVED
    assert taken_away(SERVED, changed) == []
