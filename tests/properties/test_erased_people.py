"""The laws of erasing: who was erased is as if he had never been, in any order of events, batches and words."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from schemas.erasure import ERASED, erased
from schemas.events.retraction import RETRACTED
from schemas.identifiers import Identifier
from services.identity.domain.observing import observe
from tests.properties.money import Pair
from tests.properties.stories import EVERYTHING, PHASES, events_of, tables, word_on, worlds
from tests.properties.test_laws import SERVICES, _in_houses
from tests.properties.test_taking_back import tell_the_same
from tests.support.belonging import IDS
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House

CONTENT = (
    "history", "orders", "days", "mentions", "evidence", "links", "words", "traits", "features", "similar", "reach",
    "groups", "parts", "bindings", "customers",
)  # fmt: skip
GROUP = "group."


def record_of(pair: Pair) -> str:
    """The record of an identifier."""
    return word_on("any", pair).record_id


def named_by(event: Event) -> set[str]:
    """Of whom it speaks: whose it is; and where it is a group's, or an operator's, who is named in it."""
    found = {event.record_id} | {r for a, b, _ in observe(event, 0, IDS).assertions for r in (a, b)}
    if event.type.startswith(GROUP):
        found |= {IDS(Identifier(t, v)) for t, values in event.data["identifiers"].items() for v in values}
    return found


def words_on(people: Iterable[Pair], events: Iterable[Event]) -> list[Event]:
    """What intake writes into the log when these are erased: a word on each record, and one on what names them."""
    records = {record_of(one): one for one in people}
    found = [word_on("gone", one) for one in records.values()]
    naming: dict[str, list[str]] = {}
    for event in events:
        if event.record_id not in records and named_by(event) & records.keys():
            naming.setdefault(event.record_id, []).append(event.event_id)
    return found + [erased(record, "gone", "customer360", NOON, ids) for record, ids in naming.items()]


@settings(max_examples=drawn(4), phases=PHASES)
@given(data=st.data())
def test_who_was_erased_is_as_if_he_had_never_been(databases: Databases, data: st.DataObject) -> None:
    people = data.draw(st.lists(st.sampled_from(EVERYTHING), min_size=1, max_size=4, unique=True), label="erased")
    gone = {record_of(one) for one in people}
    # What he took back of others stays taken back, so that is left out of both; so are other erasures.
    said = [
        e
        for e in data.draw(worlds(10), label="said")
        if e.type != ERASED and not (e.type == RETRACTED and e.record_id in gone)
    ]
    mixed = data.draw(st.permutations([*said, *words_on(people, said)]), label="order")
    size = data.draw(st.sampled_from([1, 3, 1000]), label="batch")
    others = [e for e in said if not named_by(e) & gone]
    tell_the_same(databases, (others, 1000), (mixed, size), CONTENT)


def test_a_word_told_twice_and_what_comes_after_it_change_nothing(databases: Databases) -> None:
    pair: list[Pair] = [("user_id", "1"), ("email", "ann@x.com")]
    (seen,) = events_of("first", ("seen", pair, 1, {"firstName": "Ann"}, 1))
    (later,) = events_of("later", ("seen", pair, 9, {"firstName": "Ann"}, 1))
    words = [word_on("gone", one) for one in pair]

    async def act(house: House) -> None:
        for service in SERVICES:
            await house.hire(service)
        for events in ([seen], words, [later, seen], words):
            house.publish(*events)
            await house.settle()
        findings = await house.findings()
        assert findings.zero, findings
        left = await tables(house.database_url, *CONTENT)
        assert not any(left.values()), left

    _in_houses(databases, 1, act)
