"""Consents on a day: which of the told words count, and what state they come to, per purpose and channel. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.envelope import CHANNELS, moment_at, rfc3339

GRANTED, WITHDRAWN, UNKNOWN = "granted", "withdrawn", "unknown"
ALL = "all"
"""In `by_channel`: every channel that is not named beside it."""


def answered(told: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """The public shape on a day, of what `consents` told.

    `state`: withdrawn if any record's latest word withdraws; else granted if it is granted on any channel; else
    withdrawn if it is on any; else unknown (every grant has ended). `channels`: exactly those in that state, None for
    all. The rest is of the newest word of that state. `by_channel` has the state of each, `all` of those not named.
    """
    return {purpose: _answer(of_purpose, now_us) for purpose, of_purpose in told.items()}


def _answer(told: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    today = {channel: _today(those, now_us) for channel, those in told["by_channel"].items()}
    states = {word["state"] for word in today.values()}
    by_weight = (WITHDRAWN, GRANTED, UNKNOWN) if told["withdrawn"] else (GRANTED, WITHDRAWN, UNKNOWN)
    state = next(s for s in by_weight if s in states)
    deciding = max(
        (word for word in today.values() if word["state"] == state), key=lambda w: (w["since_us"], w["event_id"])
    )
    return {
        **_shown(deciding),
        "channels": _channels_in(state, {channel: word["state"] for channel, word in today.items()}),
        "by_channel": {channel: _shown(word) for channel, word in today.items()},
    }


def _today(those: list[dict[str, Any]], now_us: int) -> dict[str, Any]:
    ends = ((word, word.get("expires_us")) for word in those)
    return next((word for word, end in ends if end is None or end > now_us), {**those[0], "state": UNKNOWN})


def _channels_in(state: str, states: Mapping[str, str]) -> list[str] | None:
    named = {channel for channel in states if channel != ALL}
    if states.get(ALL) != state:
        return sorted(channel for channel in named if states[channel] == state)
    others = {channel for channel in named if states[channel] != state}
    return sorted((set(CHANNELS) | named) - others) if others else None


def _shown(word: Mapping[str, Any]) -> dict[str, Any]:
    ends = word.get("expires_us")
    return {
        "state": word["state"],
        "since": rfc3339(moment_at(word["since_us"])),
        "expires_at": None if ends is None else rfc3339(moment_at(ends)),
        "text_version": word.get("text_version"),
        **{name: word[name] for name in ("source", "event_id", "origin_record")},
        **{name: word[name] for name in ("list_id", "method", "legal_basis") if name in word},
    }
