"""The five systems that hold contact records, what each asks for, and how each gets it wrong.

Owns the table of sources and the writing of one record of one person. The truth is homes.py's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from tests.benchmarks.identity import slips, words
from tests.benchmarks.identity.contact import Contact
from tests.benchmarks.identity.homes import FIRST_DAY, LAST_DAY, Address, Person

EMAIL_OF_STORE = 0.02
"""Of store cards without an e-mail: the shop's own, put in by the clerk."""
PREFERS_NICKNAME = 0.8
TITLE_GENDER_WRONG = 0.01


@dataclass(frozen=True, slots=True)
class Source:
    """One system. All numbers are shares: of people (holds, again), or of records and values."""

    name: str
    holds: float
    """Of people: who has a record here."""
    again: float
    """Of those: a second record here."""
    given: float
    surname: float
    birth: float
    gender: float
    email: float
    phone: float
    address: float
    """The fields: how often each is filled."""
    landline: float
    """Of phones, where the household has a landline: that instead of the mobile."""
    kin_phone: float
    """Of phones: a relative's mobile."""
    family_email: float
    """Of e-mails, where there is one: the family's."""
    kin_email: float
    """Of e-mails: a relative's."""
    nickname: float
    """Of people who go by a short form, and a fifth of that of others who could."""
    initial: float
    slip: str
    slipped: float
    """Of names, towns and streets: one slip of this source's kind."""
    names_swapped: float
    days_swapped: float
    date_wrong: float
    email_wrong: float
    phone_wrong: float
    placeholder: float
    """Of name, birth date, e-mail and phone where nothing was to be had: a filler instead of nothing."""
    own_phone: float
    """Of phones: the source's own number."""
    stale: float
    """Of records after a move or marriage: still the old address or surname."""
    phone_form: str


SHOP = Source(
    "shop", holds=0.62, again=0.12, given=0.98, surname=0.98, birth=0.5, gender=0.2, email=1.0, phone=0.8,
    address=0.93, landline=0.25, kin_phone=0.05, family_email=0.22, kin_email=0.03, nickname=0.45, initial=0.015,
    slip="typed", slipped=0.03, names_swapped=0.01, days_swapped=0.01, date_wrong=0.02, email_wrong=0.015,
    phone_wrong=0.01, placeholder=0.08, own_phone=0.0, stale=0.12, phone_form="+1 {0}-{1}-{2}",
)  # fmt: skip
APP = Source(
    "app", holds=0.34, again=0.05, given=0.95, surname=0.85, birth=0.75, gender=0.3, email=0.97, phone=0.85,
    address=0.2, landline=0.02, kin_phone=0.06, family_email=0.12, kin_email=0.03, nickname=0.6, initial=0.03,
    slip="typed", slipped=0.04, names_swapped=0.01, days_swapped=0.01, date_wrong=0.02, email_wrong=0.01,
    phone_wrong=0.01, placeholder=0.15, own_phone=0.0, stale=0.1, phone_form="+1{0}{1}{2}",
)  # fmt: skip
STORE = Source(
    "store", holds=0.55, again=0.06, given=0.97, surname=0.99, birth=0.9, gender=0.55, email=0.5, phone=0.78,
    address=0.94, landline=0.6, kin_phone=0.1, family_email=0.3, kin_email=0.05, nickname=0.25, initial=0.06,
    slip="misread", slipped=0.11, names_swapped=0.015, days_swapped=0.05, date_wrong=0.05, email_wrong=0.06,
    phone_wrong=0.05, placeholder=0.05, own_phone=0.0, stale=0.15, phone_form="+1 ({0}) {1} {2}",
)  # fmt: skip
CALL = Source(
    "call", holds=0.36, again=0.15, given=0.92, surname=0.96, birth=0.6, gender=0.35, email=0.35, phone=0.95,
    address=0.6, landline=0.6, kin_phone=0.12, family_email=0.25, kin_email=0.06, nickname=0.4, initial=0.05,
    slip="misheard", slipped=0.16, names_swapped=0.02, days_swapped=0.02, date_wrong=0.06, email_wrong=0.08,
    phone_wrong=0.03, placeholder=0.15, own_phone=0.05, stale=0.1, phone_form="+1-{0}-{1}-{2}",
)  # fmt: skip
CRM = Source(
    "crm", holds=0.5, again=0.2, given=0.97, surname=1.0, birth=0.8, gender=0.7, email=0.7, phone=0.85,
    address=0.93, landline=0.6, kin_phone=0.06, family_email=0.2, kin_email=0.04, nickname=0.15, initial=0.07,
    slip="typed", slipped=0.07, names_swapped=0.04, days_swapped=0.05, date_wrong=0.03, email_wrong=0.03,
    phone_wrong=0.03, placeholder=0.2, own_phone=0.0, stale=0.35, phone_form="+1.{0}.{1}.{2}",
)  # fmt: skip
SOURCES = (SHOP, APP, STORE, CALL, CRM)


def record(one: Person, kin: tuple[Person, ...], source: Source, draw: random.Random) -> Contact:
    """What `source` wrote down of this person, once; `kin` are the others of the household."""
    seen = FIRST_DAY + timedelta(days=draw.randrange((LAST_DAY - FIRST_DAY).days))
    given, surname = _names(one, source, seen, draw)
    where = _address(one, source, seen, draw)
    return Contact(
        "",
        source.name,
        one.number,
        one.household,
        given_name=given,
        surname=surname,
        birth_date=_birth(one, source, draw),
        gender=_gender(one, source, draw),
        email=_email(one, kin, source, draw),
        phone=_phone(one, kin, source, draw),
        street=where.street,
        city=where.city,
        postal_code=where.postal_code,
        state=where.state,
        country="US" if where.postal_code else "",
        updated_at=f"{seen.isoformat()}T{draw.randrange(8, 20):02d}:{draw.randrange(60):02d}:00Z",
    )


def _names(one: Person, source: Source, seen: date, draw: random.Random) -> tuple[str, str]:
    given, surname = one.given, one.surname
    known = words.NICKNAMES.get(given, ())
    if known and draw.random() < source.nickname * (1.0 if one.nickname else 0.2):
        prefers = one.nickname and draw.random() < PREFERS_NICKNAME
        given = one.nickname if prefers else draw.choice(known)
    if one.renamed_on and (seen < one.renamed_on or draw.random() < source.stale):
        surname = one.earlier_surname
    given, surname = (_slipped(text, source, draw) for text in (given, surname))
    if draw.random() < source.initial:
        given = given[0] + draw.choice(("", "."))
    if one.suffix and draw.random() < 0.4:
        surname = f"{surname} {draw.choice((one.suffix, one.suffix + '.', 'II'))}"
    given = _filled(given, source.given, source, words.NAME_PLACEHOLDERS, draw)
    surname = _filled(surname, source.surname, source, words.NAME_PLACEHOLDERS, draw)
    if given and surname and draw.random() < source.names_swapped:
        given, surname = surname, given
    return _cased(given, source, draw), _cased(surname, source, draw)


def _slipped(text: str, source: Source, draw: random.Random) -> str:
    return slips.SLIPS[source.slip](text, draw) if draw.random() < source.slipped else text


def _cased(text: str, source: Source, draw: random.Random) -> str:
    if source.slip == "misread":
        return text.upper()
    return text.lower() if source.name == "app" and draw.random() < 0.15 else text


def _filled(value: str, share: float, source: Source, fillers: tuple[str, ...], draw: random.Random) -> str:
    if draw.random() < share:
        return value
    return draw.choice(fillers) if draw.random() < source.placeholder else ""


def _birth(one: Person, source: Source, draw: random.Random) -> str:
    value, chance = one.birth.isoformat(), draw.random()
    if chance < source.days_swapped:
        value = slips.day_and_month_swapped(one.birth)
    elif chance < source.days_swapped + source.date_wrong:
        value = slips.near_date(one.birth, draw)
    return _filled(value, source.birth, source, words.BIRTH_PLACEHOLDERS, draw)


def _gender(one: Person, source: Source, draw: random.Random) -> str:
    if draw.random() >= source.gender:
        return ""
    wrong = draw.random() < TITLE_GENDER_WRONG
    return ("female" if one.gender == "male" else "male") if wrong else one.gender


def _email(one: Person, kin: tuple[Person, ...], source: Source, draw: random.Random) -> str:
    own = one.emails[-1] if one.emails and draw.random() < 0.25 else (one.emails or ("",))[0]
    value = own
    theirs = [other.emails[0] for other in kin if other.emails]
    if one.family_email and (not own or draw.random() < source.family_email):
        value = one.family_email
    elif theirs and (one.family_email or one.landline) and (not own or draw.random() < source.kin_email):
        value = theirs[0]
    if value and draw.random() < source.email_wrong:
        local, at, domain = value.partition("@")
        value = slips.SLIPS[source.slip](local, draw) + at + domain
    value = _filled(value, source.email, source, words.EMAIL_PLACEHOLDERS, draw)
    if not value and source is STORE and draw.random() < EMAIL_OF_STORE:
        return draw.choice(words.STORE_EMAILS)
    return value


def _phone(one: Person, kin: tuple[Person, ...], source: Source, draw: random.Random) -> str:
    if draw.random() < source.own_phone:
        return words.CALL_CENTRE_PHONE
    value = one.mobile
    theirs = [other.mobile for other in kin if other.mobile]
    if one.landline and (not value or draw.random() < source.landline):
        value = one.landline
    elif theirs and one.landline and (not value or draw.random() < source.kin_phone):
        value = theirs[0]
    if value:
        if draw.random() < source.phone_wrong:
            value = slips.wrong_digit(value, draw)
        digits = value.removeprefix("+1")
        value = source.phone_form.format(digits[:3], digits[3:6], digits[6:])
    return _filled(value, source.phone, source, words.PHONE_PLACEHOLDERS, draw)


NOWHERE = Address("", "", "", "")
SHORTER = {" Street": " St", " Road": " Rd", " Avenue": " Ave", " Lane": " Ln", " Drive": " Dr", " Court": " Ct"}


def _address(one: Person, source: Source, seen: date, draw: random.Random) -> Address:
    moved = one.moved_on is not None and (seen < one.moved_on or draw.random() < source.stale)
    where = one.earlier_address if moved else one.address
    if draw.random() >= source.address:
        return Address("", "", where.postal_code, "") if draw.random() < 0.2 else NOWHERE
    street = _street(where.street, draw)
    part = street.partition(" ")
    street = f"{part[0]} {_slipped(part[2], source, draw)}"
    if draw.random() < 0.02:
        street = ""
    city = _slipped(where.city, source, draw)
    postal_code = where.postal_code
    if draw.random() < source.phone_wrong:
        postal_code = slips.wrong_digit("0" + postal_code, draw)[1:]
    cased: Callable[[str], str] = str.upper if source.slip == "misread" else str
    return Address(cased(street), cased(city), postal_code, where.state if draw.random() < 0.9 else "")


def _street(street: str, draw: random.Random) -> str:
    if draw.random() < 0.4:
        for long, short in SHORTER.items():
            street = street.replace(long, short)
    if " Apt " in street and draw.random() < 0.35:
        street = street.partition(" Apt ")[0] if draw.random() < 0.5 else street.replace(" Apt ", " #")
    return street
