"""The taxonomy of needs: which words, categories and services speak of which need. Data of the policy.

Owns finding needs in what was said or done. How sure one is of them is needs.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.interaction.domain.terms import Phrases, fold, phrases_of

ADDED, BOUGHT, SEARCHED, USED, VIEWED = "added", "bought", "searched", "used", "viewed"
WAYS = (ADDED, BOUGHT, SEARCHED, USED, VIEWED)
"""How a need shows without being stated."""


@dataclass(frozen=True, slots=True)
class Need:
    """One need. `recurring_from_days`: it recurs for whom bought or used on so many days; None: `recurring` says."""

    code: str
    label: str
    recurring: bool = False
    recurring_from_days: int | None = None
    words: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


HEARD_MAX = 50_000
"""Texts remembered as speaking of a need or of none."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The needs by code, and what finds them. `points` of a way; confidence is half at `half_points`, and halves
    with every `…_half_life_days`."""

    needs: Mapping[str, Need]
    points: Mapping[str, int]
    half_points: int
    stated_half_life_days: int
    observed_half_life_days: int
    named: Mapping[str, str]
    phrases: Mapping[str, Phrases]
    heard: dict[tuple[str, str], bool] = field(default_factory=dict, compare=False, repr=False)

    def speaks(self, way: str, folded: str) -> bool:
        """Whether what was done in this way shows any need; remembered, as few categories come again and again."""
        known = self.heard.get((way, folded))
        if known is None:
            if len(self.heard) >= HEARD_MAX:
                self.heard.clear()
            known = self.heard[way, folded] = bool(self.observed(way, folded))
        return known

    def stated(self, folded: str) -> list[str]:
        """The codes of a stated need: the one it names by code or label, else all whose words it has."""
        return [self.named[folded]] if folded in self.named else self.phrases[SEARCHED].labels(folded)

    def observed(self, way: str, folded: str) -> list[str]:
        """The codes of what was done in this way: searched by words, used by services, else by categories too."""
        return self.phrases[way].labels(folded)


def taxonomy_of(
    needs: Iterable[Need],
    points: Mapping[str, int],
    half_points: int,
    stated_half_life_days: int,
    observed_half_life_days: int,
) -> Taxonomy:
    """A taxonomy with what finds its needs. Of two needs with one name the first by code is named."""
    by_code = {need.code: need for need in sorted(needs, key=lambda n: n.code)}
    listed = list(by_code.values())
    named: dict[str, str] = {}
    for need in listed:
        for name in (fold(need.code), fold(need.label)):
            named.setdefault(name, need.code)
    words = [(n.code, phrase) for n in listed for phrase in (*n.words, n.code, n.label)]
    shelves = phrases_of([*words, *((n.code, phrase) for n in listed for phrase in n.categories)])
    services = phrases_of([*words, *((n.code, phrase) for n in listed for phrase in n.services)])
    phrases = {SEARCHED: phrases_of(words), USED: services, ADDED: shelves, BOUGHT: shelves, VIEWED: shelves}
    return Taxonomy(by_code, points, half_points, stated_half_life_days, observed_half_life_days, named, phrases)
