"""Rows of identity's tables as the domain's nouns.

Owns reading a row; no SQL.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import msgspec

from services.identity.domain.clustering import Binding
from services.identity.domain.evidence import Assertion, Link, Record, Trait


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A record's row beside its evidence: its binding as it stands and the binding's version."""

    binding: Binding
    n: int
    dead: bool


def value_digest(value: str) -> bytes:
    return blake2b(value.encode(), digest_size=12).digest()


def record_row(r: Any) -> Record:
    return Record(str(r["record_id"]), r["type"], r["value"], r["first_us"], frozenset(r["sources"]))


def stored_row(r: Any) -> Stored:
    rivals = r["rivals"]
    parsed = () if rivals == "[]" else tuple((str(c), int(w)) for c, w in json.loads(rivals))
    return Stored(Binding(str(r["customer_id"]), r["generic"], r["weight"], parsed), r["n"], r["dead"])


def link_row(r: Any) -> Link:
    return Link(str(r["a"]), str(r["b"]), r["kind"], r["first_us"], str(r["event_id"]), r["source"])


def assertion_row(r: Any) -> Assertion:
    return Assertion(str(r["a"]), str(r["b"]), r["same"], r["time_us"], str(r["event_id"]), r["reason"], r["actor"])


def trait_row(r: Any) -> Trait:
    return Trait(
        str(r["record_id"]),
        r["name"],
        r["value"],
        r["first_us"],
        r["last_us"],
        str(r["last_event"]),
        r["source"],
    )
