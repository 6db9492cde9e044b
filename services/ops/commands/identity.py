"""`c360 explain` and `c360 identity ...`: why records are, or are not, one customer, and an operator's word on it.

Owns asking the profile API and the lines people read. Nothing is said without --execute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.failures import UsageMistake
from services.ops.commands.here import Here, ask_json, here
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.commands.policies import File, as_yaml, policy_commands, read_document

LISTED_MAX = 20
SAMPLES_SHOWN = 5
REHEARSAL_S = 600.0
"""A rehearsal reads all the evidence."""

A = Annotated[str, typer.Argument(metavar="A", help="TYPE:VALUE, as in email:ann@x.com")]
B = Annotated[str, typer.Argument(metavar="B", help="TYPE:VALUE, as in user_id:42")]

identity = typer.Typer(help="Who is who, and why.", rich_markup_mode=None)
policy = policy_commands(
    "identity",
    "The policy: what excludes, what links, what is generic, how likeness is judged.",
    "everybody is looked at again in the background, and what differs is told",
)
identity.add_typer(policy, name="policy")


@policy.command("rehearse")
def rehearse(file: File, as_json: AsJson = False) -> None:
    """What a policy would change, computed of all the evidence; nothing is changed."""
    body = {"document": read_document(file), "by": "operator", "reason": "rehearsal"}
    answer = ask_json("POST", f"{here().internal['identity']}/policy/rehearsal", json=body, timeout_s=REHEARSAL_S)
    moved = {"records": sorted(answer["moves"])}
    value = ask_json("POST", f"{here().internal['value']}/records/value", json=moved, timeout_s=REHEARSAL_S)
    answer["value_moved"] = value["totals"]
    if as_json:
        print_json(answer)
        return
    customers = answer["customers"]
    say(f"{count(answer['records'])} records: {count(customers['before'])} customers would be "
        f"{count(customers['after'])}; {count(len(answer['moves']))} records would move")  # fmt: skip
    say(f"  {count(answer['merged'])} merges, {count(answer['split'])} splits, {count(answer['touched'])} customers "
        f"touched; {count(answer['became_generic'])} values become generic, "
        f"{count(answer['no_longer_generic'])} are so no longer")  # fmt: skip
    worth = [f"{one['revenue']} {one['currency']} of {count(one['orders'])} orders" for one in value["totals"]]
    say(f"  value that would move: {', '.join(worth) or 'none'}")
    for one in answer["samples"]["merged"][:SAMPLES_SHOWN]:
        say(f"  merge into {one['into']} of {', '.join(one['from'])}")
    for one in answer["samples"]["split"][:SAMPLES_SHOWN]:
        say(f"  split {one['from']} into {', '.join(one['into'])}")
    say("nothing was changed; `policy apply FILE --execute` does it")


@identity.command("fit")
def fit(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the proposed policy is written.")],
    as_json: AsJson = False,
) -> None:
    """Estimate the similarity model of what is stored, without labels, and write the policy that has it."""
    answer = ask_json("GET", f"{here().internal['identity']}/policy/fitted", timeout_s=REHEARSAL_S)
    out.write_text(as_yaml(answer["document"]))
    if as_json:
        print_json({name: value for name, value in answer.items() if name != "document"})
        return
    say(f"estimated of {count(answer['records'])} records: {count(answer['random_pairs'])} pairs by chance, "
        f"{count(answer['blocked_pairs'])} that share a key")  # fmt: skip
    fields = ", ".join(sorted(answer["fields"])) or "nothing: too few pairs are one person's"
    say(f"weights of: {fields}")
    say(f"written to {out}; see `identity policy rehearse {out}`")


@identity.command("review")
def review(
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100, help="Pairs.")] = LISTED_MAX,
    cursor: Annotated[str | None, typer.Option("--cursor", metavar="CURSOR", help="Of the page before.")] = None,
    as_json: AsJson = False,
) -> None:
    """Pairs of customers that may be one person: settle each with `identity assert`."""
    copy = here()
    query: dict[str, Any] = {"limit": limit, **({"cursor": cursor} if cursor else {})}
    answer = ask_json("GET", f"{copy.profile}/v1/identity/review", key=operator_key(copy), params=query)
    if as_json:
        print_json(answer)
        return
    table = Table("bits", "one", "other", "agreement", box=None)
    for pair in answer["pairs"]:
        levels = ", ".join(f"{name} {level}" for name, level in pair["likeness"]["levels"].items())
        table.add_row(f"{pair['likeness']['bits']:g}", named(pair["a"]), named(pair["b"]), levels)
    for one in answer["held"]:
        a, b = one["a"], one["b"]
        sides = f"{named(a)} of {count(a['records'])} records with {named(b)} of {count(b['records'])}"
        say(f"{one['constraint']}: {sides}")
    console().print(table)
    more = f"more: --cursor {answer['next_cursor']}" if answer["next_cursor"] else "that is all"
    say(more if answer["pairs"] or answer["held"] else "nothing to look at")


@identity.command("path")
@identity.command("why")
def explain(a: A, b: B, as_json: AsJson = False) -> None:
    """Tell why two identifiers are, or are not, one customer."""
    answer = _path(here(), read_pair(a, b))
    if as_json:
        print_json(answer)
    else:
        _show_path(answer)


@identity.command("show")
def show(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="A customer id, or TYPE:VALUE: email:ann@x.com")],
    as_json: AsJson = False,
) -> None:
    """Show what holds a customer together, and what was refused."""
    parsed = asking.read_wanted(wanted)
    copy = here()
    url = f"{copy.profile}/v1/customers/{asking.customer_id(copy, parsed)}/identity"
    answer = ask_json("GET", url, key=operator_key(copy))
    if as_json:
        print_json(answer)
    else:
        _show_customer(answer)


@identity.command("assert")
def state(
    kind: Annotated[Literal["same", "different"], typer.Argument(metavar="same|different")],
    a: A,
    b: B,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept for ever.")],
    actor: Annotated[str | None, typer.Option("--actor", metavar="ID", help="Who says so.")] = None,
    execute: Annotated[bool, typer.Option("--execute", help="Say it; without this nothing changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that two records are one person, or are not. The latest word on a pair stands."""
    pair = read_pair(a, b)
    if not reason.strip():
        raise UsageMistake("--reason: say why")
    copy = here()
    today = _path(copy, pair)
    given = _given(copy, kind, pair, reason, actor) if execute else None
    if as_json:
        print_json({"kind": kind, "today": today, "executed": execute, **(given or {})})
        return
    say(f"today: {today['why']}")
    if given is None:
        say(f"nothing was changed; with --execute it is said that they are {kind}")
    else:
        say(f"said that they are {kind}: event {given['event_id']}")
        for word in given["contradicts"] or ():
            said = f"{word['actor'] or 'an operator'} said on {_day(word['time'])} that"
            say(f"  beware: {said} {named(word['a'])} and {named(word['b'])} are {word['kind']}: {word['reason']}")


def read_pair(a: str, b: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Two identifiers as people type them. Raises UsageMistake."""
    one, other = asking.read_wanted(a), asking.read_wanted(b)
    if isinstance(one, str) or isinstance(other, str):
        raise UsageMistake("name two identifiers, TYPE:VALUE each; a customer id is none")
    return one, other


def _path(copy: Here, pair: tuple[tuple[str, str], tuple[str, str]]) -> Any:
    query = {name: f"{type_}:{value}" for name, (type_, value) in zip(("from", "to"), pair, strict=True)}
    return ask_json("GET", f"{copy.profile}/v1/identity/path", key=operator_key(copy), params=query)


def _given(
    copy: Here, kind: str, pair: tuple[tuple[str, str], tuple[str, str]], reason: str, actor: str | None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "kind": kind,
        "records": [{"type": type_, "value": value} for type_, value in pair],
        "reason": reason,
    }
    if actor:
        body["actor"] = {"id": actor}
    given = ask_json("POST", f"{copy.profile}/v1/identity/assertions", key=operator_key(copy), json=body)
    return dict(given)


def _show_path(answer: dict[str, Any]) -> None:
    say(answer["why"])
    for step in answer["path"]:
        via = step["via"]
        how = f"  {link_words(via)}{'  <- hangs on this' if via == answer['cut'] else ''}" if via else ""
        say(f"  {named(step['record'])}{how}")
    for link in answer["refused"][:LISTED_MAX]:
        say(f"  refused ({link['constraint']}): {named(link['a'])} with {named(link['b'])}  {link_words(link)}")


def _show_customer(answer: dict[str, Any]) -> None:
    say(f"{answer['customer_id']}  {answer['status']}")
    for one in answer["records"][:LISTED_MAX]:
        say(f"  {named(one)}  since {_day(one['first_seen'])}, {count(one['events'])} events")
    _show_links("LINKS", answer["links"])
    _show_links("REFUSED, to others' records", answer["refusals"])
    if answer["assertions"]:
        say("\nOPERATORS' WORDS")
        for word in answer["assertions"][:LISTED_MAX]:
            said = f"{word['actor'] or 'an operator'} on {_day(word['time'])}: {word['reason']}"
            say(f"  {named(word['a'])} and {named(word['b'])} are {word['kind']}, says {said}")
    say(", ".join(f"{count(number)} {what}" for what, number in answer["totals"].items()))


def _show_links(title: str, links: list[dict[str, Any]]) -> None:
    if not links:
        return
    say(f"\n{title}")
    table = Table(
        "a", "b", "what", "weight", "since", "source", "state", box=None, padding=(0, 2), header_style="dim"
    )
    for link in readable(links[:LISTED_MAX]):
        state_ = link["state"] + (f" ({link['constraint']})" if link["constraint"] else "")
        table.add_row(
            named(link["a"]),
            named(link["b"]),
            link["kind"],
            str(link["weight"]),
            _day(link["first_seen"]),
            link["source"] or "-",
            state_,
        )
    console().print(table)


def link_words(link: dict[str, Any]) -> str:
    """What a link is, since when and by whom."""
    source = f" by {link['source']}" if link["source"] else ""
    since = f", since {_day(link['first_seen'])}" if link["first_seen"] else ""
    alike = f" ({link['likeness']['bits']:g} bits)" if link["likeness"] else ""
    return f"{link['kind']}{alike}, weight {link['weight']}{since}{source}"


def named(record: dict[str, Any]) -> str:
    """TYPE:VALUE."""
    return f"{record['type']}:{record['value']}"


def _day(time: str | None) -> str:
    return time[:10] if time else "an unknown day"
