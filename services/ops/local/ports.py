"""Which port each part listens on, and who sits on one that is taken.

With a port base each part has a fixed offset (base 8000: intake 8080, profile 8084, Kafka 8092, PostgreSQL
8032). Without one, free ports are found once and remembered, so that a restart finds them again.
"""

import contextlib
import os
import re
import socket
import zlib
from pathlib import Path

import msgspec

from services.ops.local import marks
from services.ops.local.errors import LocalPartError
from services.ops.local.state import State

HOST = "127.0.0.1"
OFFSETS = {
    "postgres": 32,
    "intake": 80,
    "identity": 81,
    "interaction": 82,
    "value": 83,
    "profile": 84,
    "treatment": 85,
    "kafka": 92,
    "kafka_controller": 93,
}
# Below the kernel's range for outgoing connections, so that none of those sits on a remembered port.
FREE_FIRST, FREE_COUNT = 20_000, 12_000
LISTENING = "0A"


def assign(state: State, home: Path, names: tuple[str, ...], port_base: int | None) -> State:
    """The state with a port for each of `names`: by the base, else as remembered, else a free one.

    Raises LocalPartError for a base whose ports would not exist, and if no port is free.
    """
    ports = dict(state.ports)
    for name in names:
        if port_base is not None:
            ports[name] = _by_base(name, port_base)
        elif name not in ports:
            ports[name] = _find_free(home, taken=set(ports.values()))
    return msgspec.structs.replace(state, ports=ports)


def _by_base(name: str, port_base: int) -> int:
    port = port_base + OFFSETS[name]
    if not 1_024 <= port <= 65_535:
        raise LocalPartError(
            f"port base {port_base} puts {name} on port {port}; choose one from 1000 to 65000"
        )
    return port


def _find_free(home: Path, taken: set[int]) -> int:
    """The first free port from a place that depends on the home: copies started at once do not collide."""
    first = zlib.crc32(str(home).encode()) % FREE_COUNT
    for step in range(FREE_COUNT):
        port = FREE_FIRST + (first + step) % FREE_COUNT
        if port not in taken and is_free(port):
            return port
    raise LocalPartError(f"no free port from {FREE_FIRST} to {FREE_FIRST + FREE_COUNT}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(name: str, port: int) -> None:
    """Raises LocalPartError, naming the port and its holder where known, if the port is taken."""
    if is_free(port):
        return
    pid = holder(port)
    by = f" by process {pid} ({marks.command_of(pid)[:80]})" if pid else ""
    raise LocalPartError(
        f"port {port}, wanted for {name}, is taken{by}; stop that or choose another port base"
    )


def holder(port: int) -> int | None:
    """The pid of the process that listens on this port; None if nobody does or it is closed to us."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return None
    return next((pid for pid in marks.pids() if sockets & _open_files(pid)), None)


def _open_files(pid: int) -> set[str]:
    """What the process has open; nothing if it ended or is closed to us."""
    try:
        names = os.listdir(marks.PROC / str(pid) / "fd")
    except OSError:
        return set()
    found: set[str] = set()
    for name in names:
        with contextlib.suppress(OSError):  # closed since it was listed
            found.add(os.readlink(marks.PROC / str(pid) / "fd" / name))
    return found


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in ("tcp", "tcp6"):
        path = marks.PROC / "net" / table
        if not path.is_file():
            continue  # a kernel without IPv6
        for line in path.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and re.fullmatch(rf"[0-9A-F]+:{port:04X}", fields[1]):
                inodes.add(fields[9])
    return inodes
