"""The standard mix: the same for a seed, in the shares of mix.yaml, with copies and merges that are real."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from schemas.envelope import parse_rfc3339
from schemas.events import EVENT_TYPES, incomplete_fields
from services.ops.demo.accuracy import RecordKey, identifiers_of, transitive_closure
from services.ops.generate import MIX_PATH, START, Mix, encoded, events, labelled

COUNT = 40_000
TOLERANCE = 0.01


@pytest.fixture(scope="module")
def mix() -> Mix:
    return Mix.load()


@pytest.fixture(scope="module")
def sent(mix: Mix) -> list[tuple[int, dict[str, Any]]]:
    return list(labelled(mix, 11, COUNT))


def test_one_seed_gives_the_same_bytes_and_another_seed_others(mix: Mix) -> None:
    first = b"".join(encoded(mix, 3, 3000, 250))
    assert first == b"".join(encoded(mix, 3, 3000, 250))
    assert first != b"".join(encoded(mix, 4, 3000, 250))


def test_bodies_hold_the_same_events_in_batches(mix: Mix) -> None:
    bodies = [orjson.loads(body) for body in encoded(mix, 5, 1050, 100)]
    assert [len(body) for body in bodies] == [100] * 10 + [50]
    assert list(itertools.chain(*bodies)) == list(events(mix, 5, 1050))


def test_two_seeds_share_no_event_id_but_their_people(mix: Mix) -> None:
    one, other = list(labelled(mix, 1, 5000)), list(labelled(mix, 2, 5000))
    assert not {event["id"] for _, event in one} & {event["id"] for _, event in other}
    owner: dict[RecordKey, int] = {}
    for n, event in one + other:
        for key in identifiers_of(event):
            assert owner.setdefault(key, n) == n


def test_shares_of_kinds_and_types_are_those_of_the_mix(
    mix: Mix, sent: list[tuple[int, dict[str, Any]]]
) -> None:
    types = Counter(event["type"] for _, event in sent)
    for name, kind in mix.kinds.items():
        share = sum(types[type_] for type_ in kind.types) / COUNT
        assert share == pytest.approx(kind.share, abs=TOLERANCE), name
    assert types.keys() == {type_ for kind in mix.kinds.values() for type_ in kind.types}


def test_copies_repeat_id_source_and_body_and_half_carry_another_sentat(
    mix: Mix, sent: list[tuple[int, dict[str, Any]]]
) -> None:
    first: dict[str, tuple[int, dict[str, Any]]] = {}
    distances, resent = [], 0
    for i, (_, event) in enumerate(sent):
        if event["id"] not in first:
            assert "sentat" not in event
            first[event["id"]] = i, event
            continue
        at, original = first[event["id"]]
        distances.append(i - at)
        resent += "sentat" in event
        assert {name: value for name, value in event.items() if name != "sentat"} == original
    assert len(distances) / COUNT == pytest.approx(mix.duplicates_share, abs=0.003)
    assert resent / len(distances) == pytest.approx(mix.duplicates_resent_share, abs=0.08)
    right_after = sum(distance <= 3 for distance in distances) / len(distances)
    assert right_after == pytest.approx(1 - mix.duplicates_delayed_share, abs=0.08)
    assert max(distances) > COUNT / 4


def test_times_rise_but_for_the_late_ones_within_their_days(
    mix: Mix, sent: list[tuple[int, dict[str, Any]]]
) -> None:
    latest, late = START, 0
    ids: set[str] = set()
    for _, event in sent:
        if event["id"] in ids:
            continue
        ids.add(event["id"])
        time = parse_rfc3339(event["time"])
        assert time >= latest - timedelta(days=mix.late_days_max)
        late += time < latest
        latest = max(latest, time)
    assert late / len(ids) == pytest.approx(mix.late_share, abs=0.005)
    assert (latest - START).total_seconds() == pytest.approx(COUNT * mix.gap_ms / 1000, rel=0.05)


def test_every_event_has_what_its_type_requires(sent: list[tuple[int, dict[str, Any]]]) -> None:
    for _, event in sent:
        assert event["type"] in EVENT_TYPES
        assert incomplete_fields(event["type"], event["data"]) == [], event


def test_the_start_is_the_callers(mix: Mix) -> None:
    start = datetime(2020, 2, 29, 12, tzinfo=UTC)
    later = dataclasses.replace(mix, late_share=0.0)
    assert start < parse_rfc3339(next(events(later, 1, 1, start))["time"]) < start + timedelta(minutes=1)


def test_merges_join_records_seen_apart_in_their_share(
    mix: Mix, sent: list[tuple[int, dict[str, Any]]]
) -> None:
    group: dict[RecordKey, int] = {}
    members: dict[int, list[RecordKey]] = defaultdict(list)
    merges = 0
    for i, (_, event) in enumerate(sent):
        keys = identifiers_of(event)
        met = {group[key] for key in keys if key in group}
        merges += len(met) > 1
        joined = [key for number in met for key in members.pop(number)]
        members[i] = list(dict.fromkeys([*joined, *keys]))
        group.update(dict.fromkeys(members[i], i))
    assert merges / COUNT == pytest.approx(mix.merges_share, abs=0.002)


def test_no_value_and_no_chain_of_values_joins_two_customers(
    sent: list[tuple[int, dict[str, Any]]],
) -> None:
    groups = transitive_closure(event for _, event in sent)
    customers: dict[int, set[int]] = defaultdict(set)
    for n, event in sent:
        customers[groups[identifiers_of(event)[0]]].add(n)
    assert {len(found) for found in customers.values()} == {1}


def test_two_customers_use_one_phone_only_when_the_mix_asks_for_it(mix: Mix) -> None:
    shared = dataclasses.replace(mix, shared_phone_share=1.0, customers=200)
    users: dict[str, set[int]] = defaultdict(set)
    for n, event in labelled(shared, 1, 5000):
        if "phone" in event["data"]["identifiers"]:
            users[event["data"]["identifiers"]["phone"]].add(n)
    assert max(len(found) for found in users.values()) == 2


def test_traffic_is_zipf_distributed(mix: Mix) -> None:
    traffic = dataclasses.replace(mix, customers=1000)
    seen = Counter(n for n, event in labelled(traffic, 1, 30_000) if event["type"] == "page.viewed")
    assert seen[0] / seen[9] == pytest.approx(10, rel=0.4)


def test_order_amounts_agree_to_the_cent(mix: Mix, sent: list[tuple[int, dict[str, Any]]]) -> None:
    orders = [event["data"]["properties"] for _, event in sent if event["type"] == "order.completed"]
    sizes = set()
    for order in orders:
        sizes.add(len(order["products"]))
        lines = sum(round(line["price"] * 100) * line["quantity"] for line in order["products"])
        cents = {name: round(order[name] * 100) for name in ("discount", "subtotal", "shipping", "total")}
        assert lines - cents["discount"] == cents["subtotal"]
        assert cents["subtotal"] + cents["shipping"] == cents["total"]
    assert sizes == set(range(1, mix.order_lines_max + 1))


def test_follow_ups_name_what_was_sent_or_ordered_before(sent: list[tuple[int, dict[str, Any]]]) -> None:
    owner: dict[str, int] = {}
    for n, event in sent:
        properties = event["data"]["properties"]
        if event["type"] in ("message.sent", "order.completed", "ticket.opened"):
            key = properties.get("message_id") or properties.get("order_id") or properties["ticket_id"]
            owner[key] = n
        elif event["type"].startswith("message."):
            assert owner[properties["message_id"]] == n
        elif event["type"] == "order.refunded":
            assert owner[properties["order_id"]] == n
        elif event["type"] == "ticket.closed":
            assert owner[properties["ticket_id"]] == n


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"late_share": 1.5}, "late_share"),
        ({"merges_share": 0.2}, "merges_share"),
        ({"customers": 0}, "customers"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"kinds": {"contact": {"share": 0.5, "types": {"contact.identified": 1}}}}, "add up"),
    ],
)
def test_a_mix_out_of_bounds_is_refused_by_name(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    raw = yaml.safe_load(MIX_PATH.read_text(encoding="utf-8")) | change
    changed = tmp_path / "mix.yaml"
    changed.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        Mix.load(changed)


def test_a_type_without_a_form_is_refused(mix: Mix) -> None:
    kinds = {**mix.kinds, "rest": dataclasses.replace(mix.kinds["rest"], types={"moon.landed": 1})}
    with pytest.raises(ValueError, match=r"moon\.landed"):
        next(events(dataclasses.replace(mix, kinds=kinds), 1, 1))
