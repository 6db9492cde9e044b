"""Titles and summaries for timelines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import EVENT_TYPES, summary, title
from schemas.events.titles import SUMMARY_CHARS_MAX, TITLE_CHARS_MAX


def titled(event_type: str, **properties: Any) -> str:
    return title(event_type, {"properties": properties})


def test_an_order_says_number_amount_and_lines() -> None:
    made = titled("order.completed", order_id=1234, total=27.5, currency="EUR", products=[{}, {}, {}])
    assert made == "Order 1234 completed: 27.50 EUR, 3 lines"


def test_amounts_have_the_digits_of_their_currency() -> None:
    assert (
        titled("invoice.paid", invoice_id="1", amount=Decimal("99.5"), currency="JPY")
        == "Invoice 1 paid: 100 JPY"
    )
    assert (
        titled("invoice.paid", invoice_id="1", amount="2.3455", currency="KWD") == "Invoice 1 paid: 2.346 KWD"
    )


def test_a_view_shows_the_path_without_its_query() -> None:
    assert titled("page.viewed", url="https://shop.example.com/shoes?email=ann@x.com") == "Viewed /shoes"


def test_a_path_that_holds_an_email_is_not_shown() -> None:
    assert titled("page.viewed", path="/reset/ann@x.com") == "Viewed a page"


def test_a_call_says_how_long_and_how_it_ended() -> None:
    assert titled("call.held", duration_s=312, outcome="answered") == "Call, 5 min, answered"


def test_an_unknown_type_is_titled_by_its_name() -> None:
    assert titled("loyalty_card.lost") == "Loyalty card lost"


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_a_title_shows_nothing_from_a_personal_field(event_type: str) -> None:
    planted = "PLANTEDSECRET"
    fields = EVENT_TYPES[event_type].personal
    names = [path.split(".", 1)[1] for path in fields if path.startswith("properties.") and "[]" not in path]
    data = {
        "properties": dict.fromkeys(names, planted),
        "traits": {"name": planted},
        "actor": {"name": planted},
    }
    assert planted not in title(event_type, data)


def test_a_summary_is_what_was_said_in_one_line() -> None:
    assert summary("note.added", {"properties": {"text": "a\r\n b"}}) == "a b"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = sorted({name for known in EVENT_TYPES.values() for name in known.properties.model_fields})


@given(st.sampled_from(sorted(EVENT_TYPES)), st.dictionaries(st.sampled_from(NAMES), anything, max_size=8))
def test_any_properties_have_a_title_and_a_summary(event_type: str, properties: dict[str, Any]) -> None:
    data = {"properties": properties}
    assert 0 < len(title(event_type, data)) <= TITLE_CHARS_MAX
    assert len(summary(event_type, data)) <= SUMMARY_CHARS_MAX
