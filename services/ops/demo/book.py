"""The book of the demo's year: revenue as the profile API tells it, beside what pandas finds in the data set.

Owns the comparison. All that any run sent of that year is in the book, so a copy that was given other households
before tells more than the data set's sum of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from services.ops.commands.here import Here, ask_json
from services.ops.commands.keys import operator_key
from services.ops.demo.diary import CURRENCY, Sent
from services.ops.demo.journey import FIRST_DAY, spent
from services.ops.demo.story import WEEKS

_EDGE = timedelta(days=1)
"""Business days may be of another time zone than the data set's."""


@dataclass(frozen=True, slots=True)
class Book:
    """Revenue in CURRENCY: over the API, and by pandas."""

    told: Decimal
    by_pandas: Decimal

    @property
    def is_equal(self) -> bool:
        """To the cent."""
        return self.told == self.by_pandas


def compare(copy: Here, sent: Iterable[Sent]) -> Book:
    """The book once all that was sent is visible."""
    days = {"from": FIRST_DAY - _EDGE, "to": FIRST_DAY + timedelta(weeks=WEEKS) + _EDGE}
    answer = ask_json(
        "GET",
        f"{copy.profile}/v1/value/totals",
        key=operator_key(copy),
        params={name: day.date().isoformat() for name, day in days.items()},
    )
    found = (Decimal(one["revenue"]) for one in answer["totals"] if one["currency"] == CURRENCY)
    return Book(next(found, Decimal(0)), spent({one.household for one in sent}, WEEKS))
