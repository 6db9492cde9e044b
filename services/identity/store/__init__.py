"""Identity's SQL for the lane: evidence.py in and out, customers.py for bindings and sections, rows.py between."""

from services.identity.store.customers import save_bindings, save_customers, told, traits_of
from services.identity.store.evidence import known, lock_writer, neighbourhood, save_evidence
from services.identity.store.rows import Stored, stored_row

__all__ = [
    "Stored",
    "known",
    "lock_writer",
    "neighbourhood",
    "save_bindings",
    "save_customers",
    "save_evidence",
    "stored_row",
    "told",
    "traits_of",
]
