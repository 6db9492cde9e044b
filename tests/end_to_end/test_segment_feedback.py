"""How content a segment's members are, month by month, and that too few of them are not told of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doors import VISIBLE_MS, Doors, Named, Source, later_of
from tests.support.running import until

MONTHS = {"from": "2026-03", "to": "2026-05"}


@pytest.mark.feature("T4", "D6")
def test_feedback_is_told_of_a_segment_over_time_and_of_no_few(doors: Doors, web: Source, own: Named) -> None:
    segment, scores = own("club"), (10, 9, 9, 7, 2)

    def said(who: dict[str, str], at: str, scale: str, score: int) -> dict[str, Any]:
        about = {"identifiers": who, "time": f"2026-{at}T10:00:00Z"}
        return {"type": "feedback.given", "properties": {"scale": scale, "score": score}, **about}

    events: list[dict[str, Any]] = [said({"user_id": own("stranger")}, "03-03", "nps", 0)]
    for number, score in enumerate(scores):
        who = {"user_id": own(str(number))}
        events.append({"type": "contact.identified", "identifiers": who, "traits": {"club": segment}})
        events.append(said(who, "03-05", "nps", score))
    events += [said({"user_id": own("0")}, "03-06", "csat", 5), said({"user_id": own("1")}, "04-06", "nps", 1)]
    where = {"all": [{"field": "contact.traits.club", "is": segment}]}
    made = doors.post_api("/v1/segments", {"segment_id": segment, "name": "The club", "where": where})
    assert made.status_code == 201, made.text
    position = later_of(doors.send(web, *events))

    def asked(**query: Any) -> Any:
        at: dict[str, Any] = {"min_position": position, "wait_ms": VISIBLE_MS, **query}
        return doors.ask(f"/v1/segments/{segment}/feedback", **at)

    until(lambda: asked().json()["members"] == len(scores), "all are members", 30.0)
    whole = asked(**MONTHS).json()
    march, april = whole["by_month"]
    assert (march["month"], march["nps"]["count"], march["nps"]["score"], march["csat"]["mean"]) == (
        "2026-03", 5, 40, "5.00",
    )  # fmt: skip
    assert (april["nps"]["detractors"], whole["total"]["nps"]["count"], whole["masked"]) == (1, 6, [])
    few = asked(**MONTHS, key=doors.key("events:read")).json()
    march, april = few["by_month"]
    assert (march["nps"]["score"], march["csat"], april["nps"], april["answered"]) == (40, None, None, None)
    assert (few["total"]["nps"]["count"], few["total"]["csat"]["count"]) == (5, 0)
    assert {"by_month[2026-03].csat", "by_month[2026-04].nps"} <= set(few["masked"])
    assert asked(**{"from": "March"}).status_code == 400
    assert asked(key=doors.key("profile:read")).status_code == 403
    unknown = doors.ask("/v1/segments/nobody-knows/feedback")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")
