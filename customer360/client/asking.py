"""The two clients: calls sent over httpx, sync and async, repeated with patience, paged, and streams gone on with.

Owns connections and waiting. What is asked is calls.py, when it is asked again patience.py.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

import httpx

from customer360.client.calls import Call, Pages
from customer360.client.errors import ApiError, NotAnswered, problem_of
from customer360.client.events import COMES_BACK, Parser, why_ended
from customer360.client.models import Change
from customer360.client.patience import NOT_NOW, pause_s

T = TypeVar("T")
TIMEOUT_S = 15.0
"""Of one answer; longer than a call may wait for a position."""
SILENCE_S = 45.0
"""A stream sends something every 15 s; one that is silent for so long has broken."""
PATIENCE_S = 30.0
USER_AGENT = "customer360-client/1"


class _Attempts:
    """The attempts of one call: whether there is another, and after how long."""

    def __init__(self, patience_s: float) -> None:
        self.until_s = time.monotonic() + patience_s
        self.failures = 0

    def after(self, outcome: httpx.Response | httpx.TransportError, *, repeats: bool) -> float:
        """Seconds to wait before the next. Raises ApiError or NotAnswered where there is none."""
        self.failures += 1
        was_sent = not isinstance(outcome, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
        answered = isinstance(outcome, httpx.Response)
        retry_after = outcome.headers.get("retry-after") if isinstance(outcome, httpx.Response) else None
        wait_s = pause_s(self.failures, retry_after, self.until_s - time.monotonic(), random.random())
        if wait_s is None or (was_sent and not answered and not repeats):
            if isinstance(outcome, httpx.Response):
                raise problem_of(outcome)
            raise NotAnswered(f"nothing answered: {type(outcome).__name__}") from outcome
        return wait_s


def _request(call: Call[Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {"method": call.method, "url": call.path, "headers": dict(call.headers)}
    if call.params:
        sent["params"] = dict(call.params)
    return sent if call.body is None else {**sent, "json": call.body}


def _read(call: Call[T], response: httpx.Response) -> T:
    if not response.is_success:
        raise problem_of(response)
    return call.read(response.json())


def _options(key: str, more: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT}
    return {"headers": headers, "timeout": TIMEOUT_S, "trust_env": False, **more}


def _stream_of(customer_id: str | None, cursor: str | None) -> dict[str, Any]:
    path = "/v1/changes" if customer_id is None else f"/v1/customers/{customer_id}/stream"
    timeout = httpx.Timeout(TIMEOUT_S, read=SILENCE_S)
    return {"method": "GET", "url": path, "headers": {"Last-Event-ID": cursor} if cursor else {}, "timeout": timeout}


class Client:
    """Asks and waits for the answer. `httpx_options` go to httpx.Client: `verify`, `transport`, `timeout`, …"""

    def __init__(self, url: str, key: str, *, patience_s: float = PATIENCE_S, **httpx_options: Any) -> None:
        self.patience_s = patience_s
        self._http = httpx.Client(base_url=url, **_options(key, httpx_options))

    def ask(self, call: Call[T]) -> T:
        """The answer. Raises ApiError for a refusal, NotAnswered after `patience_s`."""
        attempts = _Attempts(self.patience_s)
        while True:
            try:
                response = self._http.request(**_request(call))
                if response.status_code not in NOT_NOW:
                    return _read(call, response)
                wait_s = attempts.after(response, repeats=call.repeats)
            except httpx.TransportError as error:
                wait_s = attempts.after(error, repeats=call.repeats)
            time.sleep(wait_s)

    def each(self, pages: Pages[T]) -> Iterator[T]:
        """Every item of every page, asked for as they are taken. Raises as `ask` does."""
        items, cursor = self.ask(pages.first)
        yield from items
        while cursor is not None:
            items, cursor = self.ask(pages.after(cursor))
            yield from items

    def changes(self, customer_id: str | None = None, *, after: str | None = None) -> Generator[Change, None, None]:
        """Changes as they happen, of one customer or of all; from a cursor on, or from now. Without an end.

        A stream that breaks is gone on with where it was: nothing is missed, nothing comes twice. Raises ApiError
        where the API refuses (a revoked key, a cursor that is no longer kept), NotAnswered after `patience_s`.
        """
        parser, attempts = Parser(after), _Attempts(self.patience_s)
        while True:
            try:
                with self._http.stream(**_stream_of(customer_id, parser.cursor)) as response:
                    if not response.is_success:
                        response.read()
                        wait_s = _refused(response, attempts)
                    else:
                        for line in response.iter_lines():
                            attempts = _Attempts(self.patience_s)
                            change = parser.feed(line)
                            if change is not None and _goes_on(change):
                                yield change
                        wait_s = pause_s(1, None, float("inf"), random.random()) or 0.0
            except httpx.TransportError as error:
                wait_s = attempts.after(error, repeats=True)
            parser = Parser(parser.cursor)
            time.sleep(wait_s)

    def close(self) -> None:
        """Disconnect."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient:
    """The same without blocking. `httpx_options` go to httpx.AsyncClient."""

    def __init__(self, url: str, key: str, *, patience_s: float = PATIENCE_S, **httpx_options: Any) -> None:
        self.patience_s = patience_s
        self._http = httpx.AsyncClient(base_url=url, **_options(key, httpx_options))

    async def ask(self, call: Call[T]) -> T:
        """The answer. Raises ApiError for a refusal, NotAnswered after `patience_s`."""
        attempts = _Attempts(self.patience_s)
        while True:
            try:
                response = await self._http.request(**_request(call))
                if response.status_code not in NOT_NOW:
                    return _read(call, response)
                wait_s = attempts.after(response, repeats=call.repeats)
            except httpx.TransportError as error:
                wait_s = attempts.after(error, repeats=call.repeats)
            await asyncio.sleep(wait_s)

    async def each(self, pages: Pages[T]) -> AsyncIterator[T]:
        """Every item of every page, asked for as they are taken. Raises as `ask` does."""
        items, cursor = await self.ask(pages.first)
        for item in items:
            yield item
        while cursor is not None:
            items, cursor = await self.ask(pages.after(cursor))
            for item in items:
                yield item

    async def changes(
        self, customer_id: str | None = None, *, after: str | None = None
    ) -> AsyncGenerator[Change, None]:
        """Changes as they happen, as Client.changes tells them."""
        parser, attempts = Parser(after), _Attempts(self.patience_s)
        while True:
            try:
                async with self._http.stream(**_stream_of(customer_id, parser.cursor)) as response:
                    if not response.is_success:
                        await response.aread()
                        wait_s = _refused(response, attempts)
                    else:
                        async for line in response.aiter_lines():
                            attempts = _Attempts(self.patience_s)
                            change = parser.feed(line)
                            if change is not None and _goes_on(change):
                                yield change
                        wait_s = pause_s(1, None, float("inf"), random.random()) or 0.0
            except httpx.TransportError as error:
                wait_s = attempts.after(error, repeats=True)
            parser = Parser(parser.cursor)
            await asyncio.sleep(wait_s)

    async def close(self) -> None:
        """Disconnect."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _refused(response: httpx.Response, attempts: _Attempts) -> float:
    if response.status_code not in NOT_NOW:
        raise problem_of(response)
    return attempts.after(response, repeats=True)


def _goes_on(change: Change) -> bool:
    """Whether it is told on; the end of a stream is not. Raises ApiError where it cannot be gone on with."""
    reason = why_ended(change)
    if reason is not None and reason not in COMES_BACK:
        raise ApiError(401, reason, "the stream ended", "")
    return reason is None
