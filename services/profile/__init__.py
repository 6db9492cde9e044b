"""Profile: the one document downstream apps live on.

Owns   bindings and sections as told, segments and who is in them, the profile API, API keys.
Hears  identity.bindings, identity.customers, interaction.customers, value.customers.
Tells  profile.changes.
Must not decide who a customer is or what he is worth; it shows what was told, how fresh it is, and what a
contact means on the day of the answer.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`faust -A services.profile` finds the application here; nothing is imported before it is asked for."""
    if name == "app":
        return import_module("services.profile.worker").app
    raise AttributeError(name)
