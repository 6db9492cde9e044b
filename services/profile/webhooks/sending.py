"""One attempt to deliver: a signed request to an endpoint, bounded in time and in what is read of its answer.

Owns the request and the connections. No redirect is followed, no proxy is asked, nothing of an answer is kept but its
status.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

import httpcore

from services.profile.domain import webhooks as rules
from services.profile.domain.webhooks import Answer
from services.profile.webhooks.addresses import CheckedBackend, Refused

ANSWER_BYTES_MAX = 16 * 1024
"""What is read of an answer, so that its connection can be used again; of a longer one it is closed."""
CONNECTIONS_MAX = 512
KEEPALIVE_MAX = 64
KEEPALIVE_S = 30.0
USER_AGENT = "customer360-webhooks/1"


class Sender:
    """Sends to all endpoints. `may_be_private`: also to this machine and its network, in tests."""

    def __init__(self, *, may_be_private: bool) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            network_backend=CheckedBackend(may_be_private=may_be_private),
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=KEEPALIVE_MAX,
            keepalive_expiry=KEEPALIVE_S,
        )

    async def send(self, url: str, keys: Sequence[bytes], event_id: str, event: bytes, timeout_s: float) -> Answer:
        """What became of one attempt; never raises for what the other side does."""
        try:
            async with asyncio.timeout(timeout_s):
                return Answer(await self._status(url, _headers(keys, event_id, event), event))
        except Refused as refused:
            return Answer(None, refused.reason)
        except (TimeoutError, httpcore.TimeoutException):
            return Answer(None, "timeout")
        except ssl.SSLError:
            return Answer(None, "tls")
        except httpcore.ConnectError as error:
            return Answer(None, "tls" if isinstance(error.__cause__, ssl.SSLError) else "no-connection")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            return Answer(None, "broken-answer")

    async def _status(self, url: str, headers: list[tuple[bytes, bytes]], event: bytes) -> int:
        async with self._pool.stream("POST", url, headers=headers, content=event) as response:
            read = 0
            async with aclosing(cast(AsyncGenerator[bytes, None], response.aiter_stream())) as chunks:
                async for chunk in chunks:
                    read += len(chunk)
                    if read > ANSWER_BYTES_MAX:
                        break
            return response.status

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.aclose()


def _headers(keys: Sequence[bytes], event_id: str, event: bytes) -> list[tuple[bytes, bytes]]:
    sent_id, timestamp_s = rules.message_id(event_id), int(time.time())
    named = {
        "Content-Type": "application/cloudevents+json",
        "User-Agent": USER_AGENT,
        "webhook-id": sent_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": rules.signatures(keys, sent_id, timestamp_s, event),
    }
    return [(name.encode(), value.encode()) for name, value in named.items()]
