"""The public doors of a running copy, as an upstream and a downstream use them.

Owns sending, asking, and reading one's own write; knows no table, no topic, no module of the services.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from services.runtime.waiting import merge, read_token, write_token
from tests.support.deployment import Deployment

ANSWER_TIMEOUT_S = 30.0
VISIBLE_MS = 10_000
PAGE_ITEMS = 200
PAGES_MAX = 50
SUCCESS = {"success": True}


@dataclass(frozen=True)
class Source:
    """A registered source."""

    name: str
    write_key: str


class Doors:
    """Clients of one copy. Answers are given whole, so that a test sees status, headers and body."""

    def __init__(self, copy: Deployment) -> None:
        self.copy = copy
        self.http = httpx.Client(timeout=ANSWER_TIMEOUT_S, trust_env=False)
        self._keys: dict[tuple[str, ...], str] = {}
        self._sources: dict[str, Source] = {}

    def close(self) -> None:
        """Disconnect."""
        self.http.close()

    # -- upstream ----------------------------------------------------------------------------------------

    def source(self, name: str, *options: str) -> Source:
        """A source, registered when first asked for: with options by `c360 source create`, else as it does it."""
        if name not in self._sources:
            if options:
                made = self.copy.json("source", "create", name, *options)
            else:
                made = self._made("intake", "sources", {"name": name})
            self._sources[name] = Source(name, made["write_key"])
        return self._sources[name]

    def post(self, path: str, source: Source | None, **request: Any) -> httpx.Response:
        """One request to the collector, with the source's write key as Basic user."""
        if source is not None:
            request["auth"] = (source.write_key, "")
        return self.http.post(f"{self.copy.intake}{path}", **request)

    def send(self, source: Source, *events: Mapping[str, Any]) -> str:
        """CloudEvents of our types, in one batch; the position after them."""
        body = [cloudevent(source, event) for event in events]
        response = self.post("/events", source, json=body)
        assert (response.status_code, response.json()) == (200, SUCCESS), response.text
        return str(response.headers["C360-Position"])

    # -- downstream --------------------------------------------------------------------------------------

    def key(self, *scopes: str) -> str:
        """An API key with exactly these scopes, made when first asked for as `c360 key create` does it."""
        if scopes not in self._keys:
            about = {"name": "-".join(scopes), "scopes": scopes}
            self._keys[scopes] = str(self._made("profile", "keys", about)["key"])
        return self._keys[scopes]

    def _made(self, service: str, page: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """What the internal page answers; a command for each would cost a second."""
        response = self.http.post(f"{self.copy.internal[service]}/{page}", json=about)
        assert response.status_code == 200, response.text
        made: dict[str, Any] = response.json()
        return made

    def ask(
        self, path: str, *, key: str | None = None, headers: Mapping[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        """GET of the profile API; the operator's key unless another is given ("" is none)."""
        return self.http.get(
            f"{self.copy.profile}{path}", params=params, headers={**self._bearer(key), **(headers or {})}
        )

    def post_api(
        self, path: str, body: Any, *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """POST to the profile API; the operator's key unless another is given."""
        return self.http.post(
            f"{self.copy.profile}{path}", json=body, headers={**self._bearer(key), **(headers or {})}
        )

    def look_up(
        self,
        *identifiers: tuple[str, str],
        position: str | None = None,
        include: Sequence[str] = (),
        key: str | None = None,
    ) -> list[dict[str, Any]]:
        """Results of a lookup once the position is visible."""
        body = {
            "identifiers": [{"type": t, "value": v} for t, v in identifiers],
            "include": list(include),
            "min_position": position,
            "wait_ms": VISIBLE_MS,
        }
        response = self.http.post(f"{self.copy.profile}/v1/customers/lookup", json=body, headers=self._bearer(key))
        assert response.status_code == 200, response.text
        results: list[dict[str, Any]] = response.json()["results"]
        return results

    def customer_of(self, type_: str, value: str, position: str | None = None) -> str:
        """Whose one identifier is; it must be somebody's."""
        (result,) = self.look_up((type_, value), position=position)
        assert result["customer_id"], result
        return str(result["customer_id"])

    def profile(self, customer_id: str, position: str | None = None, **params: Any) -> dict[str, Any]:
        """A customer's document once the position is visible."""
        key = params.pop("key", None)
        at: dict[str, Any] = {"min_position": position, "wait_ms": VISIBLE_MS} if position else {}
        response = self.ask(f"/v1/customers/{customer_id}", key=key, **at, **params)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    def timeline(self, customer_id: str, position: str | None = None, **params: Any) -> list[dict[str, Any]]:
        """All items on all pages."""
        items: list[dict[str, Any]] = []
        at = {"min_position": position, "wait_ms": VISIBLE_MS} if position else {}
        query = {"limit": PAGE_ITEMS, **at, **params}
        key = query.pop("key", None)
        for _ in range(PAGES_MAX):
            response = self.ask(f"/v1/customers/{customer_id}/timeline", key=key, **query)
            assert response.status_code == 200, response.text
            body = response.json()
            items += body["items"]
            if body["next_cursor"] is None:
                return items
            assert body["items"], "a page that goes on holds something"
            query["cursor"] = body["next_cursor"]
        raise AssertionError("the timeline has no end")

    def _bearer(self, key: str | None) -> dict[str, str]:
        key = self.copy.operator_key if key is None else key
        return {"Authorization": f"Bearer {key}"} if key else {}


def cloudevent(source: Source, event: Mapping[str, Any]) -> dict[str, Any]:
    """A structured CloudEvent: `type`, `id`, `time` of the event as given, the rest is data."""
    attributes = {k: event[k] for k in ("id", "type", "time") if k in event}
    data = {k: v for k, v in event.items() if k not in ("id", "type", "time")}
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": source.name,
        "datacontenttype": "application/json",
        **attributes,
        "data": data,
    }


def later_of(*positions: str) -> str:
    """The position after all of these."""
    return write_token(merge(*map(read_token, positions)))


def a_phone() -> str:
    """A number nobody else has."""
    return f"+49 30 {uuid.uuid4().int % 10**9:09d}"


Named = Callable[[str], str]
"""What the fixture `own` gives."""
