"""Interaction: everything that passed between us and a customer.

Owns   history rows per record, summaries per record, the section combined per customer.
Hears  channel.events (every type is history), identity.bindings.
Tells  interaction.customers.
Must not know who a person is: it groups records as identity's bindings say.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`faust -A services.interaction` finds the application here; nothing is imported before it is asked for."""
    if name == "app":
        return import_module("services.interaction.worker").app
    raise AttributeError(name)
