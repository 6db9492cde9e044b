"""What others make of a labelled set: Splink, recordlinkage, and plain transitive closure over e-mail and phone.

Owns what they are given (values made comparable and known fillers emptied, never the truth), running them in their
own environment (deploy/setup/peers.sh), and the table. Their best threshold is chosen with the truth at hand.
`python -m tests.benchmarks.identity.peers household|febrl3|febrl4` prints it; of the household set, its test half.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.identifiers import BLOCKED_VALUES
from services.ops.demo.accuracy import Accuracy, transitive_closure
from tests.benchmarks.identity import febrl, household
from tests.benchmarks.identity.contact import Contact, events, half, lead_type, truth
from tests.benchmarks.identity.metrics import Scored, best, measured, swept

ROOT = Path(__file__).resolve().parents[3]
PYTHON = febrl.PEERS / "bin" / "python"
FIELDS = {"household": ("all", "own"), "febrl3": ("all",), "febrl4": ("all",)}
"""Set → the fields to compare, each tried: all, or those that kin do not share."""
TIMEOUT_S = 900
OFTEN = 15
"""An e-mail, phone or birth date on more records than this is a filler."""
COLUMNS = (
    "unique_id", "source", "given_name", "surname", "full_name", "birth_date", "gender", "email", "phone",
    "street", "city", "postal_code", "state", "national_id",
)  # fmt: skip
SPLINK_WEIGHTS = [half_bit / 2 for half_bit in range(-10, 81)]
WEIGHT_OF_99 = 6.6293566
"""Match weight (log2 of the odds) of probability .99."""
ECM_SCORES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 0.999999]
SUM_SCORES = [tenth / 10 for tenth in range(10, 81)]

_FILLERS = BLOCKED_VALUES | {"customer"}
_SUFFIX = re.compile(r"\s+(jr|sr|ii|iii)\.?$")


@dataclass(frozen=True, slots=True)
class Figures:
    """One way's clusters of one set, at one threshold; seconds are of the whole run of that tool."""

    way: str
    threshold: str
    accuracy: Accuracy
    seconds: float


def contacts(which: str) -> list[Contact]:
    """The records of a set that are measured on."""
    if which == "household":
        return [one for one in household.records() if half(one) == "test"]
    return febrl.records(which)


def prepared(rows: list[Contact]) -> list[dict[str, str]]:
    """The columns the tools compare: lower case, digits of phones, fillers emptied. Without the truth."""
    found = []
    for one in rows:
        given, surname = (_plain(text) for text in (one.given_name, one.surname))
        found.append({
            "unique_id": one.record_key, "source": one.source, "given_name": given, "surname": surname,
            "full_name": f"{given} {surname}" if given and surname else "", "birth_date": one.birth_date,
            "gender": one.gender, "email": one.email.casefold(), "phone": re.sub(r"\D", "", one.phone)[-10:],
            "street": _plain(one.street), "city": _plain(one.city), "postal_code": one.postal_code,
            "state": one.state.casefold(), "national_id": one.national_id,
        })  # fmt: skip
    for name in ("email", "phone", "birth_date"):
        counts = Counter(row[name] for row in found)
        for row in found:
            if counts[row[name]] > OFTEN or not row[name].strip("0-"):
                row[name] = ""
    return found


def _plain(text: str) -> str:
    text = _SUFFIX.sub("", text.casefold().strip()).rstrip(".")
    return "" if text in _FILLERS else text


def closures(rows: list[Contact]) -> list[Figures]:
    """Everybody who shares an e-mail or a phone is one; as sent, and once known fillers are emptied."""
    clean = {row["unique_id"]: row for row in prepared(rows)}
    emptied = [replace(r, email=clean[r.record_key]["email"], phone=clean[r.record_key]["phone"]) for r in rows]
    found = []
    for how, given in (("as sent", rows), ("fillers emptied", emptied)):
        started = time.perf_counter()
        groups = transitive_closure(events(given))
        clusters = {one.record_key: groups[lead_type(one), one.record_key] for one in given}
        accuracy = measured(truth(rows), clusters)
        found.append(Figures("transitive closure", how, accuracy, time.perf_counter() - started))
    return found


def splink(which: str, rows: list[Contact], folder: Path) -> list[Figures]:
    """At its best threshold and at probability .99, on all fields and, of households, on those kin do not share."""
    found = []
    for fields in FIELDS[which]:
        pairs = folder / f"splink-{fields}.csv"
        seconds = _run("splink_peer", which, fields, str(_written(rows, folder)), str(pairs))
        scored = list(_scored(pairs))
        way = f"Splink, {fields} fields"
        found += _both(way, rows, scored, SPLINK_WEIGHTS, WEIGHT_OF_99, "p = .99", seconds, "weight {:.1f}".format)
    return found


def recordlinkage(which: str, rows: list[Contact], folder: Path) -> list[Figures]:
    """ECM at its best threshold and at .5; the sum of similarities at its best; on the same fields as Splink."""
    found = []
    for fields in FIELDS[which]:
        ecm, total = folder / f"ecm-{fields}.csv", folder / f"sum-{fields}.csv"
        words = (which, fields, str(_written(rows, folder)), str(ecm), str(total))
        seconds = _run("recordlinkage_peer", *words)
        way, scored = f"recordlinkage ECM, {fields} fields", list(_scored(ecm))
        found += _both(way, rows, scored, ECM_SCORES, 0.5, "p = .5", seconds, "p = {:g}".format)
        at = best(swept(truth(rows), _scored(total), SUM_SCORES))
        way = f"recordlinkage sum, {fields} fields"
        found.append(Figures(way, f"best, {at.threshold:.1f}", at.accuracy, seconds))
    return found


def _both(
    way: str, rows: list[Contact], scored: list[Scored], thresholds: list[float], usual: float, usual_name: str,
    seconds: float, told: Callable[[float], str],
) -> list[Figures]:  # fmt: skip
    sweep = swept(truth(rows), scored, [*thresholds, usual])
    top, plain = best(sweep), next(at for at in sweep if at.threshold == usual)
    return [
        Figures(way, f"best, {told(top.threshold)}", top.accuracy, seconds),
        Figures(way, usual_name, plain.accuracy, seconds),
    ]


def _written(rows: list[Contact], folder: Path) -> Path:
    path = folder / "records.csv"
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(prepared(rows))
    return path


def _scored(path: Path) -> Iterator[Scored]:
    with path.open(newline="") as lines:
        for one, other, score in csv.reader(lines):
            if score != "match_weight":
                yield one, other, float(score)


def _run(module: str, *words: str) -> float:
    """Seconds that a peer took, start of its Python included."""
    if not PYTHON.exists():
        raise FileNotFoundError(f"{PYTHON} is missing: run deploy/setup/peers.sh")
    started = time.perf_counter()
    command = [str(PYTHON), "-W", "ignore", "-m", f"tests.benchmarks.identity.{module}", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-4_000:]}")
    return time.perf_counter() - started


def figures(which: str) -> list[Figures]:
    """All peers on one set."""
    rows = contacts(which)
    with tempfile.TemporaryDirectory(prefix="c360-peers-") as name:
        folder = Path(name)
        return [*closures(rows), *splink(which, rows, folder), *recordlinkage(which, rows, folder)]


def table(found: list[Figures]) -> list[str]:
    """Markdown rows."""
    return [
        "| way | threshold | cluster pair F1 | precision | recall | B-cubed F1 | precision | recall | clusters | s |",
        "| --- " * 10 + "|",
        *(
            f"| {one.way} | {one.threshold} | **{a.f1:.4f}** | {a.precision:.4f} | {a.recall:.4f} | {a.bcubed_f1:.4f}"
            f" | {a.bcubed_precision:.4f} | {a.bcubed_recall:.4f} | {a.customers:,} | {one.seconds:.1f} |"
            for one in found
            for a in (one.accuracy,)
        ),
    ]


def main(wanted: list[str]) -> int:
    """Print the tables of the sets named, or of all."""
    if unknown := set(wanted) - set(FIELDS):
        print(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(FIELDS)}", file=sys.stderr)
        return 2
    for which in wanted or FIELDS:
        found = figures(which)
        one = found[0].accuracy
        print(f"## {which}: {one.records:,} records, {one.persons:,} people, {one.pairs_true:,} pairs\n")
        print("\n".join(table(found)), end="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
