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
