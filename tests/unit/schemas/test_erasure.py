"""The word that erases: the same whoever tells it, and it says of what."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_event, encode_event
from schemas.erasure import ERASED, erased, events_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
RECORD = "11111111-1111-4111-8111-111111111111"
ids = st.lists(st.uuids().map(str), min_size=1, max_size=4, unique=True)


@given(ids, st.randoms(use_true_random=False))
def test_told_twice_it_is_one_event_in_whatever_order_events_are_named(events: list[str], chance: object) -> None:
    mixed = sorted(events, key=lambda one: hash((one, str(chance))))
    one, other = (erased(RECORD, "e1", "customer360", AT, those) for those in (events, mixed))
    assert one == other
    assert events_of(one) == sorted(events)
    assert decode_event(*encode_event(one)) == one


def test_a_whole_record_and_single_events_of_it_are_different_words() -> None:
    whole, part = erased(RECORD, "e1", "customer360", AT), erased(RECORD, "e1", "customer360", AT, [RECORD])
    assert (whole.type, events_of(whole), events_of(part)) == (ERASED, None, [RECORD])
    assert whole.event_id != part.event_id
    assert erased(RECORD, "e2", "customer360", AT).event_id != whole.event_id
