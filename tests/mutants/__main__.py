"""`python -m tests.mutants [NAME …] [--part 1/3]`: bugs are planted one by one in a copy of the code; tests turn red.

Owns the order: the named tests are green without a bug, then each bug with them. Exits 1 if a bug survives, or cannot
be planted any more. The checkout is not written to.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.ops.local import parts
from tests.mutants.planting import CHECKOUT, Mutant, NotThere, copy_to, mutants

PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header", "--tb=short")
GREEN, RED = 0, 1
"""pytest's exit codes; any other says that the tests did not run."""
_FAILED = re.compile(r"^FAILED |no end within", re.MULTILINE)
"""What is red because a fixture broke has noticed nothing."""
TIMEOUT_S = 240.0
SAID_CHARS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one bug."""

    mutant: Mutant
    word: str
    seconds: float
    said: str = ""

    @property
    def is_found(self) -> bool:
        """Its tests are red, and ran."""
        return self.word == "red"


class Tree:
    """A copy of the code, and a PostgreSQL for its tests."""

    def __init__(self, root: Path, database_url: str) -> None:
        self.root = root
        self.environment = {**os.environ, "DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment.pop("C360_HOME", None)
        said = self._python("-c", "import services, schemas; print(services.__file__, schemas.__file__)").stdout
        if str(root) not in said or str(CHECKOUT) in said.replace(str(root), ""):
            raise SystemExit(f"the copy's tests would run the checkout's code: {said}")

    def _python(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words], cwd=self.root, env=self.environment, capture_output=True, text=True,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip

    def tested(self, tests: Sequence[str]) -> tuple[int, str]:
        """pytest's exit code, and the end of what it said; a run that does not end counts as red."""
        try:
            done = self._python(*PYTEST, *tests)
        except subprocess.TimeoutExpired:
            return RED, f"no end within {TIMEOUT_S:.0f} s"
        return done.returncode, (done.stdout + done.stderr)[-SAID_CHARS_MAX:]

    def judged(self, mutant: Mutant) -> Verdict:
        """Each of its tests by itself must turn red with the bug."""
        began, said = time.monotonic(), ""
        try:
            with mutant.planted(self.root):
                for test in mutant.tests:
                    code, said = self.tested([test])
                    if code != RED or not _FAILED.search(said):
                        word = "SURVIVED" if code == GREEN else f"DID NOT RUN ({code})"
                        return Verdict(mutant, word, time.monotonic() - began, f"{test}\n{said}")
        except NotThere as lost:
            return Verdict(mutant, "NOT PLANTED", time.monotonic() - began, str(lost))
        return Verdict(mutant, "red", time.monotonic() - began)


def chosen(names: Sequence[str], part: str) -> list[Mutant]:
    """The mutants asked for: by name, or the n-th of m shares of all. Raises SystemExit for a name nobody has."""
    found = mutants()
    if unknown := sorted(set(names) - {one.name for one in found}):
        raise SystemExit(f"there is no mutant {', '.join(unknown)}")
    number, of = (int(n) for n in part.split("/"))
    return [one for at, one in enumerate(found) if at % of == number - 1 and (not names or one.name in names)]


def run(asked: Sequence[Mutant], root: Path, database_url: str) -> list[Verdict]:
    """Every verdict, told as it is known. Raises SystemExit when a named test is red without any bug."""
    tree = Tree(root, database_url)
    code, said = tree.tested(sorted({test for one in asked for test in one.tests}))
    if code != GREEN:
        raise SystemExit(f"without any bug the named tests are not green ({code}):\n{said}")
    found = []
    for one in asked:
        verdict = tree.judged(one)
        found.append(verdict)
        sys.stdout.write(f"{verdict.word:12} {verdict.seconds:5.1f} s  {one.name}: {one.bug}\n")
        for test in one.tests:
            sys.stdout.write(f"{'':22}{test}\n")
        if not verdict.is_found:
            sys.stdout.write(f"{verdict.said}\n")
        sys.stdout.flush()
    return found


def main() -> int:
    """The command."""
    words = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    words.add_argument("names", nargs="*", metavar="NAME")
    words.add_argument("--part", default="1/1", metavar="N/M", help="the N-th of M shares")
    given = words.parse_args()
    asked = chosen(given.names, given.part)
    with tempfile.TemporaryDirectory(prefix="c360-mutants-") as folder:
        home, root = Path(folder) / "parts", Path(folder) / "tree"
        root.mkdir()
        copy_to(root)
        home.mkdir()
        try:
            url = parts.start(home, None, kafka=False, postgres=True).database_url
            found = run(asked, root, url or "")
        finally:
            parts.stop(home)
    survived = [one for one in found if not one.is_found]
    sys.stdout.write(f"{len(found) - len(survived)} of {len(found)} planted bugs were noticed\n")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
