"""The environments that other people's clients are installed into, each from this folder's own lists.

Owns making them once and finding them again. A list that changed makes another one.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOMS = HERE.parents[2] / ".local" / "clients"
INSTALL_TIMEOUT_S = 300
FIND_BROWSER = HERE.parents[2] / "deploy" / "setup" / "browser.sh"


class NotHere(Exception):
    """A program that this machine does not have and may not install; the message is one line."""


def python() -> list[str]:
    """How Python clients are run: the interpreter of their environment and the program."""
    room = ROOMS / f"python-{_digest('requirements.txt')}"
    if not (room / ".installed").exists():
        shutil.rmtree(room, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(room))
        pip = (str(room / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
        _run(*pip, "install", "--no-deps", "-r", str(HERE / "requirements.txt"))
        (room / ".installed").touch()
    return [str(room / "bin" / "python"), str(HERE / "tell.py")]


def node() -> list[str] | None:
    """How Node clients are run; None where there is no Node."""
    room = node_room()
    if room is None:
        return None
    # a program finds its packages beside itself
    shutil.copy(HERE / "tell.cjs", room)
    return ["node", str(room / "tell.cjs")]


def node_room() -> Path | None:
    """The folder with Node's packages; None where there is no Node."""
    if shutil.which("npm") is None:
        return None
    room = ROOMS / f"node-{_digest('package-lock.json')}"
    if not (room / ".installed").exists():
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, room)
        _run("npm", "ci", "--prefix", str(room), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        (room / ".installed").touch()
    return room


def chromium() -> str:
    """Where Chromium is, installed from Debian where it may be. Raises NotHere."""
    found = subprocess.run([str(FIND_BROWSER)], capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    if found.returncode != 0:
        raise NotHere((found.stderr.strip() or "setup: Chromium is missing").splitlines()[-1])
    return found.stdout.split()[-1]


def _digest(name: str) -> str:
    return hashlib.sha256((HERE / name).read_bytes()).hexdigest()[:12]


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} could not make an environment for clients: {done.stderr[-2_000:]}")
