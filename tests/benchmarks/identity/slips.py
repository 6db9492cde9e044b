"""How a value comes out wrong: slips on keys, misreadings, mishearings, swapped days, digits, initials.

Owns one slip at a time, drawn from a seeded generator; how often each happens is the sources' matter.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

from tests.benchmarks.identity import words

Slip = Callable[[str, random.Random], str]


def typed(text: str, draw: random.Random) -> str:
    """One slip on the keys: a neighbour, a letter twice or left out, two swapped."""
    if len(text) < 3:
        return text
    at = draw.randrange(1, len(text) - 1)
    letter = text[at]
    kind = draw.randrange(4)
    if kind == 0:
        return text[:at] + draw.choice(words.KEYBOARD.get(letter.lower(), letter)) + text[at + 1 :]
    if kind == 1:
        return text[:at] + letter + text[at:]
    if kind == 2:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at + 1] + letter + text[at + 2 :]


def misread(text: str, draw: random.Random) -> str:
    """One or two letters as a machine reads handwriting."""
    return _replaced(text, words.MISREAD, 1 + (draw.random() < 0.3), draw)


def misheard(text: str, draw: random.Random) -> str:
    """As somebody writes a name down that they heard."""
    return _replaced(text, words.MISHEARD, 1 + (draw.random() < 0.35), draw)


def _replaced(text: str, table: tuple[tuple[str, str], ...], times: int, draw: random.Random) -> str:
    for _ in range(times):
        fitting = [pair for pair in table if pair[0] in text[1:]]
        if not fitting:
            return typed(text, draw)
        old, new = draw.choice(fitting)
        at = text.rindex(old) if draw.random() < 0.5 else text.index(old, 1)
        text = text[:at] + new + text[at + len(old) :] if at else text
    return text


def wrong_digit(digits: str, draw: random.Random) -> str:
    """One of the last six digits misread, or two neighbours swapped."""
    places = [i for i, c in enumerate(digits) if c.isdigit()][-6:]
    at = draw.choice(places[:-1])
    after = places[places.index(at) + 1]
    if draw.random() < 0.5 and digits[at] != digits[after] and after == at + 1:
        return digits[:at] + digits[after] + digits[at] + digits[after + 1 :]
    return digits[:at] + words.MISREAD_DIGITS[digits[at]] + digits[at + 1 :]


def day_and_month_swapped(day: date) -> str:
    """As the other half of the world writes it; the date itself where that is no date."""
    return f"{day.year}-{day.day:02d}-{day.month:02d}" if day.day <= 12 else day.isoformat()


def near_date(day: date, draw: random.Random) -> str:
    """The date with one part wrong: a day beside, another month, a digit of the year."""
    kind = draw.randrange(3)
    if kind == 0:
        return f"{day.year}-{day.month:02d}-{min(28, max(1, day.day + draw.choice((-1, 1, 10, -10)))):02d}"
    if kind == 1:
        return f"{day.year}-{draw.randrange(1, 13):02d}-{day.day:02d}" if day.day <= 28 else day.isoformat()
    return f"{day.year + draw.choice((-1, 1, -10, 10))}-{day.month:02d}-{min(day.day, 28):02d}"


SLIPS: dict[str, Slip] = {"typed": typed, "misread": misread, "misheard": misheard}
