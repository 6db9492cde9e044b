"""Phonetic codes of names: how a name that was only heard may have been written.

Owns which word of a name is heard and its code; nothing is compared here. Pure.
"""

from __future__ import annotations

import jellyfish

from services.identity.domain.remembering import remembered

PARTICLES: frozenset[str] = frozenset(
    {
        "af", "al", "av", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "el",
        "ibn", "la", "las", "le", "los", "mac", "mc", "san", "santa", "st", "ten", "ter", "van", "von", "zu",
        "zum", "zur",
    }
)  # fmt: skip
"""Words before a surname that belong to it but tell nobody apart."""

CODES_CACHED_MAX = 65_536


@remembered(CODES_CACHED_MAX)
def sound(text: str) -> str:
    """Metaphone of the first word that is no particle ("de la Cruz" sounds as "Cruz"); "" if it has none.

    `text` is a normalised name. Metaphone knows Latin letters only: a word of another script is its own code.
    """
    words = text.split(" ")
    word = next((w for w in words if w not in PARTICLES), words[0])
    if not word.isalpha():
        return ""
    return jellyfish.metaphone(word) if word.isascii() else word
