"""The machinery every service stands on: lanes, positions, markers, grouping, waiting, HTTP, telemetry.

Owns the protocol (docs/architecture.md); knows no domain noun: no customer, no order, no message.
"""
