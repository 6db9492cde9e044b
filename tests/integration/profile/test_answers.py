"""Forms of the profile API: documents, freshness, problems, and the description of itself."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from services.runtime.waiting import read_token, write_token
from tests.support.doors import Doors, Named, Source
from tests.support.running import until
from tests.support.treatments import A_QUESTION, DECISIONS, a_decision

PARTS = ("identity", "contact", "interaction", "value", "needs", "preferences", "consents", "groups", "segments",
         "treatment")  # fmt: skip
META = {"version", "updated_at", "lag_ms", "position", "missing", "masked", "regrouping"}
LOOKUP = "/v1/customers/lookup"
ASSERTIONS = "/v1/identity/assertions"
PATH = "/v1/identity/path"
SEGMENTS = "/v1/segments"
NEEDS_A_MODEL = "/v1/value/score"
SAID = {
    "/v1/customers/{customer_id}/events": {"type": "note.added", "properties": {"text": "x"}},
    "/v1/customers/{customer_id}/preferences/{topic}": {"channel": "email"},
    "/v1/customers/{customer_id}/consents/{purpose}": {"state": "withdrawn"},
}
NEEDS_A_DEAD_LETTER = "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/retry"
ON_WEBHOOKS: dict[str, Any] = {
    "/v1/webhooks": {"url": "http://127.0.0.1:9/", "types": ["customer.removed"]},
    "/v1/webhooks/{webhook_id}": {"description": "x"},
    "/v1/webhooks/{webhook_id}/rotate": {"overlap_s": 0},
    "/v1/webhooks/{webhook_id}/replay": {"after": "begin"},
}
STREAM = "text/event-stream"
"""Answers without an end."""


@pytest.fixture(scope="module")
def somebody(doors: Doors, web: Source) -> str:
    """A customer."""
    event = {"type": "contact.identified", "identifiers": {"user_id": "answers-u"}, "traits": {"name": "Ann"}}
    return doors.customer_of("user_id", "answers-u", doors.send(web, event))


def bearer(doors: Doors) -> dict[str, str]:
    return {"Authorization": f"Bearer {doors.copy.operator_key}"}


def is_problem(response: Any, status: int, kind: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert body["type"].rpartition("/")[2] == kind
    assert body["status"] == status
    assert body["title"]


def test_a_document_has_every_part_or_says_that_it_is_missing(doors: Doors, somebody: str) -> None:
    document = doors.profile(somebody)
    assert set(document) == {"requested_id", "customer_id", *PARTS, "meta"}
    assert set(document["meta"]) >= META
    assert set(document["meta"]["missing"]) == {part for part in PARTS if document[part] is None}
    assert not {"identity", "contact", "interaction"} & set(document["meta"]["missing"])


def test_answers_say_how_fresh_they_are(doors: Doors, somebody: str) -> None:
    parts = [f"/v1/customers/{somebody}{part}" for part in ("", "/timeline", "/identity", "/value")]
    book = ("/v1/value/totals", "/v1/value/tiers")
    for path in (*parts, *book, f"{PATH}?from=user_id:answers-u&to=user_id:answers-u"):
        response = doors.http.get(doors.copy.profile + path, headers=bearer(doors))
        assert response.headers["C360-Position"]
        assert int(response.headers["C360-Lag-Ms"]) >= 0


@pytest.mark.parametrize("include", [["identity"], ["contact", "interaction"], list(PARTS)])
def test_include_gives_only_the_parts_asked_for(doors: Doors, somebody: str, include: list[str]) -> None:
    document = doors.profile(somebody, include=",".join(include))
    assert set(document) == {"requested_id", "customer_id", "meta", *include}


def test_an_unchanged_document_need_not_be_sent_again(doors: Doors, web: Source, own: Named) -> None:
    event = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    customer_id = doors.customer_of("user_id", own("u"), doors.send(web, event))
    path = f"/v1/customers/{customer_id}"
    first = doors.ask(path)
    same = doors.ask(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == first.headers["ETag"]
    position = doors.send(web, event)
    changed = doors.ask(path, headers={"If-None-Match": first.headers["ETag"]}, min_position=position, wait_ms=10_000)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("form", ['"other", {}', '{}, W/"other"', "*"])
def test_if_none_match_is_read_as_http_says(doors: Doors, somebody: str, form: str) -> None:
    tag = doors.ask(f"/v1/customers/{somebody}").headers["ETag"]
    asked = doors.ask(f"/v1/customers/{somebody}", headers={"If-None-Match": form.format(tag)})
    assert asked.status_code == 304


def test_keys_that_see_different_things_get_different_etags(doors: Doors, somebody: str) -> None:
    tags = {doors.ask(f"/v1/customers/{somebody}", key=k).headers["ETag"] for k in (None, doors.key("profile:read"))}
    tags |= {doors.ask(f"/v1/customers/{somebody}", include="contact").headers["ETag"]}
    assert len(tags) == 3


@pytest.mark.parametrize("customer_id", [str(uuid.UUID(int=7)), "nobody", "0", "%00", "é"])
@pytest.mark.parametrize("call", ["", "/timeline", "/identity", "/value"])
def test_an_unknown_customer_is_not_found(doors: Doors, customer_id: str, call: str) -> None:
    is_problem(doors.ask(f"/v1/customers/{customer_id}{call}"), 404, "unknown-customer")


@pytest.mark.parametrize(
    "query",
    [{"include": "horoscope"}, {"min_position": "x"}, {"wait_ms": "soon"}, {"wait_ms": "10001"},
     {"min_position": "W1siY2hhbm5lbC5ldmVudHMiLCJ4IiwxXV0"}],
    ids=str,
)  # fmt: skip
def test_a_bad_parameter_is_a_bad_request(doors: Doors, somebody: str, query: dict[str, Any]) -> None:
    is_problem(doors.ask(f"/v1/customers/{somebody}", **query), 400, "bad-request")


def test_a_position_of_the_future_is_not_caught_up(doors: Doors, web: Source, somebody: str) -> None:
    event = {"type": "note.added", "identifiers": {"user_id": "answers-u"}, "properties": {"text": "x"}}
    ends = read_token(doors.send(web, event))
    ahead = write_token({place: offset + 1_000_000 for place, offset in ends.items()})
    response = doors.ask(f"/v1/customers/{somebody}", min_position=ahead, wait_ms=50)
    is_problem(response, 503, "not-caught-up")
    assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"identifiers": []}',
        b'{"identifiers": [{"type": "email"}]}',
        b'{"identifiers": [{"type": "", "value": "x"}]}',
        b'{"identifiers": [{"type": "email", "value": 7}]}',
        b'{"identifiers": [{"type": "email", "value": "a"}], "include": ["horoscope"]}',
        b'{"identifiers": [{"type": "email", "value": "a"}], "surprise": 1}',
        json.dumps({"identifiers": [{"type": "email", "value": "a"}] * 1_001}).encode(),
        b'{"identifiers": [{"type": "email", "value": "\xff"}]}',
        b'{"identifiers": [{"type": "email", "value": "\\ud800"}]}',
        b"[" * 10_000,
    ],
    ids=lambda b: b[:40].decode("latin-1"),
)
def test_a_lookup_that_cannot_be_read_is_a_bad_request(doors: Doors, body: bytes) -> None:
    headers = {**bearer(doors), "Content-Type": "application/json"}
    is_problem(doors.http.post(doors.copy.profile + LOOKUP, content=body, headers=headers), 400, "bad-request")


def test_a_thousand_identifiers_are_looked_up_at_once(doors: Doors, somebody: str) -> None:
    asked = [("email", f"answers-{n}@mail.example") for n in range(999)]
    results = doors.look_up(*asked, ("user_id", "answers-u"))
    assert len(results) == 1_000
    assert [r["customer_id"] for r in results if r["customer_id"]] == [somebody]


@pytest.mark.parametrize("value", ["a\0b", "x" * 512, "'; DROP TABLE profile;--", "\u202e\u0000", "💌@mail.example"])
def test_odd_values_are_looked_up_and_found_to_be_nobodys(doors: Doors, value: str) -> None:
    (result,) = doors.look_up(("email", value))
    assert result["value"] == value
    assert result["customer_id"] is None


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nowhere", 404), ("DELETE", "/v1/customers/x", 405), ("GET", "/", 404)]
)
def test_what_is_not_served_is_a_problem_too(doors: Doors, method: str, path: str, status: int) -> None:
    response = doors.http.request(method, doors.copy.profile + path)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/problem+json")


# -- what the API says of itself -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def described(doors: Doors) -> dict[str, Any]:
    """The OpenAPI document, which needs no key."""
    response = doors.http.get(f"{doors.copy.profile}/openapi.json")
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(one) for one in value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "delete", "patch")
    ]


def test_the_description_is_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    OpenAPI.model_validate(described)
    for reference in references(described):
        place: Any = described
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(ids)) == len(ids)


def _undoes(operation: tuple[str, str, Any]) -> bool:
    """Whether nothing can be asked of it afterwards."""
    method, path, _ = operation
    return method == "delete" or path.endswith("/erase")


def _copied(doors: Doors, customer_id: str) -> str:
    """An export that is done."""
    asked = doors.post_api(f"/v1/customers/{customer_id}/export", None)
    until(lambda: doors.ask(asked.headers["Location"]).json()["state"] == "done", "the copy is made", 20)
    return str(asked.json()["export_id"])


def _erased(doors: Doors, customer_id: str) -> str:
    """An erasure."""
    return str(doors.post_api(f"/v1/customers/{customer_id}/erase", None).json()["erasure_id"])


def test_every_documented_call_answers(
    doors: Doors, described: dict[str, Any], somebody: str, web: Source, own: Named
) -> None:
    event = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    position = doors.send(web, event, {"type": "group.identified", "properties": {"group_id": own("g"), "name": "x"}})
    pair = [{"type": "user_id", "value": value} for value in ("answers-u", own("u"))]
    said = {"kind": "different", "records": pair, "reason": "x", "min_position": position, "wait_ms": 10_000}
    bodies: dict[str, Any] = {LOOKUP: {"identifiers": pair}, ASSERTIONS: said, **SAID}
    bodies[SEGMENTS] = {"segment_id": own("s"), "name": "x", "where": {"field": "value", "exists": True}}
    months = {"from": "2026-01-01", "to": "2026-02-01"}
    queries = {PATH: {f: "user_id:answers-u" for f in ("from", "to")}}
    queries |= {f"/v1/value/{page}": months for page in ("migration", "growth", "churn")}
    queries["/v1/value/what-if"] = {**months, "defection": "0.5"}
    bodies |= ON_WEBHOOKS
    made = doors.post_api("/v1/webhooks", ON_WEBHOOKS["/v1/webhooks"]).json()["webhook_id"]
    own_ids = {"{customer_id}": somebody, "{group_id}": own("g"), "{segment_id}": own("s"), "{webhook_id}": made}
    position = doors.send(web, {**event, "identifiers": {"user_id": own("leaving")}})
    leaving = doors.customer_of("user_id", own("leaving"), position)
    other = doors.customer_of("user_id", own("u"), position)
    bodies[DECISIONS] = A_QUESTION
    own_ids |= {
        "{treatment_id}": a_decision(doors),
        "{export_id}": _copied(doors, somebody),
        "{erasure_id}": _erased(doors, leaving),
    }
    assert len(operations(described)) >= 6
    # What is removed was asked before.
    for method, path, operation in sorted(operations(described), key=_undoes):
        streams = any(STREAM in response.get("content", ()) for response in operation["responses"].values())
        if streams or path in (NEEDS_A_MODEL, NEEDS_A_DEAD_LETTER):
            continue
        url = doors.copy.profile + path
        for name, value in own_ids.items():
            url = url.replace(name, other if path.endswith("/erase") and name == "{customer_id}" else value)
        body = None if method in ("get", "delete") else bodies.get(path)
        response = doors.http.request(method, url, json=body, params=queries.get(path), headers=bearer(doors))
        # Of several the last: what is new is answered 201.
        expected = max(int(status) for status in operation["responses"] if status.startswith("2"))
        assert response.status_code == expected, (method, path, response.text)
        assert set(operation["responses"]) >= {str(expected), "401", "403"}


def test_the_timelines_filters_are_described(described: dict[str, Any]) -> None:
    operation = described["paths"]["/v1/customers/{customer_id}/timeline"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names >= {"channel", "type", "direction", "from", "to", "include", "limit", "cursor"}


def test_the_key_and_the_scopes_are_described(described: dict[str, Any]) -> None:
    schemes = described.get("components", {}).get("securitySchemes", {})
    assert any(scheme.get("scheme") == "bearer" for scheme in schemes.values())
    for method, path, operation in operations(described):
        assert operation.get("security") or described.get("security"), (method, path)


def test_problems_are_described_as_problem_json(described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert set(response["content"]) == {"application/problem+json"}, (method, path, status)
