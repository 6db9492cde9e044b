"""A halted process is told with the reason it gave, not with the end of a traceback."""

from services.ops.commands.halts import reason_in

TEXT = """\
2026-01-01T00:00:00Z [info     ] lane_started                   generation=1
2026-01-01T00:00:01Z [error    ] worker_halted   detail='schema 4 is newer than this build' reason=newer
2026-01-01T00:00:01Z [critical ] Reraising original exception...
"""


def test_the_reason_is_what_the_worker_said_of_halting() -> None:
    assert reason_in(TEXT) == "schema 4 is newer than this build"


def test_the_reason_is_found_in_json_logs() -> None:
    assert reason_in('{"event": "worker_halted", "detail": "no such topic"}\n{"event": "end"}') == "no such topic"


def test_without_such_a_line_the_last_one_is_told() -> None:
    assert reason_in("one\ntwo\n\n") == "two"
    assert reason_in("") == "its log is empty"
