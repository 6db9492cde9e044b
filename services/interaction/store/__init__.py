"""Interaction's SQL for the lane: history.py keeps every event, facts.py what it says beyond having happened.

recall.py is the facts one has in mind, corrections.py what took what back.

Members and groups are services/runtime/grouping.py. Reading for people is views/.
"""

from services.interaction.store.corrections import insert_corrections
from services.interaction.store.facts import FactsOf, delete_facts, facts_of, insert_facts
from services.interaction.store.history import HistoryRow, counted, forget, insert_new, kept, summed, withdraw
from services.interaction.store.recall import Recall, by_record

__all__ = [
    "FactsOf",
    "HistoryRow",
    "Recall",
    "by_record",
    "counted",
    "delete_facts",
    "facts_of",
    "forget",
    "insert_corrections",
    "insert_facts",
    "insert_new",
    "kept",
    "summed",
    "withdraw",
]
