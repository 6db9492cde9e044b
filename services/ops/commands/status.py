"""`c360 status`: where the copy is, how each lane stands, and whether profiles show all that was sent.

Owns asking every service once and telling it as a table or as JSON; changes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from services.ops.commands.failures import CommandError
from services.ops.commands.here import Here, ask, ask_json, here
from services.ops.commands.layout import WORKERS
from services.ops.commands.output import AsJson, console, count, print_json, say, span
from services.ops.local import processes

STATUS_TIMEOUT_S = 5.0
UNREACHABLE = "unreachable"
HALTED, SILENT = "halted", "silent"
COLUMNS = ("service", "state", "workers", "behind", "late by", "parked", "build", "generation")


@dataclass(frozen=True, slots=True)
class Standing:
    """One service's own words about itself; `trouble` in place of them where it did not answer."""

    service: str
    told: dict[str, Any]
    trouble: str = ""

    @property
    def state(self) -> str:
        """The worst state of its workers."""
        if self.trouble:
            return UNREACHABLE
        states = [str(worker["state"]) for worker in self.workers]
        for bad in (HALTED, SILENT):
            if bad in states:
                return bad
        return states[0] if states else "starting"

    @property
    def workers(self) -> list[dict[str, Any]]:
        """Its lanes' workers."""
        return list(self.told.get("workers", ()))

    @property
    def halts(self) -> list[str]:
        """Why lanes halted, one line each."""
        return [
            f"{self.service} worker {worker['worker']} halted: {worker.get('reason') or 'no reason told'}"
            for worker in self.workers
            if worker["state"] == HALTED
        ]


def standings(copy: Here) -> list[Standing]:
    """Every service, asked once."""
    return [_standing(copy, service) for service in WORKERS]


def _standing(copy: Here, service: str) -> Standing:
    try:
        told = ask_json("GET", f"{copy.internal[service]}/status", timeout_s=STATUS_TIMEOUT_S)
        if service == "intake":
            # Its own count is of the raw topic's lane; this one is of the HTTP door too.
            told["parked"] = parked_by_reason(copy)
    except CommandError as error:
        return Standing(service, {}, str(error))
    return Standing(service, told)


def parked_by_reason(copy: Here) -> dict[str, int]:
    """How many events intake has parked since the beginning, by reason."""
    body = ask_json("GET", f"{copy.internal['intake']}/parked", params={"limit": 1}, timeout_s=STATUS_TIMEOUT_S)
    return dict(body.get("by_reason", {}))


def caught_up(copy: Here) -> bool:
    """Whether all that was published until now is in the profiles."""
    try:
        response = ask(
            "GET", f"{copy.internal['profile']}/caught-up", params={"wait_ms": 0}, timeout_s=STATUS_TIMEOUT_S
        )
    except CommandError:
        return False
    return response.status_code == 200


def lanes(found: list[Standing]) -> list[dict[str, Any]]:
    """One row for each partition a service reads."""
    return [
        {
            "service": one.service,
            "topic": row["topic"],
            "partition": row["partition"],
            "position": row["position"],
            "end": row["end"],
            "lag": row["lag"],
            "state": one.state,
            "build": next((worker["build"] for worker in one.workers), None),
            "generation": one.told.get("generation"),
        }
        for one in found
        for row in one.told.get("positions", ())
    ]


def status(as_json: AsJson = False) -> None:
    """Tell how each service stands."""
    copy = here()
    found = standings(copy)
    done = caught_up(copy)
    if as_json:
        print_json(
            {
                "kafka": copy.kafka,
                "database": copy.database_url,
                "intake": copy.intake,
                "profile": copy.profile,
                "lanes": lanes(found),
                "caught_up": done,
                "halted": [line for one in found for line in one.halts],
                "unreachable": {one.service: one.trouble for one in found if one.trouble},
                "parked": {one.service: one.told.get("parked", {}) for one in found if not one.trouble},
            }
        )
        return
    console().print(_table(found))
    for one in found:
        for line in one.halts:
            say(line)
        if one.trouble:
            say(f"{one.service}: {one.trouble}")
    _say_processes(copy)
    say(f"collector {copy.intake}   profile API {copy.profile}   Kafka {copy.kafka}")
    say("profiles show everything sent" if done else "profiles do not show everything sent yet")


def _table(found: list[Standing]) -> Table:
    table = Table(*COLUMNS, box=None)
    for one in found:
        told = one.told
        builds = sorted({str(worker["build"]) for worker in one.workers})
        table.add_row(
            one.service,
            one.state,
            str(len(one.workers)) if told else "-",
            f"{count(told['lag'])} records" if told else "-",
            span(told.get("lag_ms")) if told else "-",
            count(sum(told.get("parked", {}).values())) if told else "-",
            ", ".join(builds) or "-",
            str(told.get("generation") or "-"),
        )
    return table


def _say_processes(copy: Here) -> None:
    """Processes that do not simply run."""
    if os.path.isdir(copy.home):
        for one in processes.alive(copy.home):
            if one.condition != "running":
                say(f"process {one.name} is {one.condition}; its last exit code was {one.exit_code}")
