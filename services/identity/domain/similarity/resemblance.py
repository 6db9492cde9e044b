"""Whether two words are likely one word mistyped.

Owns the measures and their bounds; what the words stand for is not known here. Pure.
The measures are greedy: callers give the two in a fixed order, so that the answer does not depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import OSA, JaroWinkler

CLOSE_MIN = 0.9
"""Jaro-Winkler similarity from which two words are close."""
CLEAR_MAX = 0.6
"""Jaro-Winkler similarity below which they are clearly different."""
SLIP_CHARS_MIN = 4
"""One edit turns a shorter word into another one too easily: "tim" and "tom"."""
TWO_SLIPS_CHARS_MIN = 7
_SLIP_MIN = 0.7
"""Words one edit apart measure more, but for contrived ones: below it edits are not counted."""

similarity = JaroWinkler.similarity


def one_slip(a: str, b: str) -> bool:
    """Whether one character was missed, added or changed, or two neighbours swapped, in words long enough."""
    if len(a) < SLIP_CHARS_MIN or len(b) < SLIP_CHARS_MIN:
        return False
    return OSA.distance(a, b, score_cutoff=1) <= 1


def two_slips(a: str, b: str) -> bool:
    """Whether long words are two edits apart, as what was scanned or typed twice over."""
    if len(a) < TWO_SLIPS_CHARS_MIN or len(b) < TWO_SLIPS_CHARS_MIN:
        return False
    return OSA.distance(a, b, score_cutoff=2) <= 2


def is_close(a: str, b: str, measured: float) -> bool:
    """Whether the words are close; `measured` is their `similarity`."""
    return measured >= CLOSE_MIN or (measured >= _SLIP_MIN and one_slip(a, b))


def all_close(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two phrases are close word by word, or are the same but for where words end.

    Not the whole phrases: those that begin alike ("garcia lopez", "garcia perez") measure as close.
    """
    if len(a) == len(b):
        return all(x == y or is_close(x, y, similarity(x, y)) for x, y in zip(a, b, strict=True))
    one, other = "".join(a), "".join(b)
    return one == other or one_slip(one, other)
