"""One line and a few lines about an event, for timelines: `title` for everybody, `summary` for who may read.

Owns the wording. Titles hold ids, amounts, counts and choices, never what a person wrote; summaries may hold
that and are personal. Pure; any data gives some text and never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from urllib.parse import urlsplit

from schemas.events.fields import money_of, text_of

TITLE_CHARS_MAX = 80
SUMMARY_CHARS_MAX = 200
WORD_CHARS_MAX = 40
SECONDS_PER_MINUTE = 60

Data = Mapping[str, Any]
Titler = Callable[[Data], str]

_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "HUF": 2, "KWD": 3, "BHD": 3, "TND": 3, "JOD": 3}
_DIGITS_USUAL = 2
_EMPTY: Data = {}


def title(event_type: str, data: Data) -> str:
    """At most 80 characters in one line, without anything a person wrote: `Viewed /shoes`."""
    properties = _properties(data)
    make = _TITLES.get(event_type)
    text = make(properties) if make is not None else ""
    return _cut(text or _plain(event_type), TITLE_CHARS_MAX)


def summary(event_type: str, data: Data) -> str:
    """At most 200 characters in one line; may hold what a person wrote, so it is personal. May be empty."""
    properties = _properties(data)
    for name in _SAID:
        if name in properties and (text := text_of(properties[name])):
            return _cut(text, SUMMARY_CHARS_MAX)
    if event_type.startswith(("order.", "checkout.")):
        return _cut(_lines(properties), SUMMARY_CHARS_MAX)
    address = text_of(properties.get("url"))
    return _cut(address or "", SUMMARY_CHARS_MAX)


_SAID = ("summary", "text", "subject", "need", "query", "answer", "reason", "title")


def _properties(data: Data) -> Data:
    found = data.get("properties")
    return found if isinstance(found, Mapping) else _EMPTY


def _cut(text: str, chars_max: int) -> str:
    text = " ".join(text[: chars_max * 4].split())
    return text if len(text) <= chars_max else text[: chars_max - 1].rstrip() + "…"


def _plain(event_type: str) -> str:
    words = " ".join(event_type.replace(".", " ").replace("_", " ").split())
    return words[:1].upper() + words[1:]


def _word(properties: Data, *names: str) -> str:
    """The first readable of these fields, as one short word; e-mail-like words are never shown."""
    for name in names:
        text = text_of(properties.get(name))
        if text and "@" not in text and "%40" not in text:
            return _cut(text, WORD_CHARS_MAX)
    return ""


def _money(properties: Data, *names: str) -> str:
    for name in names:
        amount = money_of(properties.get(name))
        if amount is not None:
            currency = _word(properties, "currency").upper()
            digits = _DIGITS.get(currency, _DIGITS_USUAL)
            shown = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
            return f"{shown:f} {currency}".strip()
    return ""


def _count(value: Any, one: str, many: str) -> str:
    if not isinstance(value, list) or not value:
        return ""
    return f"1 {one}" if len(value) == 1 else f"{len(value)} {many}"


def _duration(properties: Data) -> str:
    seconds = money_of(properties.get("duration_s"))
    if seconds is None or seconds < 0:
        return ""
    minutes = round(seconds / SECONDS_PER_MINUTE)
    return f"{minutes} min" if seconds >= SECONDS_PER_MINUTE else f"{round(seconds)} s"


def _join(head: str, *parts: str) -> str:
    return ", ".join(part for part in (head, *parts) if part)


def _after(head: str, *parts: str) -> str:
    tail = ", ".join(part for part in parts if part)
    return f"{head}: {tail}" if tail else head


def _named(noun: str, verb: str, *names: str) -> Titler:
    def make(properties: Data) -> str:
        return " ".join(part for part in (noun, _word(properties, *names), verb) if part)

    return make


def _about(head: str, *names: str) -> Titler:
    def make(properties: Data) -> str:
        return _after(head, _word(properties, *names))

    return make


def _amount(noun: str, verb: str, key: str, *amounts: str) -> Titler:
    def make(properties: Data) -> str:
        head = " ".join(part for part in (noun, _word(properties, key), verb) if part)
        return _after(head, _money(properties, *amounts), _count(properties.get("products"), "line", "lines"))

    return make


def _viewed(properties: Data) -> str:
    # What follows the path may hold what a person typed.
    said = (text_of(properties.get("path")) or "").partition("?")[0].partition("#")[0]
    path = _word({"path": said}, "path") or _path_of(text_of(properties.get("url")))
    return f"Viewed {path or _word(properties, 'name') or 'a page'}"


def _path_of(url: str | None) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:  # not an address; a title needs none
        return ""
    return _word({"path": parts.path or "/"}, "path") if parts.netloc else ""


def _product(verb: str) -> Titler:
    return lambda properties: f"{verb} {_word(properties, 'name', 'product_id', 'sku') or 'a product'}"


def _call(properties: Data) -> str:
    return _join("Call", _duration(properties), _word(properties, "outcome"))


def _feedback(properties: Data) -> str:
    if properties.get("declined") is True:
        return "Declined to answer"
    score, scale = _word(properties, "score"), _word(properties, "scale")
    return _after("Feedback", f"{score} ({scale})" if score and scale else score)


def _wallet(properties: Data) -> str:
    elsewhere, area = _money(properties, "amount_elsewhere"), _word(properties, "area")
    if elsewhere:
        return _after("Spends elsewhere", elsewhere, area)
    return _after("Share with us", _word(properties, "share"), area)


def _lines(properties: Data) -> str:
    products = properties.get("products")
    if not isinstance(products, list):
        return ""
    named = (_word(line, "name", "product_id", "sku") for line in products[:20] if isinstance(line, Mapping))
    return ", ".join(name for name in named if name)


_TITLES: dict[str, Titler] = {
    "page.viewed": _viewed,
    "screen.viewed": _viewed,
    "product.viewed": _product("Looked at"),
    "product.added": _product("Added"),
    "product.removed": _product("Removed"),
    "checkout.started": _amount("Checkout", "started", "order_id", "value"),
    "search.performed": lambda _: "Searched",
    "consent.granted": _about("Consent granted", "purpose"),
    "consent.withdrawn": _about("Consent withdrawn", "purpose"),
    "preference.stated": _about("Preference stated", "topic"),
    "identifier.verified": lambda p: _after("Identifier checked", _word(p, "type"), _word(p, "result")),
    "message.sent": _about("Message sent", "campaign_name", "campaign_id", "template_id"),
    "message.opened": lambda p: "Message opened by a machine" if p.get("machine_open") is True else "",
    "message.bounced": _about("Message bounced", "kind"),
    "call.held": _call,
    "meeting.held": lambda p: _join("Meeting", _duration(p)),
    "ticket.opened": _named("Ticket", "opened", "ticket_id"),
    "ticket.updated": _named("Ticket", "updated", "ticket_id"),
    "ticket.closed": _named("Ticket", "closed", "ticket_id"),
    "conversation.closed": lambda p: _join("Conversation closed", _duration(p)),
    "survey.asked": _about("Survey asked", "survey_id"),
    "feedback.given": _feedback,
    "service.used": _about("Service used", "name", "service_id"),
    "order.completed": _amount("Order", "completed", "order_id", "total", "revenue", "subtotal"),
    "order.updated": _amount("Order", "updated", "order_id", "total", "revenue", "subtotal"),
    "order.cancelled": _amount("Order", "cancelled", "order_id", "total"),
    "order.refunded": _amount("Order", "refunded", "order_id", "total"),
    "coupon.redeemed": _about("Coupon redeemed", "coupon", "offer_id"),
    "invoice.issued": _amount("Invoice", "issued", "invoice_id", "amount"),
    "invoice.paid": _amount("Invoice", "paid", "invoice_id", "amount"),
    "payment.failed": _amount("Payment", "failed", "invoice_id", "amount"),
    "subscription.started": _amount("Subscription", "started", "plan", "amount"),
    "subscription.renewed": _amount("Subscription", "renewed", "plan", "amount"),
    "subscription.changed": _amount("Subscription", "changed", "plan", "amount"),
    "subscription.cancelled": _amount("Subscription", "cancelled", "plan", "amount"),
    "subscription.ended": _amount("Subscription", "ended", "plan", "amount"),
    "cost.incurred": lambda p: _after("Cost", _money(p, "amount"), _word(p, "kind")),
    "intention.stated": lambda p: _after("Intends to", _word(p, "intention"), _money(p, "amount")),
    "wallet.stated": _wallet,
    "treatment.decided": _about("Treatment decided", "action_id"),
    "recommendation.made": _about("Recommended", "action_id"),
    "treatment.shown": _about("Treatment shown", "action_id", "treatment_id"),
    "treatment.outcome": lambda p: _after("Treatment", _word(p, "outcome"), _money(p, "value")),
}
