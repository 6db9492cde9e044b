"""Preferences on a day: which of the told words count, beside what responses show. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.envelope import moment_at, rfc3339

CONTACT = "contact"
"""The topic under which it is told how he is best reached, where his responses show it."""
FIELDS = ("channel", "frequency", "format", "language", "quiet_hours")
"""Shown of every topic; `value` and `hour` only where there is one."""


def best_hours(told: Mapping[str, Any]) -> dict[str, int]:
    """{channel: hour of the day} where enough responses show it, of what `preferences` told."""
    return {channel: found["hour"] for channel, found in told["inferred"]["by_channel"].items()}


def answered(told: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """The public shape on a day, of what `preferences` told.

    Under `contact`, what he stated there beats what is inferred, field by field; `inferred` names the fields that
    are, `counts` tells the responses behind them, and `stated` is false where all are. `evidence_count`: his words on
    the topic; where all is inferred, the responses.
    """
    shown = {topic: _topic(of_topic, now_us) for topic, of_topic in told["stated"].items()}
    found = {topic: answer for topic, answer in shown.items() if answer is not None}
    if told["inferred"]["best"] is not None:
        found[CONTACT] = _with_inferred(found.get(CONTACT), **told["inferred"])
    return dict(sorted(found.items()))


def _topic(told: Mapping[str, Any], now_us: int) -> dict[str, Any] | None:
    holding = {
        name: word
        for name, those in told["fields"].items()
        if (word := next((w for w in those if w.get("until_us") is None or w["until_us"] > now_us), None)) is not None
    }
    if not holding:
        return None
    newest = max(holding.values(), key=lambda w: (w["since_us"], w["event_id"]))
    return {
        **dict.fromkeys(FIELDS),
        **{name: word["value"] for name, word in holding.items()},
        "stated": True,
        "since": rfc3339(moment_at(newest["since_us"])),
        "evidence_count": told["words"],
        **{name: newest[name] for name in ("source", "event_id", "origin_record")},
    }


def _with_inferred(stated: Mapping[str, Any] | None, best: str, by_channel: Mapping[str, Any]) -> dict[str, Any]:
    """The hour is that of the channel which is shown, where enough responses show one."""
    if stated is None:
        shown = by_channel[best]
        about = {"stated": False, "since": rfc3339(moment_at(shown["since_us"])), "evidence_count": shown["count"]}
        said = {**dict.fromkeys(FIELDS), "channel": best, "hour": shown["hour"]}
        return {**said, **about, "inferred": ["channel", "hour"], "counts": _counts(shown)}
    found = {"channel": stated["channel"] or best}
    if found["channel"] not in by_channel:
        return {**stated, "inferred": []}
    shown = by_channel[found["channel"]]
    inferred = ["hour"] if stated["channel"] else ["channel", "hour"]
    return {**stated, **found, "hour": shown["hour"], "inferred": inferred, "counts": _counts(shown)}


def _counts(found: Mapping[str, Any]) -> dict[str, int]:
    return {"responses": found["count"], "at_hour": found["hour_count"]}
