"""`c360 demo`: a year of a grocer's real purchases through the public door, and what came of them.

Owns the order of the demo, whose last page is one person's life (deploy/demo/story.yaml). Starts this copy where it
does not run, and leaves it running to look around.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.ops.commands import asking, layout, looking, secrets, showing, starting, telling, waiting
from services.ops.commands.failures import EX_FAILED, CommandError, NotRunning
from services.ops.commands.here import Here, ask_json, here
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, console, count, print_json, say, tell
from services.ops.commands.sending import Tally, send_all
from services.ops.commands.status import parked_by_reason
from services.ops.commands.story import read_story
from services.ops.demo import book, load, probe, report
from services.ops.demo.accuracy import RecordKey, evaluate, identifiers_of, transitive_closure
from services.ops.demo.diary import Sent
from services.ops.demo.journey import ExtraMissing
from services.ops.demo.people import Noise
from services.ops.demo.story import HOUSEHOLDS, demo_events, truth_of
from services.ops.local.layout import CHECKOUT, home_from

CONNECTIONS = 4
CAUGHT_UP_TIMEOUT_S = 600
TIMELINE_SHOWN = 12
LIFE = CHECKOUT / "deploy" / "demo" / "story.yaml"
Owners = dict[RecordKey, str | None]
Persons = Mapping[RecordKey, int]


def demo(
    households: Annotated[int, typer.Option(min=1, help="Real households, 2,469 at most.")] = HOUSEHOLDS,
    seed: Annotated[int, typer.Option(help="Another seed, other households and people.")] = 1,
    port_base: Annotated[int | None, typer.Option("--port-base", metavar="N")] = None,
    with_probe: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Measure event to profile at the end.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show it all with real purchases: send a year of events, then look at the customers they make."""
    tell("reading a year of purchases (The Complete Journey) and inventing the people around them ...")
    try:
        sent = list(demo_events(households, seed))
    except ExtraMissing as missing:
        raise CommandError(str(missing)) from None
    copy = _running(port_base)
    figures, owners = _run(copy, sent)
    shown = _one_customer(copy, sent, owners, truth_of(sent).records)
    # Not with the customer shown: its newest events would all be probes the next time.
    others = {key: owner for key, owner in owners.items() if owner != shown["customer"]["customer_id"]}
    found = report.Figures(**figures, latencies=_probe(copy, others) if with_probe else None)
    life = _life(copy)
    if as_json:
        print_json({**report.as_json(found), **shown, "story": life})
    else:
        _show(found, shown, copy, life)
    if telling.broken(life):
        raise typer.Exit(EX_FAILED)


def _running(port_base: int | None) -> Here:
    """This copy, ready; started where it does not run."""
    chosen = layout.workers({})
    try:
        copy = here()
    except NotRunning:
        starting.start(home_from(), port_base, chosen)
        starting.wait_ready(home_from(), chosen, starting.READY_TIMEOUT_S)
        copy = here()
    operator_key(copy)
    return copy


def _run(copy: Here, sent: Sequence[Sent]) -> tuple[dict[str, Any], Owners]:
    keys = load.write_keys(copy)
    before = _tallies(copy)
    started = time.monotonic()
    tally = _send(copy, sent, keys)
    tell("waiting until profiles show everything ...")
    waiting.until_visible(copy, CAUGHT_UP_TIMEOUT_S, tally.position)
    seconds = time.monotonic() - started
    after = _tallies(copy)
    truth = truth_of(sent)
    everybody = [*truth.records, *sorted(truth.ambiguous)]
    owners = _owners(copy, everybody)
    naive = transitive_closure(one.event for one in sent)
    return {
        "events": len(sent),
        "accepted": tally.accepted,
        "refused": sum(post.events for post, _ in tally.refused),
        "parked": after["parked"] - before["parked"],
        "duplicates": after["duplicate"] - before["duplicate"],
        "seconds": seconds,
        "records": len(everybody),
        "customers": len({owner for owner in owners.values() if owner}),
        "persons": len({one.person for one in sent}),
        "ambiguous": len(truth.ambiguous),
        "accuracy": evaluate(truth.records, owners),
        "naive": evaluate(truth.records, naive),
        "noise": Noise(),
        "revenue": load.revenue(sent),
        "book": book.compare(copy, sent),
    }, owners


def _send(copy: Here, sent: Sequence[Sent], keys: dict[str, str]) -> Tally:
    columns = (
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    terminal = Console(stderr=True)
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("sending", total=len(sent))
        if not terminal.is_terminal:
            tell(f"sending {count(len(sent))} events ...")
        return asyncio.run(
            send_all(
                copy.intake,
                load.posts(sent, keys),
                connections=CONNECTIONS,
                on_accepted=lambda events: progress.advance(task, events),
            )
        )


def _tallies(copy: Here) -> Counter[str]:
    """What intake parked and interaction had seen before, since the beginning."""
    parked = parked_by_reason(copy)
    seen = ask_json("GET", f"{copy.internal['interaction']}/status").get("tally", {})
    return Counter({"parked": sum(parked.values()), "duplicate": seen.get("duplicate", 0)})


def _owners(copy: Here, records: Sequence[RecordKey]) -> Owners:
    """The customer of each record, None where the value is nobody's alone."""
    results = asking.lookup(copy, records)
    return {key: one["customer_id"] for key, one in zip(records, results, strict=True)}


def _probe(copy: Here, owners: Owners) -> probe.Latencies:
    """Distinct customers only, so that no probe waits for another's."""
    first: dict[str, RecordKey] = {}
    for key, owner in owners.items():
        if owner is not None:
            first.setdefault(owner, key)
    targets = [probe.Target(key, owner) for owner, key in sorted(first.items())]
    wanted = min(probe.PROBES_PER_S * probe.SECONDS, (len(targets) + 1) // 2)
    tell(f"measuring event to profile with {wanted} events over {wanted / probe.PROBES_PER_S:.0f} s ...")
    plan = probe.Plan(
        intake_url=copy.intake,
        profile_url=copy.profile,
        api_key=operator_key(copy),
        write_key=load.write_keys(copy)[load.PROBE_SOURCE],
        source=load.PROBE_SOURCE,
        run=f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}",
        probes=targets[:wanted],
        background=targets[wanted:],
    )
    return asyncio.run(probe.measure(plan))


def _one_customer(copy: Here, sent: Sequence[Sent], owners: Owners, persons: Persons) -> dict[str, Any]:
    """The customer of most records among those that are one person, its newest events, and one event's way."""
    chosen = best_known(owners, persons)
    if chosen is None:
        raise CommandError("no customer came of the events; see `c360 status` and `c360 parked list`")
    events = (one.event for one in reversed(sent))
    one = next(one for one in events if any(owners.get(key) == chosen for key in identifiers_of(one)[:1]))
    return {
        "customer": asking.profile(copy, chosen),
        "timeline": asking.timeline(copy, chosen, TIMELINE_SHOWN),
        "trace": looking.traced(copy, one["source"], one["id"]),
    }


def _life(copy: Here) -> list[telling.Told]:
    """One person's life, told step by step; nothing where this is no checkout."""
    if not LIFE.is_file():
        return []
    tell("telling one person's life ...")
    return list(telling.tell_story(copy, read_story(LIFE)))


def best_known(owners: Owners, persons: Persons) -> str | None:
    """The customer of most records whose records are all of one person; None without such a customer."""
    found: dict[str, list[int | None]] = {}
    for key, owner in owners.items():
        if owner is not None:
            found.setdefault(owner, []).append(persons.get(key))
    right = {owner: len(whose) for owner, whose in found.items() if len(set(whose)) == 1}
    return max(right, key=lambda owner: (right[owner], owner), default=None)


def _show(figures: report.Figures, shown: dict[str, Any], copy: Here, life: list[telling.Told]) -> None:
    say()
    for line in report.lines(figures):
        say(line)
    out = console()
    say("\nThe customer of most records that are one person's:")
    out.print(showing.customer(shown["customer"]))
    say("\nThe newest of the timeline:")
    out.print(showing.timeline(shown["timeline"]))
    say(f"\nWhere event {shown['trace']['id']} of {shown['trace']['source']} went:")
    out.print(looking.trace_table(shown["trace"]))
    if life:
        say(f"\nOne person's life, and whether the profile tells it ({LIFE.relative_to(CHECKOUT)}):")
        for step in life:
            telling.say_step(step, short=True)
        say(f"\n{telling.summary(life)}")
    customer_id = shown["customer"]["customer_id"]
    say("\nIt stays up; look around:")
    say(f"  c360 customer {customer_id} --timeline")
    say(f"  c360 customer {life[-1]['customer_id'] if life else customer_id} --html customer.html")
    say(f"  c360 trace {shown['trace']['source']} {shown['trace']['id']}")
    say("  c360 status")
    say(f"  curl -H \"Authorization: Bearer $(cat {secrets.key_file(copy.home, secrets.OPERATOR)})\" "
        f"{copy.profile}/v1/customers/{customer_id}")  # fmt: skip
    say("  c360 down")
