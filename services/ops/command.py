"""The `c360` command: which words it knows, and how it ends.

Owns the list of commands and turning every failure into one line and an exit code: 0 done, 1 failed, 2 not
understood, 69 nothing runs here. What the commands do is services/ops/commands/.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import Abort, TyperException

from services.ops.commands import (
    audit,
    contact,
    dialogue,
    events,
    finding,
    identity,
    identity_history,
    importing,
    keys,
    lanes,
    looking,
    mapping,
    parked,
    plan,
    privacy,
    publishing,
    reads,
    remapping,
    repairing,
    replay,
    restoring,
    segments,
    starting,
    status,
    telling,
    value,
    waiting,
    webhooks,
)
from services.ops.commands.failures import EX_FAILED, CommandError
from services.ops.demo import run as demonstration
from services.ops.local.errors import LocalPartError

EX_INTERRUPTED = 130
LINE_CHARS_MAX = 800

app = typer.Typer(
    name="c360",
    help="Run a customer-360 backend on this machine, send it events and look at its customers.",
    add_completion=False,
    rich_markup_mode=None,
)
app.command("up")(starting.up)
app.command("down")(starting.down)
app.command("status")(status.status)
app.command("wait")(waiting.wait)
app.command("publish")(publishing.publish)
app.command("import")(importing.import_file)
app.command("customer")(looking.customer)
app.command("customers")(finding.customers)
app.command("changes")(finding.changes)
app.command("lookup")(looking.lookup)
app.command("trace")(looking.trace)
app.command("audit")(audit.audit)
app.command("explain")(identity.explain)
app.command("story")(telling.story)
app.command("demo")(demonstration.demo)
identity.identity.command("how")(identity_history.how)
identity.identity.command("history")(identity_history.history)
app.add_typer(identity.identity, name="identity")
app.command("restore")(restoring.restore)
app.add_typer(lanes.lane, name="lane")
app.add_typer(replay.replay, name="replay")
app.command("verify")(replay.verify)
app.command("repair")(repairing.repair)
app.add_typer(contact.contact, name="contact")
app.add_typer(dialogue.interaction, name="interaction")
app.add_typer(value.value, name="value")
app.add_typer(segments.segment, name="segment")
app.add_typer(webhooks.webhooks, name="webhooks")
app.command("reads")(reads.reads)
app.command("erase")(privacy.erase)
app.command("export")(privacy.export)
app.add_typer(parked.parked, name="parked")
app.add_typer(plan.plan, name="plan")
app.add_typer(events.events, name="events")
app.add_typer(mapping.mapping, name="mapping")
app.command("remap")(remapping.remap)
app.add_typer(keys.sources, name="source")
app.add_typer(keys.keys, name="key")


def run(words: Sequence[str]) -> int:
    """Runs one command and returns its exit code; never raises for what a person can act on."""
    try:
        ended = typer.main.get_command(app).main(list(words) or ["--help"], prog_name="c360", standalone_mode=False)
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
