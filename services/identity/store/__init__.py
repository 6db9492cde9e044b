"""Identity's SQL for the lane: mentions.py and evidence.py in and out, customers.py for bindings and sections.

groups.py is for groups in and out, belonging.py reads them; reach.py is for words on addresses; forgetting.py is for
what erased people leave.
"""

from services.identity.store.belonging import memberships
from services.identity.store.customers import records_after, save_bindings, save_customers, told, traits_of
from services.identity.store.decisions import save_decisions
from services.identity.store.evidence import known, lock_writer, neighbourhood, save_evidence, whole
from services.identity.store.forgetting import empty, forget
from services.identity.store.groups import customers_of, hear_groups
from services.identity.store.held import LOOKED_AT, generic_beside, save_held
from services.identity.store.likeness import refresh
from services.identity.store.mentions import bury, insert_mentions, removed_until, revise, save_dead, save_removals
from services.identity.store.reach import hear_reach, reach_of
from services.identity.store.rows import Stored, stored_row

__all__ = [
    "LOOKED_AT",
    "Stored",
    "bury",
    "customers_of",
    "empty",
    "forget",
    "generic_beside",
    "hear_groups",
    "hear_reach",
    "insert_mentions",
    "known",
    "lock_writer",
    "memberships",
    "neighbourhood",
    "reach_of",
    "records_after",
    "refresh",
    "removed_until",
    "revise",
    "save_bindings",
    "save_customers",
    "save_dead",
    "save_decisions",
    "save_evidence",
    "save_held",
    "save_removals",
    "stored_row",
    "told",
    "traits_of",
    "whole",
]
