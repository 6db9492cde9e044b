"""Identity's internal pages: /customers/{id}/identity, /how, /history, /lines and /groups, /groups/{id}, /path,
beside /wait and /status.

Asked by the profile service; not for the public. Values are told as they are: what an asker may not see is masked by
the profile service.
"""

from __future__ import annotations

from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.envelope import parse_rfc3339
from schemas.identifiers import GROUP_TYPE, Identifier, is_blocked, normalise, record_id, type_name
from schemas.places import read_cursor
from services.identity import views
from services.identity.domain import lines
from services.identity.domain.policy import read_policy
from services.identity.handlers import POLICY, plan
from services.runtime import policies
from services.runtime.http import Problem, answer, ids_sent, whole
from services.runtime.internal import internal_app
from services.runtime.policies import PolicyInForce
from services.runtime.policy_pages import policy_pages, sent
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings

GROUP_MEMBERS_MAX = 100
REVIEW_PAIRS_MAX = 100
DECISIONS_MAX = 100
LINES_MAX = 201
"""One more than a page of a timeline shows, so that its asker knows whether there are more."""
VERSION_MAX = 2**31
"""Far more decisions than a customer can have."""


async def customer(request: Request) -> Response:
    """A customer's records, links, operators' words and refusals; any id the customer ever had."""
    asked = _customer_id(request)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        found = await views.customer(connection, asked, policy)
    if found is None:
        raise Problem("unknown-customer", "no customer has or had this id")
    return answer({"requested_id": asked, **found})


async def customer_how(request: Request) -> Response:
    """In what order a customer's records join, and the weakest link; any id the customer ever had."""
    asked = _customer_id(request)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        found = await views.how(connection, asked, policy)
    if found is None:
        raise Problem("unknown-customer", "no customer has or had this id")
    return answer({"requested_id": asked, **found})


async def customer_history(request: Request) -> Response:
    """What was decided about a customer, newest first: `limit`, `cursor`; `former`: under an id it had before."""
    asked = _customer_id(request)
    limit = whole(request.query_params.get("limit"), DECISIONS_MAX, 1, DECISIONS_MAX)
    cursor = request.query_params.get("cursor")
    before = None if cursor is None else whole(cursor, 0, 1, VERSION_MAX)
    named = request.query_params.get("former")
    former = None if named is None else _uuid(named)
    if named is not None and former is None:
        raise Problem("bad-request", "former is one of the customer's former ids")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        found = await views.past(connection, asked, former, before, limit)
    if found is None:
        raise Problem("unknown-customer", "no customer has or had this id")
    return answer({"requested_id": asked, **found})


async def customer_lines(request: Request) -> Response:
    """Lines of a customer's timeline, newest first: `limit`, `type`, `from`, `to`, `cursor` of the timeline."""
    asked, query = _customer_id(request), request.query_params
    limit = whole(query.get("limit"), LINES_MAX, 1, LINES_MAX)
    try:
        since, until = (parse_rfc3339(query[name]) if query.get(name) else None for name in ("from", "to"))
        after = read_cursor(query["cursor"]) if query.get("cursor") else None
    except ValueError:
        raise Problem("bad-request", "from and to are RFC 3339 times with a zone, cursor is one of ours") from None
    wanted = lines.Wanted(limit, query.get("type"), since, until, after)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        found = await views.lines_of(connection, asked, wanted)
    if found is None:
        raise Problem("unknown-customer", "no customer has or had this id")
    return answer({"requested_id": asked, **found})


async def customer_groups(request: Request) -> Response:
    """The groups a customer belongs to; any id the customer ever had."""
    asked = _customer_id(request)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        found = await views.groups_of(connection, asked)
    if found is None:
        raise Problem("unknown-customer", "no customer has or had this id")
    return answer({"requested_id": asked, **found})


async def named_by_others(request: Request) -> Response:
    """{records} → {events}: [record id, event id] of groups and operators' words that name them."""
    records = await ids_sent(request, "records")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"events": await views.named_by_others(connection, records)})


async def group(request: Request) -> Response:
    """A group by its record id or as TYPE:VALUE, with a page of its members: `limit`, `cursor`."""
    asked = request.path_params["group"]
    limit = whole(request.query_params.get("limit"), GROUP_MEMBERS_MAX, 1, GROUP_MEMBERS_MAX)
    after = request.query_params.get("cursor")
    if after is not None and _uuid(after) is None:
        raise Problem("bad-request", "cursor is the next_cursor of the page before")
    record = _uuid(asked)
    if record is None:
        identifier = _identifier("group", asked)
        if identifier.type.partition(".")[0] != GROUP_TYPE:
            raise Problem("bad-request", f"a group is a {GROUP_TYPE}")
        record = record_id(request.app.state.settings.key_bytes, identifier)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        found = await views.group(connection, record, after, limit)
    if found is None:
        raise Problem("not-found", "no event speaks of this group")
    return answer(found)


async def path(request: Request) -> Response:
    """Why `from` and `to` (type:value each) are, or are not, one customer."""
    key = request.app.state.settings.key_bytes
    start, end = (record_id(key, _identifier(name, request.query_params.get(name))) for name in ("from", "to"))
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        return answer(await views.path(connection, start, end, policy))


async def contradicted(request: Request) -> Response:
    """The operators' words that a new one on `from` and `to` would contradict; `kind`: same or different."""
    key = request.app.state.settings.key_bytes
    start, end = (record_id(key, _identifier(name, request.query_params.get(name))) for name in ("from", "to"))
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        same = request.query_params.get("kind") == "same"
        return answer(await views.contradicted(connection, start, end, policy, same=same))


async def review(request: Request) -> Response:
    """Pairs that somebody should look at: `limit`, `cursor`."""
    limit = whole(request.query_params.get("limit"), REVIEW_PAIRS_MAX, 1, REVIEW_PAIRS_MAX)
    cursor = request.query_params.get("cursor")
    after = None
    if cursor is not None:
        one, _, other = cursor.partition("_")
        a, b = _uuid(one), _uuid(other)
        if a is None or b is None:
            raise Problem("bad-request", "cursor is the next_cursor of the page before")
        after = a, b
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        return answer(await views.to_review(connection, policy, after, limit))


async def rehearse(request: Request) -> Response:
    """What a policy would change: {document, by, reason} → domain/rehearsal.py's answer. Nothing is changed."""
    document, _, _ = await sent(request, read_policy)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer(await views.rehearse(connection, read_policy(document)))


async def fitted(request: Request) -> Response:
    """The policy in force with a similarity model estimated of what is stored; nothing is changed."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        document = (await policies.in_force(connection, POLICY))["document"]
        return answer(await views.fit_to(connection, document))


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _customer_id(request: Request) -> str:
    """Raises Problem("unknown-customer") for what cannot be one."""
    found = _uuid(request.path_params["customer_id"])
    if found is None:
        raise Problem("unknown-customer", "a customer id is a UUID")
    return found


def _identifier(name: str, text: str | None) -> Identifier:
    """Raises Problem("bad-request") for what cannot be an identifier."""
    sent, colon, value = (text or "").partition(":")
    kind = type_name(sent)
    if not colon or kind is None:
        raise Problem("bad-request", f"`{name}` is TYPE:VALUE")
    identifier = Identifier(kind, normalise(kind, value))
    if is_blocked(identifier.value):
        raise Problem("bad-request", f"`{name}` is a placeholder that identifies nobody")
    return identifier


def internal(settings: Settings) -> Starlette:
    """The application."""
    app = internal_app(
        settings,
        ServiceSchema.of("identity", event_sourced=True),
        [
            Route("/customers/{customer_id}/identity", customer),
            Route("/customers/{customer_id}/how", customer_how),
            Route("/customers/{customer_id}/history", customer_history),
            Route("/customers/{customer_id}/lines", customer_lines),
            Route("/customers/{customer_id}/groups", customer_groups),
            Route("/groups/{group:path}", group),
            Route("/named-by-others", named_by_others, methods=["POST"]),
            Route("/path", path),
            Route("/contradictions", contradicted),
            Route("/review", review),
            Route("/policy/rehearsal", rehearse, methods=["POST"]),
            Route("/policy/fitted", fitted),
            *policy_pages("identity", POLICY, read_policy),
        ],
        plan,
    )
    app.state.policy = PolicyInForce(POLICY, read_policy)
    return app
