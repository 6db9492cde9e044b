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
    masked_evidence,
    masked_group,
    masked_issues,
    masked_orders,
    without,
)

__all__ = [
    "CODES",
    "IDENTITY",
    "BindingTold",
    "Section",
    "Told",
    "contact",
    "document",
    "masked",
    "masked_evidence",
    "masked_group",
    "masked_issues",
    "masked_orders",
    "sentence",
    "with_last_seen",
    "without",
]
