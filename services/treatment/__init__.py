"""Treatment: what to do for a customer, decided in one place for all channels.

Owns   the treatment policy (actions, their worth, rules, experiments), decisions made when an app asks, and what was
       shown and came of each treatment, per record, from which it learns what is accepted.
Hears  channel.events (what was decided, shown and came of it).
Tells  nothing on a topic of its own: a decision goes into the log through intake, like every app's word.
Must not know who a person is: it is asked with the customer's document and records, so that a merge or a split only
changes which records it is asked with. Must not do anything by itself, nor let money pass through a float.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`faust -A services.treatment` finds the application here; nothing is imported before it is asked for."""
    if name == "app":
        return import_module("services.treatment.worker").app
    raise AttributeError(name)
