"""What people do around a purchase: each real basket, given to one person and channel, and what goes along.

Real: every basket, its lines, amounts and time, and every redemption. Synthetic: who of the household it
was, on which channel, the pages looked at before and the feedback after.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.ops.demo.diary import CURRENCY, Diary, dollars, minutes
from services.ops.demo.journey import Basket, Household, Line, Redemption
from services.ops.demo.people import PLACEHOLDER_ID, Home, Noise, Person

STORE_SHARE = 0.7
APP_SHARE = 0.4
LOGGED_IN_SHARE = 0.6
GUEST_EMAIL_SHARE = 0.75
VIEWS_MAX = 3
FEEDBACK_SHARE = 0.04

Place = tuple[str, dict[str, str]]
"""(source, identifiers) of a visit."""


def shop(diary: Diary, home: Home, household: Household, noise: Noise, draw: random.Random) -> None:
    """All baskets and redemptions of a household."""
    weights = [person.weight for person in home.people]
    by_day: dict[Any, tuple[Basket, Person, Place]] = {}
    for basket in household.baskets:
        person = draw.choices(home.people, weights)[0]
        place = _place(person, basket.at, noise, draw)
        if place[0] != "store":
            _look_around(diary, person, place, basket, draw)
        source, identifiers = place
        diary.add(person.number, basket.at, source, "order.completed", identifiers, order_properties(basket))
        by_day[basket.at.date()] = basket, person, place
        if draw.random() < FEEDBACK_SHARE:
            _feed_back(diary, person, place, basket, draw)
    for redemption in household.redemptions:
        _redeem(diary, home, redemption, by_day.get(redemption.day.date()))


def order_properties(basket: Basket) -> dict[str, Any]:
    """Properties of `order.completed`; line prices times quantities add up to `total` to the cent.

    A line whose price does not divide by its pieces is told as two, a cent apart, as a till would print it.
    """
    amount = dollars(basket.cents)
    return {
        "order_id": basket.basket_id,
        "currency": CURRENCY,
        "subtotal": amount,
        "total": amount,
        "affiliation": f"store {basket.store_id}",
        "ordered_at": basket.at.isoformat().replace("+00:00", "Z"),
        "products": [product for line in basket.lines for product in _products(line)],
    }


def _products(line: Line) -> Iterable[dict[str, Any]]:
    price, dearer = divmod(line.cents, line.pieces)
    for quantity, cents in ((line.pieces - dearer, price), (dearer, price + 1)):
        if quantity:
            product: dict[str, Any] = {
                "product_id": line.product_id,
                "quantity": quantity,
                "price": dollars(cents),
                "category": line.department,
                "brand": line.brand,
            }
            if line.category:
                product["name"] = line.category
            if line.measure is not None:
                product["measure"] = line.measure
            yield product


def _place(person: Person, at: datetime, noise: Noise, draw: random.Random) -> Place:
    """In the store with the card, on the web logged in or not, or in the app: what the person has by then."""
    if person.card_at is not None and person.card_at <= at and draw.random() < STORE_SHARE:
        return "store", {"loyalty_id": person.loyalty_id}
    if person.app_at is not None and person.app_at <= at and draw.random() < APP_SHARE:
        return "app", {"user_id": person.user_id, "device_id": person.app}
    browser = draw.choice(person.browsers)
    if person.signed_up_at is not None and person.signed_up_at <= at:
        if draw.random() < noise.placeholder:
            return "web", {"user_id": PLACEHOLDER_ID, "anonymous_id": browser}
        if draw.random() < LOGGED_IN_SHARE:
            return "web", {"user_id": person.user_id, "anonymous_id": browser}
        return "web", {"user_id": person.user_id}
    if draw.random() < GUEST_EMAIL_SHARE:
        return "web", {"email": person.email_at(at), "anonymous_id": browser}
    return "web", {"anonymous_id": browser}


def _look_around(diary: Diary, person: Person, place: Place, basket: Basket, draw: random.Random) -> None:
    source, identifiers = place
    device = {name: value for name, value in identifiers.items() if name in ("anonymous_id", "device_id")}
    seen = device or dict(identifiers)
    for view in range(draw.randrange(VIEWS_MAX + 1)):
        at = basket.at - minutes(draw.uniform(2, 40))
        line = draw.choice(basket.lines)
        if view == 0 and source == "web":
            path = f"/{line.department.lower().replace(' ', '-')}"
            about = {"url": f"https://shop.example{path}", "path": path, "category": line.department}
            diary.add(person.number, at, source, "page.viewed", seen, about)
        elif view == 0:
            diary.add(person.number, at, source, "screen.viewed", seen, {"name": line.department.title()})
        else:
            about = {"product_id": line.product_id, "category": line.department, "brand": line.brand}
            diary.add(person.number, at, source, "product.viewed", seen, about)


def _feed_back(diary: Diary, person: Person, place: Place, basket: Basket, draw: random.Random) -> None:
    score = min(10, max(0, round(draw.gauss(8, 2))))
    properties: dict[str, Any] = {
        "score": score,
        "scale": "nps",
        "survey_id": "after-purchase",
        "question_id": "recommend",
        "order_id": basket.basket_id,
    }
    if score <= 4:
        properties["text"] = draw.choice(
            ("Too long in the queue.", "Half of it was out of stock.", "Wrong price.")
        )
    at = basket.at + timedelta(hours=draw.uniform(2, 40))
    diary.add(person.number, at, place[0], "feedback.given", place[1], properties)


def _redeem(
    diary: Diary, home: Home, redemption: Redemption, spent: tuple[Basket, Person, Place] | None
) -> None:
    """With the basket of that day, if there was one; else at noon, by e-mail of who shops most."""
    properties: dict[str, str | Decimal] = {
        "coupon": redemption.coupon,
        "campaign_id": redemption.campaign_id,
    }
    if spent is not None:
        basket, person, (source, identifiers) = spent
        properties["order_id"] = basket.basket_id
        diary.add(person.number, basket.at, source, "coupon.redeemed", identifiers, properties)
        return
    person, at = home.people[0], redemption.day + timedelta(hours=12)
    diary.add(person.number, at, "web", "coupon.redeemed", {"email": person.email_at(at)}, properties)
