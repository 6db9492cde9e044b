"""Statements: what somebody said of his business with us and with others, and what he suffered, in a small form.

Owns which events say such a thing, reading one, and the stored form. A free text is only sorted into a cause: the
text itself stays in the history. What follows from statements is strategy.py's and leaving.py's. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from schemas.envelope import INBOUND, Event, microseconds
from schemas.events.fields import money_of, text_of
from services.value.domain.days import later
from services.value.domain.entries import RENEWED, STARTED
from services.value.domain.money import AMOUNT_MAX, amount_of, currency_of
from services.value.domain.policy_parts import RATE_UNIT
from services.value.domain.reading import AREA_CHARS_MAX, business_day, business_key, day_of_text

INTENTION, WALLET, ENDED, TROUBLE, NEED, TERM = "intention", "wallet", "ended", "trouble", "need", "term"
COMPLAINT, SERVICE, PRICE, PAYMENT = "complaint", "service", "price", "payment"
INTENTIONS = ("buy", "renew", "leave", "expand")
NAME_CHARS_MAX = 100
STATEMENTS_MAX = 500
"""Of so many things that somebody said the newest count: complaints of a machine must not stop the lane."""
LOW_SCORES: Mapping[str, int] = {"nps": 6, "csat": 2, "ces": 2, "stars": 2}
"""Scores up to which an answer is bad service."""
BAD_TONE = -0.5
PERIOD_CHARS_MAX, PERIOD_DAYS_MAX = 20, 36_500
DAYS_OF = {"Y": 365, "M": 30, "W": 7, "D": 1}
_CAUSES = (
    (PRICE, re.compile(r"pric|expens|cheap|cost|fee|tariff|afford", re.I)),
    ("competitor", re.compile(r"compet|switch|another (provider|shop|bank)|elsewhere", re.I)),
    ("moved", re.compile(r"mov(ed|ing)|relocat|abroad", re.I)),
    (COMPLAINT, re.compile(r"complain|claim|dispute", re.I)),
    (SERVICE, re.compile(r"servic|support|qualit|deliver|late|wait|fault|broken|defect|rude", re.I)),
)
_PERIOD = re.compile(r"(\d+)([YMWD])")


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one event said, `time_us` in µs since 1970.

    Of an intention: `what`, `amount`, `area`, `share` (how likely, millionths), `day` (by when). Of a wallet:
    `amount` (elsewhere, in a period of `days`), `share` (ours of all, millionths), `area`, `to` (with whom),
    `estimated`. Of an end: `day` (from when on), `cause`, `to`, `what` (the contract that ended, None: all of it). Of
    trouble: `cause`. Of a need: `what` he needs. Of a term: `what` contract runs until `day`, the first
    day without it (None: nobody said). A contract is named by its business key.
    Amounts are 10⁻⁴ of the currency's unit.
    """

    kind: str
    time_us: int
    event_id: str
    what: str | None = None
    amount: int | None = None
    currency: str | None = None
    area: str | None = None
    share: int | None = None
    day: int | None = None
    days: int | None = None
    to: str | None = None
    cause: str | None = None
    estimated: bool = False


_STORED = msgspec.json.Decoder(Statement)


def write_statement(statement: Statement) -> str:
    """The stored form: the same text for the same statement."""
    return msgspec.json.encode(statement).decode()


def read_statement(text: str) -> Statement:
    """From the stored form."""
    return _STORED.decode(text)


Said = dict[str, Any]
_Read = Callable[[Event, Mapping[str, Any], ZoneInfo], Said | None]


def statement_of(event: Event, time_us: int, zone: ZoneInfo) -> Statement | None:
    """What the event states; None when that is nothing, or something it needs is missing."""
    read, properties = STATING.get(event.type), event.data.get("properties")
    if read is None or not isinstance(properties, Mapping):
        return None
    said = read(event, properties, zone)
    return None if said is None else Statement(time_us=time_us, event_id=event.event_id, **said)


def cause_of(text: Any) -> str | None:
    """Which cause a text names; None: none that is known."""
    found = text_of(text)
    return None if found is None else next((cause for cause, words in _CAUSES if words.search(found)), None)


def _intention(_: Event, properties: Mapping[str, Any], zone: ZoneInfo) -> Said | None:
    what, amount, share = (
        properties.get("intention"),
        _amount(properties.get("amount")),
        properties.get("probability"),
    )
    area, share = _name(properties.get("area"), AREA_CHARS_MAX), _share(share)
    if what not in INTENTIONS or (amount is None and area is None and share is None):
        return None
    return {
        "kind": INTENTION, "what": what, "amount": amount, "area": area, "share": share,
        "currency": currency_of(properties.get("currency")), "day": day_of_text(properties.get("by_when"), zone),
    }  # fmt: skip


def _wallet(_: Event, properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    amount, share = _amount(properties.get("amount_elsewhere")), _share(properties.get("share"))
    if amount is None and share is None:
        return None
    return {
        "kind": WALLET, "amount": amount, "share": share, "area": _name(properties.get("area"), AREA_CHARS_MAX),
        "currency": currency_of(properties.get("currency")), "days": _days(properties.get("period")),
        "to": _name(properties.get("provider")), "estimated": properties.get("estimated") is True,
    }  # fmt: skip


def _need(_: Event, properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    need = _name(properties.get("need"))
    return {"kind": NEED, "what": need.casefold()} if need else None


def _ended(event: Event, properties: Mapping[str, Any], zone: ZoneInfo) -> Said | None:
    of_contract = event.type.startswith("subscription.")
    contract = business_key("subscription", event, properties.get("subscription_id")) if of_contract else None
    if of_contract and contract is None:
        return None
    day = day_of_text(properties.get("effective_at"), zone)
    day = business_day(microseconds(event.time), zone) if day is None else day
    return {"kind": ENDED, "day": day, "cause": cause_of(properties.get("reason")), "what": contract,
            "to": _name(properties.get("to"))}  # fmt: skip


def _term(event: Event, properties: Mapping[str, Any], zone: ZoneInfo) -> Said | None:
    """Until when a contract runs: as said, else to the end of a trial that goes on, else of one interval, if told."""
    contract = business_key("subscription", event, properties.get("subscription_id"))
    began = business_day(microseconds(event.time), zone)
    trial = day_of_text(properties.get("trial_ends_at"), zone) if event.type == STARTED else None
    until = day_of_text(properties.get("term_ends_at"), zone)
    if until is None and trial is not None and trial > began:
        until = trial
    if until is None:
        until = later(began, text_of(properties.get("interval")) or "")
    if contract is None or (until is not None and until <= began):
        return None
    return {"kind": TERM, "what": contract, "day": until}


def _complaint(_: Event, _properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    return _trouble(COMPLAINT)


def _broken(_: Event, _properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    return _trouble(SERVICE)


def _unpaid(_: Event, _properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    return _trouble(PAYMENT)


def _ticket(_: Event, properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    kind = properties.get("kind")
    if properties.get("reopened") is True or kind == "fault":
        return _trouble(SERVICE)
    return _trouble(COMPLAINT) if kind == "complaint" else None


def _feedback(_: Event, properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    score, low = money_of(properties.get("score")), LOW_SCORES.get(str(properties.get("scale")))
    if score is None or low is None or score > low:
        return None
    return _trouble(PRICE if cause_of(properties.get("topic")) == PRICE else SERVICE)


def _call(event: Event, properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    if not (properties.get("resolved") is False or properties.get("outcome") == "abandoned" or _bad(properties)):
        return None
    topics = properties.get("topics")
    named = " ".join(map(str, topics)) if isinstance(topics, list) else ""
    return _trouble(PRICE if cause_of(named) == PRICE else SERVICE)


def _message(event: Event, properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    return _trouble(SERVICE) if event.data.get("direction", INBOUND) == INBOUND and _bad(properties) else None


def _changed(_: Event, properties: Mapping[str, Any], _zone: ZoneInfo) -> Said | None:
    return _trouble(PRICE) if cause_of(properties.get("reason")) == PRICE else None


def _trouble(cause: str) -> Said:
    return {"kind": TROUBLE, "cause": cause}


def _bad(properties: Mapping[str, Any]) -> bool:
    tone = money_of(properties.get("sentiment"))
    return tone is not None and tone <= BAD_TONE


def _amount(value: Any) -> int | None:
    amount = amount_of(value)
    return amount if amount is not None and 0 <= amount < AMOUNT_MAX else None


def _share(value: Any) -> int | None:
    share = money_of(value)
    return int(share * RATE_UNIT) if share is not None and 0 <= share <= 1 else None


def _name(value: Any, chars_max: int = NAME_CHARS_MAX) -> str | None:
    found = text_of(value)
    return None if found is None else found[:chars_max].strip()


def _days(period: Any) -> int | None:
    """Days of an ISO 8601 period; None where none is said."""
    found = text_of(period)
    days = sum(int(n) * DAYS_OF[unit] for n, unit in _PERIOD.findall(found[:PERIOD_CHARS_MAX])) if found else 0
    return days if 0 < days <= PERIOD_DAYS_MAX else None


STATING: Mapping[str, _Read] = {
    STARTED: _term,
    RENEWED: _term,
    "intention.stated": _intention,
    "wallet.stated": _wallet,
    "need.stated": _need,
    "relationship.ended": _ended,
    "subscription.cancelled": _ended,
    "subscription.ended": _ended,
    "subscription.changed": _changed,
    "message.complained": _complaint,
    "ticket.opened": _ticket,
    "ticket.updated": _ticket,
    "feedback.given": _feedback,
    "call.held": _call,
    "conversation.message": _message,
    "message.replied": _message,
    "promise.broken": _broken,
    "payment.failed": _unpaid,
}
"""What each type says, by its reader."""
