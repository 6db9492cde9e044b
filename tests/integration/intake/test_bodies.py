"""Bodies that cannot be read are refused with a code and a message, cost little memory, and reach no topic."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source
from tests.support.load import ends

MEMORY_GROWTH_MIB_MAX = 32
MIB = 1024 * 1024
BOMB_BYTES = 200 * MIB
DEPTH = 10_000
TOPICS = ("channel.events", "channel.raw")
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}

BODIES: dict[str, tuple[bytes, dict[str, str], tuple[int, ...]]] = {
    "empty": (b"", {}, (400,)),
    "blank": (b" \r\n\t", {}, (400,)),
    "no JSON": (b"event=Order+Completed", {}, (400,)),
    "cut off": (b'{"userId": "u", "event": "A', {}, (400,)),
    "a number": (b"7", {}, (400,)),
    "null": (b"null", {}, (400,)),
    "a text": (b'"track"', {}, (400,)),
    "NaN": (b'{"userId": "u", "event": "A", "properties": {"total": NaN}}', {}, (400,)),
    "infinity": (b'{"userId": "u", "event": "A", "properties": {"total": -Infinity}}', {}, (400,)),
    "a key twice": (b'{"userId": "u", "event": "A", "userId": "v"}', {}, (400,)),
    "a key twice deep down": (b'{"userId": "u", "event": "A", "properties": {"a": 1, "a": 2}}', {}, (400,)),
    "a key twice by escapes": (b'{"userId": "u", "event": "A", "user\\u0049d": "v"}', {}, (400,)),
    "deep lists": (b"[" * DEPTH + b"]" * DEPTH, {}, (400,)),
    "deep objects": (b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, {}, (400,)),
    "deep with an escape": (b'{"\\u0061":' * DEPTH + b"1" + b"}" * DEPTH, {}, (400,)),
    "deep and never closed": (b'{"a":[' * DEPTH, {}, (400,)),
    "1 MiB + 1": (b'{"userId": "u", "event": "' + b"a" * MIB + b'"}', {}, (413,)),
    "a gzip bomb": (gzip.compress(b" " * BOMB_BYTES), GZIP, (413,)),
    "a gzip bomb of gzips": (gzip.compress(gzip.compress(b" " * BOMB_BYTES)), GZIP, (400, 413)),
    "a deflate bomb": (zlib.compress(b"[" * BOMB_BYTES), {"Content-Encoding": "deflate"}, (413,)),
    "gzip that is none": (b'{"userId": "u"}', GZIP, (400,)),
    "gzip cut off": (gzip.compress(b'{"userId": "u", "event": "A"}')[:-9], GZIP, (400,)),
    "gzip not said": (gzip.compress(b'{"userId": "u", "event": "A"}'), {}, (400,)),
    "an unknown encoding": (b"{}", {"Content-Encoding": "br"}, (415,)),
    "UTF-16": ('{"userId": "u", "event": "A"}'.encode("utf-16"), {}, (400,)),
    "Latin-1": ('{"userId": "é", "event": "A"}'.encode("latin-1"), {}, (400,)),
    "half a code point": (b'{"userId": "\xf0\x9f\x92", "event": "A"}', {}, (400,)),
    "an endless number": (b'{"userId": "u", "event": "A", "properties": {"n": 1e999999999}}', {}, (200, 400)),
    "a number of 400,000 digits": (b'{"userId": "u", "event": "A", "properties": {"n": ' + b"9" * 400_000 + b"}}",
                                   {}, (200, 400)),
}  # fmt: skip
"""Name → body, headers, the statuses that are right. 200 is: one event, and it is parked."""


@pytest.fixture(scope="module")
def bad(doors: Doors) -> Source:
    """A source that sends rubbish."""
    return doors.source("rubbish")


@pytest.fixture(scope="module")
def intake(doors: Doors, bad: Source, web: Source) -> Iterator[Path]:
    """/proc of the intake process, warmed up; it may grow by so much over the whole module and at its peak."""
    for number in range(20):
        call = {"userId": "warm", "event": "Warmed", "messageId": f"w{number}", "properties": {"p": "x" * 10_000}}
        assert doors.post("/v1/track", web, json=call).status_code == 200
    pid = doors.copy.pids()["intake"]
    process = Path(f"/proc/{pid}")
    (process / "clear_refs").write_text("5")
    before = memory(process)["VmRSS"]
    yield process
    assert doors.copy.pids()["intake"] == pid, "it was not started again"
    assert memory(process)["VmHWM"] - before <= MEMORY_GROWTH_MIB_MAX


def memory(process: Path) -> dict[str, float]:
    """MiB by the kernel's names: VmRSS now, VmHWM at most."""
    lines = (process / "status").read_text().splitlines()
    return {n: int(v.split()[0]) / 1024 for n, _, v in (line.partition(":") for line in lines) if n.startswith("Vm")}


def is_good(doors: Doors, web: Source, own: Named) -> bool:
    """Whether the next good request is taken and visible."""
    call = {"userId": own("good"), "event": "Product Viewed", "messageId": own("m")}
    response = doors.post("/v1/track", web, json=call)
    return response.status_code == 200 and bool(
        doors.customer_of("user_id", own("good"), response.headers["C360-Position"])
    )


@pytest.mark.parametrize("path", ["/v1/track", "/events"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_read_is_refused_and_reaches_no_topic(
    doors: Doors, web: Source, bad: Source, own: Named, intake: Path, name: str, path: str
) -> None:
    body, headers, statuses = BODIES[name]
    before = ends(doors.copy.kafka, TOPICS)
    response = doors.post(path, bad, content=body, headers={**JSON, **headers})
    assert response.status_code in statuses, response.text
    if response.status_code != 200:
        assert 400 <= response.status_code < 500
        answer: dict[str, Any] = response.json()
        assert set(answer) == {"code", "message"}
        assert answer["code"]
        assert answer["message"]
        assert len(response.content) < 1_000, "it does not send the body back"
    assert ends(doors.copy.kafka, TOPICS) == before
    assert is_good(doors, web, own)


def test_an_import_parks_its_bad_lines_and_takes_the_good(doors: Doors, bad: Source, own: Named) -> None:
    good = {"type": "track", "userId": own("u"), "event": "Product Viewed", "messageId": own("m")}
    lines = [b"{", b"NaN", json.dumps(good).encode(), b"\xff\xfe", b'{"a": 1, "a": 2}']
    response = doors.post("/v1/import", bad, content=b"\n".join(lines))
    assert response.status_code == 200
    assert len(doors.timeline(doors.customer_of("user_id", own("u"), response.headers["C360-Position"]))) == 1


@pytest.mark.parametrize(("events", "status"), [(2_500, 200), (2_501, 413)])
def test_a_request_holds_so_many_events_and_no_more(
    doors: Doors, bad: Source, own: Named, events: int, status: int
) -> None:
    before = sum(ends(doors.copy.kafka, TOPICS).values())
    batch = [{"type": "track", "userId": own("u"), "event": "A", "messageId": own(str(n))} for n in range(events)]
    response = doors.post("/v1/batch", bad, json={"batch": batch})
    assert response.status_code == status, response.text
    grown = sum(ends(doors.copy.kafka, TOPICS).values()) - before
    assert grown == (events if status == 200 else 0)


def test_an_empty_batch_is_taken_and_gives_no_position(doors: Doors, bad: Source) -> None:
    response = doors.post("/v1/batch", bad, json={"batch": []})
    assert (response.status_code, response.json()) == (200, {"success": True})
