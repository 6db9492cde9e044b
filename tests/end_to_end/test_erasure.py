"""Somebody wants to be forgotten, or to see what is kept of him: by the public doors, and nothing of him is left."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from tests.support.doors import SUCCESS, VISIBLE_MS, Doors, Named, Source
from tests.support.running import until

EXPORTED_WITHIN_S = 20.0
AT = "2026-03-0{}T10:00:00Z"


def life(own: Named) -> list[dict[str, Any]]:
    """Ann, by five identifiers: she visited, signed in, bought, wrote and was called."""
    user, mail = {"user_id": own("ann")}, own("ann") + "@mail.example"
    traits = {"firstName": own("Annegret"), "lastName": own("Bergström"), "email": mail, "phone": "+49 30 901820 17"}
    bought = {"order_id": own("o1"), "currency": "EUR", "subtotal": 40}
    wrote = {"message_id": own("m1"), "text": own("my blue kettle leaks")}
    return [
        {"type": "page.viewed", "identifiers": {"anonymous_id": own("cookie")}, "time": AT.format(1),
         "properties": {"url": "/" + own("kettles")}},
        {"type": "contact.identified", "identifiers": {**user, "anonymous_id": own("cookie")}, "time": AT.format(2),
         "traits": traits},
        {"type": "order.completed", "identifiers": user, "time": AT.format(3), "properties": bought},
        {"type": "conversation.message", "identifiers": {"email": mail}, "time": AT.format(4), "channel": "email",
         "properties": wrote},
        {"type": "call.held", "identifiers": {"crm_id.acme": own("4711"), "email": mail}, "time": AT.format(5),
         "properties": {"call_id": own("c1"), "summary": own("she wants a red one")}},
        {"type": "group.joined", "identifiers": user, "time": AT.format(6),
         "properties": {"group_id": own("firm"), "role": own("head of kettles")}},
    ]  # fmt: skip


def planted(own: Named) -> list[str]:
    """What must be found nowhere afterwards: all of it has the test's own mark, but the phone."""
    return [own("").removeprefix("-"), "9018201"]


async def places_of(database: str, texts: list[str]) -> dict[str, int]:
    """Table → rows, in whatever schema, that show one of these texts."""
    connection = await asyncpg.connect(database)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        found = {}
        for table in (str(r["name"]) for r in tables):
            count = await connection.fetchval(
                f"SELECT count(*) FROM {table} AS t, unnest($1::text[]) AS w"
                " WHERE position(w IN t::text) > 0 OR position(encode(w::bytea, 'hex') IN t::text) > 0",
                texts,
            )
            if count:
                found[table] = count
        return found
    finally:
        await connection.close()


async def records_of(database: str, customer_id: str) -> list[str]:
    """All records bound to him, also of identifiers that only stood beside others."""
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT record_id FROM profile_g1.binding WHERE customer_id = $1", customer_id)
        return [str(r["record_id"]) for r in rows]
    finally:
        await connection.close()


def erase(doors: Doors, customer_id: str) -> dict[str, Any]:
    """Ask for it, and wait until it is done; the receipt."""
    asked = doors.post_api(f"/v1/customers/{customer_id}/erase", {"reason": "he asked"})
    assert asked.status_code == 202, asked.text
    assert asked.headers["Location"] == f"/v1/erasures/{asked.json()['erasure_id']}"
    done = doors.ask(asked.headers["Location"], wait_ms=VISIBLE_MS)
    assert done.json()["state"] == "done", done.text
    found: dict[str, Any] = done.json()
    return found


def test_of_an_erased_customer_nothing_is_left_and_nothing_comes_in_again(
    doors: Doors, web: Source, own: Named
) -> None:
    bob = {"type": "contact.identified", "identifiers": {"user_id": own("bob")[::-1]}, "traits": {"plan": "b"}}
    position = doors.send(web, *life(own), bob)
    ann = doors.customer_of("user_id", own("ann"), position)
    other = doors.customer_of("user_id", own("bob")[::-1], position)
    before = doors.profile(other, position)
    assert asyncio.run(places_of(doors.copy.database, planted(own)))
    receipt = erase(doors, ann)
    assert (receipt["customer_id"], receipt["reason"]) == (ann, "he asked")
    assert receipt["records"] >= 5
    for page in ("", "/timeline", "/value", "/identity", "/conversations", "/recommendations"):
        answer = doors.ask(f"/v1/customers/{ann}{page}")
        assert (answer.status_code, answer.json()["type"]) == (410, "erased"), page
    again = doors.post_api(f"/v1/customers/{ann}/erase", None)
    assert (again.status_code, again.json()["type"]) == (410, "erased")
    answers = doors.look_up(("user_id", own("ann")), ("email", own("ann") + "@mail.example"))
    assert [one["customer_id"] for one in answers] == [None, None]
    left = asyncio.run(places_of(doors.copy.database, planted(own)))
    assert left == {}
    assert doors.profile(other)["contact"] == before["contact"]

    response = doors.post("/events", web, json=[_sent(web, event) for event in life(own)])
    assert (response.status_code, response.json()) == (200, SUCCESS)
    until(lambda: _states(doors, web)["suppressed"] >= len(life(own)), "the door says that it kept them out", 20)
    assert doors.ask(f"/v1/customers/{ann}").status_code == 410
    assert asyncio.run(places_of(doors.copy.database, planted(own))) == {}
    audit = doors.copy.json("audit", "--minutes", "5", "--source", web.name)
    assert audit["is_right"], audit


def _sent(source: Source, event: dict[str, Any]) -> dict[str, Any]:
    data = {k: v for k, v in event.items() if k not in ("type", "time")}
    return {"specversion": "1.0", "id": "again-" + event["time"], "source": source.name, "type": event["type"],
            "time": event["time"], "data": data}  # fmt: skip


def _states(doors: Doors, source: Source) -> dict[str, int]:
    answer = doors.http.get(f"{doors.copy.intake}/v1/sources/{source.name}/recent", auth=(source.write_key, ""))
    states = [one["state"] for one in answer.json()["events"]]
    return {state: states.count(state) for state in {"suppressed", *states}}


def test_a_copy_of_all_that_is_kept_is_made_and_goes_with_its_customer(doors: Doors, web: Source, own: Named) -> None:
    position = doors.send(web, *life(own))
    ann = doors.customer_of("user_id", own("ann"), position)
    doors.profile(ann, position)
    asked = doors.post_api(f"/v1/customers/{ann}/export", None)
    assert asked.status_code == 202, asked.text
    place = asked.headers["Location"]
    until(lambda: doors.ask(place).json()["state"] == "done", "the copy is made", EXPORTED_WITHIN_S)
    copy = doors.ask(f"{place}/data").json()
    assert copy["customer_id"] == ann
    assert copy["profile"]["contact"]["name"] == f"{own('Annegret')} {own('Bergström')}"
    # The group's own event stands in its members' groups, in nobody's timeline.
    assert len(copy["timeline"]) == len(life(own)) - 1
    assert own("head of kettles") in str(copy["profile"]["groups"])
    assert own("my blue kettle leaks") in str(copy["timeline"])
    assert copy["profile"]["value"]["actual"]["revenue"] == "40.00"
    assert len(copy["ledger"]["orders"]) == 1
    erase(doors, ann)
    assert doors.ask(place).status_code == 404


def test_a_copy_goes_though_the_process_that_was_asked_to_erase_died_before_it_came_to_it(
    doors: Doors, web: Source, own: Named
) -> None:
    position = doors.send(web, *life(own))
    ann = doors.customer_of("user_id", own("ann"), position)
    doors.profile(ann, position)
    records = asyncio.run(records_of(doors.copy.database, ann))
    place = doors.post_api(f"/v1/customers/{ann}/export", None).headers["Location"]
    until(lambda: doors.ask(place).json()["state"] == "done", "the copy is made", EXPORTED_WITHIN_S)
    # As far as it came: intake has it, and nothing else was done.
    asked = {"customer_id": ann, "records": records, "events": [], "values": [], "by": "desk", "reason": "he asked"}
    receipt = doors.http.post(f"{doors.copy.internal['intake']}/erasures", json=asked).json()
    path = f"/v1/erasures/{receipt['erasure_id']}"
    until(lambda: doors.ask(path, wait_ms=VISIBLE_MS).json()["state"] == "done", "it is done", EXPORTED_WITHIN_S)
    assert doors.ask(place).status_code == 404
    assert asyncio.run(places_of(doors.copy.database, planted(own))) == {}


def test_only_a_key_for_privacy_may_export_and_erase(doors: Doors, web: Source, own: Named) -> None:
    position = doors.send(web, *life(own))
    ann = doors.customer_of("user_id", own("ann"), position)
    key = doors.key("profile:read", "profile:pii", "events:read", "events:write", "ops:admin")
    for path in ("erase", "export"):
        assert doors.post_api(f"/v1/customers/{ann}/{path}", None, key=key).status_code == 403
    nobody = "00000000-0000-4000-8000-000000000000"
    assert doors.post_api(f"/v1/customers/{nobody}/erase", None).status_code == 404
    assert doors.ask(f"/v1/erasures/{nobody}").status_code == 404
    assert doors.ask(f"/v1/exports/{nobody}").status_code == 404
    wrong = doors.post_api(f"/v1/customers/{ann}/erase", {"reason": ""})
    assert (wrong.status_code, wrong.json()["type"]) == (400, "bad-request")


def test_nobody_can_send_the_word_that_erases(doors: Doors, web: Source, own: Named) -> None:
    position = doors.send(web, *life(own))
    ann = doors.customer_of("user_id", own("ann"), position)
    forged = {"type": "record.erased", "identifiers": {"user_id": own("ann")}, "time": AT.format(7)}
    position = doors.send(web, forged, {"type": "page.viewed", "identifiers": {"user_id": own("ann")}})
    assert doors.profile(ann, position)["interaction"]["count"] > 1
    assert _states(doors, web)["parked"] >= 1
