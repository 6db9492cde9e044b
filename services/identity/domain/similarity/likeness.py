"""The likeness of the records of some components: which pairs may join, and how alike any two are.

Owns scoring each pair once, with the identifiers both were seen with. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from schemas.identifiers import CLASSES, class_rank
from services.identity.domain.evidence import Link, Record, Trait
from services.identity.domain.parts import Parts
from services.identity.domain.similarity.blocking import Values, keys_of, open_pairs
from services.identity.domain.similarity.features import Features, features_of
from services.identity.domain.similarity.model import Model
from services.identity.domain.similarity.scoring import Score, best_bits, score

Pair = tuple[str, str]
CUT_STEP_BITS = 1.0
SHARED_FROM_RANK = class_rank("email")
"""Identifiers of this class and those below may be shared by several people."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of how records look: features, and the pairs (a < b) alike enough to join by features alone."""

    features: Mapping[str, Features] = field(default_factory=dict)
    similar: Collection[Pair] = ()


UNSEEN = Looks()


class Likeness:
    """Scores of pairs (a < b) among `features`; `links` are those that count, between records given."""

    def __init__(
        self,
        records: Mapping[str, Record],
        links: Iterable[Link],
        features: Mapping[str, Features],
        similar: Iterable[Pair],
        model: Model,
    ) -> None:
        self.model = model
        self.features = {r: features[r] for r in sorted(features.keys() & records.keys())}
        self._records = records
        self._seen_with: dict[str, set[str]] = {r: set() for r in self.features}
        self._of: dict[str, list[str]] = {}
        """Identifier → who was seen with it, by id, each once."""
        self._scores: dict[Pair, Score] = {}
        self.cut: list[Pair] = []
        """Of each part that was too large, the strongest pair that `joining` left out."""
        self._similar = [p for p in similar if p[0] in self.features and p[1] in self.features]
        self._connect(links)

    def _connect(self, links: Iterable[Link]) -> None:
        ranks = {r: class_rank(record.type) for r, record in self._records.items()}
        for r, seen in self._seen_with.items():
            if ranks[r] >= SHARED_FROM_RANK:
                seen.add(r)
        for link in links:
            for one, other in ((link.a, link.b), (link.b, link.a)):
                if ranks[other] >= SHARED_FROM_RANK and one in self._seen_with:
                    self._seen_with[one].add(other)
        for r, seen in self._seen_with.items():
            for identifier in seen:
                self._of.setdefault(identifier, []).append(r)

    def score(self, a: str, b: str) -> Score:
        """How alike two records are of which there are features."""
        pair = (a, b) if a < b else (b, a)
        found = self._scores.get(pair)
        if found is None:
            found = self._scores[pair] = self._score(*pair)
        return found

    def _score(self, a: str, b: str) -> Score:
        both = self._seen_with[a] & self._seen_with[b]
        classes = {CLASSES[class_rank(self._records[r].type)] for r in both} if both else ()
        types = self._records[a].type, self._records[b].type
        return score(self.features[a], self.features[b], self.model, classes, types)

    def joining(self) -> dict[Pair, Score]:
        """Pairs alike enough to join; of what would be larger than `part_records_max` together, only the surest."""
        kept, self.cut = _cut(self.pairs(self.model.link_bits), self.model)
        return kept

    def pairs(self, at_least_bits: float) -> dict[Pair, Score]:
        """Candidates, by blocking keys or by an identifier both were seen with, that are at least so much alike."""
        candidates = set(self._similar)
        for those in self._of.values():
            candidates |= set(combinations(those, 2))
        found = {}
        for pair in sorted(candidates):
            one = self.score(*pair)
            if one.bits >= at_least_bits:
                found[pair] = one
        return found


def _cut(pairs: dict[Pair, Score], model: Model) -> tuple[dict[Pair, Score], list[Pair]]:
    """Parts that are too large lose their weakest pairs, in steps of CUT_STEP_BITS, until they fall apart.

    (What is kept, the strongest pair of each step's loss.)
    """
    kept: dict[Pair, Score] = {}
    cut: list[Pair] = []
    waiting = [(pairs, model.link_bits)]
    while waiting:
        some, bits = waiting.pop()
        parts = Parts()
        for a, b in some:
            parts.join(a, b)
        by_root: dict[str, dict[Pair, Score]] = {}
        for pair, one in some.items():
            by_root.setdefault(parts.root(pair[0]), {})[pair] = one
        for those in by_root.values():
            higher = bits + CUT_STEP_BITS
            if len({r for pair in those for r in pair}) <= model.part_records_max or higher > model.pair_bits_max:
                kept |= those
            else:
                waiting.append(({pair: one for pair, one in those.items() if one.bits >= higher}, higher))
                lost = ((-one.bits, pair) for pair, one in those.items() if one.bits < higher)
                cut += [pair for _, pair in sorted(lost)[:1]]
    return kept, cut


def keys_for(values: Values, model: Model) -> frozenset[int]:
    """The blocking keys of a record; none where nobody could be alike enough to it to matter."""
    return keys_of(values, model.recipes) if best_bits(values, model) >= model.review_bits else frozenset()


def looks_of(traits: Iterable[Trait], model: Model) -> Looks:
    """How all records look, of all that was said of them at once."""
    said: dict[str, list[Trait]] = {}
    for trait in traits:
        said.setdefault(trait.record_id, []).append(trait)
    features = {r: values for r, those in said.items() if (values := features_of(those, model))}
    keys = {r: keys_for(values, model) for r, values in features.items()}
    alike = similar_pairs(features, keys, model)
    return Looks(features, [pair for pair, one in alike.items() if one.bits >= model.link_bits])


def similar_pairs(
    features: Mapping[str, Features], keys: Mapping[str, Iterable[int]], model: Model
) -> dict[Pair, Score]:
    """Pairs alike enough for somebody to look at, of all records at once: what the lane keeps step by step."""
    found = {}
    for a, b in open_pairs(keys, model.key_records_max):
        one = score(features[a], features[b], model)
        if one.bits >= model.review_bits:
            found[a, b] = one
    return found
