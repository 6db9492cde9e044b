"""Whom the doors let nothing in of: led by an erased record, or naming one under another's."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.envelope import Event
from schemas.identifiers import Identifier
from services.intake.door.erasures import named_in
from tests.support.house import an_event

ANN = Identifier("email", "ann@x.com")
BOTH = [{"type": "user_id", "value": "7"}, {"type": "email", "value": "Ann@X.com"}]


def said(type: str, **data: Any) -> Event:
    """An event led by somebody else."""
    return an_event("e", {"user_id": ["7"], "email": ["ann@x.com"], "group_id": ["g"]}, type=type, **data)


@pytest.mark.parametrize("type", ["group.joined", "group.left", "group.identified"])
def test_a_groups_event_names_its_members(type: str) -> None:
    assert ANN in named_in(said(type))


@pytest.mark.parametrize("type", ["identity.same_asserted", "identity.different_asserted"])
def test_an_operators_word_names_both_records_as_they_are_stored(type: str) -> None:
    assert set(named_in(said(type, properties={"records": BOTH}))) == {Identifier("user_id", "7"), ANN}


@pytest.mark.parametrize("records", [None, "x", [], [None], [{"type": "??"}], [{"value": "7"}]])
def test_an_operators_word_that_lacks_names_names_nobody(records: Any) -> None:
    assert named_in(said("identity.same_asserted", properties={"records": records})) == []


def test_whoever_is_only_seen_beside_others_is_theirs() -> None:
    assert named_in(said("contact.identified")) == []
