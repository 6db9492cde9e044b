"""Webhooks' rules: what is an endpoint, how a delivery is signed, when it is tried again, where it never goes."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain import webhooks as rules
from services.profile.domain.webhooks import Answer
from services.profile.webhooks.addresses import Refused, addresses, is_public

DAY_S = 86_400.0


def test_a_delivery_is_signed_as_standard_webhooks_own_example_is() -> None:
    """The vector of the specification's reference libraries."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = rules.signatures([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_with_two_secrets_there_are_two_signatures_the_newest_first_and_each_is_valid() -> None:
    new, old = rules.signing_key(b"k" * 32, "wh_1", 2), rules.signing_key(b"k" * 32, "wh_1", 1)
    assert len({new, old, rules.signing_key(b"k" * 32, "wh_2", 1), rules.signing_key(b"x" * 32, "wh_1", 1)}) == 4
    parts = rules.signatures([new, old], "msg_1", 7, b"{}").split(" ")
    for key, part in zip((new, old), parts, strict=True):
        assert part == "v1," + base64.b64encode(hmac.new(key, b"msg_1.7.{}", hashlib.sha256).digest()).decode()
        assert rules.shown(key) == "whsec_" + base64.b64encode(key).decode()


@given(st.text(max_size=80), st.text(max_size=80))
def test_one_event_has_one_id_without_a_full_stop(one: str, other: str) -> None:
    assert (rules.message_id(one) == rules.message_id(other)) == (one == other)
    assert "." not in rules.message_id(one)
    assert rules.message_id(one).isascii()


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_up_to_the_longest_and_differ_by_chance(failures: int, chance: float) -> None:
    pause_s = rules.pause_s(failures, rules.DELIVERY_PAUSE_S_MAX, chance)
    assert 0.8 * min(3.0 ** (failures - 1 if failures < 30 else 29), rules.DELIVERY_PAUSE_S_MAX) <= pause_s
    assert pause_s <= 1.2 * rules.DELIVERY_PAUSE_S_MAX
    assert rules.pause_s(failures + 1, rules.DELIVERY_PAUSE_S_MAX, chance) >= pause_s


def test_a_refused_delivery_is_given_up_after_its_time_and_an_outage_costs_none() -> None:
    refused, away = Answer(400), Answer(None, "timeout")
    assert not rules.is_given_up(refused, 0.0, DAY_S, DAY_S, None)
    assert rules.is_given_up(refused, 0.0, DAY_S + 1, DAY_S, None)
    assert not rules.is_given_up(away, 100.0, 9 * DAY_S, DAY_S, 50.0), "nothing was taken since it was tried first"
    assert rules.is_given_up(away, 100.0, 9 * DAY_S, DAY_S, 200.0), "others were taken meanwhile: it is this one"


@pytest.mark.parametrize(
    ("answer", "taken", "of_endpoint", "why"),
    [
        (Answer(200), True, False, "status-200"), (Answer(204), True, False, "status-204"),
        (Answer(302), False, True, "redirect"), (Answer(400), False, False, "status-400"),
        (Answer(410), False, False, "status-410"), (Answer(429), False, True, "status-429"),
        (Answer(500), False, True, "status-500"), (Answer(None, "timeout"), False, True, "timeout"),
    ],
)  # fmt: skip
def test_an_answer_says_whether_it_was_taken_and_if_not_whose_fault_it_is(
    answer: Answer, taken: bool, of_endpoint: bool, why: str
) -> None:
    assert (answer.is_taken, answer.of_endpoint, answer.why) == (taken, of_endpoint, why)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://shop.example/c360", None), ("https://shop.example:8443/a?b=c", None), ("http://a.example/", "url"),
        ("https://u:p@shop.example/", "url"), ("https:///x", "url"), ("https://shop.example/#x", "url"),
        ("https://shop.example:99999/", "url"), ("https://[::1", "url"), ("https://shop example/", "url"),
        ("https://shöp.example/", "url"), ("https://x.example/" + "y" * 2_000, "url"),
    ],
)  # fmt: skip
def test_what_is_no_endpoint_is_told_with_its_place(url: str, fault: str | None) -> None:
    found = rules.faults(url, [], may_be_plain=False)
    assert [one.partition(":")[0] for one in found] == ([fault] if fault else [])
    (types,) = rules.faults("https://shop.example/", ["customer.everything"], may_be_plain=False)
    assert types.startswith("types: some of customer.created")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "198.18.0.1", "192.0.2.1",
        "240.0.0.1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_anybodys_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.asyncio
async def test_a_host_that_is_an_address_of_ours_is_refused_however_it_is_written() -> None:
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "::1"):
        with pytest.raises(Refused):
            await addresses(host, 443, may_be_private=False)
    assert await addresses("127.0.0.1", 443, may_be_private=True) == ["127.0.0.1"]
