"""What was done for a customer, in his document: the part `treatment`, asked of the treatment service.

Owns when it is asked, and what is said where it does not answer. It keeps what was done by record, so it is asked
with today's records of the customer; of whom interaction never heard of a treatment nobody is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.codec import write_json_exactly
from schemas.treatments import SAID, TreatmentPart
from services.profile import domain, views
from services.profile.api.doors import Doors
from services.runtime import telemetry
from services.runtime.http import Problem

PART = "treatment"


async def with_treatment(doors: Doors, told: domain.Told, doc: dict[str, Any]) -> dict[str, Any]:
    """The document with its part `treatment`, where it has that part; null and missing where nobody answers."""
    if PART not in doc:
        return doc
    found = await _part(doors, told) if _may_be_treated(told) else dict(_NOTHING)
    if found is None:
        return doc
    meta = doc["meta"]
    return {**doc, PART: found, "meta": {**meta, "missing": [name for name in meta["missing"] if name != PART]}}


_NOTHING = TreatmentPart(
    last=[], open=[], outcomes={}, pressure={"shown_1d": 0, "shown_7d": 0, "shown_30d": 0}
).model_dump()


def _may_be_treated(told: domain.Told) -> bool:
    passed = told.sections.get("interaction")
    heard: Mapping[str, Any] = (passed.body or {}).get("by_type", {}) if passed is not None else {}
    return any(name in heard for name in SAID)


async def _part(doors: Doors, told: domain.Told) -> Any:
    """None where treatment does not answer in time, which is logged."""
    try:
        asked = await of_customer(doors, told.customer_id, "/treatments")
    except Problem:
        return None
    if asked.status_code != 200:
        telemetry.log.warning("part_unavailable", part=PART, status=asked.status_code)
        return None
    return asked.json()[PART]


async def of_customer(doors: Doors, customer_id: str, page: str) -> Any:
    """What treatment answers on a page that is asked with a customer's records. Raises Problem("unavailable")."""
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        records = await views.ids_of(connection, customer_id)
    content = write_json_exactly({"records": records})
    return await doors.asked(PART, "POST", page, doors.settings.part_deadline_ms / 1000, content=content)
