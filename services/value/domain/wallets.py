"""Share of wallet: what somebody said, or was estimated to buy elsewhere, beside what he buys of us.

Owns which word counts, own against elsewhere, and how both are told. Amounts are 10⁻⁴ of the reporting currency's
unit; what is not known is None, never 0. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from services.value.domain.days import YEAR_DAYS, date_of
from services.value.domain.money import divided, shown
from services.value.domain.orders import WHOLE
from services.value.domain.policy_parts import RATE_UNIT
from services.value.domain.reading import business_day
from services.value.domain.statements import Statement
from services.value.domain.summing import Cell

SHARE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Wallet:
    """What he said of his buying elsewhere, in one area or in all (None), as of a business day.

    `own` is what he bought of us in the `days` up to then, `elsewhere` what of others (None: not known), `share` what
    of both is ours, in millionths.
    """

    said: Statement
    day: int
    days: int
    own: int
    elsewhere: int | None
    share: int | None

    @property
    def yearly_elsewhere(self) -> int | None:
        """Of a year."""
        return None if self.elsewhere is None else divided(self.elsewhere * YEAR_DAYS, self.days)


def wallets_of(stated: Sequence[Statement], own: Sequence[Cell], currency: str, zone: ZoneInfo) -> list[Wallet]:
    """The last word on everything, else the last on each area."""
    last: dict[str | None, Statement] = {
        said.area: said for said in stated if said.amount is None or said.currency in (None, currency)
    }
    chosen = [last[None]] if None in last else [last[area] for area in sorted(filter(None, last))]
    return [_wallet(said, own, business_day(said.time_us, zone)) for said in chosen]


def _wallet(said: Statement, own: Sequence[Cell], day: int) -> Wallet:
    days = said.days or YEAR_DAYS
    mine = max(0, bought_of(own, said.area, day - days + 1, day))
    elsewhere = said.amount
    if elsewhere is None and said.share and mine:
        elsewhere = divided(mine * (RATE_UNIT - said.share), said.share)
    share = said.share if said.share is not None else part_of(mine, mine + (elsewhere or 0))
    return Wallet(said, day, days, mine, elsewhere, share)


def bought_of(own: Sequence[Cell], area: str | None, since: int, until: int) -> int:
    """Net less refunds of these business days, both included, of an area, in whatever case, or of all."""
    wanted = WHOLE if area is None else area.casefold()
    return sum(
        cell.amounts.net - cell.amounts.refunds
        for cell in own
        if since <= cell.day <= until and cell.area.casefold() == wanted
    )


def part_of(part: int, whole: int) -> int | None:
    """The part in millionths of a whole; None of nothing."""
    return part * RATE_UNIT // whole if whole > 0 else None


def told_wallet(one: Wallet, currency: str) -> dict[str, Any]:
    """As it stands in the section."""
    return {
        "area": one.said.area,
        "share": shown_share(one.share),
        "own": shown(one.own, currency),
        "elsewhere": None if one.elsewhere is None else shown(one.elsewhere, currency),
        "period_days": one.days,
        "as_of": date_of(one.day).isoformat(),
        "source": "estimated" if one.said.estimated else "stated",
        "provider": one.said.to,
        "event_id": one.said.event_id,
    }


def shown_share(share: int | None) -> float | None:
    """Millionths as a share of 1."""
    return None if share is None else round(share / RATE_UNIT, SHARE_DIGITS)
