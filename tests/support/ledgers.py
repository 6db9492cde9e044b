"""The oracle's word on money: what customers are worth, of all orders of the log at once.

Knows nothing of batches, order or tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from services.value.domain import ledger
from services.value.domain.entries import Entry
from services.value.domain.orders import NEVER, fold
from services.value.domain.policy import read_policy
from services.value.handlers import shipped_document

ZONE = ZoneInfo("UTC")
POLICY = read_policy(shipped_document())


def worth_in(entries: Mapping[str, Sequence[Entry]], customer_of: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """customer → value's section. `entries`: by business key; `customer_of`: by record, itself where it has none."""
    cells: dict[str, list[ledger.Cell]] = {}
    times: dict[str, list[int]] = {}
    for those in entries.values():
        order = fold(those, ZONE)
        for key, amounts in order.cells.items():
            cell = ledger.Cell(key.day, key.area, key.currency, amounts)
            cells.setdefault(customer_of.get(key.record_id, key.record_id), []).append(cell)
        if order.owner is not None and order.ordered_us is not None and order.status != NEVER:
            times.setdefault(customer_of.get(order.owner, order.owner), []).append(order.ordered_us)
    found: dict[str, dict[str, Any]] = {}
    for customer, rows in cells.items():
        first, last = min(times.get(customer, ()), default=None), max(times.get(customer, ()), default=None)
        body = ledger.section(rows, POLICY, first, last)
        if body is not None:
            records = sorted(r for r, c in customer_of.items() if c == customer) or [customer]
            found[customer] = {**body, "by_record": records}
    return found
