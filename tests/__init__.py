"""Tests, by level: unit and properties, integration with real parts, end to end, faults, architecture."""
