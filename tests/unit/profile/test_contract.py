"""The published OpenAPI document is what the code serves, and what would break a client is told in a sentence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from services.profile import contract
from services.profile.contract.differences import taken_away

SERVED = contract.served()
PAGE = "/v1/customers/{customer_id}"
LOOKUP = "/v1/customers/lookup"


def test_the_published_document_is_the_one_that_is_served_and_nothing_was_taken_away() -> None:
    before, now = contract.published(), contract.relied_on(SERVED)
    lost = taken_away(before, now)
    assert not lost, "Clients rely on what was published; this change breaks them: " + "; ".join(lost)
    assert before == now, f"the API has changed; write it with `{contract.COMMAND}` and review the difference"


def schemas(document: Any) -> Any:
    return document["components"]["schemas"]


def parameter(document: Any, name: str) -> Any:
    return next(p for p in document["paths"]["/v1/customers"]["get"]["parameters"] if p["name"] == name)


BREAKS: dict[str, Callable[[Any], Any]] = {
    f"GET {PAGE} is no longer there": lambda d: d["paths"][PAGE].pop("get"),
    "GET /v1/customers: segment is no longer taken in the query": lambda d: (
        d["paths"]["/v1/customers"]["get"]["parameters"].remove(parameter(d, "segment"))
    ),
    "GET /v1/customers: query must now be sent": lambda d: parameter(d, "query").update(required=True),
    "GET /v1/customers: limit: maximum is now 10": lambda d: parameter(d, "limit")["schema"].update(maximum=10),
    "GET /v1/customers: tier may no longer be 'D'": lambda d: (
        parameter(d, "tier")["schema"]["anyOf"][0].update(enum=["A", "B", "C"])
    ),
    f"POST {LOOKUP}: body.reason must now be sent": lambda d: schemas(d)["LookupRequest"].update(
        required=["identifiers", "reason"]
    ),
    f"POST {LOOKUP}: body.include is no longer taken": lambda d: (
        schemas(d)["LookupRequest"]["properties"].pop("include")
    ),
    f"POST {LOOKUP}: body.identifiers[].value may no longer be string": lambda d: (
        schemas(d)["Asked"]["properties"]["value"].update(type="integer")
    ),
    f"POST {LOOKUP}: 200.results[].ambiguous is no longer told": lambda d: (
        schemas(d)["LookedUp"]["properties"].pop("ambiguous")
    ),
    f"POST {LOOKUP}: 200.results[].candidates[].weight may now be string": lambda d: (
        schemas(d)["Candidate"]["properties"].update(weight={"anyOf": [{"type": "integer"}, {"type": "string"}]})
    ),
    f"POST {LOOKUP}: 200.results[].candidates[].weight is no longer always told": lambda d: (
        schemas(d)["Candidate"]["required"].remove("weight")
    ),
    f"POST {LOOKUP} no longer answers 200": lambda d: d["paths"][LOOKUP]["post"]["responses"].pop("200"),
    f"POST {LOOKUP} no longer answers 200 as application/json": lambda d: (
        d["paths"][LOOKUP]["post"]["responses"]["200"].update(content={})
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BREAKS)
def test_what_breaks_a_client_is_told_in_a_sentence(sentence: str) -> None:
    changed = copy.deepcopy(SERVED)
    BREAKS[sentence](changed)
    assert sentence in taken_away(SERVED, changed)


ADDS: dict[str, Callable[[Any], Any]] = {
    "a call": lambda d: d["paths"].update({"/v1/more": d["paths"]["/v1/customers"]}),
    "a parameter that may be left out": lambda d: d["paths"]["/v1/customers"]["get"]["parameters"].append(
        {"name": "more", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "a field of an answer": lambda d: schemas(d)["LookedUp"]["properties"].update(more={"type": "string"}),
    "a field that is always told now": lambda d: schemas(d)["LookedUp"]["required"].append("customer"),
    "a field that may be sent": lambda d: schemas(d)["LookupRequest"]["properties"].update(more={"type": "string"}),
    "a wider limit": lambda d: parameter(d, "limit")["schema"].update(maximum=100_000),
    "a value that may be sent": lambda d: parameter(d, "tier")["schema"]["anyOf"][0]["enum"].append("E"),
    "another problem": lambda d: d["paths"][LOOKUP]["post"]["responses"].update({"418": {"description": "x"}}),
}


@pytest.mark.parametrize("what", ADDS)
def test_what_is_added_breaks_nobody(what: str) -> None:
    changed = copy.deepcopy(SERVED)
    ADDS[what](changed)
    assert changed != SERVED
    assert taken_away(SERVED, changed) == []


def test_nothing_is_taken_away_from_a_document_by_itself() -> None:
    assert taken_away(SERVED, copy.deepcopy(SERVED)) == []
