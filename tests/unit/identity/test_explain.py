"""Why records are, or are not, one customer: given this evidence, exactly this way, this cut, this sentence."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from services.identity.domain import explain, paths
from services.identity.domain.evidence import NEVER_US
from services.identity.domain.weighing import State, Tie, Weighed, weigh
from tests.unit.identity.stating import (
    POLICY,
    Fact,
    alias,
    clusters,
    evidence,
    facts,
    record,
    said,
    together,
)  # fmt: skip

DAY_US = 86_400_000_000
ANN_AND_CRM = [together("user_id:1", "email:a", DAY_US), together("crm_id.a:1", "email:a", 2 * DAY_US)]
"""Two records that meet in an e-mail address."""


def weighed(*given_facts: Fact) -> Weighed:
    found = evidence(*given_facts)
    return weigh(found.records, list(found.links.values()), list(found.assertions.values()), POLICY)


def way(start: str, end: str, *given_facts: Fact) -> dict[str, Any]:
    return explain.path(weighed(*given_facts), start, end)


def names(answer: dict[str, Any]) -> list[str]:
    return [step["record"]["record_id"] for step in answer["path"]]


def ends(link: dict[str, Any] | None) -> tuple[str, str] | None:
    return (link["a"]["record_id"], link["b"]["record_id"]) if link else None


def text(answer: dict[str, Any]) -> str:
    parts = answer["why"]
    return "".join(p if isinstance(p, str) else p.get("words") or p["record_id"] for p in parts)


def test_a_path_names_each_record_and_the_link_it_was_reached_by() -> None:
    answer = way("user_id:1", "crm_id.a:1", *ANN_AND_CRM)
    assert answer["same_customer"] is True
    assert names(answer) == ["user_id:1", "email:a", "crm_id.a:1"]
    assert answer["path"][0]["via"] is None
    assert answer["path"][1]["via"] == {
        "a": {"record_id": "email:a", "type": "email", "value": "a"},
        "b": {"record_id": "user_id:1", "type": "user_id", "value": "1"},
        "kind": "seen_together", "weight": 7, "first_seen": "1970-01-02T00:00:00Z", "source": "web",
        "event_id": f"event-{DAY_US}", "likeness": None, "state": "joins", "constraint": None,
    }  # fmt: skip
    assert (answer["refused"], answer["because"]) == ([], None)
    assert text(answer) == (
        "user_id:1 and crm_id.a:1 are one customer: user_id:1 was seen with email:a by web on 1970-01-02, and "
        "email:a was seen with crm_id.a:1 by web on 1970-01-03; without the link between crm_id.a:1 and email:a they "
        "would be two."
    )


def test_of_several_ways_the_one_whose_weakest_link_is_strongest_is_told() -> None:
    weak = [together("user_id:1", "device_id:1"), together("crm_id.a:1", "device_id:1")]
    direct = together("user_id:1", "anonymous_id:1"), together("crm_id.a:1", "anonymous_id:1")
    assert names(way("user_id:1", "crm_id.a:1", *weak, *direct, *ANN_AND_CRM))[1] == "email:a"


def test_of_equally_strong_ways_the_shortest_then_the_one_of_smaller_ids_is_told() -> None:
    longer = [together("user_id:1", "email:a"), together("email:a", "email:b"), together("crm_id.a:1", "email:b")]
    shorter = [together("user_id:1", "email:c", 5), together("crm_id.a:1", "email:c", 6)]
    assert names(way("user_id:1", "crm_id.a:1", *longer, *shorter))[1:-1] == ["email:c"]
    also = [together("user_id:1", "email:d"), together("crm_id.a:1", "email:d")]
    assert names(way("user_id:1", "crm_id.a:1", *also, *shorter))[1:-1] == ["email:c"]


def test_the_cut_is_the_weakest_link_without_which_they_would_be_two() -> None:
    chain = [together("user_id:1", "email:a"), together("email:a", "phone:7"), together("phone:7", "crm_id.a:1")]
    answer = way("user_id:1", "crm_id.a:1", *chain)
    assert ends(answer["cut"]) == ("email:a", "phone:7"), "of two equally weak ones the one taken later"
    round_about = [*chain, together("phone:7", "user_id:1"), together("crm_id.a:1", "email:a")]
    answer = way("user_id:1", "crm_id.a:1", *round_about)
    assert answer["cut"] is None
    assert text(answer).endswith("; no single link's removal would part them.")


def test_a_pair_that_two_links_hold_hangs_on_neither() -> None:
    pair = "user_id:1", "user_id:2"
    assert ends(way(*pair, alias(*pair))["cut"]) == pair
    answer = way(*pair, alias(*pair), together(*pair))
    assert answer["cut"] is None
    assert answer["path"][1]["via"]["kind"] == "alias", "the strongest of the pair is told"


def test_an_alias_and_an_operators_word_are_told_as_such() -> None:
    pair = "user_id:1", "user_id:2"
    assert "are aliases of each other, as web said on 1970-01-01; nothing else holds them" in text(
        way(*pair, alias(*pair))
    )
    answer = way(*pair, said(*pair, same=True))
    assert text(answer) == (
        "user_id:1 and user_id:2 are one customer: op said that user_id:1 and user_id:2 are the same; nothing else "
        "holds them together."
    )
    assert (answer["cut"]["kind"], answer["cut"]["source"]) == ("same_asserted", None)


def test_a_long_way_is_told_in_full_but_its_sentence_stays_short() -> None:
    chain: list[Fact] = [together(f"email:{n}", f"email:{n + 1}", n) for n in range(9)]
    answer = way("email:0", "email:9", *chain)
    assert len(answer["path"]) == 10
    assert ", and so on over 5 more; without the link between " in text(answer)


def test_a_record_is_one_with_itself() -> None:
    answer = way("email:a", "email:a", *ANN_AND_CRM)
    assert (answer["same_customer"], names(answer), answer["cut"]) == (True, ["email:a"], None)
    assert text(answer) == "email:a is one record."


def test_two_values_of_an_exclusive_type_are_named_with_the_link_they_refused() -> None:
    answer = way("user_id:1", "user_id:2", together("user_id:1", "phone:7"), together("user_id:2", "phone:7", 1))
    assert (answer["same_customer"], answer["path"], answer["cut"]) == (False, [], None)
    assert [(ends(r), r["state"], r["constraint"]) for r in answer["refused"]] == [
        (("phone:7", "user_id:2"), "refused", "exclusive:user_id")
    ]
    assert answer["because"] == "exclusive"
    assert text(answer) == (
        "user_id:1 and user_id:2 are not one customer: user_id:1 and user_id:2 are two of type user_id, of which a "
        "customer has only one, so one link between them was refused: phone:7 with user_id:2."
    )


def test_a_shared_value_is_said_to_be_ambiguous() -> None:
    answer = way("phone:7", "user_id:2", together("user_id:1", "phone:7"), together("user_id:2", "phone:7", 1))
    assert answer["because"] == "exclusive"
    assert text(answer).endswith(
        "; phone:7 was seen with both and is ambiguous: its stronger link counts, of equal ones the earlier."
    )


def test_an_operators_different_is_told_with_who_when_and_why() -> None:
    apart = said("crm_id.a:1", "email:a", same=False, time_us=3 * DAY_US)
    answer = way("user_id:1", "crm_id.a:1", *ANN_AND_CRM, apart)
    assert answer["because"] == "different"
    assert text(answer) == (
        "user_id:1 and crm_id.a:1 are not one customer: op said on 1970-01-04 that crm_id.a:1 and email:a are "
        "different: looked."
    )
    assert [r["constraint"] for r in answer["refused"]] == ["different"]


def test_a_word_on_the_two_themselves_is_told_before_a_later_one_on_others() -> None:
    on_them = said("user_id:1", "crm_id.a:1", same=False, time_us=1, event="e-them")
    on_others = said("email:a", "crm_id.a:1", same=False, time_us=9, event="e-others")
    assert "that crm_id.a:1 and user_id:1 are different" in text(
        way("user_id:1", "crm_id.a:1", *ANN_AND_CRM, on_them, on_others)
    )


def test_a_different_without_any_link_is_told_too() -> None:
    answer = way("user_id:1", "crm_id.a:1", said("user_id:1", "crm_id.a:1", same=False))
    assert (answer["because"], answer["refused"]) == ("different", [])


def test_a_word_nobody_signed_is_an_operators() -> None:
    unsigned = said("user_id:1", "crm_id.a:1", same=False)
    found = evidence(unsigned)
    for key, word in found.assertions.items():
        found.assertions[key] = type(word)(word.a, word.b, word.same, NEVER_US, word.event_id, "", "")
    picture = weigh(found.records, [], list(found.assertions.values()), POLICY)
    answer = explain.path(picture, "user_id:1", "crm_id.a:1")
    assert text(answer).endswith("an operator said that crm_id.a:1 and user_id:1 are different.")


def test_a_value_that_everybody_has_is_named_as_what_does_not_count() -> None:
    limit = POLICY.generic_limit("phone")
    assert limit is not None
    crowd: list[Fact] = [together(f"crm_id.a:{n:02}", "phone:7", n) for n in range(limit + 1)]
    answer = way("crm_id.a:00", "crm_id.a:01", *crowd)
    assert answer["because"] == "generic"
    assert text(answer).endswith(": both were seen with phone:7, which so many people share that it is no evidence.")
    assert "what links them is phone:7" in text(way("phone:7", "crm_id.a:01", *crowd))


def test_what_leads_through_further_customers_is_told_apart_from_nothing() -> None:
    by_way = [
        together("user_id:1", "phone:7"), together("user_id:2", "phone:7", 1),
        together("user_id:2", "device_id:1"), together("user_id:3", "device_id:1", 1),
    ]  # fmt: skip
    answer = way("user_id:1", "user_id:3", *by_way)
    assert (answer["because"], answer["refused"]) == ("others", [])
    nothing = way("user_id:1", "user_id:2", record("user_id:1"), record("user_id:2"))
    assert nothing["because"] == "nothing"
    assert text(nothing) == "user_id:1 and user_id:2 are not one customer: no evidence connects them."


def test_a_customers_answer_tells_links_words_and_refusals() -> None:
    picture = weighed(
        *ANN_AND_CRM,
        together("user_id:1", "crm_id.a:1", 3),
        together("user_id:2", "email:a", 4 * DAY_US),
        said("user_id:1", "email:a", same=True, time_us=5),
        said("crm_id.a:1", "user_id:2", same=False, time_us=6),
    )
    answer = explain.customer(picture, "user_id:1")
    assert [(ends(k), k["kind"], k["state"]) for k in answer["links"]] == [
        (("email:a", "user_id:1"), "same_asserted", "joins"),
        (("crm_id.a:1", "user_id:1"), "seen_together", "joins"),
        (("email:a", "user_id:1"), "seen_together", "supports"),
        (("crm_id.a:1", "email:a"), "seen_together", "supports"),
        (("email:a", "user_id:2"), "seen_together", "refused"),
    ]
    assert [(ends(r), r["customer_id"]) for r in answer["refusals"]] == [(("email:a", "user_id:2"), "user_id:2")]
    assert [(ends(w), w["kind"], w["reason"], w["actor"]) for w in answer["assertions"]] == [
        (("crm_id.a:1", "user_id:2"), "different", "looked", "op"),
        (("email:a", "user_id:1"), "same", "looked", "op"),
    ]
    assert answer["status"] == "known"
    assert [r["record_id"] for r in answer["records"]] == ["user_id:1", "crm_id.a:1", "email:a"]
    assert answer["totals"] == {"records": 3, "links": 5, "assertions": 2, "refusals": 1}


def test_only_the_latest_word_on_a_pair_is_told() -> None:
    words = [said("user_id:1", "email:a", same=s, time_us=t) for s, t in ((False, 1), (True, 2))]
    (word,) = explain.customer(weighed(*words), "user_id:1")["assertions"]
    assert word["kind"] == "same"


def test_lists_are_bounded_and_totals_are_not() -> None:
    crowd: list[Fact] = [together("crm_id.a:1", f"passport:{n:03}", n) for n in range(150)]
    answer = explain.customer(weighed(*crowd), "crm_id.a:1")
    assert (len(answer["links"]), len(answer["records"])) == (100, 100)
    assert (answer["totals"]["links"], answer["totals"]["records"]) == (150, 151)


@settings(max_examples=200)
@given(facts)
def test_the_ties_that_count_hold_exactly_the_customers_together(found: list[Fact]) -> None:
    picture = weighed(*found)
    bindings = clusters(evidence(*found)).bindings
    assert picture.bindings == bindings
    joins = [t for t in picture.ties if t.state is State.JOINS]
    customers = {b.customer_id for b in bindings.values()}
    assert len(joins) == len(bindings) - len(customers)
    for tie in picture.ties:
        inside = picture.customer_of(tie.a) == picture.customer_of(tie.b)
        assert inside if tie.counts else tie.state is State.GENERIC or not inside


def _holds_without(ties: list[Tie], left_out: Tie, start: str, end: str) -> bool:
    return paths.connected([t for t in ties if t is not left_out], start, end)


@settings(max_examples=200)
@given(facts)
def test_the_cut_is_a_link_without_which_there_is_no_way_and_there_is_one_if_any(found: list[Fact]) -> None:
    picture = weighed(*found)
    for start in picture.records:
        for end in picture.records:
            ties = [t for t in picture.ties if t.counts]
            found_way = paths.strongest(ties, start, end) or []
            bridges = [t for t in found_way if not _holds_without(ties, t, start, end)]
            assert paths.cut(ties, found_way, start) == max(bridges, key=lambda t: t.order, default=None)


@settings(max_examples=200)
@given(facts)
def test_every_pair_of_records_has_an_answer(found: list[Fact]) -> None:
    picture = weighed(*found)
    for start in picture.records:
        for end in picture.records:
            answer = explain.path(picture, start, end)
            assert answer["same_customer"] is (picture.customer_of(start) == picture.customer_of(end))
            if answer["same_customer"]:
                assert (names(answer)[0], names(answer)[-1]) == (start, end)
                assert all(s["via"]["state"] in ("joins", "supports") for s in answer["path"][1:])
            else:
                assert answer["because"]
            assert text(answer).endswith(".")
