"""Needs: what a customer says he needs, and what he does that shows it; the services he used.

Owns what is evidence of a need and how sure one is of it as time passes. Facts keep what was said; the taxonomy is
applied when they are folded, so that a new one needs no reading of the log. What is told knows no day;
schemas/answers/needs.py does. Must not recommend. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from schemas.answers.needs import DAY_US, OBSERVED, STATED, SURE
from schemas.envelope import Event
from schemas.events.fields import text_of
from services.interaction.domain.facts import Fact, business_key, in_order, short
from services.interaction.domain.policy import Policy
from services.interaction.domain.sent import Reader, Said, flag, moment_us, said_by, word, words
from services.interaction.domain.taxonomy import ADDED, BOUGHT, SEARCHED, USED, VIEWED, Taxonomy
from services.interaction.domain.terms import fold, name_of

NEED, INTEREST, SERVICE = "need", "interest", "service"
KINDS = frozenset({NEED, INTEREST, SERVICE})
KEY_CHARS_MAX = 100
KEYS_REMEMBERED_MAX = 20_000
"""Few categories are there, and they are looked at again and again."""
NEEDS_MAX, SERVICES_MAX = 50, 100
"""Told of one customer, those of which something was heard last."""
LINES_READ_MAX = 200
SERVICE_RECURRING_DAYS = 3
"""A service of which nobody says whether it recurs does so when it was used on so many days."""
OBSERVED_SURE_MAX = 99
"""Per cent, at most of what is only seen."""


def say(event: Event) -> list[Said]:
    """What the event says of needs and services; nothing where it names no category, service, words or need."""
    return said_by(event, TYPES)


def _stated(_: Event, properties: Mapping[str, Any]) -> list[Said]:
    said = short(properties.get("need"))
    key = fold(said, KEY_CHARS_MAX) if said is not None else ""
    if said is None or not key:
        return []
    ends, recurring = moment_us(properties.get("until")), flag(properties.get("recurring"))
    body: dict[str, Any] = {"said": word(said), **words(properties, "importance", "by_when")}
    body |= {} if ends is None else {"until_us": ends}
    return [(NEED, key, body if recurring is None else {**body, "recurring": recurring})]


def _product(way: str) -> Reader:
    """A product looked at or put into a basket, by its category."""

    def read(_: Event, properties: Mapping[str, Any]) -> list[Said]:
        return [(INTEREST, key, {"by": way}) for key in _keys([properties.get("category")])]

    return read


def _searched(_: Event, properties: Mapping[str, Any]) -> list[Said]:
    return [(INTEREST, key, {"by": SEARCHED}) for key in _keys([properties.get("query")])]


def _bought(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    """Each category of an order once; browser and server often send the same order."""
    lines = properties.get("products")
    listed = lines[:LINES_READ_MAX] if isinstance(lines, list) else []
    order = business_key(event, properties.get("order_id"))
    body = {"by": BOUGHT, **({} if order is None else {"of": order})}
    return [
        (INTEREST, key, body) for key in _keys(line.get("category") for line in listed if isinstance(line, Mapping))
    ]


def _keys(sent: Iterable[Any]) -> list[str]:
    """What is kept of categories and searches: folded, each once."""
    found = (text_of(one) for one in sent)
    return sorted({key for text in found if text is not None and (key := _key(text))})


def _key(text: str) -> str:
    """Empty where nothing of it is a word."""
    return _known_key(text) if len(text) <= KEY_CHARS_MAX else fold(short(text) or "", KEY_CHARS_MAX)


@lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def _known_key(text: str) -> str:
    return fold(short(text) or "", KEY_CHARS_MAX)


def _used(_: Event, properties: Mapping[str, Any]) -> list[Said]:
    named = name_of(properties.get("service_id")) or name_of(properties.get("name"))
    recurring = flag(properties.get("recurring"))
    body: dict[str, Any] = words(properties, "service_id", "name")
    return (
        [] if named is None else [(SERVICE, named, body if recurring is None else {**body, "recurring": recurring})]
    )


def needs(facts: Iterable[Fact], policy: Policy) -> list[dict[str, Any]]:
    """What is told of one customer, of the facts of all his records: all that an answer needs on any day.

    [{"need", "label", "recurring", "stated": …, "observed": …}], by code. A need that the taxonomy does not know
    stands under its own words. Of what was stated the latest counts; what is only seen must be in the taxonomy.
    """
    taxonomy, codes = policy.taxonomy, _Codes(policy.taxonomy)
    stated: dict[str, list[Fact]] = {}
    seen: dict[str, dict[Any, tuple[str, Fact]]] = {}
    for fact in in_order(f for f in facts if f.kind in KINDS):
        if fact.kind == NEED:
            for code in codes.stated(fact.key):
                stated.setdefault(code, []).append(fact)
        else:
            way, once = fact.body.get("by", USED), fact.body.get("of", fact.rank)
            for code in codes.observed(way, _text(fact)):
                seen.setdefault(code, {}).setdefault(once, (way, fact))
    found = [
        _told(code, stated.get(code, []), list(seen.get(code, {}).values()), taxonomy) for code in {*stated, *seen}
    ]
    newest = sorted(found, key=lambda n: (-_last_us(n), n["need"]))[:NEEDS_MAX]
    return sorted(newest, key=lambda n: str(n["need"]))


class _Codes:
    """The taxonomy's word on each text once: a customer looks at few categories, often."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._found: dict[tuple[str, str], list[str]] = {}

    def stated(self, folded: str) -> list[str]:
        if (STATED, folded) not in self._found:
            self._found[STATED, folded] = self._taxonomy.stated(folded) or [folded]
        return self._found[STATED, folded]

    def observed(self, way: str, folded: str) -> list[str]:
        if (way, folded) not in self._found:
            self._found[way, folded] = self._taxonomy.observed(way, folded)
        return self._found[way, folded]


def _text(fact: Fact) -> str:
    """What the taxonomy reads: of a service its id and name."""
    if fact.kind == INTEREST:
        return fact.key
    return fold(f"{fact.body.get('service_id', '')} {fact.body.get('name', '')}")


def _told(code: str, stated: list[Fact], seen: list[tuple[str, Fact]], taxonomy: Taxonomy) -> dict[str, Any]:
    need = taxonomy.needs.get(code)
    label = need.label if need is not None else stated[-1].body["said"]
    told: dict[str, Any] = {"need": code, "label": label, "recurring": False}
    if stated:
        latest = stated[-1]
        kept = {n: v for n, v in latest.body.items() if n != "said"}
        about = {"since_us": stated[0].time_us, "last_us": latest.time_us, "count": len(stated)}
        told["stated"] = {
            **kept,
            **about,
            "event_id": latest.event_id,
            "half_life_days": taxonomy.stated_half_life_days,
        }
    if seen:
        told["observed"] = _observed(seen, taxonomy)
    if need is not None:
        bought = {fact.time_us // DAY_US for way, fact in seen if way in (BOUGHT, USED)}
        from_days = need.recurring_from_days
        told["recurring"] = need.recurring if from_days is None else len(bought) >= from_days
    return told


def _observed(seen: list[tuple[str, Fact]], taxonomy: Taxonomy) -> dict[str, Any]:
    """Confidence on the day of the newest: points / (points + half_points), as whole per cent."""
    by = Counter(way for way, _ in seen)
    points = sum(taxonomy.points[way] * count for way, count in by.items())
    times = [fact.time_us for _, fact in seen]
    return {
        "since_us": min(times),
        "last_us": max(times),
        "by": dict(sorted(by.items())),
        "percent": min(round(Decimal(SURE * points) / (points + taxonomy.half_points)), OBSERVED_SURE_MAX),
        "half_life_days": taxonomy.observed_half_life_days,
    }


def _last_us(told: Mapping[str, Any]) -> int:
    return max(int(told[part]["last_us"]) for part in (STATED, OBSERVED) if part in told)


def services_used(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """[{"service_id", "name", "uses", "last_at", "recurring"}], the one used last first; no day changes it.

    Names are those said last. It recurs as was said last; if nobody said, when used on SERVICE_RECURRING_DAYS days.
    """
    uses: dict[str, list[Fact]] = {}
    for fact in in_order(f for f in facts if f.kind == SERVICE):
        uses.setdefault(fact.key, []).append(fact)
    newest = sorted(uses.values(), key=lambda those: those[-1].rank, reverse=True)[:SERVICES_MAX]
    return [_service(those) for those in newest]


def _service(in_time: list[Fact]) -> dict[str, Any]:
    said: dict[str, Any] = {name: value for fact in in_time for name, value in fact.body.items()}
    days = {fact.time_us // DAY_US for fact in in_time}
    return {
        "service_id": said.get("service_id"),
        "name": said.get("name"),
        "uses": len(in_time),
        "last_at": in_time[-1].at,
        "recurring": said.get("recurring", len(days) >= SERVICE_RECURRING_DAYS),
    }


TYPES: dict[str, Reader] = {
    "need.stated": _stated,
    "product.viewed": _product(VIEWED),
    "product.added": _product(ADDED),
    "search.performed": _searched,
    "order.completed": _bought,
    "service.used": _used,
}


def heard_max(by_type: Mapping[str, int]) -> int:
    """At most so many facts are there of a record with so many events of each type."""
    most = ((type_, LINES_READ_MAX if read is _bought else 1) for type_, read in TYPES.items())
    return sum(by_type.get(type_, 0) * facts for type_, facts in most)
