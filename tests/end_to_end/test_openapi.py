"""The OpenAPI document is what the running service does: drawn requests meet no answer that is not in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.profile.asyncapi import asyncapi
from services.profile.contract import served
from tests.support.doors import Doors, Named, Source

LEAVING = "who is erased"
DRAWN = 5
"""Requests to each call; more with HYPOTHESIS_MAX by hand."""
WITHOUT_AN_END = ("/v1/changes", "/v1/customers/{customer_id}/stream")
LOOKS_UP_NAMES = ("POST /v1/webhooks", "PATCH /v1/webhooks/{webhook_id}")
"""Drawn hosts would be asked for of a name server; test_webhooks.py asks these."""
CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DOCUMENT = served()
METHODS = ("get", "post", "put", "patch", "delete")
CALLS = sorted(
    f"{method.upper()} {path}"
    for path, calls in DOCUMENT["paths"].items()
    for method in calls
    if method in METHODS and path not in WITHOUT_AN_END
)
UNTYPED = {
    "Contact.traits", "ContactIssue.value", "IssueOf.value", "Reachable.address", "GroupAnswer.traits",
    "EventCommand.properties", "TimelineItem.properties", "KnownAnswer.answer", "KnownQuestion.answer",
    "NotToAsk.answer", "AskedInTalk.answer", "Preference.value", "Preference.quiet_hours", "PreferenceCommand.value",
    "PreferenceCommand.quiet_hours", "ConsentCommand.evidence", "DecisionCommand.context",
    "DecidedAction.parameters", "DecisionLeftOutWhy.why",
}  # fmt: skip
"""What customers, sources and policies name or say themselves: maps by their own names, values of their own kinds."""
TO_BE_TYPED = {
    "Value.predicted", "Value.strategic", "Value.churn", "Value.group", "Value.next", "ValueAnswer.predicted",
    "ValueAnswer.strategic", "ValueAnswer.churn",
    "ValueAnswer.group", "ValueAnswer.next",
}  # fmt: skip
"""Free-form still; this set may shrink, and not grow."""


@pytest.fixture(scope="module")
def known(doors: Doors, web: Source) -> dict[str, str]:
    """Names of what there is, for paths: drawn ones are nobody's."""
    who = {"user_id": "openapi-ann", "email": "openapi-ann@mail.example"}
    event = {"type": "contact.identified", "identifiers": who, "traits": {"name": "Openapi Nobodyelse"}}
    bought = {"order_id": "openapi-1", "currency": "EUR", "subtotal": "20"}
    order = {"type": "order.completed", "identifiers": who, "properties": bought}
    customer = doors.customer_of("user_id", "openapi-ann", doors.send(web, event, order))
    where = {"field": "contact.name", "is": "Openapi Nobodyelse"}
    made = doors.post_api("/v1/segments", {"segment_id": "openapi", "name": "O", "where": where})
    assert made.status_code in (200, 201), made.text
    other = {"type": "contact.identified", "identifiers": {"user_id": "openapi-bob"}}
    leaving = doors.customer_of("user_id", "openapi-bob", doors.send(web, other))
    names = {"customer_id": customer, "segment_id": "openapi", "topic": "news", "purpose": "marketing"}
    return {**names, LEAVING: leaving}


@pytest.fixture(scope="module")
def schema(doors: Doors) -> Any:
    found = schemathesis.openapi.from_dict(DOCUMENT)
    found.config.update(base_url=doors.copy.profile)
    return found


@pytest.mark.parametrize("call", CALLS)
def test_drawn_requests_meet_no_server_error_and_no_answer_that_is_not_documented(
    doors: Doors, schema: Any, known: dict[str, str], call: str
) -> None:
    if call in LOOKS_UP_NAMES:
        pytest.skip("asks a name server")
    method, path = call.split(" ")
    operation = schema[path][method]
    headers = {"Authorization": f"Bearer {doors.copy.operator_key}"}

    @settings(
        max_examples=DRAWN, deadline=None, phases=[Phase.generate], database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def draw(case: Any) -> None:
        if method != "DELETE":
            case.path_parameters = {**(case.path_parameters or {}), **_of_path(path, known)}
        if call == "POST /v1/segments":
            # A segment that happens to be one would have everybody of the other tests in it.
            case.query = {**(case.query or {}), "execute": "false"}
        statuses.append(case.call_and_validate(headers=headers, checks=CHECKS).status_code)

    statuses: list[int] = []
    draw()
    assert set(statuses) - {401, 403, 429}, "it was never let in"


def _of_path(path: str, known: dict[str, str]) -> dict[str, str]:
    names = {name: value for name, value in known.items() if f"{{{name}}}" in path}
    return {**names, "customer_id": known[LEAVING]} if path.endswith("/erase") else names


def test_what_is_served_is_what_the_code_says(doors: Doors) -> None:
    assert doors.http.get(f"{doors.copy.profile}/openapi.json").json() == DOCUMENT
    assert doors.http.get(f"{doors.copy.profile}/asyncapi.json").json() == asyncapi()


def _places(name: str, schema: Any) -> Iterator[str]:
    """Fields of a model that are free-form: objects without named fields or kinds of values, and anything at all."""
    for field, part in schema.get("properties", {}).items():
        if any(_is_free(one) for one in _choices(part)):
            yield f"{name}.{field}"


def _choices(part: Any) -> Iterator[Any]:
    for one in part.get("anyOf", [part]):
        yield one
        if isinstance(one.get("items"), dict):
            yield from _choices(one["items"])
        if isinstance(one.get("additionalProperties"), dict):
            yield from _choices(one["additionalProperties"])


def _is_free(part: Any) -> bool:
    if part.get("type") == "object":
        return "properties" not in part and part.get("additionalProperties", True) is True
    return not {"type", "$ref", "anyOf", "allOf", "oneOf", "const", "enum"} & part.keys()


def test_no_object_is_free_form_but_maps_that_have_a_name() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    found = {place for name, schema in schemas.items() for place in _places(name, schema)}
    lists = {"Contact.addresses", "ContactIssue.rivals", "Consent.rivals", "Provenance.rivals"}
    assert found - lists <= UNTYPED | TO_BE_TYPED, found - lists - UNTYPED - TO_BE_TYPED


def test_every_call_that_was_promised_is_there() -> None:
    promised = [
        "GET /v1/customers/{customer_id}", "POST /v1/customers/lookup", "GET /v1/customers",
        "GET /v1/customers/{customer_id}/timeline", "GET /v1/customers/{customer_id}/conversations",
        "GET /v1/customers/{customer_id}/conversations/resume", "GET /v1/customers/{customer_id}/known",
        "GET /v1/customers/{customer_id}/feedback", "GET /v1/customers/{customer_id}/value",
        "GET /v1/customers/{customer_id}/identity", "GET /v1/identity/path", "POST /v1/identity/assertions",
        "POST /v1/customers/{customer_id}/events", "PUT /v1/customers/{customer_id}/preferences/{topic}",
        "PUT /v1/customers/{customer_id}/consents/{purpose}", "GET /v1/segments", "POST /v1/segments",
        "DELETE /v1/segments/{segment_id}", "GET /v1/segments/{segment_id}/members",
        "GET /v1/segments/{segment_id}/summary", "GET /v1/customers/{customer_id}/segments/{segment_id}",
        "GET /v1/groups/{group_id}", "GET /v1/value/pareto", "GET /v1/value/tiers", "GET /v1/value/migration",
        "GET /v1/value/growth", "GET /v1/value/what-if", "POST /v1/value/score",
        "GET /v1/customers/{customer_id}/stream", "GET /v1/changes", "POST /v1/webhooks", "GET /v1/audit/reads",
        "POST /v1/decisions", "GET /v1/decisions/{treatment_id}",
    ]  # fmt: skip
    there = {f"{m.upper()} {path}" for path, calls in DOCUMENT["paths"].items() for m in calls}
    assert not set(promised) - there


def test_the_segment_summary_says_what_members_need_and_lack_and_a_removed_segment_is_left(
    doors: Doors, web: Source, own: Named
) -> None:
    where = {"field": "contact.traits.club", "is": own("club")}
    body = {"segment_id": own("club"), "name": "Club", "where": where}
    assert doors.post_api("/v1/segments", body).status_code == 201
    who = {"user_id": own("ann")}
    need = {"type": "need.stated", "identifiers": who, "channel": "call", "properties": {"need": "delivery"}}
    member = {"type": "contact.identified", "identifiers": who, "traits": {"club": own("club")}}
    ann = doors.customer_of("user_id", own("ann"), doors.send(web, member, need))
    path = f"/v1/segments/{own('club')}"
    told = doors.ask(f"{path}/summary").json()
    assert (told["size"], told["compared"]["members"]) == (1, 1)
    assert [one["customers"] for one in told["compared"]["needs"]] == [1]
    assert "call" in {one["name"] for one in told["compared"]["channels"]}
    hidden = doors.ask(f"{path}/summary", key=doors.key("profile:read")).json()
    assert (hidden["compared"]["needs"], hidden["compared"]["areas"]) == ([], None)
    assert "compared.needs" in hidden["masked"]
    inner = {"segment_id": own("inner"), "name": "Inner", "within": own("club"), "where": where}
    assert doors.post_api("/v1/segments", inner).status_code == 201
    bearer = {"Authorization": f"Bearer {doors.copy.operator_key}"}

    def removed(page: str, **params: Any) -> Any:
        return doors.http.delete(doors.copy.profile + page, params=params, headers=bearer)

    assert (removed(path).status_code, removed(path).json()["type"]) == (409, "refused")
    assert removed(f"/v1/segments/{own('inner')}").json()["executed"]
    assert removed(path, execute="false").json() == {
        "segment_id": own("club"), "version": 1, "size": 1, "executed": False,
    }  # fmt: skip
    assert doors.ask(path).status_code == 200
    assert removed(path).json()["executed"]
    assert (removed(path).status_code, doors.ask(path).status_code) == (404, 404)
    assert doors.profile(ann, include="segments")["segments"] == []
