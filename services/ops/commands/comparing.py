"""What changed between two profiles, and who became one or fell apart, in plain words.

Owns what of a profile is worth telling; pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Key = tuple[str, str]
FACTS = ("needs", "preferences", "consents", "groups", "segments", "treatment")


def regroupings(before: Mapping[Key, str | None], after: Mapping[Key, str | None]) -> Iterator[str]:
    """Who became one, and who no longer is, in words; identifiers seen for the first time join silently."""
    were: dict[str, set[str]] = {}
    are: dict[str, set[str]] = {}
    for key, old in before.items():
        new = after.get(key)
        if old and new:
            were.setdefault(new, set()).add(old)
            are.setdefault(old, set()).add(new)
    for new, olds in were.items():
        if len(olds) > 1:
            yield f"merged: {' and '.join(sorted(olds))} are one customer now, {new}"
    for old, news in are.items():
        if len(news) > 1:
            yield f"split: {old} is now {' and '.join(sorted(news))}"
        elif news != {old} and len(were[next(iter(news))]) == 1:
            yield f"the customer has another id now: {next(iter(news))}, was {old}"


def changes_between(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Iterator[str]:
    """What a profile shows that the one before it did not, one line each."""
    if after is None:
        yield "no profile shows it"
        return
    if before is None:
        yield f"customer: {after['customer_id']}"
    old, new = _facts(before or {}), _facts(after)
    for name in dict.fromkeys((*new, *old)):
        were, are = old.get(name, ()), new.get(name, ())
        if isinstance(were, str) or isinstance(are, str):
            if were != are:
                yield f"{name}: {are or 'gone'}" + (f", was {were}" if were else "")
            continue
        more, less = [one for one in are if one not in were], [one for one in were if one not in are]
        if more:
            yield f"{name}: {', '.join(more)}"
        if less:
            yield f"{name}, no longer: {', '.join(less)}"


def _facts(profile: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    """What is worth telling: a text that replaces the one before it, or several that stand side by side."""
    identity, contact = profile.get("identity") or {}, profile.get("contact") or {}
    interaction, value = profile.get("interaction") or {}, profile.get("value") or {}
    found: dict[str, Any] = {
        "status": identity.get("status"),
        "records": tuple(f"{one['type']}:{one['value']}" for one in identity.get("records", ())),
        "name": contact.get("name"),
        "e-mail": tuple(one["value"] for one in contact.get("emails", ())),
        "phone": tuple(contact.get("phones", ())),
        "address": tuple(_words(one) for one in contact.get("addresses", ())),
        "birthday": contact.get("birthday"),
        "events": str(interaction.get("count") or ""),
        "channels": tuple(interaction.get("by_channel", ())),
        "open conversations": tuple(_words(one) for one in interaction.get("open_conversations") or ()),
        "promises": tuple(_words(one) for one in interaction.get("promises") or ()),
        "value": worth(value),
        "tier": (value.get("tier") or {}).get("grade"),
    }
    found |= {part: _words(profile.get(part)) for part in FACTS}
    return {name: value for name, value in found.items() if value}


def worth(value: Mapping[str, Any]) -> str:
    """A value section in a few words: `480.00 USD in 1 order, 480.00 of them returned`."""
    actual = value.get("actual")
    if not actual:
        return ""
    orders = f"{actual['orders']} order{'' if actual['orders'] == 1 else 's'}"
    back = f", {actual['refunds']} returned" if actual["refunds"].strip("0.") else ""
    return f"{actual['revenue']} {value['currency']} of {orders}{back}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items() if one not in (None, [], {}))
    return "; ".join(map(_words, value)) if isinstance(value, list) else str(value if value is not None else "")
