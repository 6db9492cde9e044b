"""The project's own modules as syntax trees. Reads files; imports nothing of what it reads."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("services", "schemas", "tests")


@dataclass(frozen=True)
class Module:
    """One module: its dotted name, file, source and tree."""

    name: str
    is_package: bool
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @property
    def imports(self) -> list[str]:
        """The dotted names this module imports, anywhere in it; `from a import b` is told as a.b."""
        return sorted({name for node in ast.walk(self.tree) for name in self._imported(node)})

    def _imported(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = ".".join(filter(None, (self._parent(node.level), node.module)))
            yield from (f"{origin}.{alias.name}" for alias in node.names)

    def _parent(self, level: int) -> str:
        """The package a relative import of this level starts from; empty for an absolute one."""
        if level == 0:
            return ""
        parts = self.name.split(".")
        return ".".join(parts[: len(parts) - level + self.is_package])


def modules(*packages: str) -> list[Module]:
    """All modules of these top-level packages, in order of their names."""
    found = []
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            found.append(Module(name, is_package, path.read_text()))
    return found


def is_within(name: str, package: str) -> bool:
    """Whether a dotted name is this package or something in it."""
    return name == package or name.startswith(f"{package}.")
