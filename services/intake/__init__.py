"""Intake, the door: every event comes in here, is read, checked, led to its record, and published or parked.

Owns the HTTP collector, the raw topic's lane, validation, parking, rate limits, suppression.
Hears HTTP and `channel.raw`. Tells `channel.events`, the log, which nobody else writes.
Must not decide what an event means: no identity, no history, no value.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`faust -A services.intake` finds the application here; nothing is imported before it is asked for."""
    if name == "app":
        return import_module("services.intake.worker").app
    raise AttributeError(name)
