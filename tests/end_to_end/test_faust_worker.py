"""A worker started the way Faust's users know joins the copy, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deployment import CHECKOUT
from tests.support.doors import Doors, Named, Source
from tests.support.running import until

START_S = 30.0
END_S = 15.0
FAUST = Path(sys.executable).with_name("faust")


def environment(doors: Doors) -> dict[str, str]:
    addresses = {"KAFKA_BOOTSTRAP": doors.copy.kafka, "DATABASE_URL": doors.copy.database}
    own = {"C360_WORKER_INDEX": "1", "C360_WORKER_PORT": "0", "PYTHONPATH": str(CHECKOUT)}
    return {**doors.copy.environment, **addresses, **own}


def test_faust_starts_a_worker_and_a_signal_ends_it(doors: Doors, web: Source, own: Named, tmp_path: Path) -> None:
    log, place = tmp_path / "worker.log", tmp_path / "place"
    place.mkdir()
    with log.open("wb") as out:
        command = (str(FAUST), "-A", "services.identity", "worker")
        worker = subprocess.Popen(command, env=environment(doors), cwd=place, stdout=out, stderr=out)
    try:
        until(lambda: b"lane_started" in log.read_bytes() or worker.poll() is not None, "it starts", START_S)
        assert worker.poll() is None, log.read_text()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(END_S) == 0, log.read_text()[-2_000:]
    finally:
        if worker.poll() is None:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait(END_S)
    assert "Traceback" not in log.read_text()
    event = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    position = doors.send(web, event)
    doors.copy.command("wait", "--timeout", f"{START_S:.0f}")
    assert doors.customer_of("user_id", own("u"), position), "the copy goes on"
    assert list(place.iterdir()) == [], "it leaves nothing where it was started"


@pytest.mark.parametrize("service", ["intake", "interaction", "profile"])
def test_every_service_is_an_application_faust_knows(doors: Doors, tmp_path: Path, service: str) -> None:
    done = subprocess.run(
        (str(FAUST), "-A", f"services.{service}", "worker", "--help"),
        env=environment(doors), cwd=tmp_path, capture_output=True, text=True, timeout=START_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "worker" in done.stdout
