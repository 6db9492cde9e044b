"""The `c360` command: which words it knows, and how it ends.

Owns the list of commands and turning every failure into one line and an exit code: 0 done, 1 failed, 2 not
understood, 69 nothing runs here. What the commands do is services/ops/commands/.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import typer
from typer.exceptions import Abort, TyperException

from services.ops.commands.failures import EX_FAILED, CommandError
from services.ops.local.errors import LocalPartError

EX_INTERRUPTED = 130
LINE_CHARS_MAX = 800

COMMANDS: dict[str, str] = {
    "up": "commands.starting:up",
    "down": "commands.starting:down",
    "status": "commands.status:status",
    "wait": "commands.waiting:wait",
    "publish": "commands.publishing:publish",
    "import": "commands.importing:import_file",
    "customer": "commands.looking:customer",
    "customers": "commands.finding:customers",
    "changes": "commands.finding:changes",
    "lookup": "commands.looking:lookup",
    "trace": "commands.looking:trace",
    "audit": "commands.audit:audit",
    "explain": "commands.identity:explain",
    "story": "commands.telling:story",
    "demo": "demo.run:demo",
    "identity": "commands.identity_history:identity",
    "restore": "commands.restoring:restore",
    "lane": "commands.lanes:lane",
    "replay": "commands.replay:replay",
    "verify": "commands.replay:verify",
    "repair": "commands.repairing:repair",
    "contact": "commands.contact:contact",
    "interaction": "commands.dialogue:interaction",
    "value": "commands.value:value",
    "segment": "commands.segments:segment",
    "treatment": "commands.treatment:treatment",
    "webhooks": "commands.webhooks:webhooks",
    "reads": "commands.reads:reads",
    "erase": "commands.privacy:erase",
    "export": "commands.privacy:export",
    "parked": "commands.parked:parked",
    "plan": "commands.plan:plan",
    "events": "commands.events:events",
    "mapping": "commands.mapping:mapping",
    "remap": "commands.remapping:remap",
    "bench": "commands.benching:bench",
    "source": "commands.keys:sources",
    "key": "commands.keys:keys",
}
"""Word → module below services.ops, and the function or group of commands in it; in the order of the help."""


def application(words: Sequence[str] = ()) -> typer.Typer:
    """The commands; of a word that is one of them only its own, since to import all takes longer than most take."""
    app = typer.Typer(
        name="c360",
        help="Run a customer-360 backend on this machine, send it events and look at its customers.",
        add_completion=False,
        rich_markup_mode=None,
    )
    app.callback()(_nothing)
    wanted = words[:1] if words and words[0] in COMMANDS else COMMANDS
    for word in wanted:
        module, _, name = COMMANDS[word].partition(":")
        found = getattr(import_module(f"services.ops.{module}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=word)
        else:
            app.command(word)(found)
    return app


def _nothing() -> None:
    """Said before every command: nothing. With it a single command keeps its word."""


def run(words: Sequence[str]) -> int:
    """Runs one command and returns its exit code; never raises for what a person can act on."""
    try:
        command = typer.main.get_command(application(words))
        ended = command.main(list(words) or ["--help"], prog_name="c360", standalone_mode=False)
    except (CommandError, LocalPartError) as error:
        return _failed(str(error), error.exit_code if isinstance(error, CommandError) else EX_FAILED)
    except TyperException as error:
        return _failed(f"{error.format_message().rstrip('.')}; see `c360 --help`", error.exit_code)
    except (Abort, KeyboardInterrupt):
        return _failed("interrupted", EX_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter must not complain while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EX_FAILED
    return ended if isinstance(ended, int) else 0


def _failed(message: str, exit_code: int) -> int:
    line = " ".join(message.split())[:LINE_CHARS_MAX]
    sys.stderr.write(f"c360: {line}\n")
    return exit_code


def main() -> None:
    """The console command."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
