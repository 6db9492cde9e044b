"""Identity's internal pages: /customers/{id}/identity and /path, beside /wait and /status.

Asked by the profile service; not for the public. Values are told as they are: what an asker may not see is masked by
the profile service.
"""

from __future__ import annotations

from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.identifiers import Identifier, is_blocked, normalise, record_id, type_name
from services.identity import views
from services.identity.handlers import shipped_policy
from services.runtime.http import Problem, answer
from services.runtime.internal import internal_app
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings


async def customer(request: Request) -> Response:
    """A customer's records, links, operators' words and refusals; any id the customer ever had."""
    try:
        asked = str(UUID(request.path_params["customer_id"]))
    except ValueError:
        raise Problem("unknown-customer", "a customer id is a UUID") from None
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        found = await views.customer(connection, asked, request.app.state.policy)
    if found is None:
        raise Problem("unknown-customer", "no customer has or had this id")
    return answer({"requested_id": asked, **found})


async def path(request: Request) -> Response:
    """Why `from` and `to` (type:value each) are, or are not, one customer."""
    key = request.app.state.settings.key_bytes
    start, end = (record_id(key, _identifier(name, request.query_params.get(name))) for name in ("from", "to"))
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer(await views.path(connection, start, end, request.app.state.policy))


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
        ServiceSchema.of("identity"),
        [Route("/customers/{customer_id}/identity", customer), Route("/path", path)],
    )
    app.state.policy = shipped_policy()
    return app
