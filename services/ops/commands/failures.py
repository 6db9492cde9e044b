"""How a command ends when it cannot do what it was asked: one line and an exit code."""

from __future__ import annotations

EX_FAILED = 1
EX_USAGE = 2
EX_NOT_RUNNING = 69

NOTHING_RUNS = "nothing runs here; start it with `c360 up`"


class CommandError(Exception):
    """The command failed; the message is one line a person can act on."""

    exit_code = EX_FAILED


class UsageMistake(CommandError):
    """What was typed cannot be meant."""

    exit_code = EX_USAGE


class NotRunning(CommandError):
    """The copy this command would ask does not run."""

    exit_code = EX_NOT_RUNNING

    def __init__(self, message: str = NOTHING_RUNS) -> None:
        super().__init__(message)
