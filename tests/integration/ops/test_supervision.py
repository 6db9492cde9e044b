"""What dies is started again, what halts stays down, and a dead supervisor loses sight of nothing."""

import os
import signal
import sys
from pathlib import Path

import pytest

from services.ops.local import marks, parts, processes
from services.ops.local.errors import LocalPartError
from services.ops.local.processes import ProcessSpec, Running
from services.ops.local.state import load
from services.ops.local.supervise import BACKOFF_MAX_S, Delay
from tests.integration.ops.conditions import query, until

FOREVER = "import signal; print('up', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def test_a_killed_postgres_is_healed_by_the_supervisor(home: Path) -> None:
    database_url = parts.start(home, None, kafka=False, postgres=True).database_url
    assert database_url
    query(database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    processes.launch([], home)
    _kill(home, "postgres")
    until(lambda: _running(home, "postgres").restarts == 1 and _running(home, "postgres").pid is not None)
    until(lambda: parts.PARTS["postgres"].answers(database_url))
    assert query(database_url, "SELECT number FROM kept") == 7


@pytest.mark.faults
def test_a_killed_kafka_is_healed_by_the_supervisor(home: Path) -> None:
    bootstrap = parts.start(home, None, kafka=True, postgres=False).kafka
    assert bootstrap
    processes.launch([], home)
    _kill(home, "kafka")
    assert not parts.PARTS["kafka"].answers(bootstrap)
    until(lambda: parts.PARTS["kafka"].answers(bootstrap), timeout_s=30)
    assert _running(home, "kafka").restarts == 1


def test_a_killed_process_is_started_again_and_counted(home: Path) -> None:
    processes.launch([_python("worker", FOREVER)], home)
    processes.wait_ready(home, ["worker"], timeout_s=10)
    before = _running(home, "worker")
    _kill(home, "worker")
    until(lambda: _running(home, "worker").restarts == 1)
    after = _running(home, "worker")
    assert after.condition == "running"
    assert after.pid != before.pid
    assert after.exit_code == -signal.SIGKILL


def test_a_process_that_halts_on_purpose_is_left_down(home: Path) -> None:
    processes.launch([_python("halts", "print('enough'); raise SystemExit(78)")], home)
    until(lambda: _condition(home, "halts") == "halted")
    with pytest.raises(LocalPartError, match=r"halts halted on purpose.*enough"):
        processes.wait_ready(home, ["halts"], timeout_s=10)
    processes.launch([_python("worker", FOREVER)], home)
    processes.wait_ready(home, ["worker"], timeout_s=10)
    assert _running(home, "halts") == Running("halts", None, "halted", restarts=0, exit_code=78)


def test_a_process_is_ready_only_when_its_page_answers(home: Path) -> None:
    port = 28_360 + os.getpid() % 1_000
    server = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    processes.launch([ProcessSpec(name="page", argv=server, ready_url=f"{url}/")], home)
    processes.wait_ready(home, ["page"], timeout_s=15)
    processes.launch([ProcessSpec(name="page", argv=server, ready_url=f"{url}/missing")], home)
    with pytest.raises(LocalPartError, match="page is not ready"):
        processes.wait_ready(home, ["page"], timeout_s=1)


def test_a_terminated_process_stays_ended_and_others_go_on(home: Path) -> None:
    processes.launch([_python("one", FOREVER), _python("two", FOREVER)], home)
    processes.wait_ready(home, ["one", "two"], timeout_s=10)
    one, two = load(home).mark("one"), load(home).mark("two")
    processes.terminate(home, ["one"])
    assert not marks.is_alive(one)
    _kill(home, "two")  # its restart shows that the supervisor has looked again since
    until(lambda: _running(home, "two").restarts == 1)
    assert [each.name for each in processes.alive(home)] == ["two"]
    assert not marks.is_alive(two)


def test_a_process_that_ignores_its_signal_is_killed(home: Path) -> None:
    spec = ProcessSpec(name="deaf", argv=(sys.executable, "-c", DEAF), stop_timeout_s=0.3)
    processes.launch([spec], home)
    until(lambda: "up" in _log(home, "deaf"))
    mark = load(home).mark("deaf")
    processes.terminate(home)
    assert not marks.is_alive(mark)


def test_a_killed_supervisor_loses_nothing(home: Path) -> None:
    processes.launch([_python("worker", FOREVER)], home)
    processes.wait_ready(home, ["worker"], timeout_s=10)
    worker, supervisor = load(home).mark("worker"), load(home).supervisor
    assert supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not marks.is_alive(supervisor))
    assert marks.is_alive(worker)
    processes.launch([_python("worker", FOREVER)], home)
    assert load(home).mark("worker") == worker, "what lived was started again"
    _kill(home, "worker")
    until(lambda: _running(home, "worker").restarts == 1)


def test_shutting_down_after_a_killed_supervisor_and_a_lost_state_leaves_nothing(home: Path) -> None:
    processes.launch([_python("worker", FOREVER)], home)
    processes.wait_ready(home, ["worker"], timeout_s=10)
    worker, supervisor = load(home).mark("worker"), load(home).supervisor
    assert supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not marks.is_alive(supervisor))
    (home / "state.json").unlink()
    processes.shut_down(home)
    assert not marks.is_alive(worker)


def test_delays_grow_to_their_bound_and_shrink_after_steady_work() -> None:
    delay, now, waits = Delay(), 100.0, []
    for _ in range(7):
        delay.started_at = now
        delay.start_after_death(now)
        waits.append(delay.due_at - now)
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, BACKOFF_MAX_S, BACKOFF_MAX_S]
    delay.start_after_death(now + 60.0)
    assert delay.due_at - (now + 60.0) == 0.5


def _python(name: str, text: str) -> ProcessSpec:
    return ProcessSpec(name=name, argv=(sys.executable, "-c", text))


def _kill(home: Path, name: str) -> None:
    mark = load(home).mark(name)
    assert mark
    os.kill(mark.pid, signal.SIGKILL)
    until(lambda: not marks.is_alive(mark))


def _running(home: Path, name: str) -> Running:
    return next(each for each in processes.alive(home) if each.name == name)


def _condition(home: Path, name: str) -> str | None:
    return next((each.condition for each in processes.alive(home) if each.name == name), None)


def _log(home: Path, name: str) -> str:
    path = home / "log" / f"{name}.log"
    return path.read_text() if path.exists() else ""
