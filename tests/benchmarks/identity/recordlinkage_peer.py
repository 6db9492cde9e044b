"""The Python Record Linkage Toolkit over one labelled set: blocks, similarities, and two classical classifiers.

Owns its settings. Runs in the environment of deploy/setup/peers.sh, sees no truth, and is started by peers.py as
`python -m tests.benchmarks.identity.recordlinkage_peer SET FIELDS RECORDS.csv ECM.csv SUM.csv`: the same pairs
scored by the ECM classifier (Fellegi-Sunter, unsupervised) and by the sum of their similarities. FIELDS: "all", or
"own" for those that kin do not share.
"""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd

ALIKE = 0.85
"""A similarity from here on counts as agreement for ECM, which takes yes or no."""
BLOCKS: dict[str, tuple[list[str], ...]] = {
    "household": (
        ["email"], ["phone"], ["birth_date", "initial"], ["surname", "birth_date"], ["postal_code", "surname"],
        ["postal_code", "given_name"], ["given_name", "surname"], ["street"],
    ),
    "febrl": (
        ["national_id"], ["birth_date"], ["given_name", "surname"], ["given_name", "postal_code"],
        ["surname", "postal_code"], ["given_name", "city"], ["surname", "city"], ["street"],
    ),
}  # fmt: skip
STRINGS = {
    "household": ("given_name", "surname", "street"),
    "febrl": ("given_name", "surname", "street", "city"),
}
EXACT = {"household": ("email", "phone", "postal_code", "gender"), "febrl": ("postal_code",)}
KIN_SHARE = {"surname", "street", "city", "postal_code"}
DISTANCES = {"household": ("birth_date",), "febrl": ("birth_date", "national_id")}


def main(which: str, fields: str, records: str, ecm: str, total: str) -> None:
    """Write the pairs scored both ways: unique_id_l, unique_id_r, score."""
    import recordlinkage  # type: ignore[import-not-found]

    kind = "household" if which == "household" else "febrl"
    frame = pd.read_csv(records, dtype=str, keep_default_na=False).set_index("unique_id")
    frame = frame.replace("", None)
    frame["initial"] = frame["given_name"].str[:1]
    features = _compared(recordlinkage, kind, fields, frame, _pairs(recordlinkage, which, kind, frame))
    classifier = recordlinkage.ECMClassifier(binarize=ALIKE)
    classifier.fit(features)
    features.sum(axis=1).to_csv(total, header=False)
    classifier.prob(features).to_csv(ecm, header=False)


def _pairs(recordlinkage: Any, which: str, kind: str, frame: Any) -> Any:
    indexer = recordlinkage.Index()
    for keys in BLOCKS[kind]:
        indexer.block(keys)
    if which != "febrl4":
        return indexer.index(frame)
    first = frame["source"].min()
    return indexer.index(frame[frame["source"] == first], frame[frame["source"] != first])


def _compared(recordlinkage: Any, kind: str, fields: str, frame: Any, pairs: Any) -> Any:
    compare = recordlinkage.Compare()
    left_out = KIN_SHARE if fields == "own" else set()
    for method, table in (("jarowinkler", STRINGS), ("damerau_levenshtein", DISTANCES), ("", EXACT)):
        for name in table[kind]:
            if name in left_out:
                continue
            if method:
                compare.string(name, name, method=method, label=name)
            else:
                compare.exact(name, name, label=name)
    return compare.compute(pairs, frame)


if __name__ == "__main__":
    main(*sys.argv[1:])
