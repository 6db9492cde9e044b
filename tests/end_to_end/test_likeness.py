"""Several sources' contacts of one person become one customer though nothing links them; a policy may change that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.ops.commands.policies import as_yaml, read_document
from tests.support import deployment
from tests.support.doors import Doors, Source

pytestmark = pytest.mark.faults

ANN = {"firstName": "Elisabeth", "lastName": "Okafor", "birthday": "1984-05-17"}
MISSPELT = {"first_name": "Elizabeth", "last_name": "Okafour", "birthday": "1984-05-17"}
TWIN = {"firstName": "Marcus", "lastName": "Okafor", "birthday": "1984-05-17"}
SWAPPED = {"firstName": "Okafor", "lastName": "Elisabeth", "birthday": "1984-05-17"}
PHONE = "+44 20 7946 0951"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A copy of this module's own: a policy concerns everybody."""
    with deployment.running(tmp_path_factory.mktemp("alone")) as copy:
        doors = Doors(copy)
        yield doors
        doors.close()


def contact(number: str, traits: dict[str, str], **identifiers: str) -> dict[str, Any]:
    named = {"crm_id": number, **identifiers}
    return {"type": "contact.imported", "channel": "import", "identifiers": named, "traits": traits}


@pytest.fixture(scope="module")
def crm(alone: Doors) -> Source:
    return alone.source("crm")


@pytest.fixture(scope="module")
def position(alone: Doors, crm: Source) -> str:
    return alone.send(
        crm,
        contact("1", ANN, phone=PHONE),
        contact("2", MISSPELT),
        contact("3", TWIN, phone=PHONE),
        contact("4", SWAPPED),
        contact("5", {"firstName": "Elisabeth", "lastName": "Okafor"}),
    )


def customers(doors: Doors, position: str | None = None) -> dict[str, str]:
    found = doors.look_up(*(("crm_id", str(n)) for n in range(1, 6)), position=position)
    return {one["value"]: one["customer_id"] for one in found}


@pytest.mark.feature("I2")
def test_misspelt_and_swapped_names_are_one_customer_and_a_twin_is_another(alone: Doors, position: str) -> None:
    found = customers(alone, position)
    assert found["1"] == found["2"] == found["4"]
    assert found["3"] != found["1"]


def test_a_phone_that_twins_share_is_answered_with_both(alone: Doors, position: str) -> None:
    whose = customers(alone, position)
    (found,) = alone.look_up(("phone", PHONE), position=position)
    assert {one["customer_id"] for one in found["candidates"]} == {whose["1"], whose["3"]}


def test_why_two_records_are_one_is_told_field_by_field(alone: Doors, position: str) -> None:
    query: dict[str, Any] = {"from": "crm_id:1", "to": "crm_id:2", "min_position": position}
    answer = alone.ask("/v1/identity/path", **query).json()
    assert answer["same_customer"]
    (link,) = [step["via"] for step in answer["path"] if step["via"]]
    assert link["kind"] == "similar"
    assert link["likeness"]["levels"] == {"firstName": "close", "lastName": "close", "birthday": "exact"}
    assert "alike" in answer["why"]


def test_why_twins_are_two_is_told(alone: Doors, position: str) -> None:
    query: dict[str, Any] = {"from": "crm_id:3", "to": f"phone:{PHONE}"}
    answer = alone.ask("/v1/identity/path", **query).json()
    assert (answer["same_customer"], answer["because"]) == (False, "dissimilar")


def test_doubtful_pairs_are_listed_for_review_and_settled_by_a_word(alone: Doors, position: str) -> None:
    customers(alone, position)
    pairs = alone.ask("/v1/identity/review").json()["pairs"]
    assert pairs, "what is alike and not enough so is worth a look"
    masked = alone.ask("/v1/identity/review", key=alone.key("profile:read")).json()
    assert masked["masked"]
    assert all("•" in pair["a"]["value"] or len(pair["a"]["value"]) <= 1 for pair in masked["pairs"])


def test_a_policy_is_rehearsed_applied_and_gives_what_was_foretold(
    alone: Doors, position: str, tmp_path: Path
) -> None:
    before = customers(alone, position)
    shown = alone.copy.command("identity", "policy", "show")
    file = tmp_path / "policy.yaml"
    file.write_text(shown)
    document = read_document(file)
    document["similarity"] |= {"link_bits": 30, "average_bits": 30, "pair_bits_max": 40}
    file.write_text(as_yaml(document))
    foretold = alone.copy.json("identity", "policy", "rehearse", str(file))
    checked = alone.copy.json("identity", "policy", "apply", str(file), "--reason", "test")
    assert checked == {"number": None}
    assert customers(alone) == before, "without --execute nothing changes"
    alone.copy.json("identity", "policy", "apply", str(file), "--reason", "test", "--execute")
    alone.copy.command("wait", "--timeout", "60")
    after = customers(alone)
    assert len(set(after.values())) == 5
    moved = {tuple(pair) for pair in foretold["moves"].values()}
    assert {(before[n], after[n]) for n in before if before[n] != after[n]} == moved
    file.write_text(shown)
    alone.copy.json("identity", "policy", "apply", str(file), "--reason", "as shipped", "--execute")
    alone.copy.command("wait", "--timeout", "60")
    assert customers(alone) == before


def test_a_malformed_policy_is_told_every_error_and_changes_nothing(alone: Doors, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    document = read_document_of(alone)
    document["similarity"]["keys"] = ["nobody"]
    document["similarity"]["link_bits"] = "much"
    file.write_text(as_yaml(document))
    done = alone.copy.run("identity", "policy", "apply", str(file), "--reason", "test", "--execute")
    assert done.returncode != 0
    assert "similarity.keys[0]" in done.stderr
    assert "similarity.link_bits" in done.stderr


def test_a_fit_of_few_records_proposes_the_policy_as_it_is(alone: Doors, position: str, tmp_path: Path) -> None:
    file = tmp_path / "fitted.yaml"
    answer = alone.copy.json("identity", "fit", "--out", str(file))
    assert answer["records"] >= 5
    assert read_document(file)["exclusive"] == read_document_of(alone)["exclusive"]


def read_document_of(doors: Doors) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(doors.copy.command("identity", "policy", "show", "--json"))["document"]
    return document
