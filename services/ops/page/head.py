"""The head of the page: who it is, how they are reached, their tier, and the few figures one looks for first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.ops.page.icons import labelled
from services.ops.page.markup import Html, chip, joined, tag
from services.ops.page.words import VERDICTS, between, day, is_nothing, money, spoken, times

GRADES = frozenset("abcd")
INITIALS_MAX = 2
TRAITS_MAX = 12
NO_NAME = "No name known"


def head(document: Mapping[str, Any]) -> Html:
    """The name, the contact and the tier."""
    contact, identity = document.get("contact") or {}, document.get("identity") or {}
    name = contact.get("name") or NO_NAME
    asked = document["requested_id"] if document["requested_id"] != document["customer_id"] else None
    who = tag(
        "div",
        tag("h1", name),
        tag("p", chip(identity["status"]) if identity else None, tag("code", document["customer_id"]), class_="ids"),
        tag("p", "asked for ", tag("code", asked), ", an earlier id", class_="soft") if asked else None,
        _contact(contact),
        class_="who",
    )
    face = tag("div", _initials(contact.get("name")), class_="face", aria_hidden="true")
    return tag("header", face, who, _tier(document.get("value") or {}), class_="card head")


def _initials(name: str | None) -> str:
    words = [word for word in (name or "").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])[:INITIALS_MAX]).upper() or "?"


def _contact(contact: Mapping[str, Any]) -> Html:
    found = [
        *(("email", f"{one['value']}{VERDICTS.get(one.get('because'), '')}") for one in contact.get("emails", ())),
        *(("call", str(one)) for one in contact.get("phones", ())),
        *(("place", _address(one)) for one in contact.get("addresses", ())),
        *([("birthday", _birthday(str(contact["birthday"])))] if contact.get("birthday") else []),
    ]
    reach = [tag("li", labelled(icon, words)) for icon, words in found if words]
    traits = [chip(f"{name}: {value}", "soft") for name, value in _traits(contact.get("traits") or {})]
    return joined(
        [
            tag("ul", *reach, class_="reach") if reach else None,
            tag("p", *traits[:TRAITS_MAX], class_="chips") if traits else None,
        ]
    )


def _address(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    names = ("street", "postalCode", "city", "state", "country")
    return ", ".join(str(one[name]) for name in names if one.get(name))


def _birthday(said: str) -> str:
    try:
        return day(said)
    except ValueError:
        return said  # as a person wrote it


def _traits(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values; what is in a trait stands for itself."""
    for name, value in said.items():
        if isinstance(value, dict):
            yield from _traits(value)
        elif isinstance(value, list):
            yield spoken(name).lower(), ", ".join(map(str, value))
        else:
            yield spoken(name).lower(), {True: "yes", False: "no"}.get(value, str(value)) if value is not None else ""


def _tier(value: Mapping[str, Any]) -> Html | None:
    tier = value.get("tier")
    if not tier:
        return None
    shade = str(tier["grade"]).lower()
    badge = tag("span", tier["grade"], class_=f"grade {shade if shade in GRADES else 'd'}")
    since = f" since {day(tier['since'])}" if tier.get("since") else ""
    words = tag("div", tag("b", f"Tier {tier['grade']}{since}"), tag("p", tier["purpose"]))
    return tag("div", badge, words, class_="tier")


def figures(document: Mapping[str, Any]) -> Html:
    """The few numbers on top."""
    value, interaction = document.get("value") or {}, document.get("interaction") or {}
    actual, currency = value.get("actual") or {}, value.get("currency")
    rows: list[tuple[str, str, str | None]] = []
    if actual:
        rows.append(("Revenue", money(actual["revenue"], currency), None))
        if not is_nothing(actual["refunds"]):
            rows.append(("Returned", money(actual["refunds"], currency), None))
        rows.append(
            ("Margin", money(actual["margin"], currency), "estimated" if actual["margin_estimated"] else None)
        )
        if not is_nothing(actual["cost_to_serve"]):
            rows.append(("Cost to serve", money(actual["cost_to_serve"], currency), None))
        average = actual.get("average_order")
        each = f"{money(average, currency)} each" if average else None
        rows.append(("Orders", f"{actual['orders']:,}", each))
        rows += [
            (f"Beside, in {one['currency']}", money(one["revenue"], one["currency"]), times(one["orders"], "order"))
            for one in value.get("other_currencies") or ()
        ]
    if interaction:
        seen = between(interaction["first_at"], interaction["last_at"])
        rows.append(("Events", f"{interaction['count']:,}", seen))
    drawn = [
        tag("div", tag("span", name), tag("b", figure), tag("small", note) if note else None)
        for name, figure, note in rows
    ]
    return tag("section", *drawn, class_="figures") if drawn else Html()
