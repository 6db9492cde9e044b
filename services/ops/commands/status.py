"""`c360 status`: where the copy is, how each lane stands, and whether profiles show all that was sent.

Owns asking every service once and telling it as a table or as JSON; changes nothing.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from services.ops.commands import halts
from services.ops.commands.failures import CommandError
from services.ops.commands.here import Here, ask, ask_json, here
from services.ops.commands.lanes import paused_lines
from services.ops.commands.layout import WORKERS
from services.ops.commands.output import AsJson, console, count, print_json, say, span
from services.ops.local import processes
from services.ops.local.layout import log_file
from services.ops.local.state import load

STATUS_TIMEOUT_S = 5.0
UNREACHABLE = "unreachable"
HALTED, SILENT, PAUSED = "halted", "silent", "paused"
ODD_OUTCOMES = {
    "conflict": "events came again with other content under an id already used; the first counts",
    "incomplete": "events lack what they need to count here (an order without id or currency); kept, without effect",
}
"""Outcomes of events that a person may want to look into."""
COLUMNS = (
    "service", "state", "workers", "behind", "late by", "a second", "untold", "parked", "disk", "build", "generation",
    "policy",
)  # fmt: skip


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
        for bad in (HALTED, SILENT, PAUSED):
            if bad in states:
                return bad
        return states[0] if states else "starting"

    @property
    def workers(self) -> list[dict[str, Any]]:
        """Its lanes' workers."""
        return list(self.told.get("workers", ()))

    @property
    def paused(self) -> list[dict[str, Any]]:
        """Pauses of its lanes that last."""
        return list(self.told.get("paused", ()))

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
    wanted = _wanted_workers(copy)
    return [without_retired(_standing(copy, service), wanted) for service in WORKERS]


def _wanted_workers(copy: Here) -> set[tuple[str, int]]:
    """(service, index) of the workers this home runs; empty where it runs none."""
    if not copy.home.is_dir():
        return set()
    specs = load(copy.home).services.values()
    return {(one.name.partition(".")[0], int(one.env.get("C360_WORKER_INDEX", "0"))) for one in specs}


def without_retired(one: Standing, wanted: set[tuple[str, int]]) -> Standing:
    """Without silent workers that nobody runs any more: `up --workers` was given a smaller number since."""
    if not wanted:
        return one
    kept = [w for w in one.workers if w["state"] != SILENT or (one.service, w["worker"]) in wanted]
    return Standing(one.service, {**one.told, "workers": kept} if one.told else {}, one.trouble)


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


def halt_lines(copy: Here, found: list[Standing]) -> list[str]:
    """Why processes halted, and lanes whose process does not tell it; one line each."""
    stopped = halts.halted(copy.home) if copy.home.is_dir() else {}
    services = {name.partition(".")[0] for name in stopped}
    return [*stopped.values(), *(line for one in found if one.service not in services for line in one.halts)]


def pause_lines(found: list[Standing]) -> list[str]:
    """Which lanes people have paused; one line each."""
    return [line for one in found for line in paused_lines(one.service, one.paused)]


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
                "halted": halt_lines(copy, found),
                "paused": [{"service": one.service, **pause} for one in found for pause in one.paused],
                "unreachable": {one.service: one.trouble for one in found if one.trouble},
                "parked": {one.service: one.told.get("parked", {}) for one in found if not one.trouble},
                "tally": {one.service: one.told.get("tally", {}) for one in found if not one.trouble},
                "services": {one.service: _about(one) for one in found if not one.trouble},
                "disk_free_mib": _free_mib(copy),
            }
        )
        return
    console().print(_table(found))
    for line in (*halt_lines(copy, found), *pause_lines(found)):
        say(line)
    for one in found:
        if one.trouble:
            say(f"{one.service}: {one.trouble}")
        for outcome, told in ODD_OUTCOMES.items():
            if number := one.told.get("tally", {}).get(outcome):
                say(f"{one.service}: {count(number)} {told}")
    _say_processes(copy)
    if (free := _free_mib(copy)) is not None:
        say(f"{count(free)} MiB of disk are free")
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
            count(told["per_s"]) if told else "-",
            _untold(told) if told else "-",
            count(sum(told.get("parked", {}).values())) if told else "-",
            f"{count(round(told['disk_mib']))} MiB" if told else "-",
            ", ".join(builds) or "-",
            str(told.get("generation") or "-"),
            ", ".join(str(number) for number in told.get("policies", {}).values()) or "-",
        )
    return table


def _untold(told: dict[str, Any]) -> str:
    """States that wait to be published, and since when the first of them."""
    return f"{count(told['markers'])}, {span(told['oldest_marker_s'] * 1000)}" if told["markers"] else "0"


def _about(one: Standing) -> dict[str, Any]:
    """What a service says of itself beside its positions."""
    named = ("generation", "epoch", "lag", "lag_ms", "per_s", "markers", "oldest_marker_s", "policies", "disk_mib")
    return {**{name: one.told[name] for name in named}, "workers": one.workers}


def _free_mib(copy: Here) -> int | None:
    """What is left of the disk the copy lies on; None where it is elsewhere."""
    return shutil.disk_usage(copy.home).free // 2**20 if copy.home.is_dir() else None


def _say_processes(copy: Here) -> None:
    """Processes that died and will be started again."""
    if copy.home.is_dir():
        for one in processes.alive(copy.home):
            if one.condition == "waiting":
                log = log_file(copy.home, one.name)
                say(f"process {one.name} ended with {one.exit_code} and starts again; see {log}")
