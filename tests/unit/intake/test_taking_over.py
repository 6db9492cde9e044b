"""A remap that dies anywhere and is run again leaves one living event for each that was sent, then no work."""

from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event, event_id, rfc3339
from schemas.events.retraction import RETRACTED, named_by
from services.intake.domain.model import Received
from services.intake.domain.remapping import Left, Why, root_of
from services.intake.domain.segment import read_calls
from services.intake.domain.taking_over import Change, Foreign, Gone, Words, decided, in_order
from tests.unit.intake.arriving import ARRIVAL, KEY, SHOP, accepted, raw
from tests.unit.intake.test_remapping import RIGHT, SENT, WRONG, Document, as_logged, own, tables, tracked

DOCUMENTS: list[Document] = [RIGHT, WRONG, {}, {"events": {"Other": {"type": "page.viewed"}}}]
BATCH = 2


class Died(Exception):
    """The process ended before this was in the log."""


class Log:
    """The log of one source, with runs of a remap over it."""

    def __init__(self, *sent: Event) -> None:
        self.events = [as_logged(event) for event in sent]
        self.set: list[Document] = []

    def run(self, appended_max: int | None = None) -> int:
        """Map everything anew, and die before one more is appended than `appended_max`; how many were appended."""
        words = Words(SHOP.name)
        for event in self.events:
            words.hear(event)
        received = Received(ARRIVAL + timedelta(days=len(self.set)), SHOP)
        before, now = list(self.events), tables(*self.set)
        became = [decided(e, words, now, received, KEY) for e in before if e.type != RETRACTED]
        changes = [one for one in became if isinstance(one, Change)]
        added = 0
        for start in range(0, len(changes), BATCH):
            for published in in_order(changes[start : start + BATCH]):
                for made in published:
                    if added == appended_max:
                        raise Died
                    self.events.append(as_logged(made.event))
                    added += 1
        return added

    def dies(self, appended_max: int) -> None:
        """A run that ends so early, or is done before."""
        try:
            self.run(appended_max)
        except Died:
            return

    def living(self) -> list[Event]:
        """What counts: the first copy of each that was not taken back."""
        back = {named_by(e.data)[0] for e in self.events if e.type == RETRACTED}
        first = {e.event_id: e for e in reversed(self.events) if e.type != RETRACTED and e.event_id not in back}
        return list(first.values())


def sent(*ids: str) -> list[Event]:
    return [tracked("Checkout Done", {**SENT, "no": id_}, messageId=id_) for id_ in ids]


@given(st.lists(st.tuples(st.sampled_from(DOCUMENTS), st.integers(0, 7)), max_size=5), st.sampled_from(DOCUMENTS))
def test_one_event_lives_for_each_that_was_sent_wherever_runs_died(
    history: list[tuple[Document, int]], last: Document
) -> None:
    log = Log(*sent("a", "b", "c"))
    for document, appended_max in history:
        log.set.append(document)
        log.dies(appended_max)
        assert {root_of(e) for e in log.living()} == {"a", "b", "c"}, "at no moment is one without an event"
    log.set.append(last)
    log.run()
    lives = log.living()
    want = [
        tracked("Checkout Done", {**SENT, "no": i}, own(last, len(log.set)), messageId=i) for i in ("a", "b", "c")
    ]
    assert sorted(root_of(e) for e in lives) == ["a", "b", "c"]
    assert sorted(content(e) for e in lives) == sorted(content(e) for e in want)
    assert log.run() == 0, "a run over what is right adds nothing"


def content(event: Event) -> str:
    """Type and data; the number of the table is not compared, since a row that stayed the same is not mapped anew."""
    return json.dumps([event.type, rfc3339(event.time), event.record_id, event.data], sort_keys=True, default=str)


def test_the_replacement_is_published_before_what_takes_the_old_one_back() -> None:
    log = Log(*sent("a"))
    log.set.append(RIGHT)
    log.dies(1)
    old, new = log.events
    assert (old.type, new.type) == ("Checkout Done", "order.completed")
    assert log.run() == 1, "only the word that was missing"
    assert named_by(log.events[2].data) == (event_id("shop", "a"), event_id("shop", new.id))
    assert log.events[2].record_id == old.record_id


def test_what_was_taken_back_by_hand_stays_so_whether_the_word_came_before_or_after() -> None:
    (old,) = sent("a")
    word = {"identifiers": {"user_id": "1"}, "properties": {"source": "shop", "id": "a"}}
    back = accepted(raw(word, id="back", type=RETRACTED)).event
    for events in ((old, back), (back, old)):
        log = Log(*events)
        log.set.append(RIGHT)
        assert log.run() == 0
        assert log.living() == []


def test_what_came_in_our_own_words_is_left_alone_and_a_groups_event_too() -> None:
    received = Received(ARRIVAL, SHOP)
    plain = accepted(raw(type="Checkout Done")).event
    assert decided(plain, Words("shop"), tables(RIGHT), received, KEY) == Foreign()
    (group,) = read_calls({"type": "group", "messageId": "g", "groupId": "acme", "traits": {"name": "Acme"}})
    event = as_logged(accepted(group).event)
    now = tables({"calls": {"group": {"type": "group.left"}}})
    assert decided(event, Words("shop"), now, received, KEY) == Left(Why.LED_BY_A_GROUP)


def test_copies_under_two_records_are_replaced_under_both() -> None:
    one, other = (tracked("Checkout Done", SENT, userId=user) for user in ("1", "2"))
    log = Log(one, other)
    log.set.append(RIGHT)
    log.run()
    made = [e for e in log.events if e.type == "order.completed"]
    assert len({e.id for e in made}) == 1
    assert {e.record_id for e in made} == {one.record_id, other.record_id}


def test_a_run_notices_what_is_gone() -> None:
    (old,) = sent("a")
    words = Words("shop", taken_back={old.event_id})
    assert decided(old, words, tables(RIGHT), Received(ARRIVAL, SHOP), KEY) == Gone()
