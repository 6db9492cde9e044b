"""Keys kept in C360_HOME, each in a file of its own that only its owner can read.

Owns making and reading the files; never prints a key.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from services.ops.commands.failures import CommandError
from services.ops.local.layout import make_home

DEPLOYMENT_KEY_BYTES = 32
DEPLOYMENT_KEY_SETTING = "C360_DEPLOYMENT_KEY"
DEPLOYMENT, OPERATOR, CLI = "deployment", "operator", "cli"
MODE = 0o600


def key_file(home: Path, name: str) -> Path:
    """Where the key called `name` is."""
    return home / f"{name}.key"


def read(home: Path, name: str) -> str | None:
    """The key, or None where there is none."""
    try:
        return key_file(home, name).read_text().strip() or None
    except FileNotFoundError:
        return None


def save(home: Path, name: str, key: str) -> Path:
    """Writes the key whole, replacing one that was there, closed to others. Returns its file."""
    make_home(home)
    path = key_file(home, name)
    fresh = _written(path, key)
    fresh.replace(path)
    return path


def deployment_key(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """C360_DEPLOYMENT_KEY, else the home's own, made once: hex of 32 random bytes.

    Two that make it at once get the same one. Raises CommandError if the file holds no key.
    """
    chosen = environ.get(DEPLOYMENT_KEY_SETTING)
    if chosen:
        return chosen
    make_home(home)
    path = key_file(home, DEPLOYMENT)
    if not path.exists():
        fresh = _written(path, secrets.token_hex(DEPLOYMENT_KEY_BYTES))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process made it meanwhile: its key is the one
        finally:
            fresh.unlink()
    key = read(home, DEPLOYMENT)
    if key is None:
        raise CommandError(f"{path} is empty; put the deployment's key back, record ids are made with it")
    return key


def _written(path: Path, key: str) -> Path:
    """A file beside `path`, on disk, with the key in it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w") as out:
        out.write(key + "\n")
        out.flush()
        os.fsync(out.fileno())
    return fresh
