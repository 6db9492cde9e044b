"""Kafka and PostgreSQL start for real, keep their addresses and data, and get out of each other's way."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from services.ops.local import kafka, marks, parts
from services.ops.local.errors import LocalPartError
from services.ops.local.ports import OFFSETS
from services.ops.local.state import Process, State, change, load, state_file
from tests.integration.ops.conditions import query, until


@pytest.mark.faults
def test_both_parts_start_and_keep_their_addresses_and_data_over_a_restart(home: Path) -> None:
    first = parts.start(home, None, kafka=True, postgres=True)
    assert first.kafka
    assert first.database_url
    _make_topic(first.kafka, "kept")
    query(first.database_url, "CREATE TABLE kept AS SELECT 360 AS number")
    assert parts.running(home) == first
    parts.stop(home)
    assert parts.running(home) is None

    again = parts.start(home, None, kafka=True, postgres=True)
    assert again == first
    assert "kept" in _topics(first.kafka)
    assert query(first.database_url, "SELECT number FROM kept") == 360


def test_starting_what_runs_leaves_it_as_it_is(home: Path) -> None:
    first = parts.start(home, None, kafka=False, postgres=True)
    before = load(home).mark("postgres")
    assert parts.start(home, None, kafka=False, postgres=True) == first
    assert load(home).mark("postgres") == before


def test_the_database_wants_its_password_and_only_its_owner_can_read_it(home: Path) -> None:
    database_url = _start_postgres(home)
    scheme, _, rest = database_url.partition("://")
    stranger = f"{scheme}://c360:guess@{rest.partition('@')[2]}"
    with pytest.raises(Exception, match="password authentication failed"):
        query(stranger, "SELECT 1")
    assert home.stat().st_mode & 0o077 == 0
    assert state_file(home).stat().st_mode & 0o077 == 0


def test_a_stale_pid_file_whose_pid_another_program_has_now_is_replaced(home: Path) -> None:
    database_url = _start_postgres(home)
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    left_behind = pid_file.read_text().partition("\n")[2]
    parts.stop(home)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text(f"{stranger.pid}\n{left_behind}")
        _remember_as_postgres(home, marks.Mark(stranger.pid, start_ticks=1, boot_id="an earlier boot"))
        assert _start_postgres(home) == database_url
        assert query(database_url, "SELECT 1") == 1
        assert stranger.poll() is None, "the program that has the pid now was ended"
        stranger.kill()


def test_a_half_made_folder_is_made_again(home: Path) -> None:
    half = home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert query(_start_postgres(home), "SELECT 1") == 1
    assert not half.exists()


def test_a_half_formatted_kafka_folder_is_formatted_again(home: Path) -> None:
    half = home / "kafka" / "data.new"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("version=1\nclu")
    kafka.prepare(home, port=20_001, controller_port=20_002)
    assert "cluster.id=" in (home / "kafka" / "data" / "meta.properties").read_text()
    assert not half.exists()


def test_a_taken_port_is_refused_with_its_number_and_its_holder(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalPartError, match=rf"port {port}.*postgres.*process {os.getpid()} "):
            parts.start(home, port - OFFSETS["postgres"], kafka=False, postgres=True)
    assert parts.running(home) is None


def test_a_second_copy_runs_beside_the_first(home: Path, other_home: Path) -> None:
    first, second = _start_postgres(home), _start_postgres(other_home)
    query(first, "CREATE TABLE here AS SELECT 1")
    assert query(second, "SELECT to_regclass('here') IS NULL") is True
    parts.stop(other_home)
    assert query(first, "SELECT count(*) FROM here") == 1


def test_a_server_the_state_has_forgotten_is_found_and_stopped(home: Path) -> None:
    _start_postgres(home)
    server = load(home).mark("postgres")
    state_file(home).unlink()
    assert marks.is_alive(server)
    parts.stop(home)
    assert not marks.is_alive(server)


def test_a_killed_server_starts_again_and_has_what_was_committed(home: Path) -> None:
    database_url = _start_postgres(home)
    query(database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    server = load(home).mark("postgres")
    assert server
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not marks.is_alive(server))
    assert query(_start_postgres(home), "SELECT number FROM kept") == 7


def test_given_addresses_are_used_and_nothing_is_started(home: Path, other_home: Path) -> None:
    database_url = _start_postgres(other_home)
    with pytest.raises(LocalPartError, match=r"KAFKA_BOOTSTRAP is 127\.0\.0\.1:1, where no Kafka answers"):
        parts.ensure(home, None, {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATABASE_URL": database_url})
    parts.stop(other_home)
    with pytest.raises(LocalPartError, match="no PostgreSQL takes connections") as refused:
        parts.ensure(home, None, {"DATABASE_URL": database_url})
    assert database_url.split(":")[2].partition("@")[0] not in str(refused.value), "the password is told"
    assert not home.exists()


def test_missing_java_is_told_in_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert shutil.which("java") is None
    with pytest.raises(LocalPartError, match="Kafka needs Java 17 or newer and none was found") as refused:
        parts.start(home, None, kafka=True, postgres=False)
    assert "\n" not in str(refused.value)


def test_a_damaged_state_is_told_and_not_overwritten(home: Path) -> None:
    home.mkdir()
    state_file(home).write_text("{")
    with pytest.raises(LocalPartError, match="is damaged"):
        parts.start(home, None, kafka=False, postgres=True)
    assert state_file(home).read_text() == "{"
    state_file(home).unlink()


def _start_postgres(home: Path) -> str:
    database_url = parts.start(home, None, kafka=False, postgres=True).database_url
    assert database_url
    return database_url


def _remember_as_postgres(home: Path, mark: marks.Mark) -> None:
    def step(state: State) -> State:
        return state.with_process("postgres", Process(mark=mark, condition="running"))

    change(home, step)


def _make_topic(bootstrap: str, name: str) -> None:
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    client.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    client.close()


def _topics(bootstrap: str) -> list[str]:
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    names = list(client.list_topics())
    client.close()
    return names
