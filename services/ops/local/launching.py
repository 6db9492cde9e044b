"""Starting one detached process: its own session, its log, and a mark in its environment to find it by.

The mark lets a process be found even when the state file was lost. Must be called under the state's lock.
"""

import os
from pathlib import Path

from services.ops.local import marks
from services.ops.local.errors import LocalPartError
from services.ops.local.layout import bound_log, log_file
from services.ops.local.marks import Mark
from services.ops.local.state import ProcessSpec

HOME_SETTING = "C360_LOCAL_HOME"
PROCESS_SETTING = "C360_LOCAL_PROCESS"


def home_setting(home: Path) -> str:
    """What marks all processes of this home, as `NAME=value`."""
    return f"{HOME_SETTING}={home}"


def setting_of(home: Path, name: str) -> str:
    """What marks the processes of this home and name, as `NAME=value`."""
    return f"{PROCESS_SETTING}={home}#{name}"


def stop_strays(home: Path, name: str, stop_signal: int, stop_timeout_s: float) -> None:
    """Ends processes of this home and name that the state does not know (it was lost, or never written)."""
    for stray in marks.with_setting(setting_of(home, name)):
        marks.stop(stray, stop_signal, stop_timeout_s)


def spawn(home: Path, spec: ProcessSpec) -> Mark:
    """Starts the process detached from this one, appending what it prints to its log.

    Raises LocalPartError if the program cannot be started. Does not wait for it to be ready.
    """
    stop_strays(home, spec.name, spec.stop_signal, spec.stop_timeout_s)
    log = Path(spec.log_file) if spec.log_file else log_file(home, spec.name)
    bound_log(log)
    found_by = {HOME_SETTING: str(home), PROCESS_SETTING: f"{home}#{spec.name}"}
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        pid = os.posix_spawn(
            spec.argv[0],
            spec.argv,
            {**os.environ, **spec.env, **found_by},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise LocalPartError(f"{spec.name} cannot be started: {spec.argv[0]}: {error.strerror}") from error
    mark = marks.mark_of(pid)
    if mark is None:
        raise LocalPartError(f"{spec.name} ended at once with {marks.reap(pid)}; see {log}")
    return mark
