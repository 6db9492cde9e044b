"""Bodies: numbers exactly, duplicate keys refused, and one bad text spoils only its own event."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.codec import Unreadable
from services.intake.domain.importing import read_import
from services.intake.domain.model import Parked, Raw
from services.intake.domain.reading import read_body


def reason(body: bytes) -> str:
    with pytest.raises(Unreadable) as raised:
        read_body(body)
    return str(raised.value.reason)


BROKEN = (
    b"{",
    b"NaN",
    b"[Infinity]",
    b'{"a":"\\u0041",}',
    b'["\\ud800", NaN]',
    b"\xff\xfe{}",
    b'"\xc3"',
    b"1e9999999999999999999",
    b"[" * 10_000,
    b'["\\u0041",' + b"[" * 10_000,
    b"9" * 10_000,
)


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_not_json_is_said_to_be(body: bytes) -> None:
    assert reason(body) == "not_json"


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_an_empty_body_has_no_value(body: bytes) -> None:
    assert reason(body) == "no_value"


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":2}', b'[{"b":{"a":1, "a" : 1}}]', b'{"a":1,"\\u0061":2}', b'{"a":"\\ud800","a":1}']
)
def test_a_key_given_twice_is_refused(body: bytes) -> None:
    assert reason(body) == "duplicate_key"


def test_text_that_looks_like_a_key_is_none() -> None:
    assert read_body(b'{"a":"\\"b\\":1, \\"b\\":2"}') == {"a": '"b":1, "b":2'}


def test_amounts_never_pass_through_floats() -> None:
    assert read_body(b'{"total": 0.1000000000000000055}') == {"total": Decimal("0.1000000000000000055")}


def test_half_a_surrogate_pair_is_read_so_that_only_its_event_is_parked() -> None:
    assert read_body(b'{"a":"\\ud800","b":1.50}') == {"a": "\ud800", "b": Decimal("1.50")}


def test_json_lines_of_both_languages_are_read_and_bad_lines_parked() -> None:
    body = b'{"type":"track","event":"A"}\n\nnonsense\n{"specversion":"1.0","id":"1","type":"b"}\n[1]\n'
    kinds = [event.type if isinstance(event, Raw) else event.reason for event in read_import(body)]
    assert kinds == ["A", "not_json", "b", "not_an_object"]


def test_a_segment_batch_is_imported_by_its_body() -> None:
    assert [type(e) for e in read_import(b'{"batch":[{"type":"page","userId":"1"},{}]}')] == [Raw, Parked]


def test_an_import_of_one_bad_line_is_parked() -> None:
    assert read_import(b"nonsense\n") == [Parked("not_json")]
