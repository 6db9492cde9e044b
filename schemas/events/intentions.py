"""What somebody means to do and spends elsewhere, and that he left.

Owns these types' properties; strategic value is worked out by the value service.
"""

from __future__ import annotations

from typing import Literal

from schemas.events.common import Properties
from schemas.events.fields import Currency, Flag, Id, Moment, Money, Period, PersonalText, Share, Text
from schemas.events.kinds import EventType


class IntentionStated(Properties):
    """What somebody intends, with how much, where or how likely."""

    intention: Literal["buy", "renew", "leave", "expand"] | None = None
    amount: Money = None
    area: Text = None
    probability: Share = None
    currency: Currency = None
    by_when: Text = None
    product_id: Id = None
    question_id: Id = None


class WalletStated(Properties):
    """What somebody spends elsewhere: an amount, or our share (0..1) of what he spends; no area means all."""

    amount_elsewhere: Money = None
    share: Share = None
    area: Text = None
    currency: Currency = None
    period: Period = None
    provider: Text = None
    estimated: Flag = None
    question_id: Id = None


class RelationshipEnded(Properties):
    """Somebody is no customer any more; `to` names whom he went to."""

    reason: PersonalText = None
    to: Text = None
    stated_by: Text = None
    effective_at: Moment = None


VALUE = ("value",)

TYPES: tuple[EventType, ...] = (
    EventType("intention.stated", IntentionStated, VALUE, ("amount|area|probability", "intention")),
    EventType("wallet.stated", WalletStated, VALUE, ("amount_elsewhere|share",)),
    EventType("relationship.ended", RelationshipEnded, VALUE),
)
