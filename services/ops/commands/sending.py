"""Events into the collector: batches by size, a few connections, patience with a busy door.

Owns forming requests and repeating them; the public door is the only one used. Sending again is harmless:
an event is applied once by its source and id.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import httpx

from services.ops.commands.failures import CommandError, NotRunning
from services.ops.commands.here import said
from services.ops.commands.reading import Item, Kind
from services.runtime.waiting import BadToken, Ends, merge, read_token, write_token

BATCH_EVENTS_MAX = 200
BATCH_BYTES_MAX = 400_000
"""Below the collector's 500 KB, with room for what surrounds the events."""
REQUEST_TIMEOUT_S = 30.0
RETRY_FOR_S = 30.0
RETRY_FIRST_S = 0.2
RETRY_MAX_S = 5.0
BUSY = (429, 502, 503, 504)
UNAUTHORISED = (401, 403)

PATHS: dict[Kind, str] = {"cloudevent": "/events", "segment": "/v1/batch"}
CONTENT_TYPES: dict[Kind, str] = {
    "cloudevent": "application/cloudevents-batch+json",
    "segment": "application/json",
}


@dataclass(frozen=True, slots=True)
class Post:
    """One request: events of one form, and where the first of them was read."""

    kind: Kind
    body: bytes
    events: int
    key: str
    line: int = 0


@dataclass(slots=True)
class Tally:
    """What became of the posts. `ends` is the position after all that was accepted."""

    accepted: int = 0
    ends: Ends = field(default_factory=dict)
    refused: list[tuple[Post, str]] = field(default_factory=list)

    @property
    def position(self) -> str | None:
        """The position as a C360-Position token; None before anything was accepted."""
        return write_token(self.ends) if self.ends else None


def post_of(kind: Kind, bodies: list[bytes], key: str, line: int = 0) -> Post:
    """One request with these events."""
    joined = b",".join(bodies)
    body = b"[" + joined + b"]" if kind == "cloudevent" else b'{"batch":[' + joined + b"]}"
    return Post(kind, body, len(bodies), key, line)


def posts(items: Iterable[Item], key: str) -> Iterator[Post]:
    """Items in order, in requests of one form within BATCH_EVENTS_MAX and BATCH_BYTES_MAX."""
    held: list[Item] = []
    size = 0
    for item in items:
        full = len(held) == BATCH_EVENTS_MAX or size + len(item.body) > BATCH_BYTES_MAX
        if held and (full or held[0].kind != item.kind):
            yield post_of(held[0].kind, [one.body for one in held], key, held[0].line)
            held, size = [], 0
        held.append(item)
        size += len(item.body)
    if held:
        yield post_of(held[0].kind, [one.body for one in held], key, held[0].line)


async def send_all(
    intake_url: str,
    to_send: Iterable[Post],
    connections: int = 1,
    on_accepted: Callable[[int], None] = lambda events: None,
) -> Tally:
    """Sends everything over this many connections and waits for each answer.

    Raises NotRunning or CommandError if the door stays shut for RETRY_FOR_S, or the key is not known.
    """
    tally = Tally()
    left = iter(to_send)
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(
        base_url=intake_url, timeout=REQUEST_TIMEOUT_S, trust_env=False, limits=limits
    ) as client:

        async def sending() -> None:
            for post in left:
                response = await deliver(client, post)
                if response.status_code in UNAUTHORISED:
                    raise CommandError(f"the collector does not know this write key: {said(response)}")
                if response.is_success:
                    tally.accepted += post.events
                    tally.ends = merge(tally.ends, position_of(response))
                    on_accepted(post.events)
                else:
                    tally.refused.append((post, said(response)))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(connections):
                    group.create_task(sending())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
    return tally


async def deliver(client: httpx.AsyncClient, post: Post) -> httpx.Response:
    """One request, repeated while the door is busy or away. Raises NotRunning after RETRY_FOR_S."""
    deadline = time.monotonic() + RETRY_FOR_S
    pause_s = RETRY_FIRST_S
    while True:
        problem = ""
        try:
            response = await client.post(
                PATHS[post.kind],
                content=post.body,
                headers={"Content-Type": CONTENT_TYPES[post.kind]},
                auth=(post.key, ""),
            )
            if response.status_code not in BUSY:
                return response
            problem = said(response)
            pause_s = max(pause_s, _retry_after_s(response))
        except httpx.TransportError as error:
            problem = f"nothing answers at {client.base_url} ({type(error).__name__})"
        if time.monotonic() + pause_s > deadline:
            raise NotRunning(f"the collector takes nothing: {problem}")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, RETRY_MAX_S)


def _retry_after_s(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return min(float(text), RETRY_MAX_S) if text.isdecimal() else 0.0


def position_of(response: httpx.Response) -> Ends:
    """The position an answer tells; empty where it tells none."""
    try:
        return read_token(response.headers.get("C360-Position", ""))
    except BadToken:
        return {}
