"""The household set: a hard, labelled set of contact records of people who share names, homes, phones and e-mails.

Owns how many records of whom there are and their order; people are homes.py's, what goes wrong is sources.py's.
`python -m tests.benchmarks.identity.household` prints what is in it.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from schemas.identifiers import normalise
from tests.benchmarks.identity import words
from tests.benchmarks.identity.contact import FIELDS, Contact, events, half
from tests.benchmarks.identity.homes import Person, World, settle
from tests.benchmarks.identity.sources import SOURCES, Source, record

__all__ = ["HOUSEHOLDS", "SEED", "Contact", "events", "half", "records", "statistics"]

SEED = 7
HOUSEHOLDS = 4_000
RECORDS_MAX = 6
FILLERS = {
    *words.EMAIL_PLACEHOLDERS,
    *words.STORE_EMAILS,
    *(normalise("phone", phone) for phone in (*words.PHONE_PLACEHOLDERS, words.CALL_CENTRE_PHONE)),
}


def people(seed: int = SEED, households: int = HOUSEHOLDS) -> list[tuple[Person, ...]]:
    """Who there is, by household."""
    world = World(seed)
    return [settle(number, world) for number in range(households)]


def records(seed: int = SEED, households: int = HOUSEHOLDS) -> list[Contact]:
    """The records in no order that tells anything; same seed, same records. 1 to 6 of each person."""
    found = [one for home in people(seed, households) for one in _written(home, seed)]
    random.Random(f"{seed}:order").shuffle(found)
    numbers: Counter[str] = Counter()
    keyed = []
    for one in found:
        numbers[one.source] += 1
        keyed.append(replace(one, record_key=f"{one.source}-{numbers[one.source]:06d}"))
    return keyed


def _written(home: tuple[Person, ...], seed: int) -> list[Contact]:
    draw = random.Random(f"{seed}:records:{home[0].household}")
    found = []
    for one in home:
        kin = tuple(other for other in home if other is not one)
        found += [record(one, kin, source, draw) for source in _holders(draw)]
    return found


def _holders(draw: random.Random) -> list[Source]:
    found: list[Source] = []
    while not found:
        for source in SOURCES:
            if draw.random() < source.holds:
                found += [source] * (1 + (draw.random() < source.again))
    draw.shuffle(found)
    return found[:RECORDS_MAX]


def content(one: Contact) -> tuple[str, ...]:
    """What the record says, whoever wrote it and however: equal contents cannot be told apart."""
    said = (normalise(name, getattr(one, name)).casefold() for name in FIELDS)
    return tuple(said)


def statistics(contacts: Iterable[Contact]) -> dict[str, float]:
    """Figures of a set: sizes, and shares of values on records that several people share."""
    rows = list(contacts)
    by_person = Counter(one.person for one in rows)
    found: dict[str, float] = {
        "records": len(rows),
        "people": len(by_person),
        "households": len({one.household for one in rows}),
        "pairs of one person": sum(n * (n - 1) // 2 for n in by_person.values()),
        "most records of one person": max(by_person.values()),
    }
    for name in ("email", "phone"):
        found[f"{name}s shared"] = _shared([(normalise(name, getattr(r, name)), r.person) for r in rows])
    for name in FIELDS:
        found[f"{name} given"] = sum(bool(getattr(one, name)) for one in rows) / len(rows)
    alike = defaultdict(set)
    for one in rows:
        alike[content(one)].add(one.person)
    found["indistinguishable"] = sum(len(alike[content(one)]) > 1 for one in rows) / len(rows)
    return found


def _shared(values: list[tuple[str, int]]) -> float:
    """Of the values on records, fillers left aside: how many are on records of several people."""
    bearers = defaultdict(set)
    for value, person in values:
        bearers[value].add(person)
    given = [value for value, _ in values if value and value not in FILLERS]
    return sum(len(bearers[value]) > 1 for value in given) / len(given)


def kinship(homes: list[tuple[Person, ...]]) -> dict[str, float]:
    """Of the people: how many have a relation that misleads."""
    count = sum(map(len, homes))
    found: Counter[str] = Counter()
    for home in homes:
        births = Counter((one.birth, one.surname) for one in home)
        names = Counter((one.given, one.surname) for one in home)
        initials = Counter((one.given[0], one.surname) for one in home)
        found["twins"] += sum(n for n in births.values() if n > 1)
        found["of the same name in one household"] += sum(n for n in names.values() if n > 1)
        found["of the same initial in one household"] += sum(n for n in initials.values() if n > 1)
        found["with another surname before"] += sum(one.renamed_on is not None for one in home)
        found["moved"] += sum(one.moved_on is not None for one in home)
    return {name: n / count for name, n in found.items()}


def main() -> None:
    """Print the figures of the whole set and of its test half."""
    rows = records()
    for title, figures in (
        ("all", statistics(rows)),
        ("test half", statistics(one for one in rows if half(one) == "test")),
        ("people", kinship(people())),
    ):
        print(title)
        for name, value in figures.items():
            print(f"  {name}: {value:,.0f}" if value > 1 else f"  {name}: {value:.4f}")


if __name__ == "__main__":
    main()
