"""Segments: who belongs to one, by conditions over the document, and why. Pure: the moment is given."""

from schemas.conditions import Held, holds, read_condition
from services.profile.domain.segments.definitions import SEGMENTS, Segment, Segments, read_segment, read_segments
from services.profile.domain.segments.leave import scopes_needed

__all__ = [
    "SEGMENTS",
    "Held",
    "Segment",
    "Segments",
    "holds",
    "read_condition",
    "read_segment",
    "read_segments",
    "scopes_needed",
]
