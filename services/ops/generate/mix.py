"""The parameters of the standard mix, read from one YAML file (schemas/examples/mix.yaml).

Owns their names, units and limits; what they do stands in traffic.py. Must not draw anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

import schemas

MIX_PATH = Path(schemas.__file__).parent / "examples" / "mix.yaml"
"""The mix shipped with the project."""

CUSTOMERS_MAX = 500_000
"""More would give two customers one phone number (population.py)."""

DEVICES_MAX = 32
"""Browsers and apps of one customer together."""

SHARE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event: its share of all, and the weights of its types (their sum is free)."""

    share: float
    types: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Mix:
    """What is sent, in which shares. Every `*_share` is between 0 and 1; see the comments in mix.yaml."""

    population: str
    customers: int
    zipf_exponent: float
    gap_ms: int
    currency: str
    products: int
    order_lines_max: int
    kinds: Mapping[str, Kind]
    merges_share: float
    duplicates_share: float
    duplicates_resent_share: float
    duplicates_delayed_share: float
    late_share: float
    late_days_max: int
    user_id_share: float
    crm_id_share: float
    email_share: float
    phone_share: float
    shared_phone_share: float
    anonymous_ids_max: int
    device_ids_max: int
    new_device_share: float

    def __post_init__(self) -> None:
        """Raises ValueError for what no stream could have."""
        for field in fields(self):
            if field.name.endswith("_share") and not 0 <= getattr(self, field.name) <= 1:
                raise ValueError(f"{field.name} must lie between 0 and 1")
        total = sum(kind.share for kind in self.kinds.values())
        if abs(total - 1) > SHARE_TOLERANCE:
            raise ValueError(f"the shares of all kinds must add up to 1, not {total}")
        if not 1 <= self.customers <= CUSTOMERS_MAX:
            raise ValueError(f"customers must lie between 1 and {CUSTOMERS_MAX}")
        if self.anonymous_ids_max < 1 or not 1 <= self.device_ids_max <= DEVICES_MAX - self.anonymous_ids_max:
            raise ValueError(f"a customer needs a browser and an app, at most {DEVICES_MAX} in all")
        if self.merges_share > self.kinds["contact"].share:
            raise ValueError("merges_share is a part of the share of contact")
        if min(self.gap_ms, self.products, self.order_lines_max) < 1:
            raise ValueError("gap_ms, products and order_lines_max must be positive")

    @classmethod
    def load(cls, path: Path | str = MIX_PATH) -> Mix:
        """The mix in a YAML file. Raises ValueError when a parameter is missing, unknown or out of bounds."""
        raw: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        names = {field.name for field in fields(cls)}
        if raw.keys() != names:
            raise ValueError(f"missing or unknown parameters: {sorted(names ^ raw.keys())}")
        kinds = {
            name: Kind(float(kind["share"]), dict(kind["types"])) for name, kind in raw.pop("kinds").items()
        }
        return cls(kinds=kinds, **raw)
