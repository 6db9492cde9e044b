"""What another policy would make of the same evidence: computed of all of it at once, beside what stands.

Owns the difference between two answers. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from services.identity.domain.clustering import Binding, cluster
from services.identity.domain.evidence import Evidence
from services.identity.domain.policy import Policy
from services.identity.domain.similarity.likeness import looks_of

SAMPLES_MAX = 20


def bindings_under(evidence: Evidence, policy: Policy) -> dict[str, Binding]:
    """record → where it would belong."""
    looks = looks_of(evidence.traits.values(), policy.similarity)
    found = cluster(evidence.records, evidence.links.values(), evidence.assertions.values(), policy, looks=looks)
    return found.bindings


def difference(before: Mapping[str, Binding], after: Mapping[str, Binding]) -> dict[str, Any]:
    """What would be otherwise: counts, each record that moves with its customers, and samples of merges and splits.

    A merge is a customer of records that were of several; a split a customer whose records would be of several.
    """
    parts, wholes = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for record, binding in after.items():
        if record in before:
            wholes[binding.customer_id].add(before[record].customer_id)
            parts[before[record].customer_id].add(binding.customer_id)
    moves = {
        record: [before[record].customer_id, binding.customer_id]
        for record, binding in sorted(after.items())
        if record in before and before[record].customer_id != binding.customer_id
    }
    merged = sorted(c for c, old in wholes.items() if len(old) > 1)
    split = sorted(c for c, new in parts.items() if len(new) > 1)
    generic = [(before[r].generic, b.generic) for r, b in after.items() if r in before]
    return {
        "records": len(after),
        "customers": {"before": len(parts), "after": len(wholes)},
        "merged": len(merged),
        "split": len(split),
        "touched": len({c for pair in moves.values() for c in pair}),
        "became_generic": sum(now and not was for was, now in generic),
        "no_longer_generic": sum(was and not now for was, now in generic),
        "samples": {
            "merged": [{"into": c, "from": sorted(wholes[c])} for c in merged[:SAMPLES_MAX]],
            "split": [{"from": c, "into": sorted(parts[c])} for c in split[:SAMPLES_MAX]],
        },
        "moves": moves,
    }
