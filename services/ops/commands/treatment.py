"""`c360 treatment ...`: what to do for a customer and why, the policy that says so, experiments, what is accepted.

Owns the lines people read, and choosing the customers a policy is tried on. Nothing is set without --execute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.here import Here, ask_json, here
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.commands.policies import By, Execute, File, Reason, policy_commands, read_document

PAGE_MAX = 100
TRIED_AT_ONCE = 100
TRIED = 500
SCORED_DAYS = 30
TRIAL_TIMEOUT_S = 60.0
RULES_SHOWN = 20

Wanted = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer id, or TYPE:VALUE: email:ann@x.com")]
Channel = Annotated[str, typer.Option("--channel", metavar="NAME", help="Where he is met: web, app, call, ...")]
Placement = Annotated[
    str, typer.Option("--placement", metavar="NAME", help="The place that asks: home, checkout, ...")
]

treatment = typer.Typer(help="Treatments: what to do for a customer, and why.", rich_markup_mode=None)
policy = policy_commands(
    "treatment",
    "The policy: actions, what they are worth, rules, pressure, experiments.",
    "the next decision is made by it",
)
treatment.add_typer(policy, name="policy")


def _url(copy: Here, page: str) -> str:
    return f"{copy.internal['treatment']}{page}"


@policy.command("test")
def try_out(
    file: File,
    channel: Channel,
    placement: Placement,
    customers: Annotated[int, typer.Option("--customers", min=1, help="How many at most, by id.")] = TRIED,
    as_json: AsJson = False,
) -> None:
    """What a policy would decide for stored customers beside the one in force; nothing is decided or changed."""
    copy, document = here(), read_document(file)
    total: dict[str, Any] = {"customers": 0, "changed": 0, "actions": {}, "left_out": {}}
    profiles = list(_profiles(copy, customers))
    # Without anybody the policy is read all the same.
    for start in range(0, len(profiles) or 1, TRIED_AT_ONCE):
        some = profiles[start : start + TRIED_AT_ONCE]
        body = {"document": document, "customers": some, "channel": channel, "placement": placement}
        _add(total, ask_json("POST", _url(copy, "/policy/test"), json=body, timeout_s=TRIAL_TIMEOUT_S))
    listed = [{"action_id": name, "in_force": now, "tried": then} for name, (now, then) in total["actions"].items()]
    rules = sorted(total["left_out"].items(), key=lambda one: (-one[1], one[0]))
    if as_json:
        left = [{"action_id": action, "rule": rule, "customers": number} for (action, rule), number in rules]
        print_json({**total, "actions": listed, "left_out": left})
        return
    table = Table("action", "now", "then", box=None)
    for one in sorted(listed, key=lambda one: (-one["tried"], one["action_id"])):
        table.add_row(one["action_id"], count(one["in_force"]), count(one["tried"]))
    console().print(table)
    for (_, rule), number in rules[:RULES_SHOWN]:
        say(f"{rule} leaves out {count(number)}")
    say(f"{count(total['customers'])} customers, {count(total['changed'])} of them get something else")


@policy.command("score")
def score(
    file: File,
    days: Annotated[int, typer.Option("--days", min=1, help="Of how many days, until now.")] = SCORED_DAYS,
    as_json: AsJson = False,
) -> None:
    """Which decisions of the log a policy would have made otherwise, and what came of those on which it agrees."""
    body = {"document": read_document(file), "days": days}
    found = ask_json("POST", _url(here(), "/policy/score"), json=body, timeout_s=TRIAL_TIMEOUT_S)
    if as_json:
        print_json(found)
        return
    table = Table("", "decided", "shown", "accepted", box=None)
    for name, words in (("all", "all decisions"), ("agreeing", "on which it agrees")):
        table.add_row(words, *(count(found[name][part]) for part in ("decided", "shown", "accepted")))
    console().print(table)
    for one in found["others"][:RULES_SHOWN]:
        say(f"{one['decided']} would be {one['would_be']} {count(one['decisions'])} times")


def _profiles(copy: Here, most: int) -> Iterator[dict[str, Any]]:
    """Stored customers as a policy is tried on: {customer_id, records, document}."""
    query: dict[str, Any] = {"limit": min(PAGE_MAX, most)}
    left = most
    while left > 0:
        page = asking.public(copy, "/customers", **query)
        for one in page["items"][:left]:
            document = asking.profile(copy, one["customer_id"], "")
            records = [record["record_id"] for record in (document["identity"] or {}).get("records", ())]
            yield {"customer_id": one["customer_id"], "records": records, "document": document}
        left -= len(page["items"])
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def _add(total: dict[str, Any], found: dict[str, Any]) -> None:
    for name in ("customers", "changed"):
        total[name] += found[name]
    for one in found["actions"]:
        now, then = total["actions"].get(one["action_id"], (0, 0))
        total["actions"][one["action_id"]] = (now + one["in_force"], then + one["tried"])
    for one in found["left_out"]:
        place = one["action_id"], one["rule"]
        total["left_out"][place] = total["left_out"].get(place, 0) + one["customers"]


@policy.command("rollback")
def rollback(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The number to go back to.")],
    reason: Reason,
    by: By = "operator",
    execute: Execute = False,
    as_json: AsJson = False,
) -> None:
    """Put an earlier number of the policy in force again, as a new number."""
    body = {"number": number, "by": by, "reason": reason}
    answer = _set("/policy/rollback", body, execute=execute)
    if as_json:
        print_json(answer)
    elif execute:
        say(f"policy number {answer['number']} is in force: it is number {number} again")
    else:
        say(f"number {number} can be read; nothing was changed: say --execute")


def _set(page: str, body: dict[str, Any], *, execute: bool) -> Any:
    return ask_json("POST", _url(here(), page), json=body, params={"execute": str(execute).lower()})


@treatment.command("actions")
def actions(as_json: AsJson = False) -> None:
    """What was decided, shown and accepted of each action, and how likely it is accepted."""
    answer = ask_json("GET", _url(here(), "/actions"))
    if as_json:
        print_json(answer)
        return
    table = Table("action", "kind", "decided", "shown", "accepted", "rejected", "propensity", "prior", box=None)
    for one in answer["actions"]:
        numbers = (count(one[name]) for name in ("decided", "shown", "accepted", "rejected"))
        table.add_row(one["action_id"], one["kind"], *numbers, one["propensity"], one["prior"])
    console().print(table)
    say(f"model {answer['model_version']}")


@treatment.command("experiments")
def experiments(as_json: AsJson = False) -> None:
    """What champion and challenger of each experiment came to."""
    answer = ask_json("GET", _url(here(), "/experiments"))
    if as_json:
        print_json(answer)
        return
    table = Table("experiment", "variant", "decided", "shown", "accepted", box=None)
    for one in answer["experiments"]:
        for variant in ("champion", "challenger"):
            told = one[variant]
            table.add_row(one["experiment_id"], variant, *(count(told[n]) for n in ("decided", "shown", "accepted")))
    console().print(table)
    for one in answer["experiments"]:
        sure = f"{one['challenger_better']:.1%}"
        say(f"{one['experiment_id']}: the challenger is accepted more often with a probability of {sure}")


@treatment.command("promote")
def promote(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="An experiment of the policy in force.")],
    reason: Reason,
    by: By = "operator",
    execute: Execute = False,
    as_json: AsJson = False,
) -> None:
    """Make an experiment's challenger the champion, and end the experiment."""
    answer = _set(f"/experiments/{experiment}/promote", {"by": by, "reason": reason}, execute=execute)
    if as_json:
        print_json(answer)
    elif execute:
        say(f"policy number {answer['number']} is in force; {experiment} has ended")
    else:
        say("the policy can be read; nothing was changed: say --execute")


@treatment.command("decide")
def decide(wanted: Wanted, channel: Channel, placement: Placement, as_json: AsJson = False) -> None:
    """Decide what to do for a customer now, as an app would ask; the log has it."""
    copy, who = here(), asking.read_wanted(wanted)
    named: dict[str, Any] = (
        {"customer_id": who} if isinstance(who, str) else {"identifier": {"type": who[0], "value": who[1]}}
    )
    body = {**named, "channel": channel, "placement": placement}
    answer = ask_json("POST", f"{copy.profile}/v1/decisions", key=operator_key(copy), json=body)
    if as_json:
        print_json(answer)
        return
    action = answer["action"]
    say(readable(f"{action['action_id']} ({action['kind']}): {action['text'] or action['label']}"))
    _say_reasons(answer)


@treatment.command("why")
def why(
    treatment_id: Annotated[str, typer.Argument(metavar="ID", help="A decision's id.")], as_json: AsJson = False
) -> None:
    """What a decision was made of, and what came of it."""
    answer = asking.public(here(), f"/decisions/{treatment_id}")
    if as_json:
        print_json(answer)
        return
    say(readable(f"{answer['action_id']} for {answer['customer_id'] or 'nobody known'} at {answer['decided_at']}"))
    _say_reasons(answer)
    say(f"shown {answer['shown_at'] or 'never'}; {answer['outcome'] or 'no outcome'}")
    if not answer["gives_again"]:
        say("what is stored of it does not give it again")


def _say_reasons(answer: dict[str, Any]) -> None:
    say(f"  {answer['reason']}")
    for one in answer["candidates"]:
        say(f"  {one['score']:>10}  {one['action_id']}: {one['propensity']} * {one['value']} - {one['cost']}"
            f" + {one['weight']}, priority {one['priority']}")  # fmt: skip
    for one in answer["left_out"]:
        say(f"  {'left out':>10}  {one['action_id']}: {one['rule']}")
    say(f"  {answer['treatment_id']}, policy {answer['policy_number']}, model {answer['model_version']}")
