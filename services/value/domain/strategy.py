"""Strategic value: what somebody could bring, by what he stated of his intentions and of what he buys elsewhere.

Owns how an intention is believed, fades and comes true, share of wallet, potential. A function of (statements,
bookings, policy, business day); unknown is unknown, never zero. Amounts are 10⁻⁴ of the reporting currency; nothing
is converted, so what was stated in another currency is told and not counted. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.value.domain.days import YEAR_DAYS, date_of
from services.value.domain.money import divided, shown
from services.value.domain.policy import Policy
from services.value.domain.policy_parts import RATE_UNIT, Strategy
from services.value.domain.reading import business_day
from services.value.domain.statements import INTENTION, WALLET, Statement
from services.value.domain.summing import Cell
from services.value.domain.wallets import Wallet, bought_of, part_of, shown_share, told_wallet, wallets_of

LEAVE = "leave"
OPEN, REALISED, PARTLY, LAPSED, REPLACED = "open", "realised", "partly", "lapsed", "replaced"
PRIOR_INTENTIONS = 4
"""His own record of keeping his word weighs as much as what is usual after so many ended intentions."""
INTENTIONS_MAX = 20
DECAYS_REMEMBERED_MAX = 4_096
RANKS = ("high", "medium", "low")
UNKNOWN = "unknown"


class Intention(msgspec.Struct, frozen=True):
    """One stated intention and what came of it: it holds from `day` to `until`, both business days.

    `bought` is what he bought of it within; `realised` that as a share of what he said (millionths). `counts`: it is
    a sum of the reporting currency that he means to spend.
    """

    said: Statement
    day: int
    until: int
    bought: int
    realised: int
    is_replaced: bool
    counts: bool

    def state(self, today: int) -> str:
        """What has become of it."""
        if self.realised >= RATE_UNIT:
            return REALISED
        if self.is_replaced:
            return REPLACED
        if today <= self.until:
            return OPEN
        return PARTLY if self.realised else LAPSED

    def expected(self, today: int, rate: int, half_life_days: int) -> int:
        """What of it is still expected, at this rate (millionths) of words that come true."""
        if not self.counts or self.state(today) != OPEN:
            return 0
        left = max(0, (self.said.amount or 0) - self.bought)
        likely = RATE_UNIT if self.said.share is None else self.said.share
        believed = likely * rate * fading(today - self.day, half_life_days)
        return left * believed // RATE_UNIT**3


class Strategic(msgspec.Struct, frozen=True):
    """What he could bring. Of wallets those of one area each, or the one of all."""

    intentions: Sequence[Intention]
    wallets: Sequence[Wallet]
    strategy: Strategy

    @property
    def share(self) -> int | None:
        """Share of wallet in millionths; None: not known."""
        if len(self.wallets) == 1:
            return self.wallets[0].share
        whole = [one for one in self.wallets if one.elsewhere is not None]
        own = sum(divided(one.own * YEAR_DAYS, one.days) for one in whole)
        return part_of(own, own + sum(one.yearly_elsewhere or 0 for one in whole))

    @property
    def elsewhere(self) -> int | None:
        """What he buys elsewhere in a year; None: not known."""
        known = [one.yearly_elsewhere for one in self.wallets if one.yearly_elsewhere is not None]
        return sum(known) if known else None

    def rate(self, day: int) -> int:
        """How much of his word comes true, in millionths: what is usual, and his own record of what was decided."""
        kept = [one.realised for one in self._meant if one.state(day) in (REALISED, PARTLY, LAPSED)]
        usual = self.strategy.realisation * PRIOR_INTENTIONS
        return divided(usual + sum(kept), PRIOR_INTENTIONS + len(kept))

    def potential(self, day: int) -> int | None:
        """What he could bring in a year beyond what he does; None where nothing is known of it.

        What he means to buy may well be what he now buys elsewhere: the greater of both, never their sum.
        """
        meant = [one for one in self._meant if one.state(day) == OPEN]
        if self.elsewhere is None and not meant:
            return None
        rate, half_life = self.rate(day), self.strategy.half_life_days
        return max(self.elsewhere or 0, sum(one.expected(day, rate, half_life) for one in meant))

    @property
    def _meant(self) -> list[Intention]:
        return [one for one in self.intentions if one.counts]

    def rank(self, day: int) -> str:
        """High, medium, low, or unknown."""
        potential, strategy = self.potential(day), self.strategy
        if potential is None or strategy.high_from is None or strategy.medium_from is None:
            return UNKNOWN
        return RANKS[(potential < strategy.high_from) + (potential < strategy.medium_from)]

    def leaving(self, day: int) -> Intention | None:
        """The last word of his that he means to leave, while it holds."""
        words = [one for one in self.intentions if one.said.what == LEAVE and one.state(day) == OPEN]
        return words[-1] if words else None

    def turns(self, since: int, today: int) -> tuple[int, int | None]:
        """The last day up to today on which silence changed any of it, not before `since`, and the next; None: none.

        `since` is the last day on which anything was booked or stated.
        """
        ends = sorted({one.until + 1 for one in self.intentions if one.until >= since})
        begun = max([since, *(day for day in ends if day <= today)])
        ahead = next((day for day in ends if day > today), None)
        entered = self._entered(self.rank(today), begun, today)
        falls = None if ahead is None else self._falls(self.rank(today), today, ahead)
        return entered, min((day for day in (falls, ahead) if day is not None), default=None)

    def _entered(self, rank: str, low: int, high: int) -> int:
        """The first day from `low` to `high` with this rank, which it has on `high`: between ends ranks only fall."""
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.rank(middle) == rank else (middle + 1, high)
        return low

    def _falls(self, rank: str, today: int, ahead: int) -> int | None:
        """The first day before `ahead` on which the rank is another."""
        if self.rank(ahead - 1) == rank:
            return None
        low, high = today, ahead - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.rank(middle) == rank else (low, middle)
        return high


def strategic_of(
    said: Sequence[Statement], cells: Sequence[Cell], policy: Policy, zone: ZoneInfo
) -> Strategic | None:
    """What his statements say of what he could bring; None without any."""
    stated = sorted((one for one in said if one.kind in (INTENTION, WALLET)), key=lambda s: (s.time_us, s.event_id))
    if not stated:
        return None
    currency = policy.reporting_currency
    own = [cell for cell in cells if cell.currency == currency]
    intentions = _intentions([one for one in stated if one.kind == INTENTION], own, policy, zone)
    wallets = wallets_of([one for one in stated if one.kind == WALLET], own, currency, zone)
    return Strategic(intentions, wallets, policy.strategy)


def told(of: Strategic, policy: Policy, day: int) -> dict[str, Any]:
    """The section's part as of a business day."""
    currency, potential, rate = policy.reporting_currency, of.potential(day), of.rate(day)
    newest = of.intentions[::-1][:INTENTIONS_MAX]
    return {
        "share_of_wallet": shown_share(of.share),
        "potential": None if potential is None else shown(potential, currency),
        "elsewhere": None if of.elsewhere is None else shown(of.elsewhere, currency),
        "realisation": shown_share(rate),
        "intentions": [_told_intention(one, rate, of.strategy, currency, day) for one in newest],
        "wallets": [told_wallet(one, currency) for one in of.wallets],
    }


def _told_intention(one: Intention, rate: int, strategy: Strategy, currency: str, day: int) -> dict[str, Any]:
    said, own = one.said, one.said.currency or currency
    expected = one.expected(day, rate, strategy.half_life_days)
    return {
        "intention": said.what,
        "area": said.area,
        "amount": None if said.amount is None else shown(said.amount, own),
        "currency": own,
        "probability": shown_share(said.share),
        "stated_on": date_of(one.day).isoformat(),
        "until": date_of(one.until).isoformat(),
        "state": one.state(day),
        "bought": shown(one.bought, currency),
        "expected": shown(expected, currency) if one.counts else None,
        "event_id": said.event_id,
    }


def _intentions(stated: Sequence[Statement], own: Sequence[Cell], policy: Policy, zone: ZoneInfo) -> list[Intention]:
    """Of what was said of the same thing within its time the last word counts; the earlier ones are replaced."""
    found: list[Intention] = []
    said_again: dict[tuple[str | None, str | None], int] = {}
    for said in reversed(stated):
        day = business_day(said.time_us, zone)
        until = said.day if said.day is not None and said.day >= day else day + policy.strategy.window_days
        of = (said.what, said.area)
        is_replaced = of in said_again and said_again[of] <= until
        said_again[of] = day
        counts = said.what != LEAVE and said.currency in (None, policy.reporting_currency)
        bought = bought_of(own, said.area, day, until) if counts else 0
        wanted = said.amount or 1
        realised = min(max(0, bought) * RATE_UNIT // wanted, RATE_UNIT) if counts else 0
        found.append(Intention(said, day, until, bought, realised, is_replaced, counts and said.amount is not None))
    return found[::-1]


@lru_cache(DECAYS_REMEMBERED_MAX)
def fading(days: int, half_life_days: int) -> int:
    """What is left of a word after so many days, in millionths: half of it after each half-life."""
    return int(RATE_UNIT * Decimal(2) ** (Decimal(-days) / half_life_days))
