"""What is to come of a customer, what he could bring, whether he is still there, and what he needs: parts of `value`.

Owns these models; what he brought so far and his tier are sections.py's. Amounts are decimals in text, days are
business days (YYYY-MM-DD).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Predicted(BaseModel):
    """What a model expects of him within a horizon, as of a day; it is never added to what he brought so far."""

    model: str
    model_version: int
    as_of: str
    horizon_days: int
    alive_probability: float
    expected_purchases: float
    expected_spend: str
    clv: str


class Intention(BaseModel):
    """What he said that he means to do, what he bought of it since, and what of it is still expected.

    `expected` is null of what was said in another currency, and of what is no purchase.
    """

    intention: Literal["buy", "renew", "leave", "expand"]
    area: str | None
    amount: str | None
    currency: str
    probability: float | None
    stated_on: str
    until: str
    state: Literal["open", "realised", "partly", "lapsed", "replaced"]
    bought: str
    expected: str | None
    event_id: str


class Wallet(BaseModel):
    """What he buys of us and elsewhere in a period that ends on a day, of one area or of all (null)."""

    area: str | None
    share: float | None
    own: str
    elsewhere: str | None
    period_days: int
    as_of: str
    source: Literal["stated", "estimated"]
    provider: str | None
    event_id: str


class Strategic(BaseModel):
    """What he could bring. Null is not known, and not 0; `potential` and `elsewhere` are of a year.

    `realisation`: how much of his word is expected to come true.
    """

    share_of_wallet: float | None
    potential: str | None
    elsewhere: str | None
    realisation: float
    intentions: list[Intention]
    wallets: list[Wallet]


class CauseEvidence(BaseModel):
    """The event that shows a cause: he said so, or it happened shortly before."""

    kind: Literal["stated", "inferred"]
    event_id: str
    at: str


class Churn(BaseModel):
    """Whether he is still a customer; else since when he is at risk, lapsed or defected, and why, if known."""

    risk: float | None
    state: Literal["active", "at_risk", "lapsed", "defected"]
    since: str | None
    cause: str | None
    evidence: CauseEvidence | None


class NeedsGroup(BaseModel):
    """Customers who need the same; `confidence` from 0 (another group is as near) to 1, `recurring`: bought again.

    `part`: who within the group is alike by more, as how they buy; None where the group has no parts.
    """

    needs_group: str
    confidence: float
    part: str | None = None
    part_confidence: float | None = None
    recurring: bool
    version: int


class Again(BaseModel):
    """A product he has bought and is likely to buy again: on how many days so far, how far apart, when next."""

    item: str
    score: float
    reason: str
    days: int
    last_on: str
    every_days: int | None
    due_on: str | None


class New(BaseModel):
    """A product he has not bought; `because` of which that he has, null: because most others buy it."""

    item: str
    score: float
    reason: str
    because: str | None


class Next(BaseModel):
    """What he needs next, the best first: three of each where his value is asked for by name, null elsewhere."""

    replenish: list[Again]
    discover: list[New]
