"""How changes are read from a stream and shown in a line."""

from services.ops.commands.finding import line, parsed

EVENT = '{"type":"customer.updated","subject":"c-1","time":"2026-03-01T10:00:00Z","data":{"changed":["value"]}}'


def test_a_stream_is_read_event_by_event_with_the_cursor_of_each() -> None:
    lines = ["retry: 2000", "id: 1-2", "", ": ping", "id: 1-3", "", "id: 1-4", "event: customer.updated",
             f"data: {EVENT}", "", ": nothing", ""]  # fmt: skip
    read = list(parsed(lines))
    assert [(cursor, kind) for cursor, kind, _ in read] == [("1-2", ""), ("1-3", ""), ("1-4", "customer.updated")]
    assert read[0][2] is None
    assert read[2][2]["subject"] == "c-1"


def test_a_change_is_one_line() -> None:
    event = {"type": "customer.updated", "subject": "c-1", "time": "T", "data": {"changed": ["identity", "value"]}}
    assert line(event) == "T  updated     c-1  identity, value"
    assert line({**event, "type": "customer.merged", "data": {"from": ["c-1"], "into": "c-2"}}).endswith("into c-2")
    split = {
        **event,
        "type": "customer.split",
        "data": {"from": "c-1", "into": ["c-2", "c-3"], "changed": ["identity"]},
    }
    assert line(split).endswith("c-1  into c-2, c-3")
    assert line({**event, "type": "customer.removed", "data": {}}) == "T  removed     c-1"


def test_a_change_says_in_words_what_came_to_pass() -> None:
    def said(kind: str, **data: object) -> str:
        return line({"type": kind, "subject": "c-1", "time": "T", "data": data})

    assert said("segment.entered", segment_id="vip") == "T  segment.entered  c-1  vip"
    assert said("tier.changed", **{"from": None, "to": "A"}).endswith("c-1  none to A")
    due = said("promise.due", promise_id="p", due_at="2026-03-01T10:00:00Z", by=None, conversation_id="c")
    assert due == "T  promise.due  c-1  p, due 2026-03-01T10:00:00Z"
    low = said("feedback.detractor", scale="nps", score=3, survey_id=None, follow_up="open")
    assert low == "T  feedback.detractor  c-1  nps 3, follow-up open"
    left = said("customer.defected", state="defected", since="2026-03-01", cause="price")
    assert left == "T  defected    c-1  since 2026-03-01, cause price"
