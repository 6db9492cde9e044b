"""What a source needs leave for: to speak as an operator, and to take back what others sent.

Owns the permissions and which events need them; who has which is a setting of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.erasure import ERASED
from schemas.events.fields import text_of
from services.intake.domain.model import Refused, Source
from services.intake.domain.reasons import Reason

ASSERT, RETRACT = "assert", "retract"
PERMISSIONS = (ASSERT, RETRACT)

OWN_SOURCE = Source("customer360", may=PERMISSIONS)
"""Whose events are that apps give through our own calls. Nobody can register a source of this name."""

ASSERTIONS = frozenset({"identity.same_asserted", "identity.different_asserted"})
_RETRACTION = "event.retracted"


def check_permitted(event_type: str, properties: Mapping[str, Any], source: Source) -> None:
    """Raises Refused(not_permitted); the detail names the permission that is lacking, if there is one."""
    if event_type == ERASED:
        raise Refused(Reason.NOT_PERMITTED, "who is to be erased is asked of the profile API")
    if event_type in ASSERTIONS:
        needed = ASSERT
    elif event_type == _RETRACTION and not _is_own(text_of(properties.get("source")), source.name):
        needed = RETRACT
    else:
        return
    if needed not in source.may:
        raise Refused(Reason.NOT_PERMITTED, f"it needs the permission {needed}")


def _is_own(retracted: str | None, name: str) -> bool:
    """Whether the events of this source are `name`'s own. One that names no source takes nothing back."""
    return retracted is None or retracted == name or retracted.startswith(f"{name}/")
