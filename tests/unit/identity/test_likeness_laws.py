"""What holds for the likeness of any two records: what is remembered of a pair is what it would come to anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.identity.domain.evidence import Evidence
from services.identity.domain.similarity.features import Features, read_features, write_features
from services.identity.domain.similarity.kinds import normalise
from services.identity.domain.similarity.scoring import Agreement, agreement, score
from tests.unit.identity.stating import POLICY, evidence, traits

MODEL = POLICY.similarity
STRICTER = replace(MODEL, fields={n: replace(f, weights=(*f.weights[:-1], -9.0)) for n, f in MODEL.fields.items()})
WORDS = ("Ann", "Anne", "Robert", "Bob", "Smith", "Smyth", "1980-04-02", "1980-04-12", "12 High St", "4000", "m")

some_forms = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True)
some_features = st.dictionaries(st.sampled_from(sorted(MODEL.fields)), some_forms).map(
    lambda values: {f: tuple(normalise(MODEL.fields[f].kind, v) or "x" for v in forms) for f, forms in values.items()}
)


@settings(max_examples=200)
@given(some_features, some_features)
def test_a_pair_comes_to_the_same_however_often_and_by_whatever_model_it_was_judged_before(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    a, b = Features(one), Features(other)
    for model in (MODEL, STRICTER, MODEL):
        assert score(a, b, model).agreement == agreement(one, other, model)
        assert score(Features(one), Features(other), model) == score(a, b, model)


@settings(max_examples=100)
@given(some_features, some_features, st.permutations([(), ("phone",), ("phone", "email")]))
def test_what_is_remembered_of_a_pair_is_not_told_of_it_with_other_identifiers(
    one: dict[str, Any], other: dict[str, Any], asked: list[tuple[str, ...]]
) -> None:
    a, b = Features(one), Features(other)
    for shared in asked * 2:
        plain = agreement(one, other, MODEL).household + sum(MODEL.identifiers[name] for name in shared)
        found = score(a, b, MODEL, shared)
        assert found.shared == tuple(sorted(shared))
        if MODEL.names_bits_max < found.bits < MODEL.pair_bits_max:
            assert found.bits == round(_bits(agreement(one, other, MODEL), plain), 3)
    apart = score(a, b, MODEL, (), ("crm_id.a", "crm_id.a")).bits
    assert apart <= score(a, b, MODEL).bits


def _bits(agreed: Agreement, household: float) -> float:
    """Fellegi and Sunter's sum with a household's evidence bounded, as scoring.py says it."""
    shared, away = min(household, MODEL.shared_bits_max), max(agreed.away, MODEL.shared_bits_min)
    return MODEL.prior_bits + agreed.personal + shared + away


@settings(max_examples=200)
@given(some_features, st.randoms())
def test_features_are_the_same_in_any_order_and_when_they_were_stored(values: dict[str, Any], draw: Any) -> None:
    shuffled = list(values.items())
    draw.shuffle(shuffled)
    whole = Features(values)
    for again in (Features(dict(shuffled)), read_features(write_features(whole))):
        assert again == whole
        assert hash(again) == hash(whole)


@settings(max_examples=150)
@given(st.lists(traits, max_size=8), st.lists(traits, max_size=8))
def test_the_whole_traits_of_whom_something_new_is_said_are_those_that_are_known_then(
    one: list[Any], other: list[Any]
) -> None:
    known, said = evidence(*one), evidence(*other)
    new = said.beyond(known)
    then = Evidence(traits=dict(known.traits))
    then.take(said)
    told = {trait.record_id for trait in new.traits.values()}
    found = new.whole_traits(known)
    assert found.keys() == told
    for record, those in found.items():
        wanted = [t for t in then.traits.values() if t.record_id == record]
        assert sorted(those, key=str) == sorted(wanted, key=str)
