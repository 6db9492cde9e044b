"""Interaction's SQL for the lane: history.py keeps every event, facts.py what it says beyond having happened.

Members and groups are services/runtime/grouping.py. Reading for people is views.py.
"""

from services.interaction.store.facts import delete_facts, facts_of, insert_facts
from services.interaction.store.history import HistoryRow, counted, insert_new, kept, withdraw

__all__ = [
    "HistoryRow",
    "counted",
    "delete_facts",
    "facts_of",
    "insert_facts",
    "insert_new",
    "kept",
    "withdraw",
]
