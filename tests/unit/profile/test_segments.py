"""Who is in a segment, why, and why not; a definition tells every error at once and never fails on a document."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.segments import holds, read_condition, read_segment, read_segments, scopes_needed

NOW_US = 1_772_359_200_000_000
DOCUMENT: dict[str, Any] = {
    "value": {"tier": {"grade": "A"}, "actual": {"revenue": "1250.50", "orders": 7}},
    "interaction": {"last_at": "2026-02-20T10:00:00Z", "count": 12, "by_channel": {"web": 3}},
    "needs": [{"need": "sport", "confidence": 0.7}, {"need": "gifts", "confidence": 0.2}],
    "contact": {"birthday": "1980-04-02", "emails": [], "name": "Ann Berg"},
    "consents": None,
}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"field": "value.tier.grade", "is": "a"}, True),
        ({"field": "value.tier.grade", "is_not": "A"}, False),
        ({"field": "value.tier.grade", "in": ["B", "A"]}, True),
        ({"field": "value.actual.revenue", "above": 1250}, True),
        ({"field": "value.actual.revenue", "at_least": "1250.50"}, True),
        ({"field": "value.actual.orders", "below": 7}, False),
        ({"field": "value.actual.orders", "at_most": 7}, True),
        ({"field": "contact.name", "has": "berg"}, True),
        ({"field": "needs.need", "is": "gifts"}, True),
        ({"field": "needs.confidence", "above": 0.5}, True),
        ({"field": "contact.emails.value", "exists": False}, True),
        ({"field": "consents.marketing.state", "exists": True}, False),
        ({"field": "interaction.last_at", "within_days": 30}, True),
        ({"field": "interaction.last_at", "older_than_days": 30}, False),
        ({"field": "contact.birthday", "older_than_days": 6_000}, True),
        ({"field": "interaction.last_at", "above": 5}, False),
        ({"not": {"field": "value.tier.grade", "is": "B"}}, True),
        ({"all": [{"field": "value.tier.grade", "is": "A"}, {"field": "needs.need", "is": "pets"}]}, False),
        ({"any": [{"field": "value.tier.grade", "is": "B"}, {"field": "needs.need", "is": "sport"}]}, True),
        ({"cel": "value.tier.grade == 'A' && interaction.count > 10"}, True),
        ({"cel": "value.tier.nothing == 'A'"}, False),
        ({"cel": "needs.exists(n, n.need == 'sport')"}, True),
        ({"cel": "'a text'"}, False),
    ],
)
def test_a_condition_holds_or_does_not(where: dict[str, Any], expected: bool) -> None:
    condition, _ = read_condition(where)
    assert holds(condition, DOCUMENT, NOW_US) is expected
    assert holds(condition, {}, NOW_US) in (True, False), "a document without parts breaks nothing"


def test_an_answer_says_why_condition_by_condition_with_the_actual_value() -> None:
    where = {"all": [{"field": "value.tier.grade", "is": "A"}, {"field": "needs.need", "is": "pets"}]}
    condition, _ = read_condition(where)
    assert condition(DOCUMENT, NOW_US).shown() == {
        "condition": "all",
        "holds": False,
        "conditions": [
            {"condition": "value.tier.grade is 'A'", "holds": True, "actual": ["A"]},
            {"condition": "needs.need is 'pets'", "holds": False, "actual": ["sport", "gifts"]},
        ],
    }


def test_every_error_is_told_with_its_path() -> None:
    broken = {
        "all": [
            {"field": "salary", "is": 1}, {"field": "value.tier.grade"},
            {"field": "value.actual.orders", "above": "x"}, {"cel": "a >"}, {"any": []}, 5,
            {"field": "interaction.last_at", "within_days": -1}, {"any": [], "name": "x"},
        ],
    }  # fmt: skip
    with pytest.raises(ValueError, match="field") as error:
        read_condition(broken)
    named = ("[0].field", "[1]", "[2].above", "[3].cel", "[4].any", "[5]", "[6].within_days", "[7]")
    for path in (f"all{one}" for one in named):
        assert f"where.{path}:" in str(error.value)


def test_whether_waiting_changes_it_is_known() -> None:
    assert read_condition({"field": "interaction.last_at", "within_days": 3})[1]
    assert read_condition({"field": "consents.marketing.state", "is": "granted"})[1], "it ends some day"
    assert not read_condition({"field": "value.tier.grade", "is": "A"})[1]


def test_of_a_part_of_what_ages_waiting_may_change_it_too() -> None:
    recent = {"name": "Recent", "where": {"field": "interaction.last_at", "within_days": 3}}
    rich = {"name": "Rich", "within": "recent", "where": {"field": "value.tier.grade", "is": "A"}}
    found = read_segments({"segments": {"recent": recent, "rich": rich}})
    assert found.any_ages
    assert found.ages(found.by_id["rich"])
    assert not found.by_id["rich"].of_time


def test_segments_are_no_part_of_themselves_in_a_circle() -> None:
    where = {"field": "value.tier.grade", "is": "A"}
    circle = {one: {"name": one, "where": where, "within": other} for one, other in (("a", "b"), ("b", "a"))}
    with pytest.raises(ValueError, match="a part of it"):
        read_segments({"segments": circle})


def test_all_that_is_wrong_with_a_segment_is_told_at_once() -> None:
    broken = {"name": "", "version": "x", "description": 5, "within": 7, "colour": 1, "where": {"any": []}}
    with pytest.raises(ValueError, match="segment_id") as error:
        read_segment("NO ID", broken)
    for part in ("name:", "version:", "description:", "within:", "colour:", "where.any:"):
        assert part in str(error.value)


def test_what_an_asker_may_not_see_is_told_as_he_sees_it() -> None:
    condition, _ = read_condition({"all": [{"field": "contact.name", "has": "ann"}]})
    held, seen = (condition({"contact": {"name": name}}, NOW_US) for name in ("Ann Berg", "A•••"))
    (one,) = held.shown(seen)["conditions"]
    assert one == {"condition": "contact.name has 'ann'", "holds": True, "actual": ["A•••"]}


def test_a_value_in_an_explanation_is_brief_and_always_json() -> None:
    for where in ({"field": "value", "exists": True}, {"cel": "timestamp('2026-01-01T00:00:00Z')"}, {"cel": "b'x'"}):
        condition, _ = read_condition(where)
        assert len(orjson.dumps(condition({"value": {"a" * 9_000: 1}}, NOW_US).shown())) < 2_000


@pytest.mark.parametrize(
    ("where", "scopes"),
    [
        ({"field": "value.tier.grade", "is": "A"}, {"value:read"}),
        ({"all": [{"not": {"field": "contact.name", "has": "x"}}]}, {"profile:pii"}),
        ({"field": "contact", "exists": True}, {"profile:pii"}),
        ({"field": "contact.provenance.email.rivals", "exists": True}, {"profile:pii"}),
        ({"field": "identity.identifiers.value", "is": "x"}, {"profile:pii"}),
        ({"field": "identity.status", "is": "known"}, set()),
        ({"field": "contact.reachable.email.allowed", "is": True}, set()),
        ({"field": "consents.marketing.state", "is": "granted"}, set()),
        ({"any": [{"cel": "value.tier.grade == 'A' || contact.name == 'x'"}]}, {"profile:pii", "value:read"}),
    ],
)
def test_a_segment_asks_for_nothing_that_its_maker_may_not_see(where: dict[str, Any], scopes: set[str]) -> None:
    read_condition(where)
    assert scopes_needed(where) == scopes


def test_a_definition_that_is_too_large_is_refused() -> None:
    deep: dict[str, Any] = {"field": "value.tier.grade", "is": "A"}
    for _ in range(20):
        deep = {"not": deep}
    for where in (deep, {"cel": "1" * 3_000}, {"all": [{"field": "value.tier.grade", "is": "A"}] * 200}):
        with pytest.raises(ValueError, match="at most"):
            read_condition(where)


def test_a_part_holds_only_who_is_in_the_whole() -> None:
    rich = {"name": "Rich", "where": {"field": "value.tier.grade", "is": "B"}}
    sporty = {"name": "Sporty", "within": "rich", "where": {"field": "needs.need", "is": "sport"}}
    found = read_segments({"segments": {"rich": rich, "sporty": sporty}})
    assert found.of(DOCUMENT, NOW_US) == {}
    rich["where"] = {"field": "value.tier.grade", "is": "A"}
    both = read_segments({"segments": {"rich": rich, "sporty": sporty}})
    assert set(both.of(DOCUMENT, NOW_US)) == {"rich", "sporty"}
    with pytest.raises(ValueError, match="within"):
        read_segments({"segments": {"sporty": sporty}})
    for name, one in (("UP", rich), ("ok", {"where": rich["where"]}), ("ok", {**rich, "colour": 1}), ("ok", 5)):
        with pytest.raises(ValueError, match=r"\w"):
            read_segment(name, one)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["tier", "grade", "need"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["value", "needs", "contact"]), json_like))
def test_no_document_breaks_a_condition_and_not_is_the_opposite(document: dict[str, Any]) -> None:
    for where in (
        {"field": "value.tier.grade", "is": "A"}, {"field": "needs.need", "above": 1}, {"cel": "value.tier == 'x'"},
        {"field": "contact.tier", "within_days": 1}, {"field": "value.tier", "has": "a"},
    ):  # fmt: skip
        condition, _ = read_condition(where)
        opposite, _ = read_condition({"not": where})
        assert holds(condition, document, NOW_US) is not holds(opposite, document, NOW_US)
