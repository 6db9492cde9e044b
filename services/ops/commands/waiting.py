"""`c360 wait`: until all that was published when it was asked is visible in the profiles.

Owns the polling, giving up early where waiting is in vain, as with a halted lane, and saying what is waited for where
that is a person, as with a paused one.
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from services.ops.commands.failures import CommandError
from services.ops.commands.here import Here, ask, ask_json, here, said
from services.ops.commands.output import AsJson, print_json, readable, say, tell
from services.ops.commands.status import halt_lines, pause_lines, standings
from services.runtime.waiting import WAIT_MS_MAX

TIMEOUT_S = 300
POLL_MS = 2_000
ASK_TIMEOUT_S = WAIT_MS_MAX / 1000 + 10
PAUSE_S = 0.1
REVIEWING = ("identity", "interaction", "value", "profile")
"""Services that look at everybody again after a change of their policy; profile's are the segments."""


def wait(
    timeout_s: Annotated[float, typer.Option("--timeout", metavar="S", min=0)] = TIMEOUT_S,
    as_json: AsJson = False,
) -> None:
    """Wait until profiles show everything published so far, and what a changed policy makes of it."""
    started = time.monotonic()
    token = until_visible(here(), timeout_s)
    if until_reviewed(here(), timeout_s):
        token = until_visible(here(), timeout_s)
    waited_ms = int((time.monotonic() - started) * 1000)
    if as_json:
        print_json({"caught_up": True, "position": token, "waited_ms": waited_ms})
    else:
        say("profiles show everything published")


def until_reviewed(copy: Here, timeout_s: float) -> bool:
    """Waits until everybody was looked at again after the last change of a policy; whether that took any time.

    Raises CommandError after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    waited = False
    for service in REVIEWING:
        while not ask_json("GET", f"{copy.internal[service]}/policy")["reviewed"]:
            if time.monotonic() >= deadline:
                why = f"{service} still looks at everybody again after {timeout_s:g} s"
                raise CommandError("; ".join([why, *pause_lines(standings(copy))]))
            waited = True
            time.sleep(PAUSE_S)
    return waited


def _say_once(paused: list[str], said_of: list[str]) -> None:
    """Tell, on stderr, of pauses as they are met: somebody may end them, so waiting is not in vain."""
    for one in paused:
        lane = one.partition("; it rests")[0]
        if lane not in said_of:
            said_of.append(lane)
            tell(readable(f"waits for a paused lane: {one}"))


def until_visible(copy: Here, timeout_s: float, at: str | None = None) -> str:
    """Waits until the position `at` (default: all published so far) is visible; returns the position.

    Raises CommandError after `timeout_s`, or at once if a lane has halted.
    """
    deadline = time.monotonic() + timeout_s
    url = f"{copy.internal['profile']}/caught-up"
    said_of: list[str] = []
    while True:
        left_ms = int((deadline - time.monotonic()) * 1000)
        query: dict[str, str | int] = {"wait_ms": max(0, min(POLL_MS, left_ms))}
        if at:
            query["at"] = at
        response = ask("GET", url, params=query, timeout_s=ASK_TIMEOUT_S)
        if response.status_code == 200:
            return str(response.json().get("token", ""))
        if response.status_code != 503:
            raise CommandError(said(response))
        found = standings(copy)
        stopped = halt_lines(copy, found)
        if stopped:
            raise CommandError(f"waiting is in vain: {stopped[0]}")
        paused = pause_lines(found)
        _say_once(paused, said_of)
        if time.monotonic() >= deadline:
            raise CommandError(f"not caught up after {timeout_s:g} s: {'; '.join(paused) or said(response)}")
        time.sleep(PAUSE_S)
