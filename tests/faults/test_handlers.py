"""Handlers that raise: on one record, which is set aside, and on every record, which halts the lane."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from schemas.envelope import Event
from tests.faults.sizes import GOES_ON_MAX_S, Size, sizes
from tests.support.load import Load, accepted, cloudevents, publish, read
from tests.support.rig import EX_HALTED, SERVICES, Rig
from tests.support.running import Running, until

BAD_MODULE = "tests.faults.bad_worker"
KINDS = ("1", "3", "ever")
HALT_TIMEOUT_S = 30.0
HALTED = ["lane_halted", "worker_halted", "We experienced a crash", r"Crashed reason=.*HandlerBroken"]
Place = tuple[str, int, int]


def seen(sent_id: str, customer: str, minute: int) -> Event:
    """A page view that tells nothing new of a customer seen before."""
    return accepted(
        {
            "specversion": "1.0",
            "id": sent_id,
            "source": "mix",
            "type": "page.viewed",
            "time": f"2024-02-01T10:{minute:02d}:00Z",
            "data": {"identifiers": {"user_id": [customer]}, "properties": {"url": "https://shop.example/"}},
        }
    )


@pytest.mark.parametrize(
    "batch_events_max",
    [pytest.param(1, id="record-by-record", marks=pytest.mark.faults), pytest.param(1000, id="whole-batches")],
)
@sizes("X8")
def test_X8_a_bad_deploy_halts_before_its_first_record_and_the_fix_applies_all(
    rig: Rig, size: Size, batch_events_max: int
) -> None:
    rig.hire(*SERVICES)
    seed = size.seed() + batch_events_max
    wanted = cloudevents(seed)
    publish(rig.kafka, rig.ledger, map(accepted, itertools.islice(wanted, size.count)))
    rig.caught_up()
    rig.end("interaction")
    before = rig.positions("interaction")
    publish(rig.kafka, rig.ledger, map(accepted, itertools.islice(wanted, size.count)))
    began = time.monotonic()
    _halts(rig, batch_events_max)
    size.tell(f"halted after {time.monotonic() - began:.1f} s")
    assert rig.positions("interaction") == before
    assert not _parked(rig)
    (lane,) = rig.rows("SELECT state, reason FROM interaction_g1.lane")
    assert (lane["state"], lane["reason"]) == ("halted", "handler_broken")
    rig.start("interaction")
    rig.zero()


def _halts(rig: Rig, batch_events_max: int) -> None:
    more: dict[str, Any] = {"BAD_SERVICE": "interaction", "BAD_ALL": 1, "batch_events_max": batch_events_max}
    bad: Running = rig.start("interaction", module=BAD_MODULE, ready=False, **more)
    rig.expected_complaints += HALTED
    assert bad.wait_ended(HALT_TIMEOUT_S) == EX_HALTED
    until(lambda: "handler_broken" in bad.log.read_text(), "the log names the reason", 1)


@sizes("D6")
def test_D6_a_record_the_handler_refuses_is_parked_and_the_lane_goes_on(rig: Rig, size: Size) -> None:
    rig.hire("identity", "value", "profile")
    rig.end("interaction")
    rig.start("interaction", module=BAD_MODULE, BAD_SERVICE="interaction")
    publish(rig.kafka, rig.ledger, [seen(f"first-{kind}", f"customer-{kind}", 0) for kind in KINDS])
    rig.caught_up()
    slowest_s = 0.0
    with Load(rig.kafka, rig.ledger, size.seed(), size.events_per_s) as load:
        for n, kind in itertools.product(range(size.count), KINDS):
            load.wait_more(0.2)
            publish(rig.kafka, rig.ledger, [seen(f"bad-{kind}-{n}", f"customer-{kind}", n + 1)])
            slowest_s = max(slowest_s, rig.reach("interaction", GOES_ON_MAX_S))
    rig.caught_up()
    places = _places_of_bad(rig)
    parked = _parked(rig)
    assert {place: "handler_raised" for name, place in places.items() if "ever" in name}.items() <= parked.items()
    assert not parked.keys() & {place for name, place in places.items() if name.startswith("bad-1-")}
    assert parked.keys() <= set(places.values())
    size.tell(f"{len(parked)} of {len(places)} parked, the lane went on within {slowest_s:.2f} s")
    for name, place in places.items():
        if place in parked:
            rig.ledger.acked.discard(("mix", name))
    rig.zero(without=parked)
    rig.proven = False  # the next test's oracle would not know what was parked here


def _places_of_bad(rig: Rig) -> dict[str, Place]:
    """Sent id → where it is in the log."""
    found = {}
    for record in read(rig.kafka, "channel.events"):
        sent_id = dict(record.headers)["ce_id"].decode()
        if sent_id.startswith("bad-"):
            found[sent_id] = (record.topic, record.partition, record.offset)
    return found


def _parked(rig: Rig) -> dict[Place, str]:
    rows = rig.rows("SELECT topic, partition, first_offset, reason FROM interaction_g1.parked")
    return {(r["topic"], r["partition"], r["first_offset"]): r["reason"] for r in rows}
