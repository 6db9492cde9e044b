"""Campaigns: the real ones sent to a household, as messages to one person; what became of them is synthetic.

Owns `message.*` events of the demo.
"""

from __future__ import annotations

import random
from datetime import timedelta

from services.ops.demo.diary import Diary, minutes
from services.ops.demo.journey import Household
from services.ops.demo.people import Home

BOUNCED_SHARE = 0.02
OPENED_SHARE = 0.35
CLICKED_SHARE = 0.3
SENT_HOUR = 9


def mail(diary: Diary, home: Home, household: Household, draw: random.Random) -> None:
    """One message per campaign sent to the household, to who shops most, at nine on its first day."""
    person = home.people[0]
    for mailing in household.mailings:
        at = mailing.start + timedelta(hours=SENT_HOUR, seconds=household.number)
        address = person.email_at(at)
        known = {"email": address}
        message = {
            "message_id": f"campaign-{mailing.campaign_id}-{household.number}",
            "campaign_id": mailing.campaign_id,
        }
        sent = message | {
            "campaign_name": f"{mailing.kind} {mailing.campaign_id}",
            "purpose": "marketing",
            "subject": "Coupons for you",
            "address": address,
        }
        diary.add(
            person.number, at, "crm", "message.sent", known, sent, channel="email", direction="outbound"
        )
        if draw.random() < BOUNCED_SHARE:
            bounced = message | {"address": address, "kind": "soft"}
            diary.add(
                person.number, at + minutes(1), "crm", "message.bounced", known, bounced, channel="email"
            )
            continue
        diary.add(person.number, at + minutes(1), "crm", "message.delivered", known, message, channel="email")
        if draw.random() < OPENED_SHARE:
            opened = at + minutes(draw.uniform(5, 2000))
            diary.add(person.number, opened, "crm", "message.opened", known, message, channel="email")
            if draw.random() < CLICKED_SHARE:
                clicked = message | {"link_url": f"https://shop.example/coupons/{mailing.campaign_id}"}
                at = opened + minutes(1)
                diary.add(person.number, at, "crm", "message.clicked", known, clicked, channel="email")
