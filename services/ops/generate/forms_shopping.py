"""Events of the mix about looking, buying and what follows: views, orders, refunds, service.

Owns the form of each type as an upstream sends it. A form takes the stream's state and a customer number and
answers with (customer number, type, data): follow-ups belong to the customer of what they follow.
"""

from __future__ import annotations

from typing import Any

from services.ops.generate.population import CRM, EMAIL, FIRST_DEVICE, PHONE, USER
from services.ops.generate.traffic import STRONG_FIRST, Data, Identifiers, Order, Traffic

Formed = tuple[int, str, Data]

LOGGED_IN_SHARE = 0.5
STORE_SHARE = 0.4
DISCOUNT_SHARE = 0.15
SHIPPING_CENTS = 499
FREE_FROM_CENTS = 4000
_ACCOUNT_FIRST = (USER, EMAIL, PHONE, CRM)
_CARD_FIRST = (CRM, PHONE, EMAIL, USER)
_WORDS = ("tea", "coffee", "bread", "wine", "pasta", "cheese", "soap", "rice", "apples", "gift")
_SERVICES = ("click_and_collect", "recipe_planner", "scan_and_go", "delivery_window", "receipt_archive")


def _viewer(t: Traffic, n: int, slot: int) -> Identifiers:
    """Under the device alone, or under account and device once an event has joined the two."""
    both = 1 << slot | 1 << USER
    if t.trunk[n] & both == both and t.random() < LOGGED_IN_SHARE:
        return t.together(n, (USER, slot))
    return t.alone(n, slot)


def page_viewed(t: Traffic, n: int) -> Formed:
    """A page in a browser."""
    properties = t.one_of(t.goods.pages)
    return n, "page.viewed", _data(_viewer(t, n, t.browser(n)), "web", properties)


def product_viewed(t: Traffic, n: int) -> Formed:
    """A product in a browser."""
    properties = t.one_of(t.goods.products)
    return n, "product.viewed", _data(_viewer(t, n, t.browser(n)), "web", properties)


def screen_viewed(t: Traffic, n: int) -> Formed:
    """A screen of the app."""
    properties = t.one_of(t.goods.screens)
    return n, "screen.viewed", _data(_viewer(t, n, t.app(n)), "app", properties)


def search_performed(t: Traffic, n: int) -> Formed:
    """A search in the shop."""
    properties = {"query": t.one_of(list(_WORDS)), "results_count": int(t.random() * 60)}
    return n, "search.performed", _data(_viewer(t, n, t.browser(n)), "web", properties)


def order_completed(t: Traffic, n: int) -> Formed:
    """An order of 1 to `order_lines_max` lines whose amounts agree to the cent.

    Lines less discount are the subtotal; with shipping it is the total; tax is inside.
    """
    in_store = t.random() < STORE_SHARE
    slot = t.preferred(n, _CARD_FIRST if in_store else _ACCOUNT_FIRST)
    if slot == FIRST_DEVICE:
        slot = t.browser(n)
    table, draw = t.goods.lines, t.random
    size = len(table)
    lines = [table[int(draw() * size)] for _ in range(1 + int(draw() * t.mix.order_lines_max))]
    full = sum([line.cents for line in lines])
    discount = full // 10 if draw() < DISCOUNT_SHARE else 0
    subtotal = full - discount
    shipping = 0 if in_store or subtotal >= FREE_FROM_CENTS else SHIPPING_CENTS
    order_id = t.number("o")
    properties: dict[str, Any] = {
        "order_id": order_id,
        "currency": t.mix.currency,
        "subtotal": subtotal / 100,
        "discount": discount / 100,
        "shipping": shipping / 100,
        "total": (subtotal + shipping) / 100,
        "products": [line.sent for line in lines],
    }
    t.remember(t.orders, Order(n, slot, order_id, subtotal + shipping))
    return n, "order.completed", _data(t.alone(n, slot), "store" if in_store else "web", properties)


def order_refunded(t: Traffic, n: int) -> Formed:
    """A refund, full or half, of an order of this stream; a search while there was none."""
    if not t.orders:
        return search_performed(t, n)
    order = t.one_of(t.orders)
    cents = order.paid_cents if t.random() < 0.5 else order.paid_cents // 2
    properties = {
        "order_id": order.order_id,
        "refund_id": t.number("r"),
        "total": cents / 100,
        "currency": t.mix.currency,
        "reason": "damaged",
    }
    return order.customer, "order.refunded", _data(t.alone(order.customer, order.slot), "web", properties)


def service_used(t: Traffic, n: int) -> Formed:
    """A service of the app."""
    properties = {"service_id": t.one_of(list(_SERVICES)), "quantity": 1, "duration_s": int(t.random() * 600)}
    return n, "service.used", _data(_viewer(t, n, t.app(n)), "app", properties)


def need_stated(t: Traffic, n: int) -> Formed:
    """A need in the customer's words."""
    properties = {"need": t.one_of(list(_WORDS)), "recurring": t.random() < 0.3}
    return n, "need.stated", _data(known(t, n), "web", properties)


def known(t: Traffic, n: int) -> Identifiers:
    """Under the customer's strongest identifier, or his browser."""
    slot = t.preferred(n, STRONG_FIRST)
    return t.alone(n, t.browser(n) if slot == FIRST_DEVICE else slot)


def _data(identifiers: Identifiers, channel: str, properties: dict[str, Any]) -> Data:
    return {"identifiers": identifiers, "channel": channel, "properties": properties}
