"""Asking what to do for somebody, and trying policies, at the doors of a running copy.

Owns how tests ask; what is decided is theirs to know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.doors import VISIBLE_MS, Doors, Named, Source

DECISIONS = "/v1/decisions"
CALL = {"channel": "call", "placement": "call_screen"}
HOME = {"channel": "web", "placement": "home"}
A_QUESTION = {**HOME, "identifier": {"type": "user_id", "value": "treatments-u"}}


def ask(
    doors: Doors, who: dict[str, Any], *, key: str | None = None, sent_id: str | None = None, **more: Any
) -> httpx.Response:
    """POST /v1/decisions, whatever the answer."""
    headers = {"Idempotency-Key": sent_id} if sent_id else {}
    return doors.post_api(DECISIONS, {**who, **more}, key=key, headers=headers)


def decided(doors: Doors, who: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A decision that was made."""
    response = ask(doors, who, **more)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["C360-Position"] == found["position"]
    return found


def a_decision(doors: Doors) -> str:
    """The id of a decision that can be asked for."""
    made = decided(doors, A_QUESTION)
    path = f"{DECISIONS}/{made['treatment_id']}"
    assert doors.ask(path, min_position=made["position"], wait_ms=VISIBLE_MS).status_code == 200
    return str(made["treatment_id"])


def a_good_customer(doors: Doors, web: Source, own: Named) -> str:
    """Ann, whom a large order made a customer of grade A, known by an account and a cookie."""
    ids = {"user_id": own("ann"), "anonymous_id": own("cookie")}
    order = {"order_id": own("o1"), "currency": "USD", "subtotal": "2500"}
    known = {"type": "contact.identified", "identifiers": ids, "traits": {"firstName": "Ann"}}
    bought = {"type": "order.completed", "identifiers": {"user_id": own("ann")}, "properties": order}
    return doors.customer_of("user_id", own("ann"), doors.send(web, known, bought))


@contextmanager
def tried(doors: Doors, folder: Path, actions: dict[str, Any], **more: Any) -> Iterator[Path]:
    """With a policy of these actions in force, and in a file; afterwards the one before is in force."""
    pages, said = f"{doors.copy.internal['treatment']}/policy", {"by": "a test", "reason": "a test"}
    before = doors.http.get(pages).json()["number"]
    policy = {"version": 1, "currency": "EUR", "actions": actions, **more}
    applied = doors.http.put(pages, json={**said, "document": policy})
    assert applied.status_code == 200, applied.text
    file = folder / "policy.yaml"
    file.write_text(json.dumps(policy))
    try:
        yield file
    finally:
        back = doors.http.post(f"{pages}/rollback", json={**said, "number": before}, params={"execute": "true"})
        assert back.status_code == 200, back.text
