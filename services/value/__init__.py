"""Value: what a customer is worth.

Owns   orders (one row per business key, whatever record an entry came under), day rows per record, the
       ledger combined per customer, contacts and statements, tiers and the policy that sets them, when silence moves
       somebody.
Hears  channel.events (orders, refunds, invoices, subscriptions, costs, contacts, what is stated and suffered),
       identity.bindings.
Tells  value.customers.
Must not know who a person is: it groups records as identity's bindings say. Must not let money pass through
a float, convert currencies, or let an answer depend on the order in which events arrived.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`faust -A services.value` finds the application here; nothing is imported before it is asked for."""
    if name == "app":
        return import_module("services.value.worker").app
    raise AttributeError(name)
