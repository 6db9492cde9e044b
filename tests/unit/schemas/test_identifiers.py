"""The record function is frozen: these ids are the keys of logs that exist."""

from __future__ import annotations

import hmac
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import (
    BLOCKED_VALUES,
    CLASSES,
    RECORD_FUNCTION_VERSION,
    VALUE_CHARS_MAX,
    Identifier,
    class_rank,
    is_blocked,
    leading,
    normalise,
    record_id,
    usable,
)  # fmt: skip

KEY = bytes.fromhex("00112233445566778899aabbccddeeff" * 2)

GOLDEN = {
    Identifier("user_id", "42"): "73110f09-20c5-cfc5-e451-8c681c2fbf18",
    Identifier("crm_id.acme", "7"): "29b2c094-e42e-a17f-dc87-0eb655d55431",
    Identifier("email", "ann@x.com"): "0807eced-f61a-e17c-1cea-0657f416502d",
    Identifier("phone", "442079460042"): "2ef979d9-372b-abf7-9a63-b3a0eea004bf",
    Identifier("anonymous_id", "c-1"): "ca558758-b752-df10-2312-75a747531d00",
    Identifier("group_id", "g"): "ab889f33-e242-865d-f1a2-5921151d2080",
    Identifier("passport", "äöü ☃"): "b0a6bce0-e286-2cde-f9c9-d3bd97aa946c",
}
"""Never edit: another id is another version of the function beside this one."""


@pytest.mark.parametrize("identifier", GOLDEN, ids=lambda i: i.type)
def test_the_id_of_a_record_never_changes(identifier: Identifier) -> None:
    assert record_id(KEY, identifier) == GOLDEN[identifier]
    assert RECORD_FUNCTION_VERSION == 1


LEADS = [
    ({"anonymous_id": ["c"], "user_id": ["1"], "email": ["a@x.com"]}, ("user_id", "1")),
    ({"anonymous_id": ["c"], "device_id": ["d"]}, ("device_id", "d")),
    ({"device_id": ["d"], "passport": ["p"]}, ("passport", "p")),
    ({"passport": ["p"], "phone": ["+44 20"]}, ("phone", "4420")),
    ({"phone": ["4420"], "email": ["A@X.com"]}, ("email", "a@x.com")),
    ({"email": ["a@x.com"], "loyalty_id": ["l"]}, ("loyalty_id", "l")),
    ({"loyalty_id": ["l"], "crm_id.acme": ["7"]}, ("crm_id.acme", "7")),
    ({"crm_id.acme": ["7"], "user_id.shop": ["9"]}, ("user_id.shop", "9")),
    ({"user_id": ["b", "a"]}, ("user_id", "a")),
    ({"user_id.b": ["1"], "user_id.a": ["2"]}, ("user_id.a", "2")),
    ({"tax_id": ["1"], "passport": ["2"]}, ("passport", "2")),
    ({"user_id": ["null"], "email": ["a@x.com"]}, ("email", "a@x.com")),
]


@pytest.mark.parametrize(("identifiers", "expected"), LEADS)
def test_the_strongest_then_the_first_by_name_then_the_smallest_leads(
    identifiers: dict[str, list[str]], expected: tuple[str, str]
) -> None:
    assert leading(identifiers) == Identifier(*expected)
    assert leading(dict(reversed(identifiers.items()))) == Identifier(*expected)


def test_the_classes_stand_in_this_order() -> None:
    assert CLASSES == (
        "user_id", "crm_id", "loyalty_id", "email", "phone", "other", "device_id", "anonymous_id",
    )  # fmt: skip
    assert class_rank("crm_id.acme") == class_rank("crm_id") == 1
    assert class_rank("anything") == class_rank("other")


def test_a_group_leads_events_of_groups_and_no_others() -> None:
    both = {"group_id": ["g"], "user_id": ["1"]}
    assert leading(both, "group.joined") == Identifier("group_id", "g")
    assert leading(both, "page.viewed") == Identifier("user_id", "1")
    assert leading({"group_id": ["g"]}, "page.viewed") is None
    assert leading({"user_id": ["1"]}, "group.left") == Identifier("user_id", "1")


@pytest.mark.parametrize(
    ("kind", "raw", "normal"),
    [
        ("email", "  Ann.Lee+x@X.COM ", "ann.lee+x@x.com"),
        ("email.work", "STRASSE@X.de", "strasse@x.de"),
        ("email", "straße@x.de", "strasse@x.de"),
        ("phone", "+44 (0)20-7946 0042", "4402079460042"),
        ("phone.home", "tel:123", "123"),
        ("phone", "12", ""),
        ("phone", "no number", ""),
        ("phone", "٤٤٢٠٧", ""),
        ("user_id", "  Ab 1 ", "Ab 1"),
        ("anonymous_id", "C-1", "C-1"),
    ],
)
def test_values_are_trimmed_and_folded_and_nothing_cleverer(kind: str, raw: str, normal: str) -> None:
    assert normalise(kind, raw) == normal


@given(st.sampled_from(["email", "phone", "user_id", "phone.x"]), st.text(max_size=30))
def test_what_is_normal_stays_as_it_is(kind: str, raw: str) -> None:
    assert normalise(kind, normalise(kind, raw)) == normalise(kind, raw)


@pytest.mark.parametrize(
    "value",
    ["", "0", "0000", "00000000-0000-0000-0000-000000000000", "null", "NULL", "Undefined", "anonymousId",
     "[object Object]", "N/A", "unknown", "guest", "-", "---", "test"],
)  # fmt: skip
def test_a_placeholder_identifies_nobody(value: str) -> None:
    assert is_blocked(value)
    assert leading({"user_id": [value]}) is None


@pytest.mark.parametrize("value", ["10", "00001", "nullable", "test1", "u-0", "anonymous-77"])
def test_what_only_looks_like_a_placeholder_does_identify(value: str) -> None:
    assert leading({"user_id": [value]}) == Identifier("user_id", value)


def test_the_block_list_is_written_the_way_it_is_compared() -> None:
    assert {v.casefold().strip() for v in BLOCKED_VALUES} == BLOCKED_VALUES


def test_a_value_without_end_identifies_nobody() -> None:
    assert leading({"user_id": ["x" * VALUE_CHARS_MAX]}) is not None
    assert leading({"user_id": ["x" * (VALUE_CHARS_MAX + 1)]}) is None


kinds = st.sampled_from(["user_id", "email", "phone", "passport", "anonymous_id", "crm_id.a", "group_id"])
sets = st.dictionaries(kinds, st.lists(st.text(max_size=8), max_size=4), max_size=5)


@given(sets)
def test_usable_identifiers_are_normal_distinct_and_strongest_first(identifiers: dict[str, list[str]]) -> None:
    found = usable(identifiers)
    assert len(set(found)) == len(found)
    assert [class_rank(i.type) for i in found] == sorted(class_rank(i.type) for i in found)
    assert all(normalise(i.type, i.value) == i.value and not is_blocked(i.value) for i in found)


@given(sets, st.randoms(use_true_random=False))
def test_the_order_in_which_they_were_sent_is_nothing(identifiers: dict[str, list[str]], order: object) -> None:
    turned = {k: v[::-1] for k, v in reversed(identifiers.items())}
    for type_ in ("page.viewed", "group.joined"):
        assert leading(turned, type_) == leading(identifiers, type_)


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_id_is_a_uuid_in_lower_case_and_another_key_gives_another(kind: str, value: str) -> None:
    made = record_id(KEY, Identifier(kind, value))
    assert str(uuid.UUID(made)) == made
    assert record_id(KEY[::-1], Identifier(kind, value)) != made


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_an_id_is_the_hmac_of_type_and_value(key: bytes, kind: str, value: str) -> None:
    message = f"{kind}\x1f{value}".encode("utf-8", "surrogatepass")
    assert uuid.UUID(record_id(key, Identifier(kind, value))).bytes == hmac.digest(key, message, "sha256")[:16]


def test_type_and_value_do_not_run_into_each_other() -> None:
    assert record_id(KEY, Identifier("a", "bc")) != record_id(KEY, Identifier("ab", "c"))
