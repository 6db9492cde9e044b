"""Which pairs may join: by keys or shared identifiers, and no more of them than a customer can be judged by."""

from __future__ import annotations

from dataclasses import replace

from services.identity.domain.clustering import cluster
from services.identity.domain.evidence import Trait
from services.identity.domain.similarity.features import features_of
from services.identity.domain.similarity.likeness import Likeness, keys_for, looks_of
from services.identity.domain.similarity.scoring import best_bits, score
from tests.unit.identity.stating import POLICY, evidence, record, together

MODEL = POLICY.similarity


def said(name: str, **traits: str) -> list[Trait]:
    return [Trait(name, trait, f'"{value}"', 1, 1, "event", "shop") for trait, value in traits.items()]


def customers(*facts: object) -> dict[str, str]:
    """Record → customer, of traits, records and links."""
    found = evidence(*facts)  # type: ignore[arg-type]
    looks = looks_of(found.traits.values(), MODEL)
    clusters = cluster(found.records, found.links.values(), (), POLICY, looks=looks)
    return {r: b.customer_id for r, b in clusters.bindings.items()}


def person(name: str, **traits: str) -> list[object]:
    return [record(name), *said(name, **traits)]


ANN = {"firstName": "Ann", "lastName": "Smith", "birthday": "1980-04-02"}
BOB = {"firstName": "Robert", "lastName": "Smith", "birthday": "1980-04-02"}


def test_the_same_person_in_two_systems_is_one_customer_without_any_shared_identifier() -> None:
    found = customers(*person("crm_id.a:1", **ANN), *person("crm_id.b:1", **{**ANN, "firstName": "Anne"}))
    assert found["crm_id.a:1"] == found["crm_id.b:1"]


def test_twins_that_share_a_phone_are_two_and_the_phone_names_both() -> None:
    facts = [*person("crm_id.a:1", **ANN), *person("crm_id.a:2", **BOB)]
    links = [together("crm_id.a:1", "phone:7", 1), together("crm_id.a:2", "phone:7", 2)]
    found = evidence(*facts, *links)  # type: ignore[arg-type]
    looks = looks_of(found.traits.values(), MODEL)
    bindings = cluster(found.records, found.links.values(), (), POLICY, looks=looks).bindings
    assert bindings["crm_id.a:1"].customer_id != bindings["crm_id.a:2"].customer_id
    assert bindings["phone:7"].customer_id == "crm_id.a:1"
    assert [customer for customer, _ in bindings["phone:7"].rivals] == ["crm_id.a:2"]


def test_a_shared_phone_joins_those_of_whom_nothing_speaks_against_it() -> None:
    found = customers(
        *person("crm_id.a:1", **ANN), record("crm_id.a:2"),
        together("crm_id.a:1", "phone:7", 1), together("crm_id.a:2", "phone:7", 2),
    )  # fmt: skip
    assert found["crm_id.a:1"] == found["crm_id.a:2"]


def test_what_one_event_says_is_one_person_joins_however_unlike_the_records_are() -> None:
    found = customers(
        *person("crm_id.a:1", **ANN), *person("user_id:1", **BOB), together("crm_id.a:1", "user_id:1", 1)
    )
    assert found["crm_id.a:1"] == found["user_id:1"]


def test_a_household_alone_links_nobody() -> None:
    home = {"lastName": "Smith"}
    one, other = (features_of(said("x", **home), MODEL) for _ in range(2))
    assert score(one, other, MODEL, ["email", "phone"]).bits < MODEL.link_bits


def test_names_written_in_each_others_place_are_read_as_they_were_meant() -> None:
    right = features_of(said("x", **ANN), MODEL)
    swapped = features_of(said("y", firstName="Smith", lastName="Ann", birthday="1980-04-02"), MODEL)
    assert score(right, swapped, MODEL).bits > MODEL.link_bits


def test_a_pair_is_scored_the_same_from_both_ends() -> None:
    one, other = features_of(said("x", **ANN), MODEL), features_of(said("y", **BOB), MODEL)
    assert score(one, other, MODEL, ["phone"]) == score(other, one, MODEL, ["phone"])


def test_what_would_be_too_large_keeps_only_its_surest_pairs() -> None:
    sure = [person(f"crm_id.a:{n}", **ANN) for n in range(3)]
    less = [person(f"crm_id.b:{n}", firstName="Ann", lastName="Smith", birthday="1980-04-20") for n in range(3)]
    facts = [fact for those in (*sure, *less) for fact in those]
    found = evidence(*facts)  # type: ignore[arg-type]
    looks = looks_of(found.traits.values(), MODEL)
    whole = Likeness(found.records, (), looks.features, looks.similar, MODEL).joining()
    cut = Likeness(
        found.records, (), looks.features, looks.similar, replace(MODEL, part_records_max=5)
    ).joining()
    assert len(whole) == 15
    assert {frozenset(r[:8] for r in pair) for pair in cut} == {frozenset({"crm_id.a"}), frozenset({"crm_id.b"})}


def test_a_record_of_which_too_little_is_known_is_compared_with_nobody() -> None:
    names = features_of(said("x", firstName="Ann", lastName="Smith"), MODEL)
    assert score(names, names, MODEL).bits < MODEL.review_bits
    assert best_bits(names, MODEL) < MODEL.review_bits
    assert not keys_for(names, MODEL)
    assert keys_for(features_of(said("x", **ANN), MODEL), MODEL)
