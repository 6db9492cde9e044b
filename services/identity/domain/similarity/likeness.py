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
        self._classes = {r: CLASSES[class_rank(record.type)] for r, record in records.items()}
        self._types = {r: records[r].type for r in self.features}
        self._seen_with: dict[str, set[str]] = {r: set() for r in self.features}
        self._of: dict[str, list[str]] = {}
        """Identifier → who was seen with it, by id, each once."""
        self._scores: dict[Pair, Score] = {}
        self.cut: list[Pair] = []
        """Of each part that was too large, the strongest pair that `joining` left out."""
        self._similar = [p for p in similar if p[0] in self.features and p[1] in self.features]
        self._connect(records, links)

    def _connect(self, records: Mapping[str, Record], links: Iterable[Link]) -> None:
        shared = {r for r, record in records.items() if class_rank(record.type) >= SHARED_FROM_RANK}
        for r in self.features.keys() & shared:
            self._seen_with[r].add(r)
        for link in links:
            for one, other in ((link.a, link.b), (link.b, link.a)):
                if one in self.features and other in shared:
                    self._seen_with[one].add(other)
        for r in self.features:
            for identifier in self._seen_with[r]:
                self._of.setdefault(identifier, []).append(r)

    def score(self, a: str, b: str) -> Score | None:
        """How alike two records are; None when nothing is known of one of them."""
        if a not in self.features or b not in self.features:
            return None
        pair = (a, b) if a < b else (b, a)
        found = self._scores.get(pair)
        if found is None:
            both = self._seen_with[pair[0]] & self._seen_with[pair[1]]
            classes = {self._classes[r] for r in both}
            types = self._types[pair[0]], self._types[pair[1]]
            found = score(self.features[pair[0]], self.features[pair[1]], self.model, classes, types)
            self._scores[pair] = found
        return found

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
        for a, b in sorted(candidates):
            one = self.score(a, b)
            if one is not None and one.bits >= at_least_bits:
                found[a, b] = one
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
