"""Profile's rules: the document, what the contact means today, what a key may see. Pure."""

from services.profile.domain.contact import CODES
from services.profile.domain.documents import (
    IDENTITY,
    BindingTold,
    Section,
    Told,
    contact,
    document,
    sentence,
    with_last_seen,
)
from services.profile.domain.masking import (
    masked,
    masked_answer,
    masked_evidence,
    masked_group,
    masked_issues,
    masked_orders,
    without,
)
from services.profile.domain.moments import Now

__all__ = [
    "CODES",
    "IDENTITY",
    "BindingTold",
    "Now",
    "Section",
    "Told",
    "contact",
    "document",
    "masked",
    "masked_answer",
    "masked_evidence",
    "masked_group",
    "masked_issues",
    "masked_orders",
    "sentence",
    "with_last_seen",
    "without",
]
