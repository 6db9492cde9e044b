"""Interaction's section at the moment of an answer: what ended, what is overdue, who tires.

Owns which parts of the document it fills, and what they say of reaching the customer. How told words end and age is
schemas/answers. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.answers import consents, needs, preferences, pressure, promises
from services.profile.domain.moments import Now

NOTHING_PREFERRED: Mapping[str, Any] = {"stated": {}, "inferred": {"best": None, "by_channel": {}}}
_SUMMARY = ("first_at", "last_at", "count", "by_channel", "by_type", "last")


def _interaction(body: Mapping[str, Any], now: Now) -> dict[str, Any]:
    return {
        **{name: body[name] for name in _SUMMARY},
        "open_conversations": body.get("open_conversations", []),
        "promises": promises.answered(body.get("promises", ()), now.us),
        "feedback": body.get("feedback"),
        "pressure": pressure.answered(body.get("pressure", {}), now.us),
        "services": body.get("services", []),
    }


def _consents(body: Mapping[str, Any], now: Now) -> dict[str, Any]:
    return consents.answered(body.get("consents", {}), now.us)


PARTS: Mapping[str, Callable[[Mapping[str, Any], Now], Any]] = {
    "interaction": _interaction,
    "needs": lambda body, now: needs.answered(body.get("needs", ()), now.us),
    "preferences": lambda body, now: preferences.answered(body.get("preferences", NOTHING_PREFERRED), now.us),
    "consents": _consents,
}
"""Part of the document → what it is at a moment, of interaction's section."""


def of_reaching(body: Mapping[str, Any] | None, now: Now) -> dict[str, Any]:
    """What contact.answered is to know of reaching the customer; nothing while interaction tells nothing of him."""
    if body is None:
        return {}
    answers = body.get("answers", {})
    tired = pressure.answered(body.get("pressure", {}), now.us)
    return {
        "answers": [name for name, one in answers.items() if one["until_us"] is None or one["until_us"] > now.us],
        "declined": [name for name, one in answers.items() if one["declined"]],
        # Who never said a word on consent is not known to refuse.
        "consents": _consents(body, now) or None,
        "fatigued": {channel: one["fatigued"] for channel, one in tired.items()},
        "best_hours": preferences.best_hours(body.get("preferences", NOTHING_PREFERRED)),
    }
