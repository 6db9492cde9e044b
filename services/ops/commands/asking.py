"""Questions to the public profile API, with the command's own key.

Owns reading what people type as a customer, and the calls; how answers look is showing.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from services.ops.commands.failures import CommandError, UsageMistake
from services.ops.commands.here import Here, ask_json
from services.ops.commands.keys import operator_key

LOOKUP_IDENTIFIERS_MAX = 1_000


def read_wanted(text: str) -> str | tuple[str, str]:
    """A customer id, or (type, value) of `type:value` or an e-mail address. Raises UsageMistake."""
    try:
        return str(UUID(text))
    except ValueError:
        pass  # no id: an identifier then
    type_, colon, value = text.partition(":")
    if colon and type_ and value:
        return type_, value
    if "@" in text:
        return "email", text
    raise UsageMistake(f"{text} is neither a customer id nor TYPE:VALUE, as in email:ann@x.com")


def customer_id(copy: Here, wanted: str | tuple[str, str]) -> str:
    """The id itself, or whose the identifier is. Raises CommandError: nobody's, everybody's, several's."""
    if isinstance(wanted, str):
        return wanted
    result = lookup(copy, [wanted])[0]
    if result["customer_id"]:
        return str(result["customer_id"])
    shown = f"{wanted[0]}:{wanted[1]}"
    if result["ambiguous"]:
        names = ", ".join(f"{one['customer_id']} ({one['name'] or 'no name'})" for one in result["candidates"])
        raise CommandError(f"{shown} is shared by several customers: {names}")
    if result["generic"]:
        raise CommandError(f"{shown} is so widely shared that it is nobody's")
    raise CommandError(f"nobody is known by {shown}")


def lookup(
    copy: Here, identifiers: Sequence[tuple[str, str]], include: Sequence[str] = (), **query: Any
) -> list[Any]:
    """Results of POST /v1/customers/lookup in the order asked, however many identifiers."""
    key = operator_key(copy)
    found: list[Any] = []
    for chunk in chunks(identifiers, LOOKUP_IDENTIFIERS_MAX):
        body = {"identifiers": [{"type": t, "value": v} for t, v in chunk], "include": list(include), **query}
        answer = ask_json("POST", f"{copy.profile}/v1/customers/lookup", key=key, json=body)
        found += answer["results"]
    return found


def chunks(rows: Sequence[tuple[str, str]], size: int) -> Iterator[Sequence[tuple[str, str]]]:
    """The rows in order, `size` at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def profile(copy: Here, wanted_id: str, page: str = "", **query: Any) -> Any:
    """GET /v1/customers/{id}, or a page below it, as `/value`."""
    return public(copy, f"/customers/{wanted_id}{page}", **query)


WHOLE_TIMELINE = "corrections,decisions"
"""What a timeline for people includes beside the events that count."""


def timeline(copy: Here, wanted_id: str, limit: int) -> list[Any]:
    """The newest items of GET /v1/customers/{id}/timeline, with what was taken back and who became one."""
    return list(profile(copy, wanted_id, "/timeline", limit=limit, include=WHOLE_TIMELINE)["items"])


def path(copy: Here, one: tuple[str, str], other: tuple[str, str], **query: Any) -> Any:
    """GET /v1/identity/path."""
    ends = {name: f"{type_}:{value}" for name, (type_, value) in (("from", one), ("to", other))}
    return public(copy, "/identity/path", **ends, **query)


def public(copy: Here, page: str, **query: Any) -> Any:
    """GET of a page of the profile API, with the command's own key."""
    return ask_json("GET", f"{copy.profile}/v1{page}", key=operator_key(copy), params=query)
