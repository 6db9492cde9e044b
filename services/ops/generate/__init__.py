"""The seeded standard mix: the same events for the same seed, on every machine.

Owns what benchmarks, fault tests and property tests send, and the truth about it: which customer an event
is of. Must not read a clock, use the network or know a service; the demo's shop is services/ops/demo.
"""

from services.ops.generate.mix import MIX_PATH, Mix
from services.ops.generate.stream import START, encoded, events, labelled

__all__ = ["MIX_PATH", "START", "Mix", "encoded", "events", "labelled"]
