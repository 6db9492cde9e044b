"""Who may ask: every call needs a valid key with its scope; a revoked one ends within seconds."""

from __future__ import annotations

import asyncio
import json
import time

import asyncpg
import pytest

from tests.support.doors import Doors, Source
from tests.support.running import until

REVOKED_WITHIN_S = 5.0
PATH = "/v1/identity/path?from=user_id:keys-u&to=user_id:keys-u"
ASSERTIONS = "/v1/identity/assertions"
EVENTS, PREFERENCES, CONSENTS = (f"/v1/customers/{{}}/{page}" for page in ("events", "preferences/x", "consents/x"))
SEGMENT = {"segment_id": "keys", "name": "Allow it", "where": {"field": "consents.keys.state", "is": "granted"}}
SAID = {EVENTS: {"type": "note.added", "properties": {"text": "x"}}, PREFERENCES: {"channel": "email"},
        "/v1/segments": SEGMENT, CONSENTS: {"state": "granted"},
        "/v1/decisions": {"identifier": {"type": "user_id", "value": "keys-u"}, "channel": "web", "placement": "x"},
        }  # fmt: skip
CALLS = [("GET", "/v1/customers", "profile:read"), ("POST", EVENTS, "events:write"),
         ("PUT", PREFERENCES, "events:write"), ("PUT", CONSENTS, "events:write"),
         ("GET", "/v1/customers/{}", "profile:read"), ("GET", "/v1/customers/{}/timeline", "events:read"),
         ("POST", "/v1/customers/lookup", "profile:read"), ("GET", "/v1/customers/{}/identity", "profile:read"),
         ("GET", "/v1/customers/{}/identity/how", "profile:read"),
         ("GET", "/v1/customers/{}/identity/history", "profile:read"),
         ("GET", PATH, "profile:read"), ("POST", ASSERTIONS, "identity:write"),
         ("GET", "/v1/customers/{}/value", "value:read"), ("GET", "/v1/value/totals", "value:read"),
         ("GET", "/v1/value/tiers", "value:read"),
         ("GET", "/v1/segments", "profile:read"), ("POST", "/v1/segments", "segments:write"),
         ("POST", "/v1/decisions", "treatment:decide"),
         ("GET", "/v1/webhooks", "ops:admin"), ("GET", "/v1/audit/reads", "ops:admin")]  # fmt: skip
OTHER_SCOPES = {
    "profile:read": ("profile:pii", "value:read", "events:read", "events:write", "identity:write", "ops:admin"),
    "events:read": ("profile:read", "profile:pii", "events:write", "ops:admin"),
    "events:write": ("profile:read", "profile:pii", "events:read", "identity:write", "ops:admin"),
    "value:read": ("profile:read", "profile:pii", "events:read", "identity:write", "ops:admin"),
    "segments:write": ("profile:read", "profile:pii", "events:read", "events:write", "identity:write", "ops:admin"),
    "ops:admin": ("profile:read", "profile:pii", "value:read", "events:read", "segments:write", "privacy:admin"),
    "identity:write": ("profile:read", "profile:pii", "events:read", "events:write", "ops:admin"),
    "treatment:decide": ("profile:read", "profile:pii", "value:read", "events:write", "ops:admin"),
}
"""All that is not the scope a call needs."""


@pytest.fixture(scope="module")
def somebody(doors: Doors, web: Source) -> str:
    """A customer with a device."""
    ids = {"user_id": "keys-u", "device_id": "keys-d"}
    event = {"type": "contact.identified", "identifiers": ids, "traits": {"name": "Ann"}}
    return doors.customer_of("user_id", "keys-u", doors.send(web, event))


def call(doors: Doors, method: str, path: str, somebody: str, authorization: str | None) -> tuple[int, str, str]:
    headers = {b"Authorization": authorization.encode()} if authorization is not None else {}
    pair = [{"type": "user_id", "value": "keys-u"}, {"type": "device_id", "value": "keys-d"}]
    said = {"kind": "same", "records": pair, "reason": "seen"}
    body = SAID.get(path, said if path == ASSERTIONS else {"identifiers": pair}) if method != "GET" else None
    response = doors.http.request(
        method, doors.copy.profile + path.format(somebody), json=body, headers=list(headers.items())
    )
    kind = response.json().get("type", "") if not response.is_success else ""
    return response.status_code, kind, response.headers["content-type"]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer nonsense",
        "Bearer c360_000000000000_nobody",
        "Bearer c360_é_x",
        "Basic YTpi",
        "Bearer " + "x" * 4_000,
    ],
    ids=lambda a: str(a)[:24],
)
@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_without_a_valid_key_nothing_is_answered(
    doors: Doors, somebody: str, method: str, path: str, scope: str, authorization: str | None
) -> None:
    status, kind, content_type = call(doors, method, path, somebody, authorization)
    assert (status, kind) == (401, "unauthorised")
    assert content_type.startswith("application/problem+json")


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_a_write_key_of_a_source_reads_nothing(
    doors: Doors, web: Source, somebody: str, method: str, path: str, scope: str
) -> None:
    assert call(doors, method, path, somebody, f"Bearer {web.write_key}")[0] == 401


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_a_key_with_every_other_scope_is_forbidden_and_one_with_its_own_is_not(
    doors: Doors, somebody: str, method: str, path: str, scope: str
) -> None:
    status, kind, _ = call(doors, method, path, somebody, f"Bearer {doors.key(*OTHER_SCOPES[scope])}")
    assert (status, kind) == (403, "forbidden")
    assert call(doors, method, path, somebody, f"Bearer {doors.key(scope)}")[0] in (200, 201, 202)


def test_a_revoked_key_ends_within_seconds(doors: Doors, somebody: str) -> None:
    made = doors.copy.json("key", "create", "to-revoke", "--scope", "profile:read")
    bearer = f"Bearer {made['key']}"
    assert call(doors, *CALLS[0][:2], somebody, bearer)[0] == 200
    doors.copy.command("key", "revoke", made["key_id"])
    revoked_at = time.monotonic()
    until(lambda: call(doors, *CALLS[0][:2], somebody, bearer)[0] == 401, "the key ends", REVOKED_WITHIN_S)
    assert time.monotonic() - revoked_at <= REVOKED_WITHIN_S


def test_no_key_is_in_the_database_or_in_a_log(doors: Doors, web: Source) -> None:
    async def stored() -> str:
        connection = await asyncpg.connect(doors.copy.database)
        try:
            keys = await connection.fetch("SELECT row_to_json(k)::text FROM profile.api_key k")
            write_keys = await connection.fetch("SELECT row_to_json(k)::text FROM intake.write_key k")
            assert keys
            assert write_keys
            return json.dumps([row[0] for row in [*keys, *write_keys]])
        finally:
            await connection.close()

    secrets = (doors.copy.operator_key, doors.key("profile:read"), f"c360_key_{web.write_key}")
    logs = "".join(log.read_text(errors="replace") for log in (doors.copy.home / "log").glob("*.log"))
    found = asyncio.run(stored())
    for secret in secrets:
        assert secret.split("_", 2)[-1] not in found
        assert secret.split("_", 2)[-1] not in logs


@pytest.mark.parametrize("path", ["/keys", "/status", "/wait", "/caught-up", "/sources", "/parked", "/trace",
                                  "/commands", "/path", "/metrics", "/docs", "/redoc"])  # fmt: skip
def test_the_public_doors_serve_no_internal_page(doors: Doors, path: str) -> None:
    for door in (doors.copy.profile, doors.copy.intake):
        response = doors.http.get(door + path, headers={"Authorization": f"Bearer {doors.copy.operator_key}"})
        assert response.status_code == 404, door


@pytest.mark.parametrize("scope", ["", "profile:everything", "PROFILE:READ"])
def test_a_key_with_an_unknown_scope_is_not_made(doors: Doors, scope: str) -> None:
    done = doors.copy.run("key", "create", "odd", "--scope", scope, "--json")
    assert done.returncode != 0
    assert "scope" in done.stderr
    assert done.stdout == ""
