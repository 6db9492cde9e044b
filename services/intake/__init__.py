"""Intake, the door: every event comes in here, is read, checked, led to its record, and published or parked.

Owns the HTTP collector, the raw topic's lane, validation, parking, rate limits, suppression.
Hears HTTP and `channel.raw`. Tells `channel.events`, the log, which nobody else writes.
Must not decide what an event means: no identity, no history, no value.
"""
