"""Position tokens: what is written is read, and anything else is refused."""

from __future__ import annotations

import base64

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.topics import PARTITIONS, TOPICS
from services.runtime.waiting import BadToken, merge, read_token, write_token

partitions = st.tuples(st.sampled_from(sorted(TOPICS)), st.integers(0, PARTITIONS - 1))
ends = st.dictionaries(partitions, st.integers(0, 2**62), max_size=12)
json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def token_of(raw: bytes) -> str:
    """A token with any content."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@given(ends)
def test_a_token_is_read_as_it_was_written(positions: dict[tuple[str, int], int]) -> None:
    token = write_token(positions)
    assert read_token(token) == {p: o for p, o in positions.items() if o}, (
        "before the first there is nothing to wait for"
    )
    assert token.isascii()
    assert not set(token) & set("+/= \n"), "it goes into URLs and headers as it is"


@given(ends, st.randoms(use_true_random=False))
def test_the_same_positions_give_the_same_token(positions: dict[tuple[str, int], int], order: object) -> None:
    rows = list(positions.items())
    order.shuffle(rows)  # type: ignore[attr-defined]
    assert write_token(dict(rows)) == write_token(positions)


def _usable_or_refused(token: str) -> None:
    """A token that is not refused holds only what the database can be asked for."""
    try:
        positions = read_token(token)
    except BadToken:
        return
    for (_, partition), offset in positions.items():
        assert 0 <= partition < 2**31, f"{partition} is no partition"
        assert 0 <= offset < 2**63, f"{offset} is no offset"


@settings(max_examples=300)
@given(st.text())
def test_any_text_is_a_token_or_refused(text: str) -> None:
    _usable_or_refused(text)


@settings(max_examples=300)
@given(st.binary())
def test_any_bytes_in_a_token_are_positions_or_refused(raw: bytes) -> None:
    _usable_or_refused(token_of(raw))


@settings(max_examples=300)
@given(json)
def test_any_json_in_a_token_is_positions_or_refused(value: object) -> None:
    _usable_or_refused(token_of(orjson.dumps(value) if _writable(value) else b"{"))


def _writable(value: object) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize(
    "raw",
    [
        b'[["channel.events", 99999999999, 1]]',
        b'[["channel.events", -1, 1]]',
        b'[["channel.events", 0, 1e30]]',
        b'[["channel.events", 1e308, 1]]',
        b'[["channel.events", 0, -5]]',
        b'[["channel.events", 0, null]]',
        b'[["channel.events", 0]]',
        b"[1]",
        b"null",
    ],
)
def test_what_no_log_can_hold_is_refused(raw: bytes) -> None:
    with pytest.raises(BadToken):
        read_token(token_of(raw))


@given(st.lists(ends, max_size=4))
def test_merging_keeps_the_later_of_each_partition(tokens: list[dict[tuple[str, int], int]]) -> None:
    merged = merge(*tokens)
    assert merged.keys() == {p for t in tokens for p in t}
    assert all(merged[p] == max(t[p] for t in tokens if p in t) for p in merged)
    assert merge(*reversed(tokens)) == merged
