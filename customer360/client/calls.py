"""What can be asked of the profile API, as values: a request, and how its answer is read.

Owns paths, parameters and which calls may be repeated; sends nothing. A call may be repeated when asking twice is
asking once: what only reads, and what carries an id of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from customer360.client import models

T = TypeVar("T")
READ_OWN_WRITE_MS = 10_000
"""How long an answer waits for a position that is asked for."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, answered with a T."""

    method: str
    path: str
    read: Callable[[Any], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeats: bool = True


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """A list in pages: `first` answers with (items, cursor of the next page or None)."""

    first: Call[tuple[list[T], str | None]]

    def after(self, cursor: str) -> Call[tuple[list[T], str | None]]:
        """The call of the page at a cursor."""
        return replace(self.first, params={**self.first.params, "cursor": cursor})


# -- who is there ----------------------------------------------------------------------------------------


def customer(
    customer_id: str, *, include: Sequence[str] = (), min_position: str | None = None
) -> Call[models.Customer]:
    """A customer's document, under any id he ever had; `include`: these parts alone."""
    params = {**({"include": ",".join(include)} if include else {}), **_at(min_position)}
    return Call("GET", _of(customer_id), models.Customer.model_validate, params)


def lookup(
    *identifiers: tuple[str, str], include: Sequence[str] = (), min_position: str | None = None
) -> Call[list[models.LookedUp]]:
    """Whose these (type, value) are, in the order asked; 1 to 1,000."""
    asked = [{"type": type_, "value": value} for type_, value in identifiers]
    body = {"identifiers": asked, "include": list(include), **_at(min_position)}
    return Call("POST", "/v1/customers/lookup", _all(models.LookedUp, "results"), body=body)


def search(
    query: str | None = None,
    *,
    segment: str | None = None,
    tier: str | None = None,
    sort: str | None = None,
    limit: int = 50,
) -> Pages[models.Found]:
    """Customers by name, e-mail, phone or any id, of a segment or tier."""
    params = {"query": query, "segment": segment, "tier": tier, "sort": sort, "limit": limit}
    return _pages("/v1/customers", models.Found, "items", params)


def timeline(
    customer_id: str, *, min_position: str | None = None, limit: int = 100, **filters: str
) -> Pages[models.TimelineItem]:
    """A customer's history, newest first; filters: channel, type, direction, from_, to, include."""
    params = {name.rstrip("_"): value for name, value in filters.items()}
    return _pages(
        _of(customer_id, "timeline"), models.TimelineItem, "items", {**params, "limit": limit, **_at(min_position)}
    )


def part(customer_id: str, page: str, **params: Any) -> Call[dict[str, Any]]:
    """A page of a customer as its JSON: identity, value, conversations, conversations/resume, known, feedback, …"""
    return Call("GET", _of(customer_id, *page.split("/")), dict, _given(params))


def page(path: str, **params: Any) -> Call[dict[str, Any]]:
    """Any page below /v1 that is read, as its JSON: value/pareto, groups/…, contact/issues, …"""
    return Call(
        "GET", "/v1/" + "/".join(quote(one, safe="") for one in path.strip("/").split("/")), dict, _given(params)
    )


def path(one: tuple[str, str], other: tuple[str, str], *, min_position: str | None = None) -> Call[models.Path]:
    """Why two (type, value) are, or are not, one customer."""
    ends = {"from": ":".join(one), "to": ":".join(other)}
    return Call("GET", "/v1/identity/path", models.Path.model_validate, {**ends, **_at(min_position)})


# -- what apps say ---------------------------------------------------------------------------------------


def say(
    customer_id: str, type: str, properties: Mapping[str, Any], *, id: str | None = None, **about: Any
) -> Call[models.Said]:
    """A channel event of this customer; `about`: channel, direction, actor, conversation_id, time."""
    body = {"type": type, "properties": dict(properties), **_given(about)}
    return _said("POST", _of(customer_id, "events"), body, id)


def prefer(customer_id: str, topic: str, *, id: str | None = None, **how: Any) -> Call[models.Said]:
    """What the customer prefers about a topic: channel, frequency, format, language, quiet_hours, value, until."""
    return _said("PUT", _of(customer_id, "preferences", topic), _given(how), id)


def consent(customer_id: str, purpose: str, state: str, *, id: str | None = None, **more: Any) -> Call[models.Said]:
    """A consent `granted` or `withdrawn` for a purpose; more: channels, text_version, method, expires_at, …"""
    return _said("PUT", _of(customer_id, "consents", purpose), {"state": state, **_given(more)}, id)


def assertion(
    kind: str, one: tuple[str, str], other: tuple[str, str], reason: str, *, id: str | None = None
) -> Call[models.Said]:
    """An operator's word that two records are the `same` person, or `different` ones."""
    records = [{"type": type_, "value": value} for type_, value in (one, other)]
    return _said("POST", "/v1/identity/assertions", {"kind": kind, "records": records, "reason": reason}, id)


# -- segments and webhooks -------------------------------------------------------------------------------


# -- what is kept of somebody ----------------------------------------------------------------------------


def erase(customer_id: str, reason: str = "asked for") -> Call[models.Erasure]:
    """Erase a customer for good. Asked once more, where the answer was lost, it says that he was erased (410)."""
    return Call("POST", _of(customer_id, "erase"), models.Erasure.model_validate, body={"reason": reason})


def erasure(erasure_id: str, *, wait_ms: int = 0) -> Call[models.Erasure]:
    """How far an erasure came; `wait_ms`: how long to wait until it is done."""
    return Call("GET", f"/v1/erasures/{erasure_id}", models.Erasure.model_validate, {"wait_ms": wait_ms})


def export(customer_id: str) -> Call[models.Export]:
    """Ask for a copy of all that is kept of a customer."""
    return Call("POST", _of(customer_id, "export"), models.Export.model_validate, repeats=False)


def export_state(export_id: str) -> Call[models.Export]:
    """How far a copy came."""
    return Call("GET", f"/v1/exports/{export_id}", models.Export.model_validate)


def exported(export_id: str) -> Call[dict[str, Any]]:
    """The copy itself."""
    return Call("GET", f"/v1/exports/{export_id}/data", dict)


# -- segments and webhooks -------------------------------------------------------------------------------


def segments() -> Call[list[models.Segment]]:
    """All segments."""
    return Call("GET", "/v1/segments", _all(models.Segment, "segments"))


def define_segment(segment_id: str, name: str, where: Mapping[str, Any], **more: Any) -> Call[models.Segment]:
    """Define a segment, or change one; the same again changes nothing. More: within, description."""
    body = {"segment_id": segment_id, "name": name, "where": dict(where), **_given(more)}
    return Call("POST", "/v1/segments", models.Segment.model_validate, body=body)


def members(segment_id: str, *, limit: int = 100, min_position: str | None = None) -> Pages[models.Member]:
    """Who is in a segment, by customer id."""
    params = {"limit": limit, **_at(min_position)}
    return _pages(f"/v1/segments/{quote(segment_id, safe='')}/members", models.Member, "members", params)


def why(customer_id: str, segment_id: str, *, min_position: str | None = None) -> Call[models.Why]:
    """Why a customer is in a segment, or is not."""
    return Call("GET", _of(customer_id, "segments", segment_id), models.Why.model_validate, _at(min_position))


def make_webhook(url: str, types: Iterable[str] = (), **more: Any) -> Call[models.Webhook]:
    """A new endpoint, told of what changes from now on. Not repeated when nobody answers: there might be two then."""
    body = {"url": url, "types": list(types), **_given(more)}
    return Call("POST", "/v1/webhooks", models.Webhook.model_validate, body=body, repeats=False)


def webhooks() -> Call[list[models.Webhook]]:
    """All endpoints."""
    return Call("GET", "/v1/webhooks", _all(models.Webhook, "webhooks"))


# -- how -------------------------------------------------------------------------------------------------


def _of(customer_id: str, *pages: str) -> str:
    return "/".join(["/v1/customers", *(quote(one, safe="") for one in (customer_id, *pages))])


def _at(min_position: str | None) -> dict[str, Any]:
    return {"min_position": min_position, "wait_ms": READ_OWN_WRITE_MS} if min_position else {}


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


M = TypeVar("M", bound=BaseModel)


def _all(model: type[M], name: str) -> Callable[[Any], list[M]]:
    return lambda answer: [model.model_validate(one) for one in answer[name]]


def _pages(path: str, model: type[M], name: str, params: Mapping[str, Any]) -> Pages[M]:
    read = _all(model, name)
    return Pages(Call("GET", path, lambda answer: (read(answer), answer["next_cursor"]), _given(params)))


def _said(method: str, path: str, body: dict[str, Any], id: str | None) -> Call[models.Said]:
    headers = {"Idempotency-Key": id or str(uuid.uuid4())}
    return Call(method, path, models.Said.model_validate, body=body, headers=headers)
