"""Reading a policy: what is wrong is named."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml

from services.identity.domain.policy import read_policy


def document() -> dict[str, Any]:
    """The shipped policy, to be spoilt."""
    found: dict[str, Any] = yaml.safe_load((files("services.identity") / "policy.yaml").read_text())
    return found


@pytest.mark.parametrize("part", sorted(document().keys() - {"limits", "held_from", "generic_names_above"}))
def test_a_missing_part_is_named(part: str) -> None:
    spoilt = document()
    del spoilt[part]
    with pytest.raises(ValueError, match=part):
        read_policy(spoilt)


def test_a_class_without_a_weight_is_named() -> None:
    spoilt = document()
    del spoilt["weights"]["email"]
    with pytest.raises(ValueError, match="email"):
        read_policy(spoilt)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("version", "first"),
        ("version", None),
        ("weights", [1]),
        ("generic_above", {"email": "many"}),
        ("generic_above", ["email"]),
        ("blocked_patterns", {"email": ["("]}),
        ("blocked_patterns", {"email": 5}),
        ("exclusive", 5),
        ("personal_types", None),
    ],
)
def test_a_part_of_another_shape_is_named(part: str, value: Any) -> None:
    with pytest.raises(ValueError, match=part):
        read_policy(document() | {part: value})


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="pattern"):
        read_policy(document() | {"blocked_patterns": {"email": ["("]}})


def test_no_link_may_weigh_as_much_as_an_alias() -> None:
    spoilt = document()
    spoilt["weights"]["user_id"] = 11
    with pytest.raises(ValueError, match="weights"):
        read_policy(spoilt)


@pytest.mark.parametrize(
    ("value", "blocked"),
    [
        ("test@a.com", True), ("TEST@a.com", True), ("no-reply@a.com", True), ("ann@invalid.com", True),
        ("ann@a.com", False), ("contest@a.com", False), ("ann@invalid.com.au", False), ("ann@example.com", False),
    ],
)  # fmt: skip
def test_a_pattern_is_about_the_whole_value(value: str, blocked: bool) -> None:
    assert read_policy(document()).is_blocked("email", value) is blocked


def test_a_namespace_belongs_to_its_type() -> None:
    policy = read_policy(document())
    assert policy.is_exclusive("user_id.shop")
    assert policy.is_personal("crm_id.acme")
    assert policy.weight("email.work") == policy.weight("email")
    assert policy.weight("passport") == policy.weights["other"]
    assert policy.generic_limit("user_id") is None


def test_a_policy_of_an_older_build_goes_on_meaning_what_it_meant() -> None:
    older = document()
    for part in ("limits", "held_from", "generic_names_above"):
        del older[part]
    del older["similarity"]["same_source"], older["similarity"]["names_bits_max"]
    policy = read_policy(older)
    assert policy.limit("email") is None
    assert policy.generic_names_limit("phone") is None
    assert policy.similarity.names_bits_max == policy.similarity.pair_bits_max
    assert policy.similarity.apart(("crm_id.a", "crm_id.a")) == 0
