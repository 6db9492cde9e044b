"""The digest that tells a repeated event from a conflicting one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from schemas.codec import decode_event, encode_event
from schemas.digest import DIGEST_BYTES, body_digest
from schemas.envelope import Event

EVENT = Event(
    id="1",
    source="shop",
    type="order.completed",
    time=datetime(2026, 3, 2, tzinfo=UTC),
    record_id="00000000-0000-0000-0000-000000000001",
    received=datetime(2026, 3, 2, tzinfo=UTC),
    data={"properties": {"total": Decimal("27.50"), "order_id": "1"}, "context": {"sentAt": "x", "ip": "1"}},
)


def test_a_resend_with_another_sent_at_and_corrected_time_has_the_same_digest() -> None:
    again = replace(
        EVENT,
        time=datetime(2026, 3, 3, tzinfo=UTC),
        received=datetime(2026, 3, 4, tzinfo=UTC),
        clamped=True,
        data={
            **EVENT.data,
            "context": {"ip": "1", "sentAt": "y"},
            "original": {"time": "z"},
            "incomplete": ["a"],
        },
    )
    assert body_digest(again) == body_digest(EVENT)
    assert len(body_digest(EVENT)) == DIGEST_BYTES


def test_another_amount_or_type_has_another_digest() -> None:
    other = replace(EVENT, data={**EVENT.data, "properties": {"total": Decimal("27.51"), "order_id": "1"}})
    assert body_digest(other) != body_digest(EVENT)
    assert body_digest(replace(EVENT, type="order.updated")) != body_digest(EVENT)


def test_the_digest_is_the_same_whether_read_exactly_or_not() -> None:
    key, value, headers = encode_event(EVENT)
    for exact in (True, False):
        assert body_digest(decode_event(key, value, headers, exact=exact)) == body_digest(EVENT)


def test_the_order_of_keys_is_no_content() -> None:
    turned = replace(EVENT, data=dict(reversed(EVENT.data.items())))
    assert body_digest(turned) == body_digest(EVENT)
