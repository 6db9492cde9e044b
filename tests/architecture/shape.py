"""Sizes, first lines and names of modules: what keeps a file readable in one go. Pure functions."""

import ast
import re
from pathlib import PurePosixPath

from tests.architecture.source import Module

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
EMPTY_NAMES = re.compile(r"(Manager|Helpers?|Utils?|Base|Processor|Impl)$")
EMPTY_MODULES = {"manager", "helper", "helpers", "util", "utils", "base", "processor", "impl", "common_utils"}


def too_long(module: Module) -> list[str]:
    """The file and the functions that are longer than anyone reads in one go."""
    lines = len(module.text.splitlines())
    found = [f"{module.name} has {lines} lines, {FILE_LINES_MAX} at most"] if lines > FILE_LINES_MAX else []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                found.append(f"{module.name}.{node.name} has {length} lines, {FUNCTION_LINES_MAX} at most")
    return found


def unexplained(module: Module) -> list[str]:
    """A module that does not begin by telling what it owns."""
    if ast.get_docstring(module.tree):
        return []
    return [f"{module.name} does not begin by telling what it owns and must not do"]


def empty_names(module: Module) -> list[str]:
    """Classes and modules whose name says that they do something, not what they are."""
    classes = (node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef))
    found = [f"{module.name}.{name} is named for no thing" for name in classes if EMPTY_NAMES.search(name)]
    last = PurePosixPath(module.name.replace(".", "/")).name
    return [*found, f"{module.name} is named for no thing"] if last in EMPTY_MODULES else found
