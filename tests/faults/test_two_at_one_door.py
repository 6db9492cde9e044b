"""Two collectors and two profile APIs on one port each: one is killed, and whoever asks is answered."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.support import deployment
from tests.support.deployment import Deployment
from tests.support.running import until

pytestmark = pytest.mark.faults
EVENTS = 120
TIMEOUT_S = 30.0


def test_of_two_workers_at_one_door_either_may_die(tmp_path: Path) -> None:
    with deployment.running(tmp_path, "--workers", "intake=2", "--workers", "profile=2") as copy:
        key = copy.json("source", "create", "web")["write_key"]
        for number in range(EVENTS):
            if number == EVENTS // 3:
                os.kill(copy.pids()["intake.1"], signal.SIGKILL)
            if number == EVENTS // 2:
                os.kill(copy.pids()["profile"], signal.SIGKILL)
            _sent(copy, key, number)
        copy.command("wait", "--timeout", f"{TIMEOUT_S:.0f}")
        until(lambda: {"profile", "profile.1", "intake", "intake.1"} <= copy.pids().keys(), "all are back", TIMEOUT_S)
        assert _count(copy) == EVENTS


def _sent(copy: Deployment, key: str, number: int) -> None:
    """Sent as clients do: again until it is acknowledged, under the same id, over a connection of its own."""
    call = {"messageId": f"m{number}", "userId": "ann", "event": "Something", "properties": {"n": number}}

    def acknowledged() -> bool:
        try:
            return httpx.post(f"{copy.intake}/v1/track", json=call, auth=(key, "")).status_code == 200
        except httpx.TransportError:
            return False

    until(acknowledged, "it is acknowledged", TIMEOUT_S)


def _count(copy: Deployment) -> int:
    found: list[int] = []

    def answered() -> bool:
        headers = {"Authorization": f"Bearer {copy.operator_key}"}
        asked = {"identifiers": [{"type": "user_id", "value": "ann"}], "include": ["interaction"]}
        try:
            answer = httpx.post(f"{copy.profile}/v1/customers/lookup", json=asked, headers=headers)
        except httpx.TransportError:
            return False
        if answer.is_success:
            found.append(answer.json()["results"][0]["customer"]["interaction"]["count"])
        return answer.is_success

    until(answered, "it is answered", TIMEOUT_S)
    return found[-1]
