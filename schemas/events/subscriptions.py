"""Contracts that renew: started, renewed, changed, cancelled, ended.

Owns these types' properties; whether revenue comes from these or from invoices is a setting of the source.
"""

from __future__ import annotations

from schemas.events.common import Properties
from schemas.events.fields import Currency, Id, Moment, Money, Number, Period, PersonalText, Text
from schemas.events.kinds import EventType


class Subscription(Properties):
    """A subscription; `interval` is an ISO 8601 period (P1M), `to` whom somebody left for."""

    subscription_id: Id = None
    plan: Text = None
    amount: Money = None
    currency: Currency = None
    interval: Period = None
    trial_ends_at: Moment = None
    term_ends_at: Moment = None
    quantity: Number = None
    reason: PersonalText = None
    effective_at: Moment = None
    to: Text = None


VALUE = ("value",)
TERMS = ("amount", "currency", "interval", "plan", "subscription_id")

TYPES: tuple[EventType, ...] = (
    EventType("subscription.started", Subscription, VALUE, TERMS),
    EventType("subscription.renewed", Subscription, VALUE, TERMS),
    EventType("subscription.changed", Subscription, VALUE, TERMS),
    EventType("subscription.cancelled", Subscription, VALUE, ("subscription_id",)),
    EventType("subscription.ended", Subscription, VALUE, ("subscription_id",)),
)
