"""Who lives in the households of the labelled set: their true names, births, kin, addresses and ways to be reached.

Owns the truth only, from a seeded generator alone; what sources make of it is sources.py. All of it is invented.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.ops.generate.names import GIVEN_FEMALE, GIVEN_MALE, STREETS, TOWNS
from tests.benchmarks.identity import words

FIRST_DAY, LAST_DAY = date(2015, 1, 1), date(2025, 12, 31)
"""Between these days sources wrote their records, and people moved and married."""
KINDS = {"single": 0.22, "couple": 0.25, "family": 0.32, "one parent": 0.08, "grandparent": 0.04, "flatmates": 0.09}
SLOTS = 16
"""Phone numbers a household may have."""

RARE_SURNAME = 0.3
RARE_GIVEN = 0.15
TAKES_NAME = 0.82
MARRIED_LATELY = 0.3
TWINS = 0.07
JUNIOR = 0.1
ALLITERATION = 0.3
HOUSEHOLD_MOVED = 0.2
CHILD_LEFT = 0.3
LANDLINE = 0.78
FAMILY_EMAIL = 0.4
OWN_MOBILE = 0.88
OWN_EMAIL = 0.84
SECOND_EMAIL = 0.35
PLAYFUL_EMAIL = 0.22
GOES_BY_NICKNAME = 0.35
LATEST_BIRTH = 2009


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody lives."""

    street: str
    city: str
    postal_code: str
    state: str


@dataclass(frozen=True, slots=True)
class Person:
    """One person, as no source knows them. Dates are None where it never was; texts empty."""

    number: int
    household: int
    given: str
    surname: str
    gender: str
    birth: date
    earlier_surname: str = ""
    renamed_on: date | None = None
    suffix: str = ""
    nickname: str = ""
    emails: tuple[str, ...] = ()
    mobile: str = ""
    landline: str = ""
    family_email: str = ""
    address: Address = Address("", "", "", "")
    earlier_address: Address = Address("", "", "", "")
    moved_on: date | None = None


class World:
    """What is taken already, and the names by how common they are, for one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.emails: set[str] = set()
        self.people = 0

    def phone(self, household: int, slot: int) -> str:
        """A number nobody else has; +1 555 is no area."""
        return f"+1555{(household * SLOTS + slot) * 6_180_339 % 10**7:07d}"

    def email(self, local: str, draw: random.Random) -> str:
        """An address nobody else has, with digits where the plain one is gone."""
        domain = _ranked(words.MAIL_DOMAINS, draw, 1.0)
        found = f"{local}@{domain}"
        while found in self.emails:
            found = f"{local}{draw.randrange(2, 999)}@{domain}"
        self.emails.add(found)
        return found


def settle(number: int, world: World) -> tuple[Person, ...]:
    """The people of household `number`; same seed and order, same people."""
    draw = random.Random(f"{world.seed}:home:{number}")
    kind = draw.choices(list(KINDS), list(KINDS.values()))[0]
    members = _flatmates(number, draw) if kind == "flatmates" else _relatives(number, kind, draw)
    members = [replace(one, number=world.people + i) for i, one in enumerate(members)]
    world.people += len(members)
    home, before = _address(draw), _address(draw)
    moved_on = _day(draw) if draw.random() < HOUSEHOLD_MOVED else None
    kin = kind != "flatmates" and len(members) > 1
    landline = world.phone(number, 0) if draw.random() < LANDLINE * (0.3 if kind == "flatmates" else 1) else ""
    local = draw.choice(words.FAMILY_MAIL).format(members[0].surname.lower())
    family_email = world.email(local, draw) if kin and draw.random() < FAMILY_EMAIL else ""
    found = []
    for slot, one in enumerate(members, 1):
        leaves = kin and slot > 2 and one.birth.year < 2003 and draw.random() < CHILD_LEFT
        found.append(
            replace(
                one,
                nickname=_nickname(one.given, draw),
                emails=_emails(one, world, draw),
                mobile=world.phone(number, slot) if draw.random() < OWN_MOBILE else "",
                landline=landline,
                family_email=family_email,
                address=_address(draw) if leaves else home,
                earlier_address=home if leaves else before,
                moved_on=_day(draw) if leaves else moved_on,
            )
        )
    return tuple(found)


def _relatives(household: int, kind: str, draw: random.Random) -> list[Person]:
    surname = _surname(draw)
    year = draw.randrange(1942, 1996) if kind in ("single", "couple") else draw.randrange(1946, 1984)
    gender = draw.choice(("male", "female"))
    found = [_person(household, surname, gender, _birth(year, draw), [], draw)]
    if kind in ("couple", "family", "grandparent"):
        found.append(_partner(household, found[0], draw))
    if kind in ("family", "one parent", "grandparent"):
        found += _children(household, found, draw)
    if kind == "grandparent":
        old = draw.choice(("male", "female"))
        found.append(_person(household, surname, old, _birth(year - draw.randrange(22, 32), draw), found, draw))
    return found


def _partner(household: int, first: Person, draw: random.Random) -> Person:
    gender = "female" if first.gender == "male" else "male"
    own = _surname(draw)
    one = _person(household, own, gender, _birth(first.birth.year + draw.randrange(-6, 7), draw), [first], draw)
    if draw.random() >= TAKES_NAME:
        return one
    lately = _day(draw) if draw.random() < MARRIED_LATELY else None
    return replace(one, surname=first.surname, earlier_surname=own, renamed_on=lately)


def _children(household: int, parents: list[Person], draw: random.Random) -> list[Person]:
    found: list[Person] = []
    youngest = max(one.birth.year for one in parents)
    for _ in range(draw.choices((1, 2, 3, 4), (0.3, 0.42, 0.2, 0.08))[0]):
        birth = _birth(min(LATEST_BIRTH, youngest + draw.randrange(21, 37)), draw)
        gender = draw.choice(("male", "female"))
        alike = ""
        if found and draw.random() < TWINS:
            birth = found[-1].birth
            alike = found[-1].given[0]
        elif found and draw.random() < ALLITERATION:
            alike = found[0].given[0]
        one = _person(household, parents[0].surname, gender, birth, parents + found, draw, alike)
        father = next((p for p in parents if p.gender == "male"), None)
        if gender == "male" and father and all(c.suffix == "" for c in found) and draw.random() < JUNIOR:
            one = replace(one, given=father.given, suffix="Jr")
        found.append(one)
    return found


def _flatmates(household: int, draw: random.Random) -> list[Person]:
    found: list[Person] = []
    year = draw.randrange(1985, 2003)
    for _ in range(draw.choices((2, 3, 4), (0.5, 0.35, 0.15))[0]):
        birth = _birth(year + draw.randrange(-3, 4), draw)
        found.append(_person(household, _surname(draw), draw.choice(("male", "female")), birth, found, draw))
    return found


def _person(
    household: int, surname: str, gender: str, birth: date, others: list[Person], draw: random.Random, alike: str = ""
) -> Person:
    taken = {one.given for one in others}
    for _ in range(60):
        given = _given(gender, birth.year, draw)
        if given not in taken and given.startswith(alike):
            break
    return Person(0, household, given, surname, gender, birth)


def _given(gender: str, year: int, draw: random.Random) -> str:
    if draw.random() < RARE_GIVEN:
        return draw.choice(GIVEN_FEMALE if gender == "female" else GIVEN_MALE)
    if gender == "female":
        return _ranked(words.FEMALE_OLDER if year < 1976 else words.FEMALE_YOUNGER, draw, 0.8)
    return _ranked(words.MALE_OLDER if year < 1976 else words.MALE_YOUNGER, draw, 0.8)


def _surname(draw: random.Random) -> str:
    if draw.random() < RARE_SURNAME:
        return draw.choice(words.SURNAMES_RARE)
    return _ranked(words.SURNAMES_COMMON, draw, 0.9)


def _nickname(given: str, draw: random.Random) -> str:
    known = words.NICKNAMES.get(given, ())
    return draw.choice(known) if known and draw.random() < GOES_BY_NICKNAME else ""


def _emails(one: Person, world: World, draw: random.Random) -> tuple[str, ...]:
    if draw.random() >= OWN_EMAIL:
        return ()
    return tuple(world.email(_local(one, draw), draw) for _ in range(1 + (draw.random() < SECOND_EMAIL)))


def _local(one: Person, draw: random.Random) -> str:
    surname = one.earlier_surname if one.renamed_on and draw.random() < 0.6 else one.surname
    given, surname = (one.nickname or one.given).lower(), surname.lower()
    if draw.random() < PLAYFUL_EMAIL:
        return f"{draw.choice(words.HOBBIES)}{draw.choice(words.HOBBIES)}{draw.randrange(1, 99)}"
    dotted, short, joined = f"{given}.{surname}", f"{given[0]}{surname}", f"{given}{surname}"
    forms = (dotted, short, joined, f"{surname}.{given}", f"{given}{surname[0]}")
    local = draw.choices(forms, (0.35, 0.25, 0.2, 0.1, 0.1))[0]
    return local + draw.choice(("", "", f"{one.birth.year % 100:02d}", str(draw.randrange(1, 999))))


def _address(draw: random.Random) -> Address:
    at = int(len(TOWNS) * draw.random() ** 1.6)
    town, prefix = TOWNS[at]
    street = draw.choice(STREETS)
    district = sum(map(ord, street)) % 9
    unit = f" Apt {draw.randrange(1, 30)}" if draw.random() < 0.2 else ""
    state = words.STATES[at // 9]
    return Address(f"{draw.randrange(1, 400)} {street}{unit}", town, f"{prefix}{district}{at % 10}0", state)


def _birth(year: int, draw: random.Random) -> date:
    return date(year, 1, 1) + timedelta(days=draw.randrange(365))


def _day(draw: random.Random) -> date:
    return FIRST_DAY + timedelta(days=draw.randrange((LAST_DAY - FIRST_DAY).days))


def _ranked(ranked: tuple[str, ...], draw: random.Random, steepness: float) -> str:
    """One of the words, each as often as its rank has it in real name counts."""
    weights = _weights(len(ranked), steepness)
    return draw.choices(ranked, cum_weights=weights)[0]


_WEIGHTS: dict[tuple[int, float], list[float]] = {}


def _weights(count: int, steepness: float) -> list[float]:
    found = _WEIGHTS.get((count, steepness))
    if found is None:
        total, found = 0.0, []
        for rank in range(count):
            total += 1 / (rank + 3) ** steepness
            found.append(total)
        _WEIGHTS[count, steepness] = found
    return found
