"""What a domain module must not touch: clock, chance, files, network, tasks; where it may reckon in floats.

Pure functions over its tree.
"""

import ast

from tests.architecture.source import Module, is_within

WHY = "a replay would not give what the first run gave"
IMPURE_MODULES = (
    "aiohttp", "aiokafka", "asyncio", "asyncpg", "concurrent", "confluent_kafka", "fastapi", "faust",
    "http", "httpx", "io", "kafka", "logging", "mode", "multiprocessing", "os", "pathlib",
    "prometheus_client", "psycopg", "random", "requests", "secrets", "shutil", "socket", "starlette",
    "structlog", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request", "uvicorn",
)  # fmt: skip
NUMERIC_MODULES = ("numpy", "scipy")
NUMERIC_DOMAINS = ("services.value.domain.models", "services.treatment.domain.models")
WHY_NUMERIC = "only models reckon in floats; amounts and decisions are exact elsewhere"
IMPURE_CALLS = {"open", "input", "print", "exec", "eval"}
IMPURE_METHODS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4",
}  # fmt: skip


def impurities(module: Module) -> list[str]:
    """What makes this module impure, each with its line or name."""
    found = [
        f"{module.name} imports {name}: {WHY}"
        for name in module.imports
        if any(is_within(name, impure) for impure in IMPURE_MODULES)
    ]
    if not any(is_within(module.name, domain) for domain in NUMERIC_DOMAINS):
        found += [
            f"{module.name} imports {name}: {WHY_NUMERIC}"
            for name in module.imports
            if any(is_within(name, numeric) for numeric in NUMERIC_MODULES)
        ]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append(f"{module.name}:{node.lineno} is asynchronous: the domain waits for nothing")
        elif isinstance(node, ast.Call) and _is_impure(ast.unparse(node.func)):
            found.append(f"{module.name}:{node.lineno} calls {ast.unparse(node.func)}: {WHY}")
    return found


def _is_impure(called: str) -> bool:
    if ".random." in f".{called}":
        return True
    return called in IMPURE_CALLS or any(f".{called}".endswith(f".{method}") for method in IMPURE_METHODS)
