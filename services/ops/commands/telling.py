"""`c360 story FILE`: each step sent, waited for, what it changed in the profile said, and what must be true asked.

Owns the order of these; the story's form is story.py, comparing profiles comparing.py, and answers expecting.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.codec import write_json_exactly
from services.ops.commands import asking, expecting, waiting
from services.ops.commands.comparing import Key, changes_between, regroupings
from services.ops.commands.expecting import Expectation
from services.ops.commands.failures import EX_FAILED, CommandError
from services.ops.commands.here import Here, ask_json, here
from services.ops.commands.keys import kept_source, operator_key
from services.ops.commands.looking import known
from services.ops.commands.output import AsJson, count, print_json, say, tell
from services.ops.commands.sending import post_of, send_all
from services.ops.commands.story import Step, Story, Word, read_story

WAIT_S = 60.0
READ_OWN_WRITE_MS = 10_000
TIMELINE_ITEMS = "200"
Owners = dict[Key, str | None]
Told = dict[str, Any]


def story(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As in deploy/demo/story.yaml")],
    as_json: AsJson = False,
) -> None:
    """Tell a story in events, and after each what the profile shows; exits 1 when it is not as expected."""
    told = read_story(file)
    copy = here()
    if not as_json:
        say(told.title)
    steps: list[Told] = []
    for step in tell_story(copy, told):
        steps.append(step)
        if not as_json:
            say_step(step)
    if as_json:
        print_json({"title": told.title, "steps": steps})
    else:
        say(f"\n{summary(steps)}")
    if broken(steps):
        if as_json:
            tell(f"c360: {summary(steps)}")
        raise typer.Exit(EX_FAILED)


def tell_story(copy: Here, told: Story) -> Iterator[Told]:
    """Sends step after step and gives what came of each; what was told before changes nothing.

    What must be true after a step is only asked where no later step was told before.
    """
    keys = {name: kept_source(copy, name, about) for name, about in told.sources.items()}
    told_to = _told_to(copy, told)
    owners: Owners = {}
    shown: dict[str, dict[str, Any]] = {}
    for number, step in enumerate(told.steps, 1):
        position = _send(copy, step, keys)
        waiting.until_visible(copy, WAIT_S, position)
        before, owners = owners, _owners(copy, owners, step, position)
        profile = _profile_of(copy, owners, step)
        earlier = _earlier(before, owners, _id_of(profile), shown)
        changes = [*regroupings(before, owners), *changes_between(earlier, profile)]
        if profile is not None:
            shown[profile["customer_id"]] = profile
        yield {
            "number": number,
            "at": step.at,
            "say": step.say,
            "sent": sent(step),
            "position": position,
            "customer_id": _id_of(profile),
            "changes": changes,
            "told_before": number <= told_to,
            "checks": [_checked(copy, one, position) for one in step.expect] if number >= told_to else [],
        }


def _told_to(copy: Here, told: Story) -> int:
    """The number of the last step that was told before; 0 when none was."""
    page = f"{copy.internal['interaction']}/trace"
    last = (
        number
        for number, step in reversed(list(enumerate(told.steps, 1)))
        if known(page, {"source": step.source, "id": step.id})
    )
    return next(last, 0)


def _send(copy: Here, step: Step, keys: Mapping[str, str]) -> str:
    """Gives the step to the collector, or the operator's word to the profile API; the position after it."""
    if step.word is not None:
        return _said(copy, step.word, step.id)
    post = post_of("cloudevent", [write_json_exactly(step.event)], keys[step.source])
    tally = asyncio.run(send_all(copy.intake, [post]))
    if tally.refused or tally.position is None:
        why = tally.refused[0][1] if tally.refused else "no position"
        raise CommandError(f"the collector refused the event of {step.at}: {why}")
    return tally.position


def _said(copy: Here, word: Word, id_: str) -> str:
    body: dict[str, Any] = {
        "kind": word.kind,
        "records": [{"type": type_, "value": value} for type_, value in word.records],
        "reason": word.reason,
    }
    if word.actor:
        body["actor"] = {"id": word.actor}
    url = f"{copy.profile}/v1/identity/assertions"
    given = ask_json("POST", url, key=operator_key(copy), json=body, headers={"Idempotency-Key": id_})
    return str(given["position"])


def sent(step: Step) -> str:
    """What was sent, in one line."""
    if step.word is not None:
        pair = " and ".join(f"{type_}:{value}" for type_, value in step.word.records)
        return f"{step.word.kind} asserted of {pair}, {step.word.actor or 'an operator'}: {step.word.reason}"
    lead = next(iter(step.identifiers), None)
    return f"{(step.event or {})['type']} from {step.source}" + (f" for {lead[0]}:{lead[1]}" if lead else "")


def _owners(copy: Here, known_keys: Owners, step: Step, position: str) -> Owners:
    """Whose every identifier of the story is by now."""
    keys = [*known_keys, *(key for key in step.identifiers if key not in known_keys)]
    results = asking.lookup(copy, keys, **_at(position))
    return {key: one["customer_id"] for key, one in zip(keys, results, strict=True)}


def _at(position: str) -> dict[str, Any]:
    return {"min_position": position, "wait_ms": READ_OWN_WRITE_MS}


def _profile_of(copy: Here, owners: Owners, step: Step) -> dict[str, Any] | None:
    owner = next((owners[key] for key in step.identifiers if owners.get(key)), None)
    return asking.profile(copy, owner) if owner else None


def _earlier(
    before: Owners, after: Owners, customer_id: str | None, shown: Mapping[str, dict[str, Any]]
) -> dict[str, Any] | None:
    """What was last shown of this customer, under whatever id it had; of several that merged, its own."""
    ids = [customer_id, *(old for key, old in before.items() if old and after.get(key) == customer_id)]
    return next((shown[one] for one in ids if one is not None and one in shown), None)


def _id_of(profile: dict[str, Any] | None) -> str | None:
    return str(profile["customer_id"]) if profile else None


def _checked(copy: Here, expectation: Expectation, position: str) -> Told:
    """An expectation with what the answer lacks."""
    try:
        unmet = expecting.unmet(expectation, answer_to(copy, expectation, position))
    except CommandError as error:
        unmet = [str(error)]
    return {"say": expectation.say, "question": expectation.question, "holds": not unmet, "why_not": unmet}


def answer_to(copy: Here, expectation: Expectation, position: str) -> Any:
    """What the profile API answers to the question. Raises CommandError."""
    about, query = expectation.about, {**expectation.query, **_at(position)}
    if expectation.question == expecting.PATH:
        return asking.path(copy, *about, **query)
    results = asking.lookup(copy, about, **_at(position))
    if expectation.question in (expecting.ONE, expecting.APART):
        return [one["customer_id"] for one in results]
    if expectation.question == "lookup":
        return results[0]
    owner = results[0]["customer_id"]
    if owner is None:
        raise CommandError(f"{about[0][0]}:{about[0][1]} is nobody's, or several people's")
    if expectation.question == "timeline":
        query = {"limit": TIMELINE_ITEMS, **query}
    page = "" if expectation.question == "customer" else f"/{expectation.question}"
    return asking.profile(copy, owner, page, **query)


def say_step(step: Told, *, short: bool = False) -> None:
    """The step for people: what happened, what was sent, what the profile says now, and whether that is right."""
    say(f"\n{step['number']}. {step['at'][:16].replace('T', ' ')}  {step['say']}")
    if not short:
        say(f"     sent     {step['sent']}")
        for line in step["changes"] or ["nothing: this was known already"]:
            say(f"     changed  {line}")
    for check in step["checks"]:
        say(f"     {'true   ' if check['holds'] else 'NOT SO '}  {check['say']}")
        for why in check["why_not"]:
            say(f"                {why}")


def broken(steps: Sequence[Told]) -> list[Told]:
    """The expectations that do not hold."""
    return [check for step in steps for check in step["checks"] if not check["holds"]]


def summary(steps: Sequence[Told]) -> str:
    """How much was as expected, in one line."""
    asked = sum(len(step["checks"]) for step in steps)
    failed = broken(steps)
    if failed:
        return f"{count(len(failed))} of {count(asked)} expectations do not hold: {failed[0]['say']}"
    again = ", told before: only the end was asked" if steps and steps[0]["told_before"] else ""
    return f"all {count(asked)} expectations hold{again}"
