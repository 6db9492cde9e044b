"""Several workers of a service may listen on one port, and nobody else on it."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from services.runtime.pages import shared_socket

HOST = "127.0.0.1"


def test_two_listen_on_one_port_and_connections_reach_both() -> None:
    with closing(shared_socket(HOST, 0)) as first, closing(shared_socket(HOST, first.getsockname()[1])) as second:
        for one in (first, second):
            one.listen()
            one.setblocking(False)
        reached: set[socket.socket] = set()
        while len(reached) < 2:
            with closing(socket.create_connection(first.getsockname())):
                reached |= {one for one in (first, second) if _accepts(one)}


def _accepts(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_a_port_that_somebody_else_has_is_not_shared() -> None:
    with closing(socket.create_server((HOST, 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} is taken"):
            shared_socket(HOST, port)
