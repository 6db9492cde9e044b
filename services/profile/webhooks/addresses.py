"""Where webhooks may go: names are resolved here, every address is checked, and the checked one is connected to.

Owns that no request reaches our own network, whatever a name says the next moment (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import httpcore

NAT64 = ipaddress.ip_network("64:ff9b::/96")
RESOLVE_TIMEOUT_S = 5.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):
    """The address is not to be asked; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_public(text: str) -> bool:
    """Whether an address is on the internet: neither private, loopback, link-local, nor one that hides one."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.sixtofour is not None or address.teredo is not None or address in NAT64:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def addresses(host: str, port: int, *, may_be_private: bool) -> list[str]:
    """The addresses of a name, all checked. Raises Refused("name-unknown", "address-refused")."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise Refused("name-unknown") from None
    texts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not texts or not (may_be_private or all(map(is_public, texts))):
        raise Refused("address-refused" if texts else "name-unknown")
    return texts


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only; above it TLS and Host still go by the name."""

    def __init__(self, *, may_be_private: bool) -> None:
        self.may_be_private = may_be_private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's name)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the name's addresses that answers. Raises Refused, httpcore.ConnectError."""
        failed: Exception = httpcore.ConnectError()
        for address in await addresses(host, port, may_be_private=self.may_be_private):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's name)
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise Refused("address-refused")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)
