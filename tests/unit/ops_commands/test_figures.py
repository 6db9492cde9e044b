"""Percentiles, spans and states are what their names say."""

from typing import Any

import pytest

from services.ops.commands.asking import read_wanted
from services.ops.commands.failures import UsageMistake
from services.ops.commands.output import readable, span
from services.ops.commands.status import Standing, lanes, without_retired
from services.ops.demo.probe import Latencies, percentile
from services.ops.demo.run import best_known


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50.0, 95.0, 99.0, 100.0]
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) is None


def test_what_was_never_shown_counts_as_slowest() -> None:
    latencies = Latencies(tuple(float(n) for n in range(1, 95)), missing=6)
    assert latencies.percentile_ms(0.5) == 50.0
    assert latencies.percentile_ms(0.95) is None


@pytest.mark.parametrize(
    ("ms", "text"), [(None, "-"), (12.3, "12 ms"), (3_400, "3.4 s"), (300_000, "5 min"), (7_200_000, "2 h")]
)
def test_a_span_is_said_as_people_say_it(ms: float | None, text: str) -> None:
    assert span(ms) == text


def standing(*states: str) -> Standing:
    workers = [{"worker": i, "state": s, "reason": "x", "build": "b"} for i, s in enumerate(states)]
    row = {"topic": "channel.events", "partition": 3, "position": 4, "end": 6, "lag": 2, "lag_ms": 9}
    told: dict[str, Any] = {"workers": workers, "positions": [row], "generation": 1}
    return Standing("interaction", told)


def test_one_halted_worker_makes_the_service_halted_and_says_why() -> None:
    one = standing("fetching", "halted")
    assert one.state == "halted"
    assert one.halts == ["interaction worker 1 halted: x"]


def test_a_silent_worker_is_worse_than_a_working_one() -> None:
    assert standing("fetching", "silent").state == "silent"
    assert standing("fetching").state == "fetching"
    assert Standing("interaction", {}, "gone").state == "unreachable"


def test_a_silent_worker_that_nobody_runs_any_more_is_left_out() -> None:
    both = standing("fetching", "silent")
    assert without_retired(both, {("interaction", 0)}).state == "fetching"
    assert without_retired(both, {("interaction", 0), ("interaction", 1)}).state == "silent"
    assert without_retired(both, set()).state == "silent"


def test_a_lane_is_told_with_all_that_was_promised() -> None:
    [lane] = lanes([standing("fetching")])
    assert lane == {
        "service": "interaction", "topic": "channel.events", "partition": 3, "position": 4, "end": 6, "lag": 2,
        "state": "fetching", "build": "b", "generation": 1,
    }  # fmt: skip


def test_a_customer_is_named_by_id_by_identifier_or_by_address() -> None:
    some_id = "6f1d1f0a-3b57-5c1e-9d2e-5e60360c360c"
    assert read_wanted(some_id.upper()) == some_id
    assert read_wanted("crm_id.acme:7:8") == ("crm_id.acme", "7:8")
    assert read_wanted("ann@x.com") == ("email", "ann@x.com")
    with pytest.raises(UsageMistake):
        read_wanted("ann")


def test_the_customer_shown_is_one_person_and_has_most_records() -> None:
    persons = {("email", "a"): 1, ("phone", "1"): 1, ("email", "b"): 2, ("phone", "2"): 3, ("user_id", "c"): 2}
    owners: dict[tuple[str, str], str | None] = {
        ("email", "a"): "one",
        ("phone", "1"): "one",
        ("email", "b"): "two",
        ("phone", "2"): "two",
        ("user_id", "c"): "two",
    }
    assert best_known(owners, persons) == "one"
    assert best_known({("email", "a"): None}, persons) is None


def test_what_sources_send_does_not_steer_the_terminal() -> None:
    assert readable({"name": ["\x1b]0;x\x07Ann\x9b2J"]}) == {"name": ["\ufffd]0;x\ufffdAnn\ufffd2J"]}
    assert readable("Ännchen 😀 [bold]") == "Ännchen 😀 [bold]"
