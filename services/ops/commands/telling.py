"""`c360 story FILE`: each step sent, waited for, and what it changed in the profile said in plain words.

Owns comparing profiles; the story's form is story.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.codec import write_json_exactly
from schemas.identifiers import usable
from services.ops.commands import asking, waiting
from services.ops.commands.failures import CommandError
from services.ops.commands.here import Here, here
from services.ops.commands.keys import kept_source
from services.ops.commands.output import AsJson, print_json, say
from services.ops.commands.sending import post_of, send_all
from services.ops.commands.story import Step, read_story

WAIT_S = 60.0
Key = tuple[str, str]
Owners = dict[Key, str | None]
FACTS = ("needs", "preferences", "consents", "groups", "segments", "treatment", "value")


def story(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As in deploy/demo/story.yaml")],
    as_json: AsJson = False,
) -> None:
    """Tell a story in events, and after each what the profile shows."""
    told = read_story(file)
    copy = here()
    keys = {name: kept_source(copy, name, about) for name, about in told.sources.items()}
    owners: Owners = {}
    shown: dict[str, dict[str, Any]] = {}
    steps: list[dict[str, Any]] = []
    if not as_json:
        say(told.title)
    for number, step in enumerate(told.steps, 1):
        _publish(copy, step, keys[step.event["source"]])
        before, owners = owners, _owners(copy, owners, step)
        profile = _profile_of(copy, owners, step)
        earlier = _earlier(before, owners, _id_of(profile), shown)
        changes = [*regroupings(before, owners), *changes_between(earlier, profile)]
        if profile is not None:
            shown[profile["customer_id"]] = profile
        steps.append({"at": step.at, "say": step.say, "customer_id": _id_of(profile), "changes": changes})
        if not as_json:
            _say_step(number, steps[-1])
    if as_json:
        print_json({"title": told.title, "steps": steps})


def _publish(copy: Here, step: Step, key: str) -> None:
    post = post_of("cloudevent", [write_json_exactly(step.event)], key)
    tally = asyncio.run(send_all(copy.intake, [post]))
    if tally.refused:
        raise CommandError(f"the collector refused the event of {step.at}: {tally.refused[0][1]}")
    waiting.until_visible(copy, WAIT_S, tally.position)


def _owners(copy: Here, known: Owners, step: Step) -> Owners:
    """Whose every identifier of the story is by now."""
    keys = [*known, *(key for key in identifiers_of(step.event) if key not in known)]
    results = asking.lookup(copy, keys)
    return {key: one["customer_id"] for key, one in zip(keys, results, strict=True)}


def identifiers_of(event: Mapping[str, Any]) -> list[Key]:
    """Usable identifiers of a CloudEvent, the leading one first."""
    given = (event.get("data") or {}).get("identifiers") or {}
    as_lists = {
        name: list(map(str, value)) if isinstance(value, list) else [str(value)] for name, value in given.items()
    }
    return [(one.type, one.value) for one in usable(as_lists)]


def _profile_of(copy: Here, owners: Owners, step: Step) -> dict[str, Any] | None:
    owner = next((owners[key] for key in identifiers_of(step.event) if owners.get(key)), None)
    return asking.profile(copy, owner) if owner else None


def _earlier(
    before: Owners, after: Owners, customer_id: str | None, shown: Mapping[str, dict[str, Any]]
) -> dict[str, Any] | None:
    """What was last shown of this customer, under whatever id it had; of several that merged, its own."""
    ids = [customer_id, *(old for key, old in before.items() if old and after.get(key) == customer_id)]
    return next((shown[one] for one in ids if one is not None and one in shown), None)


def regroupings(before: Mapping[Key, str | None], after: Mapping[Key, str | None]) -> Iterator[str]:
    """Who became one, and who no longer is, in words; identifiers seen for the first time join silently."""
    were: dict[str, set[str]] = {}
    are: dict[str, set[str]] = {}
    for key, old in before.items():
        new = after.get(key)
        if old and new:
            were.setdefault(new, set()).add(old)
            are.setdefault(old, set()).add(new)
    for new, olds in were.items():
        if len(olds) > 1:
            yield f"merged: {' and '.join(sorted(olds))} are one customer now, {new}"
    for old, news in are.items():
        if len(news) > 1:
            yield f"split: {old} is now {' and '.join(sorted(news))}"
        elif news != {old} and len(were[next(iter(news))]) == 1:
            yield f"the customer has another id now: {next(iter(news))}, was {old}"


def changes_between(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Iterator[str]:
    """What a profile shows that the one before it did not, one line each."""
    if after is None:
        yield "no profile shows it"
        return
    if before is None:
        yield f"customer: {after['customer_id']}"
    old, new = _facts(before or {}), _facts(after)
    for name in dict.fromkeys((*new, *old)):
        were, are = old.get(name, ()), new.get(name, ())
        if isinstance(were, str) or isinstance(are, str):
            if were != are:
                yield f"{name}: {are or 'gone'}" + (f", was {were}" if were else "")
            continue
        more, less = [one for one in are if one not in were], [one for one in were if one not in are]
        if more:
            yield f"{name}: {', '.join(more)}"
        if less:
            yield f"{name}, no longer: {', '.join(less)}"


def _facts(profile: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    """What is worth telling: a text that replaces the one before it, or several that stand side by side."""
    identity, contact = profile.get("identity") or {}, profile.get("contact") or {}
    interaction = profile.get("interaction") or {}
    found: dict[str, Any] = {
        "status": identity.get("status"),
        "records": tuple(f"{one['type']}:{one['value']}" for one in identity.get("records", ())),
        "name": contact.get("name"),
        "e-mail": tuple(one["value"] for one in contact.get("emails", ())),
        "phone": tuple(contact.get("phones", ())),
        "address": tuple(_words(one) for one in contact.get("addresses", ())),
        "birthday": contact.get("birthday"),
        "events": str(interaction.get("count") or ""),
        "channels": tuple(interaction.get("by_channel", ())),
        "open conversations": tuple(_words(one) for one in interaction.get("open_conversations") or ()),
        "promises": tuple(_words(one) for one in interaction.get("promises") or ()),
    }
    found |= {part: _words(profile.get(part)) for part in FACTS}
    return {name: value for name, value in found.items() if value}


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items() if one not in (None, [], {}))
    return "; ".join(map(_words, value)) if isinstance(value, list) else str(value if value is not None else "")


def _id_of(profile: dict[str, Any] | None) -> str | None:
    return str(profile["customer_id"]) if profile else None


def _say_step(number: int, step: Mapping[str, Any]) -> None:
    say(f"\n{number}. {step['at'][:16].replace('T', ' ')}  {step['say']}")
    for line in step["changes"] or ["nothing changed: this was known already"]:
        say(f"     {line}")
