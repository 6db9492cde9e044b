"""The synthetic part of the demo: one to three people per household, their accounts, devices and noise.

Owns who lives where and what goes wrong with their data, from a seeded generator alone. All of it is
invented: the data set has no personal data. What people do is visits.py, contacts.py and mailings.py.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ops.demo.journey import FIRST_DAY, Household
from services.ops.generate.names import GIVEN_FEMALE, GIVEN_MALE, MAIL_DOMAINS, STREETS, SURNAMES, TOWNS

PEOPLE_MAX = 3
PLACEHOLDER_EMAIL = "test@test.com"
PLACEHOLDER_ID = "undefined"


@dataclass(frozen=True, slots=True)
class Noise:
    """How often something is wrong or ambiguous, each between 0 and 1."""

    name_typo: float = 0.12
    """Of records typed in by staff: one slip in the name."""
    email_changed: float = 0.15
    """Of people with an account: another address during the year."""
    moved: float = 0.1
    """Of households: another address during the year."""
    phone_shared: float = 0.25
    """Of households of two or more: everybody names the same number."""
    device_shared: float = 0.2
    """Of households of two or more: one browser used by everybody."""
    email_missing: float = 0.15
    """Of CRM entries: no e-mail."""
    crm_duplicate: float = 0.1
    """Of people in the CRM: entered twice, under two numbers."""
    placeholder: float = 0.05
    """Of card sign-ups and log-ins: a placeholder instead of a value."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a household lives."""

    street: str
    city: str
    postal_code: str

    def trait(self) -> dict[str, str]:
        """As the reserved trait `address`."""
        return {
            "street": self.street,
            "city": self.city,
            "postalCode": self.postal_code,
            "state": "OH",
            "country": "US",
        }


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person. A moment is None where it never comes; identifiers as their system writes them."""

    number: int
    household: int
    given: str
    surname: str
    gender: str
    birthday: str
    phone: str
    email: str
    later_email: str
    email_changed_at: datetime | None
    user_id: str
    signed_up_at: datetime | None
    loyalty_id: str
    card_at: datetime | None
    browsers: tuple[str, ...]
    app: str
    app_at: datetime | None
    crm_ids: tuple[str, ...]
    weight: float
    """How much of the household's shopping is this person's; no unit."""

    def email_at(self, moment: datetime) -> str:
        """The address in use."""
        changed = self.email_changed_at
        return self.later_email if changed is not None and changed <= moment else self.email


@dataclass(frozen=True, slots=True)
class Home:
    """A household as invented: its people, the one who shops most first, and where they live."""

    number: int
    people: tuple[Person, ...]
    address: Address
    later_address: Address
    moved_at: datetime | None


def typo(name: str, draw: random.Random) -> str:
    """The name with one slip: two letters swapped, one left out or one doubled. Never the name itself."""
    for _ in range(10):
        at = draw.randrange(1, len(name) - 1)
        slips = (
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
        )
        slipped = draw.choice(slips)
        if slipped != name:
            return slipped
    return name + name[-1]


def settle(household: Household, until: datetime, noise: Noise, draw: random.Random) -> Home:
    """Invents the people of one household; `draw` alone decides, `until` ends the year told."""
    surname = draw.choice(SURNAMES)
    size = _size(household, draw)
    together = size > 1
    landline = _phone(household.number, 0) if together and draw.random() < noise.phone_shared else ""
    browser = _device("b", household.number, draw) if together and draw.random() < noise.device_shared else ""
    givens: list[tuple[str, str]] = []
    while len(givens) < size:
        gender = "male" if draw.random() < 0.5 else "female"
        given = draw.choice(GIVEN_MALE if gender == "male" else GIVEN_FEMALE)
        if all(given != taken for taken, _ in givens):
            givens.append((given, gender))
    people = tuple(
        _person(household.number, i, given, gender, surname, landline, browser, until, noise, draw)
        for i, (given, gender) in enumerate(givens)
    )
    moved = draw.random() < noise.moved
    return Home(
        household.number,
        people,
        _address(draw),
        _address(draw),
        _moment(draw, 0.3, 0.9, until) if moved else None,
    )


def _size(household: Household, draw: random.Random) -> int:
    """From the real demographics where they are known: adults, and one child old enough to shop."""
    known = household.demographics.get("household_comp", "")
    if not known:
        return draw.choices((1, 2, 3), (0.4, 0.45, 0.15))[0]
    adults = 2 if known.startswith("2") else 1
    child = known.endswith(" Kids") and not known.endswith("No Kids") and draw.random() < 0.4
    return min(adults + child, PEOPLE_MAX)


def _person(
    household: int, i: int, given: str, gender: str, surname: str, landline: str, browser: str,
    until: datetime, noise: Noise, draw: random.Random,
) -> Person:  # fmt: skip
    number = household * 10 + i
    if i and draw.random() < 0.15:
        surname = draw.choice(SURNAMES)
    birth = draw.randrange(1940, 1995) if i < 2 else draw.randrange(1996, 2003)
    first, second = draw.sample(MAIL_DOMAINS, 2)
    account, card = draw.random() < 0.75, draw.random() < 0.8
    signed_up = _moment(draw, 0.0, 0.5, until) if account or not card else None
    app = signed_up is not None and draw.random() < 0.4
    changed = signed_up is not None and draw.random() < noise.email_changed
    crm = draw.random() < 0.65
    twice = crm and draw.random() < noise.crm_duplicate
    return Person(
        number, household, given, surname, gender,
        f"{birth}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
        landline or _phone(household, 100 + i),
        f"{given}.{surname}{number}@{first}".lower(),
        f"{given[0]}{surname}{number}@{second}".lower(),
        _moment(draw, 0.55, 0.9, until) if changed else None,
        f"u{number}", signed_up,
        f"{7_000_000_000 + number}", _moment(draw, 0.0, 0.15, until) if card else None,
        tuple(dict.fromkeys(b for b in (browser, *(_device("b", number, draw) for _ in range(2))) if b)),
        _device("d", number, draw), _moment(draw, 0.5, 0.7, until) if app else None,
        tuple(f"C{number}{letter}" for letter in "AB"[: crm + twice]),
        1.0 / (i + 1),
    )  # fmt: skip


def _moment(draw: random.Random, after: float, before: float, until: datetime) -> datetime:
    """A whole second between two shares of the time told."""
    span_s = (until - FIRST_DAY).total_seconds()
    return FIRST_DAY + timedelta(seconds=int(span_s * draw.uniform(after, before)))


def _phone(household: int, line: int) -> str:
    return f"+1555{household:04d}{line:03d}"


def _device(kind: str, owner: int, draw: random.Random) -> str:
    return f"{kind}-{owner}-{draw.getrandbits(48):012x}"


def _address(draw: random.Random) -> Address:
    town, prefix = draw.choice(TOWNS)
    return Address(
        f"{draw.randrange(1, 400)} {draw.choice(STREETS)}", town, f"{prefix}{draw.randrange(1000):03d}"
    )
