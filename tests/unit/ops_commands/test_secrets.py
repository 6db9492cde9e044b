"""Keys are made once, closed to others, and never replaced by accident."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.ops.commands import secrets
from services.ops.commands.failures import CommandError


def test_the_deployment_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = secrets.deployment_key(home, {})
    assert len(bytes.fromhex(key)) == secrets.DEPLOYMENT_KEY_BYTES
    assert secrets.deployment_key(home, {}) == key
    assert secrets.key_file(home, secrets.DEPLOYMENT).stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o077 == 0


def test_the_environment_wins_and_writes_nothing(tmp_path: Path) -> None:
    assert secrets.deployment_key(tmp_path / "home", {secrets.DEPLOYMENT_KEY_SETTING: "ab" * 32}) == "ab" * 32
    assert not (tmp_path / "home").exists()


def test_an_empty_key_file_is_not_replaced_by_another_key(tmp_path: Path) -> None:
    secrets.key_file(tmp_path, secrets.DEPLOYMENT).touch()
    with pytest.raises(CommandError, match="put the deployment's key back"):
        secrets.deployment_key(tmp_path, {})


def test_two_that_make_the_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from services.ops.commands import secrets;"
        "print(secrets.deployment_key(Path(sys.argv[1]), {}))"
    )
    several = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        for _ in range(4)
    ]
    keys = {one.communicate(timeout=60)[0].strip() for one in several}
    assert len(keys) == 1
    assert secrets.read(tmp_path, secrets.DEPLOYMENT) in keys


def test_a_saved_key_replaces_the_one_before_and_stays_closed(tmp_path: Path) -> None:
    secrets.save(tmp_path, "cli", "one")
    path = secrets.save(tmp_path, "cli", "two")
    assert secrets.read(tmp_path, "cli") == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["cli.key"]


def test_a_key_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert secrets.read(tmp_path, "cli") is None
