"""Identity: who is who.

Owns   the evidence (records, links, traits, assertions), the clustering, bindings, contact data and what proves it,
       groups.
Hears  channel.events.
Tells  identity.bindings (record → customer), identity.customers (records, identifiers, contact, groups).
Must not read anything but evidence, assertions and policy: no value, no consents, no counts.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`faust -A services.identity` finds the application here; nothing is imported before it is asked for."""
    if name == "app":
        return import_module("services.identity.worker").app
    raise AttributeError(name)
