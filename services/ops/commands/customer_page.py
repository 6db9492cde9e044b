"""`c360 customer ID --html FILE`: what the profile API tells of one customer, as one page to keep, send or print.

Owns the questions and the file; drawing is services/ops/page/.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.envelope import rfc3339
from services.ops.commands import asking, private_files
from services.ops.commands.failures import CommandError
from services.ops.commands.here import Here
from services.ops.page.whole import Seen, page

TIMELINE_ITEMS = 200


def write(copy: Here, document: dict[str, Any], file: Path) -> None:
    """Asks for the rest of what is known of this customer and writes the page. Raises UsageMistake, CommandError."""
    private_files.write(file, page(seen(copy, document)).encode())


def seen(copy: Here, document: dict[str, Any]) -> Seen:
    """All answers about the customer of this document; a part that does not answer is left out and named."""
    found: dict[str, Any] = {}
    for name in ("identity", "value", "timeline"):
        query = {"limit": TIMELINE_ITEMS, "include": asking.WHOLE_TIMELINE} if name == "timeline" else {}
        try:
            found[name] = asking.profile(copy, document["customer_id"], f"/{name}", **query)
        except CommandError:
            continue  # said on the page
    return Seen(
        document=document,
        evidence=found.get("identity"),
        worth=found.get("value"),
        items=found.get("timeline", {}).get("items", []),
        made_at=rfc3339(datetime.now(UTC)),
        silent=[name for name in ("identity", "value", "timeline") if name not in found],
    )
