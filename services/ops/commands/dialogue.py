"""`c360 interaction ...`: where a talk resumes, what was asked before, everybody's feedback, and the policy.

Owns the lines people read. A policy changes nothing without --execute.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.here import Here, ask_json, here
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.commands.policies import policy_commands

LISTED_MAX = 20
SCALES = ("nps", "csat", "ces", "stars")

Wanted = Annotated[str, typer.Argument(metavar="ID", help="A customer id, or TYPE:VALUE: email:ann@x.com")]

interaction = typer.Typer(help="What was said between us and customers.", rich_markup_mode=None)
interaction.add_typer(
    policy_commands(
        "interaction",
        "The policy: what tires, what shows a need, surveys, the words of tone and topic.",
        "what is told of everybody is folded anew in the background",
    ),
    name="policy",
)


@interaction.command("resume")
def resume(
    wanted: Wanted,
    channel: Annotated[str | None, typer.Option("--channel", metavar="CHANNEL", help="What was there first.")] = None,
    as_json: AsJson = False,
) -> None:
    """Where we left off with a customer: what is open, promised, and not to be asked again."""
    answer = _asked(here(), wanted, "conversations/resume", {"channel": channel} if channel else {})
    if as_json:
        print_json(answer)
        return
    say(answer["summary"] or "nothing was said yet")
    for point in answer["open_points"][:LISTED_MAX]:
        say(f"  open since {_day(point['since'])}: {point['text']}")
    for promise in answer["promises_due"][:LISTED_MAX]:
        due = f"due {_day(promise['due_at'])}{', overdue' if promise['overdue'] else ''}" if promise["due_at"] else ""
        say(f"  promised by {promise['by']}: {promise['text']}  {due}".rstrip())
    known = "; ".join(f"{one['question']} ({one['because']})" for one in answer["do_not_ask"][:LISTED_MAX])
    say(f"  do not ask: {known or 'nothing'}")
    say(f"  ask next: {', '.join(one['ask_for'] for one in answer['ask_next']) or 'nothing'}")


@interaction.command("conversations")
def conversations(wanted: Wanted, as_json: AsJson = False) -> None:
    """A customer's conversations over all channels, the newest first."""
    answer = _asked(here(), wanted, "conversations", {})
    if as_json:
        print_json(answer)
        return
    table = Table("last", "state", "channels", "about", "said last", box=None)
    for one in readable(answer["conversations"][:LISTED_MAX]):
        last = one["last_said"] or {"by": "", "text": ""}
        said = f"{last['by']}: {last['text'] or '-'}"
        table.add_row(_day(one["last_at"]), one["state"], ", ".join(one["channels"]), one["topic"] or "-", said)
    console().print(table)
    say(f"{count(answer['totals']['conversations'])} in all")


@interaction.command("known")
def known(
    wanted: Wanted,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="Its id or its text.")],
    as_json: AsJson = False,
) -> None:
    """Whether a customer was asked this before, and what he answered."""
    answer = _asked(here(), wanted, "known", {"question": question})
    if as_json:
        print_json(answer)
        return
    told = f"{answer['answer']}, on {_day(answer['at'])} by {answer['channel']}" if answer["known"] else "not known"
    say(f"{answer['question']}: {told}; {'ask' if answer['ask_again'] else 'do not ask'} ({answer['because']})")


@interaction.command("feedback")
def feedback(as_json: AsJson = False) -> None:
    """Everybody's feedback by month."""
    copy = here()
    answer = asking.public(copy, "/feedback")
    if as_json:
        print_json(answer)
        return
    table = Table("month", "asked", "answered", "nps", "csat", "ces", "stars", box=None)
    for month in [*answer["by_month"], {"month": "all", **answer["total"]}]:
        means = [month["nps"]["score"], *(month[scale]["mean"] for scale in SCALES[1:])]
        shown = ["-" if mean is None else str(mean) for mean in means]
        table.add_row(month["month"], count(month["asked"]), count(month["answered"]), *shown)
    console().print(table)


def _asked(copy: Here, wanted: str, page: str, query: dict[str, Any]) -> Any:
    customer_id = asking.customer_id(copy, asking.read_wanted(wanted))
    return ask_json("GET", f"{copy.profile}/v1/customers/{customer_id}/{page}", key=operator_key(copy), params=query)


def _day(time: str | None) -> str:
    return time[:10] if time else "-"
