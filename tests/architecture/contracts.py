"""Who may import whom: one row per rule, with the outage it prevents. The checks are pure functions."""

import re
from dataclasses import dataclass

from tests.architecture.source import Module, is_within

SERVICES = ("intake", "identity", "interaction", "value", "profile", "treatment")
OURS = ("services", "schemas", "tests")
SERVICE = rf"services\.({'|'.join(SERVICES)})"


@dataclass(frozen=True)
class Rule:
    """Modules whose name matches `who` may import, of ours, only what is in `may` ({service}: their own)."""

    who: str
    may: tuple[str, ...]
    prevents: str


RULES = (
    Rule(r"schemas", ("schemas",), "a change in one service would change what all others read from topics"),
    Rule(
        r"services\.runtime",
        ("services.runtime", "schemas"),
        "the lane would know one service's nouns, and a fix for one would stop the others",
    ),
    Rule(
        SERVICE,
        ("services.{service}", "services.runtime", "schemas"),
        "two services could not be deployed or restarted one without the other",
    ),
    Rule(
        r"services\.ops",
        ("services.ops", "services.runtime", "schemas"),
        "the command would work by reaching into a service and fail against one that runs elsewhere",
    ),
    Rule(
        SERVICE + r"\.domain",
        ("services.{service}.domain", "schemas"),
        "a rule would depend on a connection, and a replay would give another result than the first run",
    ),
    Rule(
        SERVICE + r"\.handlers",
        (
            "services.{service}.handlers",
            "services.{service}.domain",
            "services.{service}.store",
            "services.{service}.door",
            "services.runtime",
            "schemas",
        ),
        "a batch would wait for what only serves questions, and a slow page would stop the lane",
    ),
    Rule(
        SERVICE + r"\.store",
        ("services.{service}.store", "services.{service}.domain", "services.runtime", "schemas"),
        "a batch would wait for what only serves questions, and a slow page would stop the lane",
    ),
    Rule(
        SERVICE + r"\.(?:views|inputs)",
        (
            "services.{service}.views",
            "services.{service}.inputs",
            "services.{service}.domain",
            # Only reads, and as the lane reads it: what is explained is what was decided on.
            "services.{service}.store.neighbourhood",
            "services.{service}.store.whole",
            "services.{service}.store.belonging",
            "services.{service}.store.facts",
            "services.runtime",
            "schemas",
        ),
        "a question could write, or answer by other rules than those that stored the data",
    ),
    Rule(
        SERVICE + r"\.api",
        (
            "services.{service}.api",
            "services.{service}.views",
            "services.{service}.handlers",
            "services.{service}.domain",
            "services.{service}.inputs",
            "services.{service}.door",
            "services.{service}.access",
            "services.{service}.chain",
            "services.{service}.shapes",
            "services.{service}.identity_shapes",
            "services.{service}.history_shapes",
            "services.{service}.dialogue_shapes",
            "services.{service}.value_shapes",
            "services.{service}.webhook_shapes",
            "services.{service}.segment_shapes",
            "services.{service}.privacy_shapes",
            "services.{service}.decision_shapes",
            "services.{service}.exporting",
            "services.{service}.asyncapi",
            "services.{service}.listening",
            "services.{service}.webhooks",
            "services.{service}.trail",
            "services.{service}.recent",
            "services.{service}.internal",
            "services.runtime",
            "schemas",
        ),
        "a request could change state without passing the handler that makes changes exact",
    ),
)

ONLY_RUNTIME = ("faust", "mode")


def breaches(module: Module) -> list[str]:
    """What this module imports against the rules, each told with what it would lead to."""
    return [
        f"{module.name} imports {imported}: {rule.prevents}"
        for rule in RULES
        if (match := re.fullmatch(rf"{rule.who}(\..*)?", module.name))
        for imported in module.imports
        if is_within_any(imported, OURS) and not is_within_any(imported, _allowed(rule, match))
    ]


def hosts_streams_elsewhere(module: Module) -> list[str]:
    """Imports of the stream host outside the runtime."""
    if is_within_any(module.name, ("services.runtime", "tests")):
        return []
    return [
        f"{module.name} imports {imported}: only services.runtime hosts streams; "
        "an agent elsewhere acknowledges events it never processed"
        for imported in module.imports
        if is_within_any(imported, ONLY_RUNTIME)
    ]


def is_within_any(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a dotted name is in one of these packages."""
    return any(is_within(name, package) for package in packages)


def _allowed(rule: Rule, match: re.Match[str]) -> tuple[str, ...]:
    service = match[1] if "{service}" in "".join(rule.may) else ""
    return tuple(package.format(service=service) for package in rule.may)
