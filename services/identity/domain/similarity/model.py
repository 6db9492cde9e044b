"""The similarity part of the identity policy: which traits are compared, how, and what agreement weighs.

Owns reading it from its YAML form (already parsed). Weights are in bits: log2(m / u), where m is how often a level
is seen between two records of one person and u between records of two (Fellegi and Sunter 1969). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from services.identity.domain.similarity.blocking import Part, read_recipe
from services.identity.domain.similarity.kinds import LEVELS, Kind


class Evidence(StrEnum):
    """Whose a trait is: one person's; a family's (agreement is shared, difference is the person's); a household's."""

    PERSONAL = "personal"
    FAMILY = "family"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Compared:
    """One compared field. `weights`: bits per level of its kind; `frequencies`: value → share of people who have it.

    `exact_m`: share of one person's records that agree exactly, which a frequency is set against.
    """

    field: str
    kind: Kind
    evidence: Evidence
    weights: tuple[float, ...]
    frequencies: Mapping[str, float]
    exact_m: float


@dataclass(frozen=True, eq=False)
class Model:
    """One version of how likeness is judged; all bounds in bits. One equals itself only, so that it can be a key.

    `traits`: trait path → (kind, fields it gives). `identifiers`: class of a shared identifier → its weight.
    `same_source`: type, or its class, of two numbers that one source gave → what it says against one person.
    """

    traits: Mapping[str, tuple[Kind, tuple[str, ...]]]
    fields: Mapping[str, Compared]
    identifiers: Mapping[str, float]
    same_source: Mapping[str, float]
    recipes: Sequence[tuple[Part, ...]]
    prior_bits: float
    link_bits: float
    average_bits: float
    review_bits: float
    shared_bits_max: float
    shared_bits_min: float
    pair_bits_max: float
    names_bits_max: float
    key_records_max: int
    part_records_max: int

    @cached_property
    def paths(self) -> tuple[tuple[str, str, Kind, tuple[str, ...]], ...]:
        """(trait, path inside its value or "", kind, fields it gives) of each of `traits`."""
        named = ((path.partition("."), kind, fields) for path, (kind, fields) in self.traits.items())
        return tuple((name, inside, kind, fields) for (name, _, inside), kind, fields in named)

    @cached_property
    def weights_max(self) -> Mapping[str, float]:
        """Field → what agreement in it weighs at most, common values aside; at least 0."""
        return {name: max(0.0, *field.weights) for name, field in self.fields.items()}

    @cached_property
    def trait_names(self) -> frozenset[str]:
        """The traits that paths begin with."""
        return frozenset(path.partition(".")[0] for path in self.traits)

    @cached_property
    def given_names(self) -> tuple[str, ...]:
        """Fields of given names."""
        return tuple(name for name, field in self.fields.items() if field.kind is Kind.GIVEN_NAME)

    @cached_property
    def surnames(self) -> tuple[str, ...]:
        """Fields of surnames."""
        return tuple(name for name, field in self.fields.items() if field.kind is Kind.SURNAME)

    def apart(self, types: tuple[str, str]) -> float:
        """Bits, at most 0, that two records' own types speak against their being one person's."""
        if types[0] != types[1]:
            return 0.0
        return self.same_source.get(types[0], self.same_source.get(types[0].partition(".")[0], 0.0))


class _Wrong(ValueError):
    """What is wrong with a part of the document; its first argument is the part's path."""


def read_model(document: Mapping[str, Any]) -> Model:
    """The model from its document. Raises ValueError naming every part that is missing or wrong, with its path."""
    reading = _Reading()
    compared = reading.mapping(document, "compared")
    traits: dict[str, tuple[Kind, tuple[str, ...]]] = {}
    fields: dict[str, Compared] = {}
    for trait, entry in compared.items():
        reading.compared(str(trait), entry, traits, fields)
    for trait, (_, given) in traits.items():
        for field in given:
            if field not in fields:
                reading.wrong(f"compared.{trait}", f"{field} is no field that is compared")
    recipes = []
    for number, text in enumerate(reading.sequence(document, "keys")):
        try:
            recipes.append(read_recipe(str(text), fields.keys()))
        except ValueError as error:
            reading.wrong(f"keys[{number}]", str(error))
    identifiers = {
        str(name): reading.number({name: bits}, name, "identifiers.")
        for name, bits in reading.mapping(document, "identifiers").items()
    }
    same_source = {
        str(name): reading.number({name: bits}, name, "same_source.")
        for name, bits in reading.mapping({"same_source": {}, **document}, "same_source").items()
    }
    for name in sorted(name for name, bits in same_source.items() if bits > 0):
        reading.wrong(f"same_source.{name}", "it is at most 0")
    # Without a bound of their own, as in older policies, names alone come to what any pair may.
    bounds = {name: reading.number({"names_bits_max": document.get("pair_bits_max"), **document}, name)
              for name in _BOUNDS}  # fmt: skip
    limits = {name: int(reading.number(document, name)) for name in ("key_records_max", "part_records_max")}
    if not bounds["review_bits"] <= bounds["link_bits"]:
        reading.wrong("review_bits", "it is at most link_bits")
    reading.done()
    return Model(traits, fields, identifiers, same_source, tuple(recipes), **bounds, **limits)  # type: ignore[arg-type]


_BOUNDS = (
    "prior_bits", "link_bits", "average_bits", "review_bits", "shared_bits_max", "shared_bits_min", "pair_bits_max",
    "names_bits_max",
)  # fmt: skip


class _Reading:
    """Collects every error, so that whoever wrote the document mends them in one go."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def wrong(self, path: str, what: str) -> None:
        self.errors.append(f"similarity.{path}: {what}")

    def done(self) -> None:
        if self.errors:
            raise ValueError("; ".join(self.errors))

    def mapping(self, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = document.get(name)
        if isinstance(found, Mapping):
            return found
        self.wrong(name, "a mapping is needed")
        return {}

    def sequence(self, document: Mapping[str, Any], name: str) -> Sequence[Any]:
        found = document.get(name)
        if isinstance(found, list):
            return found
        self.wrong(name, "a list is needed")
        return []

    def number(self, document: Mapping[str, Any], name: str, under: str = "") -> float:
        number = _number(document.get(name))
        if number is None:
            self.wrong(under + name, "a number is needed")
        return number or 0.0

    def compared(
        self, trait: str, entry: Any, traits: dict[str, tuple[Kind, tuple[str, ...]]], fields: dict[str, Compared]
    ) -> None:
        path = f"compared.{trait}"
        kind = _member(Kind, entry.get("kind")) if isinstance(entry, Mapping) else None
        if kind is None:
            self.wrong(path, f"`kind` is one of {', '.join(Kind)}")
            return
        if kind is Kind.FULL_NAME:
            given = entry.get("fields")
            if not (isinstance(given, list) and len(given) == 2):
                self.wrong(path, "a full name needs `fields`: the field of given names and that of the surname")
                return
            traits[trait] = kind, (str(given[0]), str(given[1]))
            return
        field = str(entry.get("field", trait))
        traits[trait] = kind, (field,)
        if "field" in entry and field != trait:
            return
        found = self._field(path, field, kind, entry)
        if found is not None:
            fields[field] = found

    def _field(self, path: str, field: str, kind: Kind, entry: Mapping[str, Any]) -> Compared | None:
        evidence = _member(Evidence, entry.get("evidence"))
        if evidence is None:
            self.wrong(path, f"`evidence` is one of {', '.join(Evidence)}")
            return None
        bits = self.mapping(entry, "weights") if "weights" in entry else {}
        unknown = sorted(map(str, bits.keys() - set(LEVELS[kind])))
        missing = [level for level in LEVELS[kind] if level not in bits]
        if unknown or missing:
            wrong = f"has no {', '.join(unknown)}" if unknown else f"lacks {', '.join(missing)}"
            self.wrong(f"{path}.weights", f"{wrong}; the levels of {kind} are {', '.join(LEVELS[kind])}")
            return None
        weights = tuple(self.number(bits, level, f"{path}.weights.") for level in LEVELS[kind])
        frequencies = entry.get("frequencies") or {}
        if not isinstance(frequencies, Mapping) or not all(_is_share(f) for f in frequencies.values()):
            self.wrong(f"{path}.frequencies", "a mapping of values to shares between 0 and 1 is needed")
            return None
        exact_m = _number(entry.get("exact_m", 0.9))
        if exact_m is None or not 0 < exact_m <= 1:
            self.wrong(f"{path}.exact_m", "a share between 0 and 1 is needed")
            return None
        return Compared(field, kind, evidence, weights, {str(v): float(f) for v, f in frequencies.items()}, exact_m)


def _is_share(value: Any) -> bool:
    share = _number(value)
    return share is not None and 0 < share <= 1


def _number(value: Any) -> float | None:
    """Documents hold numbers with a point as text, to be exact."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _member(kinds: type[Any], name: Any) -> Any:
    try:
        return kinds(name)
    except ValueError:
        return None
