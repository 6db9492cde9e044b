"""Orders, refunds, coupons, invoices, payments, costs.

Owns these types' properties. Which amount counts, and which of two sendings, is the value service's.
"""

from __future__ import annotations

from typing import Literal

from schemas.envelope import OUTBOUND
from schemas.events.common import Line, Properties
from schemas.events.fields import Currency, Id, Moment, Money, PersonalText, Text
from schemas.events.kinds import EventType


class Order(Properties):
    """An order as it stands; amounts are decimals in `currency`."""

    order_id: Id = None
    currency: Currency = None
    subtotal: Money = None
    revenue: Money = None
    total: Money = None
    shipping: Money = None
    tax: Money = None
    discount: Money = None
    coupon: Text = None
    products: list[Line] | None = None
    affiliation: Text = None
    checkout_id: Id = None
    ordered_at: Moment = None
    cost: Money = None
    payment_method: Text = None


class OrderReturned(Properties):
    """An order cancelled or refunded: without amount and products, the whole of it."""

    order_id: Id = None
    refund_id: Id = None
    total: Money = None
    currency: Currency = None
    products: list[Line] | None = None
    reason: PersonalText = None


class CouponRedeemed(Properties):
    """A coupon or offer used."""

    coupon: Text = None
    offer_id: Id = None
    order_id: Id = None
    campaign_id: Id = None
    discount: Money = None
    currency: Currency = None
    treatment_id: Id = None


class Invoice(Properties):
    """An invoice issued, paid, or whose payment failed."""

    invoice_id: Id = None
    amount: Money = None
    currency: Currency = None
    order_id: Id = None
    subscription_id: Id = None
    due_at: Moment = None
    lines: list[Line] | None = None
    reason: PersonalText = None


class CostIncurred(Properties):
    """What a customer cost us."""

    amount: Money = None
    currency: Currency = None
    kind: Literal["service", "acquisition", "delivery", "return", "bad_debt"] | None = None
    order_id: Id = None
    campaign_id: Id = None


VALUE = ("value",)
ORDER = ("currency", "order_id", "subtotal|revenue|total|products")
INVOICE = ("amount", "currency", "invoice_id")

TYPES: tuple[EventType, ...] = (
    EventType("order.completed", Order, VALUE, ORDER),
    EventType("order.updated", Order, VALUE, ORDER),
    EventType("order.cancelled", OrderReturned, VALUE, ("order_id",)),
    EventType("order.refunded", OrderReturned, VALUE, ("order_id",)),
    EventType("coupon.redeemed", CouponRedeemed, ("treatment", "value"), ("coupon|offer_id",)),
    EventType("invoice.issued", Invoice, VALUE, INVOICE, OUTBOUND),
    EventType("invoice.paid", Invoice, VALUE, INVOICE),
    EventType("payment.failed", Invoice, VALUE, ("invoice_id",)),
    EventType("cost.incurred", CostIncurred, VALUE, ("amount", "currency"), OUTBOUND),
)
