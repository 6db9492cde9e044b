"""What was sent, read safely: properties, channels' names, small JSON, moments, numbers, hours.

Owns reading one value into what a fact's body may hold: no floats, nothing big. Must not know any single type.
Never raises for what a sender sent. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from schemas.envelope import CHANNELS, OUTBOUND, Event, microseconds
from schemas.events.fields import moment_of, money_of, text_of
from services.interaction.domain.facts import short
from services.interaction.domain.terms import name_of

Said = tuple[str, str, dict[str, Any]]
"""(kind, key, body) of a fact."""
Reader = Callable[[Event, Mapping[str, Any]], list[Said]]
"""(event, its properties) → what it says."""

WORD_CHARS_MAX = 200
JSON_BYTES_MAX = 1_000
JSON_DEPTH_MAX = 5
DECIMALS_MAX = 6
ZONES_REMEMBERED_MAX = 1_000
_INT_MAX = 2**63 - 1
_ZONE = re.compile(r"(?=.{1,64}\Z)[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ALIASES = {
    "e_mail": "email", "mobile": "app", "text": "sms", "text_message": "sms", "push_notification": "push",
    "call_center": "call", "phone": "call", "telephone": "call", "shop": "store", "live_chat": "chat",
    "whatsapp": "chat", "letter": "mail", "post": "mail", "direct_mail": "mail", "social_media": "social",
}  # fmt: skip
"""What people call a channel they talk about; intake has its own table for the channel of an event."""


def said_by(event: Event, types: Mapping[str, Reader]) -> list[Said]:
    """What the event says by the reader of its type; nothing without one."""
    reader = types.get(event.type)
    if reader is None:
        return []
    properties = event.data.get("properties")
    return reader(event, properties if isinstance(properties, Mapping) else {})


def channel_of(event: Event) -> str:
    """The event's channel; `other` where it has none."""
    channel = event.data.get("channel")
    return channel if channel in CHANNELS else "other"


def is_outbound(event: Event) -> bool:
    """Whether it went from us to him."""
    return event.data.get("direction") == OUTBOUND


def is_by_customer(event: Event) -> bool:
    """Inbound, and nobody else is named as its actor."""
    actor = event.data.get("actor")
    others = isinstance(actor, Mapping) and actor.get("kind") not in (None, "customer")
    return not others and not is_outbound(event)


def channel_named(sent: Any) -> str | None:
    """A channel that is talked about; a name we do not know stays as its own. None: no name."""
    name = name_of(sent) if type(sent) is str else None
    if name is None:
        return None
    snake = name.replace("-", "_").replace(" ", "_")
    return _ALIASES.get(snake, snake)


def word(sent: Any) -> str | None:
    """A short text as it was sent: an id, a version, a method. Longer ones are cut."""
    found = short(sent)
    return found if found is None else found[:WORD_CHARS_MAX].rstrip()


def words(properties: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Those of these short texts that were sent."""
    return {name: found for name in names if (found := word(properties.get(name))) is not None}


def flag(sent: Any) -> bool | None:
    """A flag is true or false; all else is none."""
    return sent if type(sent) is bool else None


def moment_us(sent: Any) -> int | None:
    """The moment in µs since 1970; a date alone is its first moment in UTC. None: it is none."""
    if type(sent) is str and _DATE.fullmatch(sent.strip()):
        sent = f"{sent.strip()}T00:00:00Z"
    found = moment_of(sent)
    return None if found is None else microseconds(found)


def number(sent: Any) -> int | str | None:
    """A number as bodies keep it: whole, or a decimal as text with six digits after the point at most."""
    found = money_of(sent)
    if found is None:
        return None
    rounded = found.quantize(Decimal(1).scaleb(-DECIMALS_MAX))
    whole = rounded.to_integral_value()
    return int(whole) if whole == rounded else f"{rounded.normalize():f}"


def small_json(sent: Any) -> Any:
    """Any JSON that is small, with numbers that are not whole as text; None where it is too big or nothing."""
    try:
        plain = _plain(sent, JSON_DEPTH_MAX)
        return plain if len(orjson.dumps(plain)) <= JSON_BYTES_MAX else None
    except _TooBig:
        return None


class _TooBig(Exception):
    pass


def _plain(sent: Any, depth: int) -> Any:
    if type(sent) is bool or sent is None:
        return sent
    if type(sent) is int and abs(sent) <= _INT_MAX:
        return sent
    if isinstance(sent, float | Decimal | int):
        return number(sent)
    if isinstance(sent, str):
        if len(sent) > JSON_BYTES_MAX:
            raise _TooBig
        return short(sent) or ""
    if depth == 0 or not isinstance(sent, Mapping | list | tuple) or len(sent) > JSON_BYTES_MAX:
        raise _TooBig
    if isinstance(sent, Mapping):
        return {str(_plain(str(name), 1)): _plain(value, depth - 1) for name, value in sent.items()}
    return [_plain(value, depth - 1) for value in sent]


def hour_of(event: Event) -> int:
    """The hour of the day, 0 to 23, in the time zone the event or its source names, else in UTC."""
    name = text_of(event.data.get("timezone"))
    zone = _zone(name) if name is not None else None
    try:
        return event.time.astimezone(zone or UTC).hour
    except OverflowError:
        # The first and the last day there are have no hour in some zones.
        return event.time.hour


@lru_cache(maxsize=ZONES_REMEMBERED_MAX)
def _zone(name: str) -> ZoneInfo | None:
    if not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: `America` is a folder of the zones' data.
        return None
