"""Contact pressure on a day: touches within windows, and who is fatigued. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schemas.envelope import moment_at, rfc3339

DAY_US = 86_400_000_000
_CENT = Decimal("0.01")


def answered(told: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """The public shape on a day, of what `pressure` told.

    Windows end now; a touch that a wrong clock dates later is in them. `response_rate`: of all touches ever, as text
    with two digits; None without a touch. `fatigued`: more touches within the limit's days than it allows, and no
    response since the first of them.
    """
    return {channel: _answer(of_channel, now_us) for channel, of_channel in told.items()}


def _answer(told: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    touched, responded, limit = told["touched_us"], told["responded_us"], told["limit"]
    window = _within(touched, limit["days"], now_us)
    return {
        "touches_7d": len(_within(touched, 7, now_us)),
        "touches_30d": len(_within(touched, 30, now_us)),
        "last_touch_at": rfc3339(moment_at(touched[0])) if touched else None,
        "last_response_at": rfc3339(moment_at(responded[0])) if responded else None,
        "response_rate": _share(told["answered"], told["touches"]),
        "fatigued": len(window) > limit["touches"] and not (responded and responded[0] >= window[-1]),
    }


def _within(times_us: list[int], days: int, now_us: int) -> list[int]:
    return [time_us for time_us in times_us if time_us > now_us - days * DAY_US]


def _share(part: int, whole: int) -> str | None:
    return str((Decimal(part) / whole).quantize(_CENT)) if whole else None
