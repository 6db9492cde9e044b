"""The client on a running copy: an app finds a customer, says something of him, reads it back, and hears of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from customer360.client import ApiError, AsyncClient, Change, Client, NotAnswered, calls
from tests.support.doors import Doors, Named, Source

HEARD_WITHIN_S = 25.0


@pytest.fixture
def client(doors: Doors) -> Iterator[Client]:
    with Client(doors.copy.profile, doors.copy.operator_key) as one:
        yield one


@pytest.fixture
def mail(doors: Doors, web: Source, own: Named) -> str:
    """Of somebody who is known, and visible."""
    mail = f"{own('ann')}@mail.example"
    who = {"user_id": own("ann"), "email": mail}
    traits = {"firstName": "Ann", "lastName": own("lee")}
    event = {"type": "contact.identified", "identifiers": who, "traits": traits}
    doors.customer_of("email", mail, doors.send(web, event))
    return mail


def ids(customer_id: str, changes: Iterator[Change], count: int) -> list[str]:
    """The ids of the next changes of a customer."""
    found: list[str] = []
    while len(found) < count:
        change = next(changes)
        found += [change.event["id"]] if change.customer_id == customer_id else []
    return found


@pytest.mark.feature("T3", "T5", "O2")
def test_an_app_finds_says_reads_its_own_write_pages_and_hears(client: Client, mail: str, own: Named) -> None:
    (found,) = client.ask(calls.lookup(("email", mail)))
    assert found.customer_id is not None
    changes = client.changes(found.customer_id, after="begin")
    assert next(changes).type == "customer.created"
    said = client.ask(calls.prefer(found.customer_id, "newsletter", channel="email", frequency="weekly"))
    document = client.ask(calls.customer(found.customer_id, min_position=said.position))
    assert document.preferences is not None
    assert document.preferences["newsletter"].frequency == "weekly"
    assert document.contact is not None
    assert document.contact.name == f"Ann {own('lee')}"
    assert client.ask(calls.customer(found.customer_id, include=["contact"])).interaction is None
    for number in range(5):
        said = client.ask(calls.say(found.customer_id, "note.added", {"text": f"n{number}"}, channel="call"))
    items = list(client.each(calls.timeline(found.customer_id, limit=2, min_position=said.position)))
    assert len(items) == len({item.event_id for item in items}) == 7
    assert [item.type for item in items[:5]] == ["note.added"] * 5
    assert [one.customer_id for one in client.each(calls.search(mail))] == [found.customer_id]
    changes.close()


@pytest.mark.feature("O2")
def test_a_reader_whose_service_is_killed_goes_on_where_it_was(
    client: Client, doors: Doors, web: Source, mail: str
) -> None:
    (found,) = client.ask(calls.lookup(("email", mail)))
    ann = str(found.customer_id)
    note = {"type": "note.added", "identifiers": {"email": mail}, "properties": {"text": "x"}}
    with ThreadPoolExecutor(1) as beside:
        changes = client.changes(ann, after="begin")
        heard = ids(ann, changes, 1)
        doors.send(web, note)
        heard += ids(ann, changes, 1)
        os.kill(doors.copy.pids()["profile"], signal.SIGKILL)
        rest = beside.submit(ids, ann, changes, 1)
        position = doors.send(web, note)
        client.ask(calls.customer(ann, min_position=position))
        heard += rest.result(HEARD_WITHIN_S)
        changes.close()
    whole = client.changes(ann, after="begin")
    assert ids(ann, whole, len(heard)) == heard
    whole.close()


@pytest.mark.asyncio
async def test_the_async_client_says_no_as_the_api_does(doors: Doors, own: Named) -> None:
    async with AsyncClient(doors.copy.profile, doors.key("profile:read")) as reader:
        with pytest.raises(ApiError) as unknown:
            await reader.ask(calls.customer("nobody"))
        assert (unknown.value.status, unknown.value.kind) == (404, "unknown-customer")
        with pytest.raises(ApiError) as forbidden:
            await reader.ask(calls.say("nobody", "note.added", {"text": "x"}))
        assert forbidden.value.kind == "forbidden"
        defined = await reader.ask(calls.segments())
        assert isinstance(defined, list)
    async with AsyncClient("http://127.0.0.1:9", "k", patience_s=0.3) as nobody:
        with pytest.raises(NotAnswered):
            await nobody.ask(calls.segments())


@pytest.mark.feature("D6")
def test_segments_and_why_through_the_client(client: Client, mail: str, own: Named) -> None:
    name = f"Ann {own('lee')}"
    where: dict[str, Any] = {"field": "contact.name", "is": name}
    assert client.ask(calls.define_segment(own("lees"), "Lees", where)).version == 1
    (found,) = client.ask(calls.lookup(("email", mail)))
    ann = str(found.customer_id)
    why = client.ask(calls.why(ann, own("lees")))
    assert (why.member, why.conditions["actual"]) == (True, [name])
    path = client.ask(calls.path(("email", mail), ("user_id", own("ann"))))
    assert path.same_customer
    assert client.ask(calls.part(ann, "conversations/resume"))["greeting_name"].startswith("Ann")
    assert "totals" in client.ask(calls.page("contact/issues", limit=0))


def test_the_readmes_example_runs_as_it_stands(
    doors: Doors, web: Source, own: Named, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    (example,) = [part for part in readme.split("```") if part.startswith("python\nfrom customer360.client")]
    mail = f"{own('reader')}@mail.example"
    who = {"type": "contact.identified", "identifiers": {"email": mail}, "traits": {"firstName": "Ann"}}
    doors.customer_of("email", mail, doors.send(web, who))
    for shown, real in (
        ("http://127.0.0.1:PORT", doors.copy.profile), ('"KEY"', repr(doors.copy.operator_key)),
        ("ann@post.example", mail),
    ):  # fmt: skip
        example = example.replace(shown, real)
    exec(compile(example.removeprefix("python\n"), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "Ann weekly" in printed
    assert "customer.created" in printed
