"""The stream of the mix: which kind comes next, at what time, under which id, and what is sent again or late.

Owns order, time and copies. The same (mix, seed, count, start) gives the same events, byte for byte; reads no
clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from services.ops.generate import forms_contact, forms_shopping, forms_talking
from services.ops.generate.forms_shopping import Formed
from services.ops.generate.mix import Mix
from services.ops.generate.traffic import Traffic

SOURCE = "mix"
START = datetime(2024, 1, 1, tzinfo=UTC)
DAY_MS = 24 * 3600 * 1000

TABLE_SIZE = 10_000
"""Entries of the table of forms: shares are exact to 1 in TABLE_SIZE."""

COPIES_KEPT_MAX = 2048
COPIES_KEPT_EVERY = 8
"""One in so many events may be sent again much later: on average COPIES_KEPT_MAX times as many later."""

RESENT_AFTER_MS_MAX = 3_600_000

Event = dict[str, Any]
Form = Callable[[Traffic, int], Formed]


def events(mix: Mix, seed: int, count: int, start: datetime = START) -> Iterator[Event]:
    """`count` structured CloudEvents as an upstream would POST them to /events.

    Events share parts (lines, pages): whoever changes one copies it first.
    """
    for _, event in labelled(mix, seed, count, start):
        yield event


def encoded(mix: Mix, seed: int, count: int, batch_events: int, start: datetime = START) -> Iterator[bytes]:
    """The same events as JSON arrays of `batch_events`: bodies of `application/cloudevents-batch+json`."""
    batch: list[Event] = []
    for _, event in labelled(mix, seed, count, start):
        batch.append(event)
        if len(batch) == batch_events:
            yield orjson.dumps(batch)
            batch = []
    if batch:
        yield orjson.dumps(batch)


def labelled(mix: Mix, seed: int, count: int, start: datetime = START) -> Iterator[tuple[int, Event]]:
    """The same events, each with the number of the customer it is of: the truth, which no event tells.

    Times rise by `gap_ms` on average from `start` on, but for late events, which carry an earlier time.
    Copies (`duplicates_share` of all) repeat source, id and body; some carry a `sentat`, an extension
    attribute.
    """
    traffic = Traffic(mix, seed)
    table, merges_upto = _forms(mix)
    draw, size = traffic.random, len(table)
    now_ms = int(start.timestamp() * 1000)
    late_ms, step_ms = mix.late_days_max * DAY_MS, 2 * mix.gap_ms
    copies = _Copies(mix, draw)
    for i in range(count):
        now_ms += 1 + int(draw() * step_ms)
        if i and draw() < mix.duplicates_share:
            yield copies.copy(now_ms)
            continue
        at = draw()
        formed = forms_contact.merge(traffic) if at < merges_upto else None
        if formed is None:
            form, anybody = table[int(at * size)]
            formed = form(traffic, traffic.anybody() if anybody else traffic.customer())
        n, type_, data = formed
        time_ms = now_ms - int(draw() * late_ms) if draw() < mix.late_share else now_ms
        event = {
            "specversion": "1.0",
            "id": f"{traffic.prefix}-{i}",
            "source": SOURCE,
            "type": type_,
            "time": _rfc3339(time_ms),
            "datacontenttype": "application/json",
            "data": data,
        }
        copies.keep(i, n, event)
        yield n, event


class _Copies:
    """What may be sent again: the last event, and a sample of earlier ones."""

    def __init__(self, mix: Mix, draw: Callable[[], float]) -> None:
        self._mix, self._draw = mix, draw
        self._last: tuple[int, Event] | None = None
        self._kept: list[tuple[int, Event]] = []

    def keep(self, i: int, n: int, event: Event) -> None:
        self._last = n, event
        if i % COPIES_KEPT_EVERY == 0:
            if len(self._kept) < COPIES_KEPT_MAX:
                self._kept.append(self._last)
            else:
                self._kept[int(self._draw() * COPIES_KEPT_MAX)] = self._last

    def copy(self, now_ms: int) -> tuple[int, Event]:
        """A copy; with a `sentat` of its own where it was sent anew and not merely delivered twice."""
        assert self._last is not None
        delayed = self._kept and self._draw() < self._mix.duplicates_delayed_share
        n, event = self._kept[int(self._draw() * len(self._kept))] if delayed else self._last
        if self._draw() < self._mix.duplicates_resent_share:
            sent_ms = now_ms + int(self._draw() * RESENT_AFTER_MS_MAX)
            return n, {**event, "sentat": _rfc3339(sent_ms)}
        return n, dict(event)


def _rfc3339(moment_ms: int) -> str:
    text = datetime.fromtimestamp(moment_ms // 1000, UTC).isoformat()
    return f"{text[:19]}.{moment_ms % 1000:03d}Z"


def _forms(mix: Mix) -> tuple[list[tuple[Form, bool]], float]:
    """Forms by share, contact first, and the share of draws below which a merge is tried.

    The second part of an entry says whether every customer is equally likely.
    """
    unknown = {type_ for kind in mix.kinds.values() for type_ in kind.types} - FORMS.keys()
    if unknown:
        raise ValueError(f"the mix names types that have no form: {sorted(unknown)}")
    table: list[tuple[Form, bool]] = []
    filled = 0.0
    for name in sorted(mix.kinds, key=lambda name: name != "contact"):
        kind = mix.kinds[name]
        total = sum(kind.types.values())
        for type_, weight in kind.types.items():
            filled += kind.share * weight / total
            table += [(FORMS[type_], name == "contact")] * (round(filled * TABLE_SIZE) - len(table))
    return table, mix.merges_share


FORMS: dict[str, Form] = {
    "page.viewed": forms_shopping.page_viewed,
    "product.viewed": forms_shopping.product_viewed,
    "screen.viewed": forms_shopping.screen_viewed,
    "search.performed": forms_shopping.search_performed,
    "order.completed": forms_shopping.order_completed,
    "order.refunded": forms_shopping.order_refunded,
    "service.used": forms_shopping.service_used,
    "need.stated": forms_shopping.need_stated,
    "message.sent": forms_talking.message_sent,
    "message.delivered": forms_talking.message_delivered,
    "message.opened": forms_talking.message_opened,
    "message.clicked": forms_talking.message_clicked,
    "message.bounced": forms_talking.message_bounced,
    "call.held": forms_talking.call_held,
    "conversation.message": forms_talking.conversation_message,
    "ticket.opened": forms_talking.ticket_opened,
    "ticket.closed": forms_talking.ticket_closed,
    "feedback.given": forms_talking.feedback_given,
    "consent.granted": forms_talking.consent_granted,
    "consent.withdrawn": forms_talking.consent_withdrawn,
    "preference.stated": forms_talking.preference_stated,
    "contact.identified": forms_contact.contact_identified,
    "contact.imported": forms_contact.contact_imported,
    "alias.asserted": forms_contact.alias_asserted,
}
"""The form of each type the mix may name."""
