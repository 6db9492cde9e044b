"""Identity's SQL for the lane: evidence.py in and out, customers.py for bindings and sections, rows.py between."""

from services.identity.store.customers import customers_of, of_customers, save_bindings, save_customers, told
from services.identity.store.evidence import known, lock_writer, neighbourhood, save_evidence
from services.identity.store.rows import Stored, stored_row

__all__ = [
    "Stored",
    "customers_of",
    "known",
    "lock_writer",
    "neighbourhood",
    "of_customers",
    "save_bindings",
    "save_customers",
    "save_evidence",
    "stored_row",
    "told",
]
