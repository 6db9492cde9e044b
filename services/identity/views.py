"""Identity's questions: a customer's evidence, what does or does not join two records, groups and their members.

Owns reading for answers; what they say is domain/explain.py, joined.py, history.py and groups.py. Components and
groups are read as the lane reads them, so that an answer comes of the same evidence as the decision.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from schemas.identifiers import class_rank
from services.identity.domain import explain, groups, history, joined, lines, rehearsal
from services.identity.domain.decisions import told
from services.identity.domain.evidence import Assertion, Record
from services.identity.domain.policy import Policy, read_policy
from services.identity.domain.similarity import fitting
from services.identity.domain.similarity.features import read_features
from services.identity.domain.similarity.scoring import score
from services.identity.domain.weighing import Weighed, weigh
from services.identity.store import belonging, neighbourhood, whole
from services.runtime.aggregates import MAPPER
from services.runtime.eventstore import DECISIONS, events_of
from services.runtime.http import Problem
from services.runtime.postgres import Connection

GIVEN_RANKS = {class_rank("crm_id"), class_rank("loyalty_id")}
"""Classes of numbers that a source gives its own contacts."""
COMPONENT_RECORDS_MAX = 10_000
"""Records that may hang together and still be explained within one request."""


async def customer(connection: Connection, customer_id: str, policy: Policy) -> dict[str, Any] | None:
    """What holds a customer together and what was refused; None when no customer has or had this id."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        today = await connection.fetchval("SELECT customer_id FROM record WHERE record_id = $1", customer_id)
        if today is None:
            return None
        weighed = await _weighed(connection, [str(today)], policy)
        if str(today) not in weighed.bindings:
            return None
        found = explain.customer(weighed, weighed.customer_of(str(today)))
        decided = await connection.fetchval("SELECT count(*) FROM decision WHERE originator_id = $1", today)
        decisions = await decisions_of(connection, found["customer_id"])
    return {**found, "decisions": decisions, "totals": {**found["totals"], "decisions": decided}}


async def how(connection: Connection, customer_id: str, policy: Policy) -> dict[str, Any] | None:
    """In what order a customer's records join; None when nobody has or had this id. Raises Problem("too-large")."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        today = await _today(connection, customer_id)
        if today is None:
            return None
        weighed = await _weighed(connection, [today], policy)
    return joined.how(weighed, weighed.customer_of(today))


async def past(
    connection: Connection, customer_id: str, former: str | None, before: int | None, limit: int
) -> dict[str, Any] | None:
    """A page of what was decided about a customer, newest first: decisions with versions below `before`.

    `former`: an id that the customer had before, whose decisions are asked for. None when no customer has or had the
    id, or it is none of his.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        today = await _today(connection, customer_id)
        if today is None or (former is not None and await _today(connection, former) != today):
            return None
        stream = UUID(former or today)
        lte = None if before is None else before - 1
        stored = await events_of(connection, DECISIONS, [stream], lte=lte, desc=True, limit=limit + 1)
        found = [MAPPER.to_domain_event(event) for event in stored.get(stream, ())]
        page, more = found[:limit], len(found) > limit
        records, events = history.mentioned(page)
        names = await _names(connection, records | {str(stream)})
        words = await _words(connection, events)
        total = await connection.fetchval("SELECT count(*) FROM decision WHERE originator_id = $1", stream)
        others = await _former(connection, today)
    answer = history.history(today, str(stream), page, total, names, words)
    cursor = str(page[-1].originator_version) if more else None
    return {**answer, "former": [one for one in others if one != today], "next_cursor": cursor}


async def lines_of(connection: Connection, customer_id: str, wanted: lines.Wanted) -> dict[str, Any] | None:
    """A page of the lines of a customer's timeline; None when nobody has the id. Raises Problem("too-large")."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        today = await _today(connection, customer_id)
        if today is None:
            return None
        around = await neighbourhood(connection, [today])
    if len(around.records) > COMPONENT_RECORDS_MAX:
        raise Problem("too-large", f"more than {COMPONENT_RECORDS_MAX} records hang together here")
    living = {r: record for r, record in around.records.items() if not around.stored[r].dead}
    bindings = {r: around.stored[r].binding for r in living}
    customer_of = {r: binding.customer_id for r, binding in bindings.items()}
    counting = [k for k in around.links if not any(e not in bindings or bindings[e].generic for e in (k.a, k.b))]
    # In a thread: a large component must not keep this process from answering others.
    found = await asyncio.to_thread(lines.lines, today, living, customer_of, counting, around.assertions)
    return {"customer_id": today, "lines": lines.shown(wanted.page(found))}


async def path(connection: Connection, start: str, end: str, policy: Policy) -> dict[str, Any]:
    """The way between two records, or why there is none. Raises Problem("unknown-record")."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        weighed = await _weighed(connection, [start, end], policy)
    for name, record in (("from", start), ("to", end)):
        if record not in weighed.records:
            raise Problem("unknown-record", f"no event has mentioned the identifier in `{name}`")
    return explain.path(weighed, start, end)


async def contradicted(connection: Connection, start: str, end: str, policy: Policy, *, same: bool) -> dict[str, Any]:
    """The operators' words that a new one on two records would contradict; none where a record is unknown."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        weighed = await _weighed(connection, [start, end], policy)
    known = start in weighed.records and end in weighed.records
    return {"contradicts": explain.contradicted(weighed, start, end, same=same) if known else []}


async def rehearse(connection: Connection, policy: Policy) -> dict[str, Any]:
    """What another policy would change, of all the evidence there is. Reads it whole: memory grows with it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        evidence, stored = await whole(connection)
    standing = {r: s.binding for r, s in stored.items()}
    # In a thread: it takes seconds for some ten thousand records, and others want answers meanwhile.
    return await asyncio.to_thread(lambda: rehearsal.difference(standing, rehearsal.bindings_under(evidence, policy)))


async def fit_to(connection: Connection, document: dict[str, Any]) -> dict[str, Any]:
    """The policy with a similarity model estimated of what is stored, and what it was estimated from."""
    sql = "SELECT l.record_id, l.features, r.type FROM likeness l JOIN record r USING (record_id)"
    rows = await connection.fetch(sql)
    features = {str(r["record_id"]): read_features(r["features"]) for r in rows}
    types = {str(r["record_id"]): r["type"] for r in rows if class_rank(r["type"]) in GIVEN_RANKS}
    fitted = await asyncio.to_thread(fitting.fit, features, read_policy(document).similarity, types)
    return {
        "document": fitting.proposed(document, fitted),
        "records": len(features),
        "random_pairs": fitted.random_pairs,
        "blocked_pairs": fitted.blocked_pairs,
        "fields": {name: one.matches for name, one in fitted.fields.items()},
        "same_source": fitted.same_source,
    }


async def to_review(
    connection: Connection, policy: Policy, after: tuple[str, str] | None, limit: int
) -> dict[str, Any]:
    """Pairs alike enough to be looked at, of two customers, on which no operator has spoken; by ids."""
    rows = await connection.fetch(
        """
        SELECT s.a, s.b, l.features AS one, m.features AS other, q.type AS a_type, q.value AS a_value,
            r.type AS b_type, r.value AS b_value, q.customer_id AS a_customer, r.customer_id AS b_customer
        FROM similar_pair s JOIN likeness l ON l.record_id = s.a JOIN likeness m ON m.record_id = s.b
        JOIN record q ON q.record_id = s.a JOIN record r ON r.record_id = s.b
        WHERE q.customer_id <> r.customer_id AND ($1::uuid IS NULL OR (s.a, s.b) > ($1, $2::uuid))
          AND NOT EXISTS (SELECT FROM assertion w WHERE w.a = s.a AND w.b = s.b)
        ORDER BY s.a, s.b LIMIT $3
        """,
        after[0] if after else None,
        after[1] if after else None,
        limit + 1,
    )
    more = rows[limit - 1] if len(rows) > limit else None
    return {
        "pairs": [
            explain.doubtful(
                Record(str(r["a"]), r["a_type"], r["a_value"], 0, frozenset()),
                Record(str(r["b"]), r["b_type"], r["b_value"], 0, frozenset()),
                (str(r["a_customer"]), str(r["b_customer"])),
                score(read_features(r["one"]), read_features(r["other"]), policy.similarity),
            )
            for r in rows[:limit]
        ],
        "held": [] if after else await _held(connection),
        "next_cursor": f"{more['a']}_{more['b']}" if more else None,
    }


async def _held(connection: Connection) -> list[dict[str, Any]]:
    """Large joins that wait for a word, LISTED_MAX at most."""
    rows = await connection.fetch(
        """
        SELECT h.a, h.b, h.reason, q.type AS a_type, q.value AS a_value, r.type AS b_type, r.value AS b_value,
            q.customer_id AS a_customer, r.customer_id AS b_customer,
            (SELECT count(*) FROM record c WHERE c.customer_id = q.customer_id AND NOT c.dead) AS a_records,
            (SELECT count(*) FROM record c WHERE c.customer_id = r.customer_id AND NOT c.dead) AS b_records
        FROM held h JOIN record q ON q.record_id = h.a JOIN record r ON r.record_id = h.b
        ORDER BY h.a, h.b LIMIT $1
        """,
        explain.LISTED_MAX,
    )
    return [
        {
            side: {
                "record_id": str(r[side]),
                "type": r[f"{side}_type"],
                "value": r[f"{side}_value"],
                "customer_id": str(r[f"{side}_customer"]),
                "records": r[f"{side}_records"],
            }
            for side in ("a", "b")
        }
        | {"constraint": r["reason"]}
        for r in rows
    ]


async def decisions_of(connection: Connection, customer_id: str) -> list[dict[str, Any]]:
    """What was decided about a customer, newest first, LISTED_MAX at most."""
    customer = UUID(customer_id)
    found = await events_of(connection, DECISIONS, [customer], desc=True, limit=explain.LISTED_MAX)
    return [told(MAPPER.to_domain_event(event)) for event in found.get(customer, ())]


async def _today(connection: Connection, customer_id: str) -> str | None:
    """The customer an id stands for now; None when nobody has or had it."""
    sql = "SELECT customer_id FROM record WHERE record_id = $1 AND NOT dead"
    found = await connection.fetchval(sql, customer_id)
    return str(found) if found else None


async def _former(connection: Connection, customer_id: str) -> list[str]:
    """Ids of the customer's records under which anything was decided, LISTED_MAX at most."""
    rows = await connection.fetch(
        """
        SELECT record_id FROM record r WHERE customer_id = $1 AND EXISTS (
            SELECT FROM decision d WHERE d.originator_id = r.record_id
        ) ORDER BY record_id LIMIT $2
        """,
        customer_id,
        explain.LISTED_MAX,
    )
    return [str(r["record_id"]) for r in rows]


async def _names(connection: Connection, records: set[str]) -> dict[str, Record]:
    sql = "SELECT record_id, type, value FROM record WHERE record_id = any($1::uuid[])"
    rows = await connection.fetch(sql, sorted(records))
    return {str(r["record_id"]): Record(str(r["record_id"]), r["type"], r["value"], 0, frozenset()) for r in rows}


async def _words(connection: Connection, events: set[str]) -> dict[tuple[str, str, str], Assertion]:
    rows = await connection.fetch("SELECT * FROM assertion WHERE event_id = any($1::uuid[])", sorted(events))
    found = [
        Assertion(str(r["a"]), str(r["b"]), r["same"], r["time_us"], str(r["event_id"]), r["reason"], r["actor"])
        for r in rows
    ]
    return {word.key: word for word in found}


async def group(connection: Connection, record_id: str, after: str | None, limit: int) -> dict[str, Any] | None:
    """A group and a page of its members, by customer id; None when nothing is said of it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        known = await belonging.groups(connection, [record_id])
        if record_id not in known:
            return None
        members = await belonging.members(connection, record_id, after, limit + 1)
        totals = await belonging.totals(connection, record_id)
    page = [groups.member(customer_id, parts) for customer_id, parts in members.items()]
    more = page[limit - 1]["customer_id"] if len(page) > limit else None
    return {**groups.shown(known[record_id][0]), "members": page[:limit], "next_cursor": more, "totals": totals}


async def groups_of(connection: Connection, customer_id: str) -> dict[str, Any] | None:
    """The groups a customer belongs to, or a record that identity does not know; None when nobody has this id."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(
            """
            SELECT record_id, customer_id FROM record
            WHERE NOT dead AND customer_id = (SELECT customer_id FROM record WHERE record_id = $1 AND NOT dead)
            """,
            customer_id,
        )
        today = str(rows[0]["customer_id"]) if rows else customer_id
        found = await belonging.memberships(connection, [str(r["record_id"]) for r in rows] or [customer_id])
    if not rows and not found:
        return None
    return {"customer_id": today, "groups": groups.listed(m for those in found.values() for m in those)}


async def _weighed(connection: Connection, seeds: list[str], policy: Policy) -> Weighed:
    """The components around the seeds. Raises Problem("too-large")."""
    around = await neighbourhood(connection, seeds)
    if len(around.records) > COMPONENT_RECORDS_MAX:
        raise Problem("too-large", f"more than {COMPONENT_RECORDS_MAX} records hang together here")
    living = {r: record for r, record in around.records.items() if not around.stored[r].dead}
    generic = frozenset(r for r in living if around.stored[r].binding.generic)
    # In a thread: a large component must not keep this process from answering others.
    return await asyncio.to_thread(weigh, living, around.links, around.assertions, policy, generic, around.looks)


named_by_others = belonging.named_by_others
"""Which events under other records name these: what has to be erased with them."""
