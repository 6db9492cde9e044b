"""Through which channel an event came and in which direction it went.

Owns the channels' other names and the order in which the places that may name one are asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.envelope import CHANNELS, INBOUND, OUTBOUND

OTHER = "other"

ALIASES: dict[str, str] = {
    "browser": "web", "website": "web", "webshop": "web", "web_shop": "web", "online": "web",
    "mobile": "app", "mobile_app": "app", "ios": "app", "android": "app",
    "e_mail": "email", "newsletter": "email",
    "text": "sms", "text_message": "sms", "mms": "sms",
    "push_notification": "push", "web_push": "push",
    "call_center": "call", "call_centre": "call", "callcenter": "call", "contact_center": "call",
    "phone": "call", "telephone": "call", "voice": "call", "ivr": "call",
    "shop": "store", "in_store": "store", "branch": "store", "pos": "store", "retail": "store",
    "live_chat": "chat", "livechat": "chat", "chatbot": "chat", "messenger": "chat", "whatsapp": "chat",
    "letter": "mail", "post": "mail", "postal": "mail", "direct_mail": "mail",
    "social_media": "social", "facebook": "social", "instagram": "social", "twitter": "social",
    "reseller": "partner", "affiliate": "partner",
    "csv": "import", "file": "import", "batch": "import",
}  # fmt: skip
"""Other names of channels, in snake case."""

CONTENT_NOT_CHANNEL = frozenset({"preference.stated"})
"""Types whose `properties.channel` is what the event talks about, not how it came."""

_KNOWN: dict[str, str] = {**ALIASES, **{name: name for name in CHANNELS}}
_DIRECTIONS = frozenset({INBOUND, OUTBOUND})
_NAME_CHARS_MAX = 64


def channel_named(sent: Any) -> str | None:
    """The channel a sent name means, or None."""
    if type(sent) is not str or len(sent) > _NAME_CHARS_MAX:
        return None
    known = _KNOWN.get(sent)
    return known or _KNOWN.get(sent.strip().casefold().replace("-", "_").replace(" ", "_"))


def channel_of(places: Iterable[Any]) -> str:
    """The first place that names a channel; `other` when none does."""
    for sent in places:
        if sent is not None:
            channel = channel_named(sent)
            if channel is not None:
                return channel
    return OTHER


def direction_of(sent: Any, mapped: str | None, usual: str) -> str:
    """The event's own direction, else the mapping's, else its type's."""
    if type(sent) is str:
        named = sent.strip().lower()
        if named in _DIRECTIONS:
            return named
    return mapped or usual
