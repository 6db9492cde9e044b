"""Words and names of what people write: folded, so that case, spacing and punctuation do not count.

Owns folding, and finding a policy's phrases in a text. What a phrase stands for is its policy's to say. Pure.
Accents stay: in German `schon` is not `schön`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.events.fields import text_of

NAME_CHARS_MAX = 100
"""Longer names are cut: a withdrawal must not be lost because its purpose is long."""
FOLDED_CHARS_MAX = 2_000

_NO_WORD = re.compile(r"[\W_]+")
_APOSTROPHES = dict.fromkeys(map(ord, "'`\u00b4\u02bc\u2018\u2019\u2032\uff07"))
"""They join: don't is dont, not don t."""


def name_of(sent: Any) -> str | None:
    """A purpose, topic or the like as a key: `_` and `-` stay, case and spaces do not count; None: no name."""
    found = text_of(sent)
    if found is None:
        return None
    folded = _cased(found[: 4 * NAME_CHARS_MAX])
    clean = "".join(c if c.isprintable() else " " for c in folded)
    return " ".join(clean.split())[:NAME_CHARS_MAX].rstrip() or None


def fold(text: str, chars_max: int = FOLDED_CHARS_MAX) -> str:
    """The words of a text, with one space between them."""
    bare = _cased(text[: 2 * chars_max].translate(_APOSTROPHES))
    return _NO_WORD.sub(" ", bare).strip()[:chars_max].rstrip()


def _cased(text: str) -> str:
    """Without case and compatibility forms; again after casefold, which brings forth new ones."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@dataclass(frozen=True, slots=True)
class Phrases:
    """What words stand for: first word → (the phrase's words, its labels), the longest phrase first."""

    by_first: Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]

    def found(self, folded: str) -> Iterator[tuple[int, str]]:
        """(which word, label) of each phrase in the text. Of phrases that overlap, the first and longest counts."""
        words = folded.split()
        at = 0
        while at < len(words):
            length = 1
            for phrase, labels in self.by_first.get(words[at], ()):
                if tuple(words[at : at + len(phrase)]) == phrase:
                    length = len(phrase)
                    yield from ((at, label) for label in labels)
                    break
            at += length

    def labels(self, folded: str) -> list[str]:
        """The labels found, sorted, each once."""
        return sorted({label for _, label in self.found(folded)})


def phrases_of(listed: Iterable[tuple[str, str]]) -> Phrases:
    """(label, phrase) each → what finds them; a phrase without a word is none."""
    labels: dict[tuple[str, ...], set[str]] = {}
    for label, phrase in listed:
        if words := tuple(fold(phrase).split()):
            labels.setdefault(words, set()).add(label)
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for words in sorted(labels, key=lambda w: (-len(w), w)):
        by_first.setdefault(words[0], []).append((words, tuple(sorted(labels[words]))))
    return Phrases({first: tuple(those) for first, those in by_first.items()})
