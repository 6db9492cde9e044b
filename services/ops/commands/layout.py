"""Which processes a copy consists of, on which ports, and all that each is told by its environment.

Owns the table of processes; pure but for reading the build's name. Starting them is starting.py.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from services.ops.commands.failures import UsageMistake
from services.ops.local.layout import CHECKOUT
from services.ops.local.ports import HOST, OFFSETS
from services.ops.local.processes import ProcessSpec

WORKERS = ("intake", "identity", "interaction", "value", "profile", "treatment")
"""Services with a lane; intake's worker also serves the collector, profile's the public API."""
WITH_ADDRESS = ("intake", "profile")
INTERNAL = "internal"
DISTRIBUTION = "customer360"
INTERNAL_OFFSET = 90
HEALTH_OFFSET_FIRST = 100
WORKERS_MAX = 8
"""Of one service: as many as topics have partitions."""
BUILD_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Worker:
    """The `index`-th worker of a service."""

    service: str
    index: int

    @property
    def name(self) -> str:
        """`interaction`, `interaction.1`, ...: also the name of its log."""
        return self.service if self.index == 0 else f"{self.service}.{self.index}"

    @property
    def port_name(self) -> str:
        """What its health page's port is remembered as."""
        return f"{self.name}.health"


def read_counts(texts: list[str]) -> dict[str, int]:
    """`["interaction=2"]` as {"interaction": 2}. Raises UsageMistake."""
    counts: dict[str, int] = {}
    for text in texts:
        service, _, number = text.partition("=")
        if service not in WORKERS or not number.isdecimal() or not 1 <= int(number) <= WORKERS_MAX:
            known = ", ".join(WORKERS)
            raise UsageMistake(f"--workers {text}: say SERVICE=N, one of {known}, N from 1 to {WORKERS_MAX}")
        counts[service] = int(number)
    return counts


def workers(counts: Mapping[str, int]) -> list[Worker]:
    """All workers, one of each service unless `counts` says more."""
    return [Worker(service, index) for service in WORKERS for index in range(counts.get(service, 1))]


def port_names(chosen: list[Worker]) -> list[str]:
    """Names of the ports that our own processes listen on."""
    return ["intake", "profile", INTERNAL, *(worker.port_name for worker in chosen)]


def ports_by_base(port_base: int, chosen: list[Worker]) -> dict[str, int]:
    """Our ports from a base: intake +80, profile +84, internal pages +90, health pages from +100 on."""
    fixed = {"intake": OFFSETS["intake"], "profile": OFFSETS["profile"], INTERNAL: INTERNAL_OFFSET}
    health = {
        worker.port_name: HEALTH_OFFSET_FIRST + WORKERS.index(worker.service) * WORKERS_MAX + worker.index
        for worker in chosen
    }
    return {name: port_base + offset for name, offset in (fixed | health).items()}


def urls(ports: Mapping[str, int]) -> dict[str, str]:
    """Addresses by the names of their settings."""
    internal = f"http://{HOST}:{ports[INTERNAL]}"
    return {
        "C360_INTAKE_URL": f"http://{HOST}:{ports['intake']}",
        "C360_PROFILE_URL": f"http://{HOST}:{ports['profile']}",
        **{f"C360_{service.upper()}_INTERNAL_URL": f"{internal}/{service}" for service in WORKERS},
    }


def setting_names() -> Iterator[tuple[str, str]]:
    """(field, environment variable) of every setting of our processes."""
    # Here: whoever starts nothing need not wait a fifth of a second for what settings are made of.
    from pydantic import AliasChoices

    from services.runtime.settings import Settings

    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        named = str(alias.choices[0]) if isinstance(alias, AliasChoices) else ""
        yield field, named or f"C360_{field.upper()}"


def environment(
    environ: Mapping[str, str],
    ports: Mapping[str, int],
    *,
    kafka: str,
    database_url: str,
    key: str,
    build: str,
) -> dict[str, str]:
    """Every setting, from `environ` or its default, so that nothing depends on the supervisor's own."""
    from services.runtime.settings import Settings

    found: dict[str, str] = {}
    for field, name in setting_names():
        default = Settings.model_fields[field].default
        if name in environ:
            found[name] = environ[name]
        elif isinstance(default, str | int | float):
            found[name] = str(default).lower() if isinstance(default, bool) else str(default)
    return found | {
        "KAFKA_BOOTSTRAP": kafka,
        "DATABASE_URL": database_url,
        "C360_DEPLOYMENT_KEY": key,
        "C360_BUILD": build,
        "C360_INTAKE_PORT": str(ports["intake"]),
        "C360_PROFILE_PORT": str(ports["profile"]),
        "C360_INTERNAL_PORT": str(ports[INTERNAL]),
        **urls(ports),
    }


def specs(env: dict[str, str], ports: Mapping[str, int], chosen: list[Worker]) -> list[ProcessSpec]:
    """What to run, workers first."""
    python = sys.executable
    found = []
    for worker in chosen:
        port = ports[worker.port_name]
        own = {"C360_WORKER_INDEX": str(worker.index), "C360_WORKER_PORT": str(port)}
        if worker.service in WITH_ADDRESS and Worker(worker.service, 1) in chosen:
            own["C360_PORT_SHARED"] = "true"
        found.append(
            ProcessSpec(
                name=worker.name,
                argv=(python, "-m", f"services.{worker.service}", "worker"),
                env=env | own,
                ready_url=f"http://{HOST}:{port}/healthz",
            )
        )
    serve = (python, "-m", "services.runtime.command", "serve", *WORKERS)
    none = {"C360_WORKER_INDEX": "0", "C360_WORKER_PORT": "0"}
    ready = f"http://{HOST}:{ports[INTERNAL]}/metrics"
    return [*found, ProcessSpec(name=INTERNAL, argv=serve, env=env | none, ready_url=ready)]


def build_name(environ: Mapping[str, str]) -> str:
    """C360_BUILD, else the checkout's short commit, else the installed version, else `dev`."""
    if environ.get("C360_BUILD"):
        return environ["C360_BUILD"]
    if (CHECKOUT / ".git").exists():
        command = ("git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD")
        try:
            told = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S).stdout
        except (OSError, subprocess.TimeoutExpired):
            told = ""  # no git here: the version says enough
        if told.strip():
            return told.strip()
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "dev"
