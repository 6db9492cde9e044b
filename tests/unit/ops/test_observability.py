"""Alert rules and the dashboard ask for metrics that exist, and lead to headings of the runbook that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.runtime import telemetry
from services.runtime.report import LaneState

ROOT = Path(__file__).resolve().parents[3]
OBSERVABILITY = ROOT / "deploy" / "observability"
RULES = [
    rule for group in yaml.safe_load((OBSERVABILITY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
PANELS = json.loads((OBSERVABILITY / "dashboard.json").read_text())["panels"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [t["expr"] for panel in PANELS for t in panel["targets"]]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def _series() -> dict[str, tuple[str, ...]]:
    """Name of a series → its labels."""

    found = {}
    for metric in vars(telemetry).values():
        labels = getattr(metric, "_labelnames", None)
        if labels is not None:
            (described,) = metric.describe()
            for suffix in SUFFIXES[described.type]:
                found[described.name + suffix] = labels
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_asked_for_is_counted_with_these_labels(expression: str) -> None:
    known = _series()
    asked = re.findall(r"(c360_\w+)(?:\{(.*?)\})?", expression)
    assert asked or "up{" in expression
    for name, chosen in asked:
        assert name in known, f"{name} is not counted anywhere"
        assert set(re.findall(r"(\w+)[!=]", chosen)) <= {*known[name], "le"}, chosen
    labels = {label for name, _ in asked for label in known[name]}
    for grouped in re.findall(r"by \((.*?)\)", expression):
        assert set(re.split(r", *", grouped)) <= labels | {"le"}, grouped
    for states in re.findall(r'state=~"(.*?)"', expression):
        assert set(states.split("|")) <= {str(state) for state in LaneState}


def _anchor(heading: str) -> str:
    return "#" + re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_what_a_person_does_next(rule: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    anchors = {_anchor(line.lstrip("# ")) for line in text.splitlines() if line.startswith("## ")}
    assert rule["annotations"]["runbook"] in anchors
    assert rule["labels"]["severity"] in ("critical", "warning")


def test_every_metric_is_on_the_dashboard_and_none_is_named_twice() -> None:
    shown = " ".join(t["expr"] for panel in PANELS for t in panel["targets"])
    for metric in {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in _series()}:
        assert metric in shown, metric
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
