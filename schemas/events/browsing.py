"""What somebody looked at: pages, screens, products, searches, the start of a checkout.

Owns these types' properties. Addresses of pages and search words may carry personal data and are marked.
"""

from __future__ import annotations

from typing import Annotated, Any

from schemas.events.common import Line, LineProperties, Properties
from schemas.events.fields import Currency, Id, Money, Number, PersonalText, Text
from schemas.events.kinds import EventType
from schemas.personal import PERSONAL


class Viewed(Properties):
    """A page or screen."""

    url: PersonalText = None
    path: Text = None
    name: Text = None
    title: PersonalText = None
    referrer: PersonalText = None
    category: Text = None
    search: PersonalText = None
    duration_s: Number = None


class Product(LineProperties):
    """A product looked at, or put into or taken out of a basket or wish list."""

    cart_id: Id = None
    list_id: Id = None
    position: Number = None
    url: PersonalText = None


class CheckoutStarted(Properties):
    """A basket on its way to becoming an order."""

    order_id: Id = None
    cart_id: Id = None
    value: Money = None
    currency: Currency = None
    products: list[Line] | None = None


class SearchPerformed(Properties):
    """What somebody searched for."""

    query: PersonalText = None
    results_count: Number = None
    filters: Annotated[Any, PERSONAL] = None


PRODUCT = ("product_id|sku",)
WHERE = ("url|path|name",)

TYPES: tuple[EventType, ...] = (
    EventType("page.viewed", Viewed, ("interaction", "value"), WHERE, channel="web"),
    EventType("screen.viewed", Viewed, ("interaction", "value"), WHERE, channel="app"),
    EventType("product.viewed", Product, ("value", "treatment"), PRODUCT),
    EventType("product.added", Product, ("value", "treatment"), PRODUCT),
    EventType("product.removed", Product, ("value", "treatment"), PRODUCT),
    EventType("checkout.started", CheckoutStarted, ("treatment",)),
    EventType("search.performed", SearchPerformed, ("value",), ("query",)),
)
