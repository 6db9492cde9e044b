"""At debug level, with everything a person can write planted everywhere: no log and no metric holds a word of it."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import pytest

from tests.end_to_end.test_kafka_door import publish
from tests.support.doors import Doors, Source, cloudevent

SERVICES = ("intake", "identity", "interaction", "profile", "treatment")
LOGS = (*SERVICES, "internal", "supervisor", "postgres", "kafka", "kafka-server")
METRICS_PORTS = ("internal", *(f"{service}.health" for service in SERVICES))


@pytest.fixture(scope="module")
def word() -> str:
    """What is planted: letters only, so that no masking of digits or symbols hides it."""
    return "planted" + "".join(chr(ord("a") + int(c, 16)) for c in uuid.uuid4().hex[:16])


def said(word: str) -> dict[str, Any]:
    """A person's words in every field that takes some."""
    return {
        "identifiers": {
            "user_id": f"u{word}", "crm_id.acme": word, "loyalty_id": f"l{word}", "email": f"{word}@mail.example",
            "phone": "+49 30 424242424242", "passport": f"p{word}", "device_id": f"d{word}",
            "anonymous_id": f"a{word}",
        },
        "traits": {
            "name": word, "firstName": word, "lastName": word, "birthday": word, "company": {"name": word},
            "address": {"street": word, "city": word}, word: word,
        },
        "properties": {
            "text": word, "subject": word, "summary": word, "url": f"https://x.example/{word}", "query": word,
            "reason": word, "address": word, word: [word, {word: word}],
        },
        "actor": {"kind": "customer", "id": word, "name": word},
        "conversation_id": word,
        "context": {"ip": word, "userAgent": word, "traits": {"email": f"c{word}@mail.example"}},
        "campaign": {"name": word},
        "locale": word,
    }  # fmt: skip


def plant_good(doors: Doors, source: Source, word: str) -> str:
    """Events of many types, over both doors, a merge and a split, and every question; the customer's id."""
    types = (
        "contact.identified", "message.replied", "message.bounced", "note.added", "page.viewed", "order.completed",
        f"own.{word}",
    )  # fmt: skip
    position = doors.send(source, *({"type": type_, **said(word)} for type_ in types))
    publish(doors.copy.kafka, cloudevent(source, {"type": "note.added", **said(word)}))
    pair = [{"type": "user_id", "value": f"u{word}"}, {"type": "email", "value": f"{word}@mail.example"}]
    ids = {"operator": word}
    for name in ("different", "same"):
        properties = {"records": pair, "reason": word}
        position = doors.send(
            source, {"type": f"identity.{name}_asserted", "identifiers": ids, "properties": properties}
        )
    customer_id = doors.customer_of("user_id", f"u{word}", position)
    assert word in json.dumps(doors.profile(customer_id))
    assert doors.ask("/v1/contact/issues", limit=1_000).status_code == 200
    asked = {"customer_id": customer_id, "channel": "web", "placement": word, "context": {word: word}}
    assert doors.post_api("/v1/decisions", asked).status_code == 200
    assert word in json.dumps(doors.timeline(customer_id, include="properties"))
    return customer_id


def plant_bad(doors: Doors, source: Source, word: str) -> None:
    """What is refused or parked, at each door, with the words in it."""
    broken = f'{{"userId": "{word}", "event": "{word}'.encode()
    for path in ("/v1/track", "/v1/batch", "/events", "/v1/import"):
        doors.post(path, source, content=broken)
        doors.post(path, source, content=gzip.compress(broken)[:-4], headers={"Content-Encoding": "gzip"})
        doors.post(path, Source("", word), content=broken)
        doors.post(path, source, content=json.dumps({"batch": [{"type": word, "userId": word}, word, [word]]}))
    event = cloudevent(source, {"type": "note.added", **said(word)})
    for change in ({"specversion": word}, {"type": f"{word}\n"}, {"source": f"{word}\n"}, {"data": word},
                   {word: word}, {"time": word}, {"id": f"{word}\0"}):  # fmt: skip
        doors.post("/events", source, json={**event, "id": uuid.uuid4().hex, **change})
        publish(doors.copy.kafka, {**event, "id": uuid.uuid4().hex, **change})
    publish(doors.copy.kafka, cloudevent(Source(word, ""), {"type": "note.added", **said(word)}))
    publish(doors.copy.kafka, word)
    publish(doors.copy.kafka, {word: word}, {"ce_specversion": "1.0", f"ce_{word}": word})


def ask_badly(doors: Doors, word: str, customer_id: str) -> None:
    """Questions with the words in every place."""
    for path in (f"/v1/customers/{word}", f"/v1/customers/{customer_id}/timeline", "/v1/contact/issues", f"/{word}"):
        for name in ("include", "code", "cursor", "from", "channel", "type", "min_position", "limit", word):
            for text in (word, f"{word}\0"):
                query: dict[str, Any] = {name: text}
                doors.ask(path, **query)
    url = f"{doors.copy.profile}/v1/customers/lookup"
    for body in ({"identifiers": [{"type": word, "value": word}], word: word}, {"identifiers": word}, word):
        doors.http.post(url, json=body, headers={"Authorization": f"Bearer {doors.copy.operator_key}"})
        doors.http.post(url, json=body, headers={"Authorization": f"Bearer {word}"})
    for asked in ({"identifier": {"type": word, "value": word}, word: word}, {"channel": word}, word):
        doors.post_api("/v1/decisions", asked)
    for service, address in doors.copy.internal.items():
        for page in ("trace", "wait", "sources", "keys", "caught-up", "path", "commands"):
            doors.http.get(f"{address}/{page}", params={"source": word, "id": word, "at": word, "partition": word})
            if service in ("intake", "profile") and page in ("sources", "keys", "commands"):
                doors.http.post(f"{address}/{page}", json={"name": f"{word}\n", "scopes": [word], word: word})


def test_no_log_and_no_metric_holds_a_word_of_a_person(doors: Doors, word: str) -> None:
    source = doors.source("words", "--may", "assert")
    customer_id = plant_good(doors, source, word)
    plant_bad(doors, source, word)
    ask_badly(doors, word, customer_id)
    doors.copy.command("wait", "--timeout", "30")
    found = []
    for name in LOGS:
        log = doors.copy.home / "log" / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines()
        assert lines or name in ("kafka", "supervisor"), f"{name} wrote something"
        found += [f"{name}: {line[:300]}" for line in lines if word in line or "424242424242" in line]
    for name in METRICS_PORTS:
        page = doors.http.get(f"http://127.0.0.1:{doors.copy.ports[name]}/metrics").text
        assert "c360_" in page
        found += [f"{name} metrics: {line}" for line in page.splitlines() if word in line]
    assert not found, "\n".join(found[:20])
