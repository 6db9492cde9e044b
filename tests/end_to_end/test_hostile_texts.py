"""X9: what a sender may write to break a reader comes back as it was written, and breaks neither page nor log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import VISIBLE_MS, Doors, Named, Source

HOSTILE = {
    "sql": "Robert'); DROP TABLE history; --",
    "header": "a\r\nSet-Cookie: x=1\r\n\r\nHTTP/1.1 200 OK",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "template": "{{7*7}} ${7*7} %s %(x)s {0.__class__}",
    "turned": "\u202etxt.exe\u2066 \ufeff\u200b",
    "quotes": "\"'`\\ \\u0000 \t\x07\x1b[31m",
}
AT = "2026-03-0{}T10:00:00Z"


def said(own: Named, text: str) -> list[dict[str, Any]]:
    """A life in which everything that can be written is this text."""
    who = {"user_id": own("ann"), "crm_id.acme": own(text)[:200]}
    line = {"product_id": text, "name": text, "category": text, "price": 9, "quantity": 1}
    return [
        {"type": "contact.identified", "identifiers": who, "time": AT.format(1),
         "traits": {"firstName": text, "lastName": text, "address": {"street": text, "city": text}}},
        {"type": "page.viewed", "identifiers": who, "time": AT.format(2),
         "properties": {"url": text, "title": text, "referrer": text}, "campaign": {"name": text, "source": text}},
        {"type": "order.completed", "identifiers": who, "time": AT.format(3),
         "properties": {"order_id": own(text)[:200], "currency": "EUR", "subtotal": 9, "products": [line]}},
        {"type": "conversation.message", "identifiers": who, "time": AT.format(4),
         "conversation_id": own("talk"), "actor": {"kind": "staff", "name": text},
         "properties": {"text": text, "topic": text}},
        {"type": "shelf.rearranged", "identifiers": who, "time": AT.format(5),
         "properties": {"note": text, text: text}},
    ]  # fmt: skip


def lines_of(log: Path) -> set[str]:
    """The lines of all services' logs."""
    return {line for one in log.glob("*.log") for line in one.read_text(errors="replace").splitlines()}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_what_is_written_comes_back_and_breaks_nothing(
    doors: Doors, web: Source, own: Named, kind: str, tmp_path: Path
) -> None:
    text = HOSTILE[kind]
    events = said(own, text)
    before = lines_of(doors.copy.home / "log")
    position = doors.send(web, *events)
    ann = doors.customer_of("user_id", own("ann"), position)
    document = doors.profile(ann, position)
    assert document["interaction"]["count"] == len(events)
    query: dict[str, Any] = {"include": "properties", "min_position": position, "wait_ms": VISIBLE_MS}
    shown = {item["time"]: item for item in doors.ask(f"/v1/customers/{ann}/timeline", **query).json()["items"]}
    for event in events:
        sent = event.get("properties", {})
        kept = shown[event["time"]]["properties"]
        assert {name: kept[name] for name in sent if name not in ("products", "order_id")} == {
            name: value for name, value in sent.items() if name not in ("products", "order_id")
        }
    assert shown[AT.format(3)]["properties"]["products"][0]["name"] == text
    (found,) = doors.look_up(("crm_id.acme", own(text)[:200]))
    assert found["customer_id"] == ann
    page = tmp_path / "page.html"
    doors.copy.command("customer", ann, "--html", str(page))
    assert "<script>alert(1)" not in page.read_text()
    assert "onerror=alert(2)>" not in page.read_text()
    new = lines_of(doors.copy.home / "log") - before
    told = [line for line in new if text in line or line.startswith("Set-Cookie")]
    assert not told, "a log says what he wrote"
