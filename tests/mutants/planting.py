"""What planted bugs are: read from mutants.yaml, found in the code, and put into a copy of it.

Owns the form of an edit: whole lines, or a part of one; how far they are indented is nothing. Never writes to the
checkout.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("mutants.yaml")
COPIED = ("services", "schemas", "customer360", "tests", "deploy", "docs")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile")
LINKED = (".venv", ".local")
"""Of the checkout, as they are: nothing of them is changed."""


class NotThere(ValueError):
    """The code no longer has the lines that a mutant changes, or has them twice."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one file."""

    file: str
    old: str
    new: str

    def applied(self, text: str) -> str:
        """The file's text with the bug. Raises NotThere."""
        old = textwrap.dedent(self.old).rstrip("\n")
        if "\n" not in old:
            return self._within_a_line(text, old)
        lines = "\n".join(rf"(?:\1){re.escape(line)}" if line else "" for line in old.split("\n")[1:])
        pattern = rf"^([ ]*){re.escape(old.split(chr(10))[0])}\n{lines}$"
        found = list(re.finditer(pattern, text, re.MULTILINE))
        if len(found) != 1:
            raise NotThere(f"{self.file} has these lines {len(found)} times: {old.split(chr(10))[0]} …")
        new = textwrap.indent(textwrap.dedent(self.new).rstrip("\n"), found[0].group(1))
        return text[: found[0].start()] + new + text[found[0].end() :]

    def _within_a_line(self, text: str, old: str) -> str:
        if text.count(old) != 1:
            raise NotThere(f"{self.file} has this {text.count(old)} times: {old}")
        start = text.rindex("\n", 0, text.index(old)) + 1
        indent = re.match(" *", text[start:])
        new = textwrap.dedent(self.new).rstrip("\n")
        return text.replace(old, new.replace("\n", "\n" + (indent.group() if indent else "")))


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug, and the tests that must notice it."""

    name: str
    bug: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    def texts(self, root: Path) -> dict[Path, str]:
        """File → its text with the bug, of a tree that has none. Raises NotThere, SyntaxError."""
        found: dict[Path, str] = {}
        for edit in self.edits:
            path = root / edit.file
            if not path.is_file():
                raise NotThere(f"{edit.file} is not there")
            found[path] = edit.applied(found[path] if path in found else path.read_text())
        for path, text in found.items():
            if path.suffix == ".py":
                compile(text, str(path), "exec")  # a bug that is no code would turn anything red
        return found

    @contextmanager
    def planted(self, root: Path) -> Iterator[None]:
        """The bug is in the tree's files, until the end. Raises NotThere."""
        with_bug = self.texts(root)
        before = {path: path.read_text() for path in with_bug}
        try:
            for path, text in with_bug.items():
                path.write_text(text)
            yield
        finally:
            for path, text in before.items():
                path.write_text(text)


def mutants() -> tuple[Mutant, ...]:
    """The table, as it is written."""
    table = yaml.safe_load(TABLE.read_text())
    return tuple(
        Mutant(name, one["bug"], tuple(Edit(**edit) for edit in one["edits"]), tuple(one["tests"]))
        for name, one in table.items()
    )


def copy_to(root: Path) -> None:
    """A tree of the checkout's code and tests, in which bugs may be planted."""
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
    for folder in COPIED:
        shutil.copytree(CHECKOUT / folder, root / folder, ignore=skipped)
    for file in FILES:
        shutil.copy(CHECKOUT / file, root / file)
    for link in LINKED:
        if (CHECKOUT / link).exists():
            (root / link).symlink_to(CHECKOUT / link)
