"""What a domain module must not touch: clock, chance, files, network, tasks. Pure functions over its tree."""

import ast

from tests.architecture.source import Module, is_within

WHY = "a replay would not give what the first run gave"
IMPURE_MODULES = (
    "aiohttp", "aiokafka", "asyncio", "asyncpg", "concurrent", "confluent_kafka", "fastapi", "faust",
    "http", "httpx", "io", "kafka", "logging", "mode", "multiprocessing", "os", "pathlib",
    "prometheus_client", "psycopg", "random", "requests", "secrets", "shutil", "socket", "starlette",
    "structlog", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request", "uvicorn",
)  # fmt: skip
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
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append(f"{module.name}:{node.lineno} is asynchronous: the domain waits for nothing")
        elif isinstance(node, ast.Call) and _is_impure(ast.unparse(node.func)):
            found.append(f"{module.name}:{node.lineno} calls {ast.unparse(node.func)}: {WHY}")
    return found


def _is_impure(called: str) -> bool:
    return called in IMPURE_CALLS or any(f".{called}".endswith(f".{method}") for method in IMPURE_METHODS)
