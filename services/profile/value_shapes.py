"""Shapes of the book of business: Pareto, moves between grades, growth, what-if, and scores asked for.

Owns these models; one customer's value is schemas/sections.py, totals and tiers are shapes.py.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SCORED_MAX = 10_000


class Share(BaseModel):
    """Some of the customers, and what share of all they are; shares are decimals."""

    customers: int
    share_of_customers: str


class ShareOfRevenue(Share):
    """Some of the customers, and what they bring."""

    share_of_revenue: str


class CurvePoint(BaseModel):
    """The best share of the customers, and the share of the revenue that they bring."""

    share_of_customers: str
    share_of_revenue: str


class ParetoAnswer(BaseModel):
    """How much the best fifth brings, how many bring four fifths; of customers who brought anything."""

    currency: str
    customers: int
    revenue: str
    top: ShareOfRevenue
    four_fifths: Share
    curve: list[CurvePoint]


class Move(BaseModel):
    """Customers who went from one grade to another; `none`: had not bought before."""

    model_config = ConfigDict(populate_by_name=True)

    was: Annotated[str, Field(alias="from")]
    now: Annotated[str, Field(alias="to")]
    customers: int


class MigrationAnswer(BaseModel):
    """Grades before two days."""

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[str, Field(alias="from")]
    until: Annotated[str, Field(alias="to")]
    grades: list[str]
    moves: list[Move]


class GrowthPart(BaseModel):
    """Part of the difference; `kind`: new, returning, expanded, contracted or lost."""

    kind: str
    customers: int
    difference: str


class NewAreas(BaseModel):
    """Known customers who bought in areas that were new to them, and what they bought there."""

    customers: int
    revenue: str


class GrowthAnswer(BaseModel):
    """Revenue of a period and of the one before it, which is as long; the parts add up to the difference.

    `new_areas` is some of the revenue of known customers, and no part beside the others.
    """

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[str, Field(alias="from")]
    until: Annotated[str, Field(alias="to")]
    currency: str
    revenue: str
    revenue_before: str
    difference: str
    parts: list[GrowthPart]
    new_areas: NewAreas


class WhatIfAnswer(BaseModel):
    """What keeping a share of those lost since the period before would have been worth."""

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[str, Field(alias="from")]
    until: Annotated[str, Field(alias="to")]
    currency: str
    kept: str
    lost_customers: int
    lost_revenue: str
    kept_revenue: str


class Gone(BaseModel):
    """Customers who left, and what they had brought in the year before."""

    customers: int
    revenue: str


class GoneBecause(Gone):
    """Why; null: nobody knows."""

    cause: str | None


class GoneInMonth(GoneBecause):
    """In which month, YYYY-MM."""

    month: str


class ChurnAnswer(Gone):
    """Who lapsed or defected between two days; `explained` is the share of them whose cause is known."""

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[str, Field(alias="from")]
    until: Annotated[str, Field(alias="to")]
    currency: str
    explained: str
    by_cause: list[GoneBecause]
    by_month: list[GoneInMonth]


class ScoreRequest(BaseModel):
    """Whom to score, as of when (RFC 3339; now), how far ahead (the model's own horizon)."""

    model_config = ConfigDict(extra="forbid")

    as_of: str | None = None
    horizon_days: Annotated[int | None, Field(ge=1, le=3_650)] = None
    all: bool = False
    customer_ids: Annotated[list[str], Field(max_length=SCORED_MAX)] = []
