"""Reading: from an event to what it says of money.

Owns business keys, which amount counts, and which events have no money meaning (None). Never raises for what
was sent. `data` must have been decoded exactly: an amount that came through a float is already another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from schemas.envelope import Event, microseconds, moment_at
from schemas.events.fields import moment_of, text_of
from schemas.identifiers import CLASSES, class_rank, leading
from services.value.domain.days import day_of
from services.value.domain.entries import (
    AMOUNT_MISMATCH,
    CANCELLED,
    COMPLETED,
    COST,
    DIRTY_LINE,
    ISSUED,
    NEGATIVE_ORDER,
    OF_ORDER,
    PAID,
    REFUNDED,
    RENEWED,
    STARTED,
    UPDATED,
    Entry,
    Line,
)
from services.value.domain.money import AMOUNT_MAX, UNIT, amount_of, currency_of, minor_unit, times

OTHER_AREA = "other"
AREA_CHARS_MAX = 100
ID_CHARS_MAX = 256
"""Business ids longer than this name nothing: keys are indexed."""

DATE_CHARS = 10

SUBSCRIPTIONS = "subscriptions"
"""`revenue_from` of sources whose revenue comes from subscriptions instead of invoices."""

_ORDER_AMOUNTS = ("subtotal", "revenue", "total", "shipping", "tax", "discount", "cost")
_TOTAL = 2
"""Where the total stands among the figures that may give the net."""
_DAY_US = 86_400_000_000
_QUARTER_US = 900_000_000
QUARTERS_REMEMBERED_MAX = 65_536
"""Quarters of an hour of which it is known on which day they are: two years of them."""
_EARLIEST_US = microseconds(datetime(1990, 1, 1, tzinfo=UTC))
_YEARS = range(1970, 2200)
"""Of what people state; other dates are none."""
_REQUIRED = frozenset(
    {"amount", "currency", "invoice_id", "order_id", "subscription_id", "subtotal|revenue|total|products"}
)
"""Requirements without which an event says nothing of money; a missing plan or interval is no matter."""

_Read = Callable[[Event, Mapping[str, Any], int, ZoneInfo], Entry | None]


def business_day(time_us: int, zone: ZoneInfo) -> int:
    """Days from 1970-01-01 to the calendar day on which the moment falls in this time zone."""
    day = _day_of_quarter(time_us // _QUARTER_US, zone)
    return _day_at(time_us, zone) if day is None else day


def _day_at(time_us: int, zone: ZoneInfo) -> int:
    return day_of(moment_at(time_us).astimezone(zone))


@lru_cache(QUARTERS_REMEMBERED_MAX)
def _day_of_quarter(quarter: int, zone: ZoneInfo) -> int | None:
    """The day of all moments of a quarter of an hour; None where one begins within it."""
    day = _day_at(quarter * _QUARTER_US, zone)
    return day if day == _day_at((quarter + 1) * _QUARTER_US - 1, zone) else None


def day_of_text(value: Any, zone: ZoneInfo) -> int | None:
    """The business day of a date or a moment as people write it; None when it is none, or not of this age."""
    moment = moment_of(value)
    if moment is not None:
        return business_day(microseconds(moment), zone) if moment.year in _YEARS else None
    found = text_of(value)
    try:
        day = date.fromisoformat(found[:DATE_CHARS]) if found else None
    except ValueError:
        return None
    return day_of(day) if day is not None and day.year in _YEARS else None


def read(event: Event, time_us: int, zone: ZoneInfo) -> Entry | None:
    """What the event says of money; None when that is nothing, or a field that money needs is missing.

    `time_us` is when it happened in µs since 1970; `zone` decides the business day of a subscription's charge.
    """
    reader = _READERS.get(event.type)
    properties = event.data.get("properties")
    if reader is None or not isinstance(properties, Mapping):
        return None
    if not _REQUIRED.isdisjoint(event.data.get("incomplete") or ()):
        return None
    entry = reader(event, properties, time_us, zone)
    return entry if entry is not None and _fits(entry) else None


def _order(event: Event, properties: Mapping[str, Any], time_us: int, _: ZoneInfo) -> Entry | None:
    key = business_key("order", event, properties.get("order_id"))
    currency = currency_of(properties.get("currency"))
    lines, of_lines = _lines(properties.get("products"))
    said = {name: amount_of(properties[name]) for name in _ORDER_AMOUNTS if name in properties}
    net, apart = _net(said, of_lines)
    if key is None or currency is None or net is None:
        return None
    paid = said.get("total")
    if paid is None:
        paid = net + (said.get("shipping") or 0) + (said.get("tax") or 0)
    flags = {
        AMOUNT_MISMATCH: apart > minor_unit(currency),
        DIRTY_LINE: any(line.quantity <= 0 or line.amount <= 0 for line in lines),
        NEGATIVE_ORDER: net < 0,
    }
    return _entry(
        event,
        time_us,
        key,
        currency=currency,
        net=net,
        paid=paid,
        cost=said.get("cost"),
        lines=lines,
        ordered_us=_ordered(properties, time_us),
        flags=tuple(sorted(flag for flag, holds in flags.items() if holds)),
    )


def _net(said: Mapping[str, int | None], of_lines: int | None) -> tuple[int | None, int]:
    """The net that counts, None when nothing gives one; and how far apart the several fields are.

    A total is no second opinion when neither shipping nor tax is said: it may hold both.
    """
    revenue, total = said.get("revenue"), said.get("total")
    discount, shipping, tax = said.get("discount"), said.get("shipping"), said.get("tax")
    figures = (
        said.get("subtotal"),
        None if revenue is None else revenue - (discount or 0),
        None if total is None else total - (shipping or 0) - (tax or 0),
        None if of_lines is None else of_lines - (discount or 0),
    )
    net = next((figure for figure in figures if figure is not None), None)
    is_bare = shipping is None and tax is None
    opinions = [f for i, f in enumerate(figures) if f is not None and not (i == _TOTAL and is_bare)]
    return net, max(opinions) - min(opinions) if opinions else 0


def _return(event: Event, properties: Mapping[str, Any], time_us: int, _: ZoneInfo) -> Entry | None:
    key = business_key("order", event, properties.get("order_id"))
    total = amount_of(properties.get("total"))
    lines, _of_lines = _lines(properties.get("products"))
    is_said = bool(lines) or (event.type == REFUNDED and total is not None)
    is_sent = properties.get("products") or (event.type == REFUNDED and properties.get("total"))
    if key is None or (is_sent and not is_said):
        # an amount that nobody can read must not become "all of it"
        return None
    return _entry(
        event,
        time_us,
        key,
        currency=currency_of(properties.get("currency")),
        paid=None if total is None else abs(total),
        lines=lines,
        refund_id=text_of(properties.get("refund_id")),
    )


def _invoice(event: Event, properties: Mapping[str, Any], time_us: int, _: ZoneInfo) -> Entry | None:
    if event.data.get("revenue_from") == SUBSCRIPTIONS:
        return None
    key = business_key("invoice", event, properties.get("invoice_id"))
    flags = (OF_ORDER,) if text_of(properties.get("order_id")) else ()
    lines, _of_lines = _lines(properties.get("lines"))
    return _charge(event, properties, time_us, key, lines, flags)


def _subscription(event: Event, properties: Mapping[str, Any], time_us: int, zone: ZoneInfo) -> Entry | None:
    key = business_key("subscription", event, properties.get("subscription_id"))
    trial = moment_of(properties.get("trial_ends_at"))
    in_trial = event.type == STARTED and trial is not None and microseconds(trial) > time_us
    if key is None or in_trial or event.data.get("revenue_from") != SUBSCRIPTIONS:
        return None
    return _charge(event, properties, time_us, f"{key}:{business_day(time_us, zone)}")


def _charge(
    event: Event,
    properties: Mapping[str, Any],
    time_us: int,
    key: str | None,
    lines: tuple[Line, ...] = (),
    flags: tuple[str, ...] = (),
) -> Entry | None:
    """One amount, all of it net and paid."""
    amount, currency = amount_of(properties.get("amount")), currency_of(properties.get("currency"))
    if key is None or amount is None or currency is None:
        return None
    flags = (*flags, NEGATIVE_ORDER) if amount < 0 else flags
    return _entry(
        event, time_us, key, currency=currency, net=amount, paid=amount, lines=lines, flags=tuple(sorted(flags))
    )


def _cost(event: Event, properties: Mapping[str, Any], time_us: int, _: ZoneInfo) -> Entry | None:
    amount, currency = amount_of(properties.get("amount")), currency_of(properties.get("currency"))
    if amount is None or currency is None:
        return None
    key = business_key("order", event, properties.get("order_id")) or f"cost:{event.event_id}"
    return _entry(event, time_us, key, currency=currency, cost=amount)


_READERS: dict[str, _Read] = {
    COMPLETED: _order,
    UPDATED: _order,
    CANCELLED: _return,
    REFUNDED: _return,
    ISSUED: _invoice,
    PAID: _invoice,
    STARTED: _subscription,
    RENEWED: _subscription,
    COST: _cost,
}


def _entry(event: Event, time_us: int, key: str, **said: Any) -> Entry:
    rank = _rank(event.data.get("identifiers") or {})
    return Entry(key, event.record_id, event.event_id, rank, time_us, event.type, **said)


def _rank(identifiers: Mapping[str, Any]) -> int:
    """The class of the identifier that leads: of the strongest type that has a usable one."""
    for name in sorted(identifiers, key=class_rank) if len(identifiers) > 1 else identifiers:
        if leading({name: identifiers[name]}) is not None:
            return class_rank(name)
    return len(CLASSES)


def business_key(kind: str, event: Event, sent_id: Any) -> str | None:
    """`<kind>:<namespace>:<id>`; the namespace's own colons are escaped, so no two keys are written alike."""
    own_id = text_of(sent_id)
    if own_id is None or len(own_id) > ID_CHARS_MAX:
        return None
    namespace = text_of(event.data.get("business_namespace")) or event.source
    return f"{kind}:{namespace.replace('%', '%25').replace(':', '%3A')}:{own_id}"


def _lines(products: Any) -> tuple[tuple[Line, ...], int | None]:
    """The lines, and what they come to after their own discounts; None when no line has a price."""
    sent = [line for line in products if isinstance(line, Mapping) and line] if isinstance(products, list) else []
    lines = tuple(_line(line) for line in sent)
    if not any(line.amount for line in lines) and all(amount_of(line.get("price")) is None for line in sent):
        return lines, None
    discounts = sum(amount_of(line["discount"]) or 0 for line in sent if "discount" in line)
    return lines, sum(line.amount for line in lines) - discounts


def _line(sent: Mapping[str, Any]) -> Line:
    get = sent.get
    quantity = get("quantity")
    pieces = amount_of(quantity)
    if pieces is None:
        quantity, pieces = 1, UNIT
    return Line(
        (text_of(get("category")) or OTHER_AREA)[:AREA_CHARS_MAX].strip(),
        text_of(get("product_id")),
        text_of(get("sku")),
        pieces,
        (amount_of(get("price")) if quantity == 1 else times(get("price"), quantity)) or 0,
        times(get("cost"), quantity) if "cost" in sent else None,
        amount_of(sent["margin"]) if "margin" in sent else None,
    )


def _ordered(properties: Mapping[str, Any], time_us: int) -> int | None:
    """`ordered_at` when it is plausible: since 1990, and at most a day after the event that tells it."""
    moment = moment_of(properties.get("ordered_at"))
    ordered_us = None if moment is None else microseconds(moment)
    return ordered_us if ordered_us is not None and _EARLIEST_US <= ordered_us <= time_us + _DAY_US else None


def _fits(entry: Entry) -> bool:
    """Whether its amounts, and sums over its lines, are such as can be stored."""
    amounts = costs = margins = 0
    for line in entry.lines:
        amounts += abs(line.amount)
        costs += abs(line.cost or 0)
        margins += abs(line.margin or 0)
    return max(abs(entry.net), abs(entry.paid or 0), abs(entry.cost or 0), amounts, costs, margins) < AMOUNT_MAX
