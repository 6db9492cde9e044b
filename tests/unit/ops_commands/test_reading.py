"""Files of events are told apart by their bodies, and what cannot be read is named by its line."""

import orjson

from services.ops.commands.reading import BadLine, Item, read_items

CLOUD = b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"identifiers":{"email":"a@x.com"}}}'
TRACK = b'{"type":"track","event":"Order Completed","userId":"7","properties":{"total":12.30}}'


def read(text: bytes) -> list[Item | BadLine]:
    return list(read_items(text.splitlines(keepends=True)))


def test_json_lines_are_told_apart_by_body_and_passed_on_byte_for_byte() -> None:
    assert read(CLOUD + b"\n\n" + TRACK + b"\n") == [Item(1, "cloudevent", CLOUD), Item(3, "segment", TRACK)]


def test_an_array_over_several_lines_is_its_items() -> None:
    found = read(b"[\n" + CLOUD + b",\n" + TRACK + b"\n]\n")
    assert [(one.line, one.kind) for one in found if isinstance(one, Item)] == [(1, "cloudevent"), (2, "segment")]


def test_an_amount_in_an_array_keeps_its_digits() -> None:
    [item] = read(b'[{"type":"track","event":"e","properties":{"total":0.1000000000000000055511151231257827}}]')
    assert isinstance(item, Item)
    assert b"0.1000000000000000055511151231257827" in item.body


def test_one_object_spread_over_lines_is_one_event() -> None:
    spread = orjson.dumps(orjson.loads(CLOUD), option=orjson.OPT_INDENT_2)
    [item] = read(spread)
    assert isinstance(item, Item)
    assert orjson.loads(item.body) == orjson.loads(CLOUD)


def test_one_object_on_one_line_is_one_event() -> None:
    assert read(CLOUD) == [Item(1, "cloudevent", CLOUD)]


def test_a_segment_batch_is_its_messages() -> None:
    found = read(b'{"batch":[' + TRACK + b"," + TRACK + b'],"writeKey":"w"}')
    assert [one.kind for one in found if isinstance(one, Item)] == ["segment", "segment"]


def test_a_bad_line_is_named_by_its_number_and_the_others_are_read() -> None:
    found = read(CLOUD + b"\n{oops\n" + TRACK + b"\n7\n")
    assert [one.line for one in found if isinstance(one, Item)] == [1, 3]
    assert [one.line for one in found if isinstance(one, BadLine)] == [2, 4]


def test_a_bad_first_line_does_not_hide_the_others() -> None:
    found = read(b"{oops\n" + CLOUD + b"\n" + TRACK)
    assert [one.line for one in found if isinstance(one, BadLine)] == [1]
    assert [one.line for one in found if isinstance(one, Item)] == [2, 3]


def test_an_object_that_is_no_event_is_bad_and_its_content_is_not_told() -> None:
    [bad] = read(b'{"email":"ann@x.com"}')
    assert isinstance(bad, BadLine)
    assert "ann" not in bad.why


def test_a_broken_array_is_one_bad_line() -> None:
    [bad] = read(b"[" + CLOUD + b",\n")
    assert isinstance(bad, BadLine)


def test_an_empty_file_holds_nothing() -> None:
    assert read(b"\n \n") == []


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert read(b"\xef\xbb\xbf" + CLOUD + b"\n")[0] == Item(1, "cloudevent", CLOUD)
