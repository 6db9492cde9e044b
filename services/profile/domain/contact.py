"""Contact quality: what the facts that identity told with a contact mean on the day of the answer.

Owns judging an address (valid, stale), issues, completeness, what to ask next, and by which channel he is reached; it
may change without a replay (docs/decisions/0007). Pure: the day is given.
Beside the contact's own, personal values stand only in `issues[].value`, `issues[].rivals` and `reachable.*.address`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import phonenumbers

from schemas.envelope import rfc3339

STALE_DAYS = 365
"""Since the last proof, or since we know an address that was never proved: some of them have died since."""
CODES = (
    "email_bounced", "email_stale", "email_missing", "mobile_missing", "name_conflict", "address_returned",
    "birthday_conflict",
)  # fmt: skip
COMPLETENESS = {"name": 25, "email": 25, "mobile": 15, "phone": 5, "address": 15, "birthday": 15}
"""Per cent. An address that failed counts as none; `phone`: a number of any kind, `mobile`: one that may be one."""
WORTH = {
    "email_missing": 100,  # by it his devices, orders and other sources' records find together, and mail is cheapest
    "email_bounced": 90,  # we believe to reach him, and do not
    "mobile_missing": 80,  # the way that is left when mail fails; codes and deliveries need it
    "name_missing": 70,  # nothing can be addressed to him
    "name_conflict": 60,  # every greeting may be wrong, and his records may not find together
    "address_returned": 50,  # parcels and invoices are lost
    "email_stale": 40,  # it may well work
    "birthday_conflict": 30,  # it tells him from relatives
    "address_missing": 20,  # orders bring it
    "birthday_missing": 10,  # nice to have
}
"""What knowing is worth, by why we do not know."""
ASKED_AT_ONCE = 3
MARKETING = "marketing"
"""The purpose whose consent decides `allowed`; a message that an order or contract demands needs none."""
FAILED = "failed"
_ATOM = r"[^\s\"(),:;<>@\[\\\].\x00-\x1f\x7f]+"
_EMAIL = re.compile(rf"(?=.{{6,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@((?:[\w-]{{1,63}}\.)+[\w-]{{2,63}})")


@dataclass(frozen=True, slots=True)
class Way:
    """An address as it is today. `because`: failed, syntax, proved, stale or unproved; `since`: when that began."""

    value: Any
    valid: bool | None
    because: str
    since: str | None
    fact: Mapping[str, Any]

    @property
    def preference(self) -> tuple[int, str]:
        """The greater is used."""
        return (1 if self.valid is None else 2 * self.valid), self.fact.get("proved_at") or ""


@dataclass(frozen=True, slots=True)
class Given:
    """What others know of reaching him, None where they do not say; see `answered`."""

    today: date
    consents: Mapping[str, Any] | None = None
    fatigued: Mapping[str, bool] | None = None
    best_hours: Mapping[str, int] | None = None


def answered(
    contact: Mapping[str, Any],
    today: date,
    *,
    known: bool,
    answers: Collection[str] = (),
    declined: Collection[str] = (),
    consents: Mapping[str, Any] | None = None,
    fatigued: Mapping[str, bool] | None = None,
    best_hours: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The `contact` part as it is shown today, of the one that identity stored.

    `known`: identity.status. `answers`, `declined`: questions (an issue's `ask_for`) that memory answers or that he
    would not answer. `consents` as in the document, `fatigued` and `best_hours` by channel; None: not known.
    """
    found = contact.get("facts") or {}
    emails = [_email(value, fact, today) for value, fact in _beside(contact, found, "emails")]
    phones = [_judged(value, fact, today) for value, fact in _beside(contact, found, "phones")]
    addresses = [_postal(value, found.get("address") or {}, today) for value in contact.get("addresses") or ()]
    country = _country(contact)
    mobiles = [p for p in phones if may_be_mobile(str(p.value), country) is not False]
    issues = _issues(emails, mobiles, addresses, found, known)
    ways = {"email": emails, "sms": mobiles, "call": [*mobiles, *phones], "mail": addresses}
    given = Given(today, consents, fatigued, best_hours)
    works = {
        "name": bool(contact.get("name")), "birthday": bool(contact.get("birthday")), "mobile": _any(mobiles),
        "email": _any(emails), "phone": _any(phones), "address": _any(addresses),
    }  # fmt: skip
    return {
        **{name: value for name, value in contact.items() if name != "facts"},
        "emails": [
            {"value": e.value, "valid": e.valid, "verified_at": e.fact.get("proved_at"), "because": e.because}
            for e in emails
        ],
        "completeness": sum(weight for part, weight in COMPLETENESS.items() if works[part]),
        "issues": issues,
        "ask_next": _ask_next(_unknown(issues, emails, works, known), {*answers, *declined}),
        "reachable": {channel: reachable(channel, those, given) for channel, those in ways.items()},
    }


def _beside(contact: Mapping[str, Any], found: Mapping[str, Any], part: str) -> list[tuple[Any, Mapping[str, Any]]]:
    """Addresses with their facts; a section told before there were any has none."""
    values = [v["value"] if isinstance(v, dict) else v for v in contact.get(part) or ()]
    told = found.get(part) or ()
    return [(value, told[i] if i < len(told) else {}) for i, value in enumerate(values)]


def _judged(value: Any, fact: Mapping[str, Any], today: date) -> Way:
    if fact.get("failed_at"):
        return Way(value, False, FAILED, fact["failed_at"], fact)
    since = fact.get("proved_at") or fact.get("known_at")
    until = datetime.fromisoformat(since) + timedelta(days=STALE_DAYS) if since else None
    if until is not None and until.date() <= today:
        return Way(value, None, "stale", rfc3339(until), fact)
    proved = fact.get("proved_at")
    return Way(value, True, "proved", proved, fact) if proved else Way(value, None, "unproved", since, fact)


def _email(value: Any, fact: Mapping[str, Any], today: date) -> Way:
    proper = is_proper_email(str(value))
    return _judged(value, fact, today) if proper else Way(value, False, "syntax", fact.get("known_at"), fact)


def _postal(value: Any, fact: Mapping[str, Any], today: date) -> Way:
    """What came back, or arrived, was sent to the address he had then, not to one first said later or on that day."""
    moved = (fact.get("said_at") or "") > max(fact.get("failed_at") or "", fact.get("proved_at") or "")
    return _judged(value, {"known_at": fact["said_at"]} if moved else fact, today)


def is_proper_email(value: str) -> bool:
    """Whether mail could be sent there, by its form; quoted names and numeric hosts, which nobody has, are not."""
    found = _EMAIL.fullmatch(value)
    labels = found[1].split(".") if found else [""]
    return all(x and x[0] != "-" != x[-1] and "_" not in x for x in labels) and not labels[-1].isdigit()


def may_be_mobile(digits: str, country: str | None) -> bool | None:
    """Whether a number can be a mobile one, by its country's plan; None where that cannot be told.

    Records keep digits only: they are read as dialled in `country` first, then as international.
    """
    for text, region in ((digits, country), (f"+{digits.removeprefix('00')}", None)):
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            kind = phonenumbers.number_type(number)
            return kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return None


def _country(contact: Mapping[str, Any]) -> str | None:
    for address in contact.get("addresses") or ():
        code = str(address.get("country") or "").strip().upper() if isinstance(address, dict) else ""
        if code in phonenumbers.SUPPORTED_REGIONS:
            return code
    return None


def _any(ways: Iterable[Way]) -> bool:
    return any(way.valid is not False for way in ways)


# -- issues and questions --------------------------------------------------------------------------------------------


def _issues(
    emails: Sequence[Way], mobiles: Sequence[Way], addresses: Sequence[Way], found: Mapping[str, Any], known: bool
) -> list[dict[str, Any]]:
    """In the order of CODES, then of values. Nothing is missing of somebody who is not known."""
    since = found.get("known_since")
    listed = [_issue("email_bounced", e.value, e.since, "email") for e in emails if e.because == FAILED]
    listed += [_issue("email_stale", e.value, e.since, "email") for e in emails if e.because == "stale"]
    if known and all(e.because == "syntax" for e in emails):
        listed.append(_issue("email_missing", emails[0].value if emails else None, since, "email"))
    if known and not _any(mobiles):
        listed.append(_issue("mobile_missing", None, since, "mobile"))
    listed += [_issue("address_returned", a.value, a.since, "address") for a in addresses if a.because == FAILED]
    listed += [
        {**_issue(d["code"], d["values"][0], d["since"], d["ask_for"]), "rivals": d["values"][1:]}
        for d in found.get("doubts") or ()
    ]
    return sorted(listed, key=lambda i: (CODES.index(i["code"]), i["ask_for"], str(i["value"])))


def _issue(code: str, value: Any, since: str | None, ask_for: str) -> dict[str, Any]:
    return {"code": code, "value": value, "since": since, "ask_for": ask_for}


def _unknown(
    issues: Iterable[Mapping[str, Any]], emails: Iterable[Way], works: Mapping[str, bool], known: bool
) -> list[tuple[str, str]]:
    """(why, question) of all that would be worth knowing."""
    found = [(i["code"], i["ask_for"]) for i in issues]
    if any(e.valid for e in emails):
        # Whoever is reached by one address need not be asked for another.
        found = [(why, question) for why, question in found if question != "email"]
    if known:
        found += [(f"{part}_missing", part) for part in ("name", "birthday") if not works[part]]
        if not works["address"] and ("address_returned", "address") not in found:
            found.append(("address_missing", "address"))
    elif not works["email"]:
        # By it a visitor becomes somebody; what else he is asked would belong to nobody.
        found.append(("email_missing", "email"))
    return found


def _ask_next(unknown: Iterable[tuple[str, str]], done: Collection[str]) -> list[dict[str, str]]:
    """The questions of most worth, none of `done`, each once."""
    best: dict[str, str] = {}
    for why, question in sorted(unknown, key=lambda u: (-WORTH[u[0]], u[1])):
        if question not in done:
            best.setdefault(question, why)
    return [{"ask_for": question, "because": why} for question, why in list(best.items())[:ASKED_AT_ONCE]]


# -- reachable -------------------------------------------------------------------------------------------------------


def reachable(channel: str, ways: Sequence[Way], given: Given) -> dict[str, Any]:
    """How he is reached by this channel, and what speaks against it; what nobody said speaks against nothing.

    Of several addresses a proved one is used, then one that may work; of those the one proved last, then the first.
    """
    way = max(ways, key=lambda w: w.preference, default=None)
    complained = max((w.fact.get("complained_at") or "" for w in ways), default="") if channel == "email" else ""
    allowed = _allowed(channel, complained, given)
    fatigued = given.fatigued.get(channel) if given.fatigued is not None else None
    against = {
        "no_address": way is None,
        "not_valid": way is not None and way.valid is False,
        "not_allowed": allowed is False,
        "consent_unknown": allowed is None and given.consents is not None,
        "fatigued": fatigued is True,
    }
    return {
        "address": way.value if way else None,
        "allowed": allowed,
        "valid": way.valid if way else None,
        "fatigued": fatigued,
        "best_hour": given.best_hours.get(channel) if given.best_hours is not None else None,
        "why_not": [reason for reason, holds in against.items() if holds],
    }


def _allowed(channel: str, complained: str, given: Given) -> bool | None:
    """A complaint withdraws what was granted before it."""
    words = ((given.consents or {}).get(MARKETING) or {}).get("by_channel", {})
    word = words.get(channel) or words.get("all") or {}
    if word.get("state") == "withdrawn":
        return False
    granted = word.get("state") == "granted"
    if complained and not (granted and (word.get("since") or "") > complained):
        return False
    return True if granted else None


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).date()
