"""Small worlds to draw events from: a few people whose identifiers meet, cross and are argued about.

Owns what may be drawn, and what the tables say in the end. Nothing here knows in which order things happen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import orjson
from hypothesis import Phase
from hypothesis import strategies as st

from schemas.envelope import Event, microseconds
from schemas.erasure import erased
from schemas.identifiers import Identifier, normalise, record_id
from services.identity.domain.decisions import Decisions
from services.profile import views
from services.profile.domain import Now, document
from services.runtime.aggregates import load
from services.runtime.eventstore import DECISIONS
from tests.properties.dialogues import DIALOGUES
from tests.properties.money import MONEY, Pair, money_event, named
from tests.support.databases import KEY
from tests.support.house import NOON, an_event

PHASES = (Phase.explicit, Phase.generate, *([Phase.shrink] if os.environ.get("C360_SHRINK") else []))
"""Shrinking runs deployments by the hundred: minutes. Ask for it when there is something to shrink."""

PEOPLE: tuple[tuple[Pair, ...], ...] = (
    (("user_id", "1"), ("email", "ann@x.com"), ("anonymous_id", "cookie-a"), ("crm_id.acme", "71")),
    (("user_id", "2"), ("phone", "+44 20 7946 0042"), ("anonymous_id", "cookie-b"), ("crm_id.acme", "72")),
    (("user_id", "3"), ("loyalty_id", "l-3"), ("device_id", "d-3"), ("email", "Cy@x.com")),
    (("crm_id.acme", "74"), ("anonymous_id", "cookie-d"), ("passport", "p-4")),
)
SHARED: tuple[Pair, ...] = (("device_id", "kiosk"), ("email", "family@x.com"), ("email", "test@x.com"))
EVERYTHING: tuple[Pair, ...] = tuple(i for person in PEOPLE for i in person) + SHARED
CROWD = 9
"""One more than the shipped policy lets an e-mail be seen with before it is generic."""

TRAITS: tuple[dict[str, Any], ...] = (
    {}, {"firstName": "Ann"}, {"first_name": "Bo", "lastName": "Li"}, {"firstName": None}, {"birthday": "1980-04-02"},
)  # fmt: skip

_minutes = st.integers(0, 12)
_own = st.sampled_from(PEOPLE).flatmap(lambda p: st.lists(st.sampled_from(p), min_size=1, max_size=3))
_crossed = st.lists(st.sampled_from(EVERYTHING), min_size=1, max_size=3)

sightings = st.tuples(
    st.just("seen"), st.one_of(_own, _crossed), _minutes, st.sampled_from(TRAITS), st.integers(0, 9)
)
aliases = st.tuples(
    st.just("alias"), st.sampled_from(["1", "2", "3"]), st.sampled_from([None, *EVERYTHING]), _minutes
)
words = st.tuples(
    st.sampled_from(["same", "different"]),
    st.lists(st.sampled_from(EVERYTHING), min_size=2, max_size=2, unique=True),
    _minutes,
)
groups = st.tuples(st.just("group"), st.sampled_from(["1", "2"]), _minutes)
crowds = st.tuples(st.just("crowd"), st.sampled_from([CROWD - 1, CROWD]), _minutes)

retractions = st.tuples(st.just("retracted"), st.integers(0, 11), _minutes)
erasures = st.tuples(st.just("erased"), st.sampled_from(EVERYTHING))
removals = st.tuples(st.just("removed"), st.sampled_from(EVERYTHING), _minutes, st.integers(0, 1))

_order_ids = st.sampled_from(["o1", "o2"])
orders = st.tuples(
    st.sampled_from(["completed", "completed", "updated", "refunded", "cancelled", "cost"]),
    _order_ids,
    st.one_of(_own, _crossed),
    _minutes,
    st.integers(0, 5),
)

ON_ADDRESSES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("message.delivered", "email", {}), ("message.opened", "email", {}), ("message.delivered", "sms", {}),
    ("message.bounced", "email", {"kind": "hard"}), ("message.bounced", "email", {"kind": "soft"}),
    ("message.bounced", "email", {"kind": "hard", "address": "Ann <ann@x.com>"}), ("message.complained", "email", {}),
    ("message.bounced", "mail", {}), ("call.held", "call", {"outcome": "answered"}),
    ("identifier.verified", "email", {"type": "email", "value": "cy@x.com", "result": "invalid"}),
)  # fmt: skip
"""(type, channel, properties) of what proves an address, or that it fails."""
_WITH_AN_ADDRESS: tuple[list[Pair], ...] = (
    [("user_id", "1"), ("email", "ann@x.com")], [("email", "ann@x.com")],
    [("user_id", "2"), ("phone", "442079460042")],
)  # fmt: skip
messages = st.tuples(
    st.sampled_from(ON_ADDRESSES),
    st.one_of(st.sampled_from(_WITH_AN_ADDRESS), st.sampled_from(_WITH_AN_ADDRESS), _crossed),
    _minutes,
    st.integers(0, 2),
).map(lambda drawn: ("message", *drawn))

dialogues = st.tuples(st.sampled_from(DIALOGUES), st.one_of(_own, _crossed), _minutes, st.integers(0, 2)).map(
    lambda drawn: ("message", *drawn)
)

_OFTEN: tuple[Any, ...] = (
    *[sightings] * 5, aliases, *[words] * 2, groups, retractions, removals, erasures, *[orders] * 3,
    *[messages] * 3, *[dialogues] * 6,
)  # fmt: skip
mentions = st.integers(0, len(_OFTEN) - 1).flatmap(lambda n: _OFTEN[n])


def worlds(said_max: int = 12) -> st.SearchStrategy[list[Event]]:
    """Distinct events of one small world; now and then a value is shared by a crowd."""
    said = st.lists(mentions, min_size=1, max_size=said_max)
    with_crowd = st.tuples(said, st.one_of(st.none(), st.none(), crowds)).map(
        lambda drawn: [*drawn[0], *([drawn[1]] if drawn[1] else [])]
    )
    return with_crowd.map(told)


def told(said: Iterable[tuple[Any, ...]]) -> list[Event]:
    """The events of drawn mentions, each with an id of its own."""
    return [event for n, one in enumerate(said) for event in events_of(f"e{n}", one)]


def events_of(name: str, said: tuple[Any, ...]) -> list[Event]:
    """What one drawn mention sends."""
    kind, what, *rest = said
    if kind == "seen":
        minute, traits, luck = rest
        event = _event(name, named(what), minute, traits=traits, source=f"s{luck % 2}")
        return [msgspec.structs.replace(event, clamped=luck == 0)]
    if kind == "alias":
        previous, minute = rest
        was = {"type": previous[0], "value": previous[1]} if previous else {"value": "cookie-a"}
        return [_event(name, {"user_id": [what]}, minute, "alias.asserted", properties={"previous": was})]
    if kind == "group":
        return [_event(name, {"group_id": ["g"], "user_id": [what]}, rest[0], "group.joined")]
    if kind == "crowd":
        crowd = [{"crm_id.acme": [f"crowd-{k}"], "email": ["family@x.com"]} for k in range(what)]
        return [_event(f"{name}.{k}", one, rest[0] + k) for k, one in enumerate(crowd)]
    if kind == "retracted":
        # Perhaps an event that comes later, or never, or another retraction.
        taken = {s: {"source": s, "id": f"e{what}"} for s in ("s0", "s1", "web")}
        lead = {"user_id": ["1"]}
        return [_event(f"{name}.{s}", lead, rest[0], "event.retracted", properties=p) for s, p in taken.items()]
    if kind == "erased":
        return [word_on(name, what)]
    if kind == "removed":
        minute, luck = rest
        return [_event(name, named([what]), minute, "contact.removed", source=f"s{luck}")]
    if kind == "message":
        who, minute, days = rest
        type_, channel, properties = what
        return [_event(name, named(who), minute + 1440 * days, type_, channel=channel, properties=properties)]
    if kind in MONEY:
        return [money_event(name, said)]
    properties = {"records": [{"type": t, "value": v} for t, v in what], "reason": "looked"}
    return [_event(name, named(what[:1]), rest[0], f"identity.{kind}_asserted", properties=properties)]


def word_on(name: str, identifier: Pair, events: Sequence[str] = ()) -> Event:
    """The word that erases a record, or these events of it, as intake writes it into the log."""
    lead = Identifier(identifier[0], normalise(*identifier))
    return erased(record_id(bytes.fromhex(KEY), lead), name, "customer360", NOON, events)


def _event(
    name: str, identifiers: dict[str, list[str]], minute: int, type: str = "page.viewed", **data: Any
) -> Event:
    return an_event(name, identifiers, type=type, time=NOON + timedelta(minutes=minute), **data)


Tables = dict[str, Any]

_SQL = {
    "history": "SELECT record_id, event_id, time, type, channel, title, data FROM interaction_g1.history",
    "summaries": "SELECT member_id, group_id, state FROM interaction_g1.member WHERE state IS NOT NULL",
    "mentions": "SELECT event_id, record_id, source, time_us, first_us, said, dead FROM identity_g1.mention",
    "evidence": "SELECT record_id, type, value, first_us, sources FROM identity_g1.record WHERE NOT dead",
    "links": "SELECT a, b, kind, first_us, event_id, source FROM identity_g1.link",
    "words": "SELECT a, b, same, time_us, event_id FROM identity_g1.assertion",
    "traits": "SELECT record_id, name, value, first_us, last_us, last_event FROM identity_g1.trait",
    "features": "SELECT record_id, features, keys FROM identity_g1.likeness",
    "similar": "SELECT a, b, joins FROM identity_g1.similar_pair",
    "reach": "SELECT event_id, under, record_id, medium, kind, time_us FROM identity_g1.reach_word WHERE NOT dead",
    "groups": "SELECT record_id, type, value, since_us, facts FROM identity_g1.group_record",
    "parts": "SELECT * FROM identity_g1.group_part",
    "bindings": "SELECT record_id, customer_id, generic, weight, rivals FROM identity_g1.record WHERE NOT dead",
    "customers": "SELECT customer_id, members, told FROM identity_g1.customer WHERE told IS NOT NULL",
    "orders": """
        SELECT order_id, owner, ordered_us, status, shadowed, flags, cells FROM value_g1.orders WHERE key <> ''
    """,
    "days": "SELECT * FROM value_g1.day",
    "told bindings": """
        SELECT record_id, customer_id, generic, weight, rivals FROM profile_g1.binding b
        WHERE record_id <> customer_id OR EXISTS (
            SELECT FROM profile_g1.section s
            WHERE s.customer_id = b.customer_id AND s.service = 'identity' AND s.body IS NOT NULL
        )
    """,
    "sections": "SELECT customer_id, service, members, body FROM profile_g1.section WHERE body IS NOT NULL",
}


async def tables(database_url: str, *names: str) -> Tables:
    """What the tables say, without versions, offsets and the log's times; all of them, or those named."""
    connection = await asyncpg.connect(
        database_url, server_settings={"search_path": "profile_g1,profile", "TimeZone": "UTC"}
    )
    try:
        found: Tables = {}
        for name in (n for n in names or _SQL if n in _SQL):
            rows = await connection.fetch(_SQL[name])
            found[name] = sorted((tuple(map(_plain, row.values())) for row in rows), key=repr)
        found["documents"] = await _documents(connection)
        if "decisions" in names or not names:
            found["decisions"] = await _decisions(database_url)
    finally:
        await connection.close()
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("[", "{")):
        return orjson.loads(value)
    return sorted(value) if isinstance(value, list) else str(value)


async def _decisions(database_url: str) -> list[Any]:
    """What all streams come to; the way there is another one in every order."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "identity_g1"})
    try:
        ids = [r["originator_id"] for r in await connection.fetch("SELECT DISTINCT originator_id FROM decision")]
        streams = await load(connection, DECISIONS, Decisions, [UUID(str(i)) for i in ids])
    finally:
        await connection.close()
    return sorted(
        (str(i), sorted(one.members), sorted(one.refused.items()), sorted(one.generic))
        for i, one in streams.items()
        if len(one.members) > 1 or one.refused or one.generic
    )


async def _documents(connection: Any) -> dict[str, Any]:
    ids = [str(r["customer_id"]) for r in await connection.fetch("SELECT customer_id FROM customer")]
    made = {}
    for customer, told_of in (await views.customers(connection, ids)).items():
        if told_of.exists:
            made[customer] = document(customer, told_of, (), 0, None, Now(NOON.date(), microseconds(NOON)))
            del made[customer]["meta"]["version"], made[customer]["meta"]["updated_at"]
    return made


def difference(one: Tables, other: Tables) -> str:
    """The first table that says something else, and what; empty when all agree."""
    for name in one:
        if one[name] != other[name]:
            if isinstance(one[name], dict):
                wrong = [k for k in one[name].keys() | other[name].keys() if one[name].get(k) != other[name].get(k)]
                return f"{name} {wrong[0]}: {one[name].get(wrong[0])} or {other[name].get(wrong[0])}"
            left = [row for row in one[name] if row not in other[name]]
            right = [row for row in other[name] if row not in one[name]]
            return f"{name}: {left[:3]} or {right[:3]}"
    return ""
