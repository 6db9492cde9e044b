"""Requests and answers about segments, for reading and for OpenAPI.

Owns their fields and limits. What a definition must contain is domain/segments.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Plain = str | int | float | bool | None


class Where(BaseModel):
    """A condition: `field` and one of the others beside it, or one of all, any, not, cel by itself.

    A path goes into objects by dots and into every item of a list: `needs.need` is the need of any of them.
    """

    field: str | None = None
    is_: Annotated[str | int | bool | None, Field(alias="is")] = None
    is_not: str | int | bool | None = None
    in_: Annotated[list[str | int | bool] | None, Field(alias="in")] = None
    has: str | None = None
    above: str | int | float | None = None
    at_least: str | int | float | None = None
    below: str | int | float | None = None
    at_most: str | int | float | None = None
    exists: bool | None = None
    within_days: int | None = None
    older_than_days: int | None = None
    all_: Annotated[list[Where] | None, Field(alias="all")] = None
    any_: Annotated[list[Where] | None, Field(alias="any")] = None
    not_: Annotated[Where | None, Field(alias="not")] = None
    cel: str | None = None


class SegmentAnswer(BaseModel):
    """A segment as it was set last; `size`: how many are in it."""

    segment_id: str
    name: str
    version: int
    within: str | None
    description: str | None
    where: Where
    size: int


class SegmentsAnswer(BaseModel):
    """All segments by id. `reviewed`: whether everybody was looked at since one was changed last."""

    segments: list[SegmentAnswer]
    reviewed: bool


# Any value is taken and judged by the domain, which tells all that is wrong at once; told are those that fit.
SegmentId = Annotated[Any, WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"})]
Name = Annotated[Any, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200})]
Condition = Annotated[Any, WithJsonSchema({"allOf": [{"$ref": "#/components/schemas/Where"}]})]
Text = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})]


class SegmentCommand(BaseModel):
    """A segment. `within`: the segment it is a part of. Everything that is wrong with it is told at once."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "required": ["segment_id", "name", "where"],
            "additionalProperties": False,
            "examples": [{"segment_id": "vip", "name": "VIP", "where": {"field": "value.tier.grade", "is": "A"}}],
        },
    )

    segment_id: SegmentId = None
    name: Name = None
    where: Condition = None
    within: Text = None
    description: Text = None


class RemovedAnswer(BaseModel):
    """The segment that is no more, or with `execute=false` would be; its `size` customers leave it."""

    segment_id: str
    version: int
    size: int
    executed: bool


class Revenue(BaseModel):
    """What those of the members brought who pay in this currency."""

    currency: str
    revenue: str
    customers: int


class Share(BaseModel):
    """How many of the members looked at this is true of, beside similar customers; shares from 0 to 1."""

    name: str
    customers: int
    share: float
    similar_share: float


class Gap(BaseModel):
    """What similar customers have, more often than chance, and members lack.

    `sigmas`: the difference of the shares in its own standard errors.
    """

    kind: str
    name: str
    share: float
    similar_share: float
    sigmas: float


class Satisfaction(BaseModel):
    """The last scores of one scale; `nps` scores are counted as promoters less detractors, in percent."""

    scale: str
    customers: int
    mean: float
    nps: float | None
    similar_mean: float | None


class Compared(BaseModel):
    """What members need, use and buy, and through which channels they speak with us.

    Looked at are `members` of the segment and as many `similar` customers: outside of it, in the segment around it if
    there is one, of the same grades. `areas` is null without `value:read`; without `profile:pii` needs of fewer than
    five customers are left out.
    """

    members: int
    similar: int
    needs: list[Share]
    services: list[Share]
    channels: list[Share]
    areas: list[Share] | None
    feedback: list[Satisfaction]
    gaps: list[Gap]


class SummaryAnswer(BaseModel):
    """How many, what they brought and how they are graded (null without `value:read`), and how they compare."""

    segment_id: str
    size: int
    revenue: list[Revenue] | None
    tiers: dict[str, int] | None
    compared: Compared
    masked: list[str]


class WhyCondition(BaseModel):
    """One condition, whether it holds, and at most five `actual` values of its field; `conditions`: those in it."""

    condition: str
    holds: bool
    actual: list[Plain] = Field(default_factory=list)
    conditions: list[WhyCondition] = Field(default_factory=list)


class Around(BaseModel):
    """A segment that the one asked about is a part of."""

    segment_id: str
    holds: bool
    conditions: WhyCondition


class WhyAnswer(BaseModel):
    """Whether the customer fits now, condition by condition with the actual values; `since`: when he was let in."""

    customer_id: str
    segment_id: str
    version: int
    member: bool
    since: str | None
    conditions: WhyCondition
    within: list[Around]
