"""What treatment does with a batch: already seen? → load → decide → save.

Owns the order of these steps; rules are in domain/, SQL in store.py. It decides nothing: decisions are made when an
app asks (api.py) and come back through the log, here, like everybody's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from schemas.codec import decode_event, header
from schemas.erasure import ERASED
from schemas.events.retraction import RETRACTED
from schemas.topics import CHANNEL_EVENTS
from schemas.treatments import SAID
from services.runtime import withdrawing
from services.runtime.batch import Batch, Incoming, LanePlan, Work
from services.runtime.documents import read_yaml
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings
from services.treatment import store
from services.treatment.domain.reading import read_policy
from services.treatment.domain.treated import Arm, Tally, Treatment, counted, fold
from services.treatment.domain.words import Incomplete, Word, word_of

POLICY = "treatment.policy"
HEARD = frozenset({*SAID, RETRACTED, ERASED})


class Treating:
    """The lane's handlers. `is_live`: what was answered is forgotten too; a rebuild has no right to."""

    def __init__(self, *, is_live: bool) -> None:
        self.is_live = is_live

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch of events."""
        connection = work.connection
        events = batch.of(CHANNEL_EVENTS.name)
        held = await withdrawing.hold(connection, [i.message for i in events])
        said = _words(held.left(events, work), work)
        new = await store.insert_words(connection, said, held.here)
        work.counts["applied"] += len(new)
        work.counts["duplicate"] += len(said) - len(new)
        touched = {word.treatment for word in said if (word.record_id, word.event_id) in new}
        touched |= await store.withdraw(connection, held.now) if held.now else set()
        if held.erased:
            touched |= await store.forget(connection, held.erased)
            if self.is_live:
                await store.forget_replies(connection, held.erased.touched)
        if touched:
            await _fold(connection, touched)


def _words(events: Sequence[Incoming], work: Work) -> list[Word]:
    """What the events say of treatments; what lacks too much to say it is counted."""
    found = []
    for incoming in events:
        word = word_of(incoming.message)
        if isinstance(word, Incomplete):
            work.counts["incomplete"] += 1
        elif word is not None:
            found.append(word)
    return found


async def _fold(connection: Connection, treatments: Iterable[str]) -> None:
    """Fold treatments of all their words, and count what that changes."""
    folded: dict[str, Treatment | None] = {}
    changes: dict[Arm, Tally] = {}
    for treatment, stored in (await store.hold_treatments(connection, treatments)).items():
        now = fold(stored.words)
        if now != stored.treatment:
            folded[treatment] = now
            _add(changes, counted(now), 1)
            _add(changes, counted(stored.treatment), -1)
    if folded:
        await store.save_treatments(connection, folded)
        await store.count(connection, changes)


def _add(changes: dict[Arm, Tally], more: Mapping[Arm, Tally], sign: int) -> None:
    for arm, tally in more.items():
        changes[arm] = changes.get(arm, Tally()).plus(tally, sign)


def decoded(record: Any) -> Any:
    """Only events that are heard are decoded; the others are passed by their header."""
    is_heard = header(record.headers, "ce_type") in HEARD
    return decode_event(record.key, record.value, record.headers) if is_heard else None


def shipped_document() -> dict[str, Any]:
    """The policy this build ships, as a document."""
    document: dict[str, Any] = read_yaml((files("services.treatment") / "policy.yaml").read_text())
    return document


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Treatment's lane."""
    policy = PolicyInForce(POLICY, read_policy)

    async def begin(connection: Connection) -> None:
        await policy.ready(connection, settings, "treatment", shipped_document())

    return LanePlan(
        service="treatment",
        lane="main",
        decode={CHANNEL_EVENTS.name: decoded},
        apply=Treating(is_live=not settings.silent).apply,
        # Of hardly any event there is anything to apply: what passes by makes few transactions.
        lingers=4,
        begin=begin,
    )
