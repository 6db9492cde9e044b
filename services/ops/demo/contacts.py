"""Who tells us who they are: sign-ups, cards, log-ins, the CRM's rows, calls. All of it synthetic.

Owns the evidence that identity has to join people by, and its noise. What people buy is visits.py.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from services.ops.demo.diary import Diary, minutes
from services.ops.demo.journey import FIRST_DAY, Household
from services.ops.demo.people import PLACEHOLDER_EMAIL, Address, Home, Noise, Person, typo

CALLS_A_YEAR = 1.5
SERVICES_A_YEAR = 6.0
DAYS_A_YEAR = 365
_TOPICS = (
    ("delivery", "Where is my delivery?", "We call back with the delivery time by tomorrow."),
    ("receipt", "A line on the receipt is wrong.", "We check the receipt and send a corrected one."),
    ("coupon", "The coupon was not accepted.", "We credit the coupon to the card."),
    ("opening hours", "When are you open on Sunday?", ""),
    ("product", "Do you have this without nuts?", ""),
)
_SERVICES = ("scan_and_go", "recipe_planner", "click_and_collect", "receipt_archive")


def introduce(
    diary: Diary, home: Home, household: Household, until: datetime, noise: Noise, draw: random.Random
) -> None:
    """Everything the people of a household tell about themselves, but for purchases and messages."""
    for person in home.people:
        _sign_up(diary, person, draw)
        _take_a_card(diary, person, noise, draw)
        _enter_crm(diary, home, person, household.demographics, until, noise, draw)
        _call(diary, home, person, until, draw)
        _use_services(diary, person, until, draw)


def _sign_up(diary: Diary, person: Person, draw: random.Random) -> None:
    at = person.signed_up_at
    if at is None:
        return
    account = {"user_id": person.user_id}
    browser = {"anonymous_id": draw.choice(person.browsers)}
    known = account | browser | {"email": person.email}
    traits = {"firstName": person.given, "lastName": person.surname}
    diary.add(person.number, at, "web", "contact.identified", known, {"signup_type": "form"}, traits=traits)
    consent = {"purpose": "marketing", "channels": ["email"], "text_version": "2017-1", "method": "form"}
    given = "consent.granted" if draw.random() < 0.7 else "consent.withdrawn"
    diary.add(person.number, at + minutes(1), "web", given, account, consent)
    for other in person.browsers[1:]:
        later = at + timedelta(days=draw.uniform(1, 40))
        seen = account | {"anonymous_id": other}
        diary.add(person.number, later, "web", "contact.identified", seen, {"method": "password"})
    if person.app_at is not None:
        seen = account | {"device_id": person.app}
        diary.add(person.number, person.app_at, "app", "contact.identified", seen, {"method": "password"})
    if person.email_changed_at is not None:
        changed = account | {"email": person.later_email}
        traits = {"email": person.later_email}
        diary.add(person.number, person.email_changed_at, "web", "contact.updated", changed, traits=traits)


def _take_a_card(diary: Diary, person: Person, noise: Noise, draw: random.Random) -> None:
    if person.card_at is None:
        return
    known = {"loyalty_id": person.loyalty_id, "phone": _written(person.phone, draw)}
    if draw.random() < noise.placeholder:
        known["email"] = PLACEHOLDER_EMAIL
    elif draw.random() < 0.6:
        known["email"] = person.email_at(person.card_at)
    traits = _names(person, noise, draw)
    properties = {"signup_type": "card"}
    diary.add(person.number, person.card_at, "store", "contact.identified", known, properties, traits=traits)


def _enter_crm(
    diary: Diary, home: Home, person: Person, known: dict[str, str], until: datetime, noise: Noise,
    draw: random.Random,
) -> None:  # fmt: skip
    span = (until - FIRST_DAY).total_seconds()
    for entry, crm_id in enumerate(person.crm_ids):
        at = FIRST_DAY + timedelta(seconds=span * draw.uniform(0.02, 0.6))
        identifiers = {"crm_id.crm": crm_id}
        if draw.random() >= noise.email_missing:
            identifiers["email"] = person.email_at(at)
        if draw.random() < (0.9 if entry == 0 else 0.6):
            identifiers["phone"] = _written(person.phone, draw)
        traits: dict[str, Any] = _names(person, noise, draw)
        traits |= {"birthday": person.birthday, "gender": person.gender}
        if known and person is home.people[0]:
            traits["demographics"] = known
        _import(diary, person, at, identifiers, traits, _lives(home, at))
        if entry == 0 and home.moved_at is not None and home.moved_at > at:
            _import(diary, person, home.moved_at, identifiers, traits, home.later_address)


def _import(
    diary: Diary,
    person: Person,
    at: datetime,
    known: dict[str, str],
    traits: dict[str, Any],
    address: Address,
) -> None:
    diary.add(
        person.number, at, "crm", "contact.imported", known, {"source_status": "active"},
        channel="import", traits=traits | {"address": address.trait()},
    )  # fmt: skip


def _call(diary: Diary, home: Home, person: Person, until: datetime, draw: random.Random) -> None:
    for call, at in enumerate(_moments(CALLS_A_YEAR, until, draw)):
        topic, question, promise = draw.choice(_TOPICS)
        known = {"phone": _written(person.phone, draw)}
        if person.card_at is not None and person.card_at <= at and draw.random() < 0.35:
            known["loyalty_id"] = person.loyalty_id
        call_id = f"call-{person.number}-{call}"
        properties: dict[str, Any] = {
            "call_id": call_id,
            "duration_s": draw.randrange(40, 900),
            "outcome": "answered",
            "summary": f"{person.given} asked: {question}",
            "topics": [topic],
            "resolved": not promise,
            "sentiment": round(draw.uniform(-0.8, 0.8), 2),
        }
        if promise:
            properties["promises"] = [{"text": promise, "promise_id": f"{call_id}-p"}]
        diary.add(person.number, at, "call", "call.held", known, properties, direction="inbound")
        if promise and draw.random() < 0.7:
            kept = at + timedelta(hours=draw.uniform(3, 60))
            diary.add(person.number, kept, "call", "promise.kept", known, {"promise_id": f"{call_id}-p"})


def _use_services(diary: Diary, person: Person, until: datetime, draw: random.Random) -> None:
    for at in _moments(SERVICES_A_YEAR, until, draw):
        if person.app_at is not None and person.app_at <= at:
            known = {"user_id": person.user_id, "device_id": person.app}
            source = "app"
        elif person.card_at is not None and person.card_at <= at:
            known, source = {"loyalty_id": person.loyalty_id}, "store"
        else:
            continue
        properties = {"service_id": draw.choice(_SERVICES), "quantity": 1, "unit": "use"}
        diary.add(person.number, at, source, "service.used", known, properties)


def _moments(a_year: float, until: datetime, draw: random.Random) -> list[datetime]:
    """Moments with exponential gaps, `a_year` of them in a year on average."""
    found: list[datetime] = []
    at = FIRST_DAY
    while (at := at + timedelta(days=draw.expovariate(a_year / DAYS_A_YEAR))) < until:
        found.append(at)
    return found


def _lives(home: Home, at: datetime) -> Address:
    return home.later_address if home.moved_at is not None and home.moved_at <= at else home.address


def _names(person: Person, noise: Noise, draw: random.Random) -> dict[str, str]:
    given, surname = person.given, person.surname
    if draw.random() < noise.name_typo:
        if draw.random() < 0.4:
            given = typo(given, draw)
        else:
            surname = typo(surname, draw)
    return {"firstName": given, "lastName": surname}


def _written(phone: str, draw: random.Random) -> str:
    """One number in two spellings that mean the same digits."""
    if draw.random() < 0.5:
        return phone
    return f"+1 ({phone[2:5]}) {phone[5:8]}-{phone[8:]}"
