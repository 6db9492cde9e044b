"""Where things are: the folder C360_HOME and what is in it, and the checkout the Kafka jars are in.

Only names paths and makes folders; reads nothing else.
"""

import os
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
LOG_BYTES_MAX = 10_000_000
"""A log file larger than this is moved to `<name>.log.1`, replacing the one before."""


def home_from(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of this copy: C360_HOME, else `.local/home` in the checkout (else where we are)."""
    chosen = environ.get("C360_HOME")
    if chosen:
        return Path(chosen).expanduser().resolve()
    beside = CHECKOUT if (CHECKOUT / "pyproject.toml").is_file() else Path.cwd()
    return (beside / ".local" / "home").resolve()


def kafka_jars(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of Kafka's jars: C360_KAFKA_JARS, else where `make setup` puts them in the checkout."""
    chosen = environ.get("C360_KAFKA_JARS")
    return Path(chosen).expanduser().resolve() if chosen else CHECKOUT / ".local" / "kafka" / "libs"


def make_home(home: Path) -> None:
    """Makes the home folder, closed to other users: it holds passwords and personal data."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / "log").mkdir(exist_ok=True, mode=0o700)


def log_file(home: Path, name: str) -> Path:
    """Where the process called `name` writes what it prints."""
    return home / "log" / f"{name}.log"


def bound_log(path: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
    """Keeps a log within `bytes_max`: its text goes to `<name>.log.1` and the file is emptied in place.

    Writers append, so they go on at the start of the emptied file; a line written meanwhile may be lost.
    """
    if not path.is_file() or path.stat().st_size <= bytes_max:
        return
    older = path.with_name(path.name + ".1")
    with path.open("rb+") as now, older.open("wb") as before:
        now.seek(-bytes_max, os.SEEK_END)
        before.write(now.read())
        now.truncate(0)


def tail(path: Path, lines: int = 8, bytes_max: int = 8_192) -> str:
    """The last lines of a log, for an error message; empty where there is no log."""
    if not path.is_file():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - bytes_max))
        return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])
