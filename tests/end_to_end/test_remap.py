"""A name nobody knew is mapped by its source's own table, and what came before that is mapped anew: counted once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.intake import inputs
from services.intake.domain.model import Accepted
from services.intake.door import BrokerAway, Publisher, mappings
from services.intake.remapping import Remap, Wanted
from services.runtime.http import Database
from services.runtime.settings import Settings
from tests.support.databases import Databases, settings_for
from tests.support.doors import Doors, Named
from tests.support.running import until

pytestmark = pytest.mark.faults

HEARD_S = 10.0
APPLIED_S = 20.0
ROW = {"type": "order.completed", "rename": {"no": "order_id", "sum": "total"}, "channel": "store"}


class Shop:
    """A source whose till has words of its own, and one customer who buys there."""

    def __init__(self, doors: Doors, own: Named, tmp_path: Path) -> None:
        self.doors, self.own = doors, own
        self.source = doors.source(own("till"), "--currency", "EUR")
        self.file = tmp_path / "mapping.yaml"
        self.sent = 0

    def buys(self, amount: float, **more: Any) -> str:
        """One purchase, as the till's client sends it; the position after it."""
        self.sent += 1
        properties = {"no": f"{self.own('o')}-{self.sent}", "sum": amount, "clerk": "7"}
        call = {"userId": self.own("u"), "messageId": f"{self.own('m')}-{self.sent}", "properties": properties}
        answer = self.doors.post("/v1/track", self.source, json={"event": "Checkout Done", **call, **more})
        assert answer.status_code == 200, answer.text
        return str(answer.headers["C360-Position"])

    def command(self, *words: str, exit_code: int = 0) -> Any:
        done = self.doors.copy.run(*words, "--json")
        assert done.returncode == exit_code, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    def apply(self, events: dict[str, Any], *options: str, exit_code: int = 0) -> Any:
        self.file.write_text(json.dumps({"events": events}))
        words = ("mapping", "apply", self.source.name, str(self.file), "--reason", "the till's words")
        return self.command(*words, *options, exit_code=exit_code)

    def remap(self, *options: str, exit_code: int = 0) -> Any:
        return self.command("remap", "--source", self.source.name, *options, exit_code=exit_code)

    def put(self, events: dict[str, Any] | None) -> int:
        """What `mapping apply --execute`, or `remove`, asks for; the mapping's number."""
        url = f"{self.doors.copy.internal['intake']}/mappings/{self.source.name}?execute=true"
        document = {"events": events} if events is not None else None
        answer = self.doors.http.put(url, json={"document": document, "by": "operator", "reason": "a change"})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["number"])

    def ask(self, **said: Any) -> Any:
        """What `remap` asks for; the last line of the answer, or a problem."""
        url = f"{self.doors.copy.internal['intake']}/remap"
        answer = self.doors.http.post(url, json={"source": self.source.name, **said})
        return json.loads(answer.text.splitlines()[-1])

    def types(self, position: str | None = None, **query: Any) -> list[str]:
        """Types on the timeline, the newest first."""
        customer = self.doors.customer_of("user_id", self.own("u"), position)
        return [item["type"] for item in self.doors.timeline(customer, position, **query)]

    def revenue(self) -> tuple[str, int]:
        customer = self.doors.customer_of("user_id", self.own("u"))
        actual = self.doors.ask(f"/v1/customers/{customer}/value").json()["actual"]
        return actual["revenue"], actual["orders"]


@pytest.fixture
def shop(doors: Doors, own: Named, tmp_path: Path) -> Shop:
    return Shop(doors, own, tmp_path)


def test_what_came_before_the_mapping_is_counted_exactly_once_after_a_remap(shop: Shop) -> None:
    shop.buys(40.5)
    assert shop.types(shop.buys(9.5)) == ["Checkout Done", "Checkout Done"]
    assert shop.apply({"Checkout Done": ROW})["expected"] == {"Checkout Done": ["currency"]}
    assert "no mapping of its own" in shop.command("mapping", "show", shop.source.name, exit_code=1)
    assert shop.apply({"Checkout Done": ROW}, "--execute")["number"] == 1
    assert shop.put({"Checkout Done": ROW}) == 1, "the same mapping is no new number"
    assert shop.command("mapping", "show", shop.source.name)["version"] == f"own.{shop.source.name}/1"

    until(lambda: "order.completed" in shop.types(shop.buys(1)), "the doors have heard of the mapping", HEARD_S)
    unmapped = shop.types().count("Checkout Done")
    total = f"{50 + shop.sent - 2:.2f}"
    told = shop.remap()
    assert (told["differing"], told["published"], told["left"]) == (unmapped, 0, [])
    assert told["moves"] == [{"from": "Checkout Done", "to": "order.completed", "events": unmapped, "incomplete": 0}]
    assert shop.own("u") not in json.dumps(told), "examples show nobody"
    assert shop.revenue() == (f"{shop.sent - unmapped:.2f}", shop.sent - unmapped)

    assert shop.remap("--execute")["published"] == unmapped
    until(lambda: shop.revenue() == (total, shop.sent), "all of it is counted, and once", APPLIED_S)
    assert shop.types().count("order.completed") == shop.sent
    with_corrections = shop.types(include="corrections")
    assert (with_corrections.count("Checkout Done"), shop.types().count("Checkout Done")) == (unmapped, 0)

    again = shop.ask(execute=True)["result"]
    assert (again["differing"], again["published"], again["taken_back_before"]) == (0, 0, unmapped)
    assert shop.revenue() == (total, shop.sent)
    assert shop.doors.copy.run("audit", "--minutes", "5", "--source", shop.source.name).returncode == 0

    assert shop.put({"Checkout Done": {**ROW, "rename": {"no": "order_id"}}}) == 2
    moves = shop.ask()["result"]["moves"]
    assert moves == [
        {"from": "order.completed", "to": "order.completed", "events": shop.sent, "incomplete": shop.sent}
    ]
    assert shop.put(None) == 3
    (back,) = shop.ask(event="checkout_done")["result"]["moves"]
    assert (back["from"], back["to"], back["events"]) == ("order.completed", "Checkout Done", shop.sent)


def test_bad_input_is_told_and_changes_nothing(shop: Shop) -> None:
    rows = {
        "Checkout Done": {"type": "order.complete", "rename": {"no": "order_no"}},
        "B": {"type": "page.viewed", "x": 1},
    }
    said = shop.apply(rows, "--execute", exit_code=2)
    for place in ("events.Checkout Done.type", "events.Checkout Done.rename.no", "events.B.x"):
        assert place in said
    assert "do you mean order.completed?" in said
    assert "nothing of" in shop.remap(exit_code=1)
    assert "RFC 3339" in shop.remap("--from", "yesterday", exit_code=2)
    assert shop.ask(source="nobody")["detail"] == "there is no such source"
    assert "before to" in shop.ask(**{"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"})["detail"]
    listed = shop.doors.http.get(f"{shop.doors.copy.internal['intake']}/mappings").json()["mappings"]
    assert shop.source.name not in {one["source"] for one in listed}


def test_of_who_was_erased_nothing_is_written_anew(shop: Shop) -> None:
    """It would put his words into the log a second time."""
    shop.buys(40)
    erased = shop.doors.customer_of("user_id", shop.own("u"), shop.buys(10))
    shop.buys(5, userId=shop.own("another"))
    asked = shop.doors.post_api(f"/v1/customers/{erased}/erase", {"reason": "he asked"})
    done = shop.doors.ask(asked.headers["Location"], wait_ms=10_000).json()
    assert done["state"] == "done"
    shop.put({"Checkout Done": ROW})
    told = shop.ask(execute=True)["result"]
    assert (told["erased"], told["read"], told["published"]) == (2, 1, 1)


class Dying(Publisher):
    """A process that ends when the replacements are in the log, before what they replace is taken back."""

    async def place(self, accepted: Sequence[Accepted]) -> list[tuple[int, int]]:
        if any(made.event.type == "event.retracted" for made in accepted):
            raise BrokerAway
        return await super().place(accepted)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[tuple[Database, Any]]:
    """A process of intake, and a connection of its own."""
    database = Database(settings, mappings.schema())
    try:
        pool = await database.pool()
        async with pool.acquire() as connection:
            yield database, connection
    finally:
        await database.close()


async def dies_between(settings: Settings, source: str) -> None:
    dying = Dying(settings)
    async with process(settings) as (_, connection):
        tables = await mappings.tables(connection, source)
        wanted = Wanted((await inputs.sources(connection))[source])
        with pytest.raises(BrokerAway):
            await Remap(settings, connection, tables, None, wanted, dying, print).run()
    await dying.close()


async def given_back(settings: Settings, source: str) -> Any:
    """The source's mapping as an empty database is given it."""
    async with process(settings) as (database, connection):
        await mappings.ready(settings, database)
        return await mappings.in_force(connection, source)


def test_a_run_that_died_between_the_two_words_is_finished_by_the_next_and_a_lost_mapping_comes_back(
    shop: Shop,
) -> None:
    shop.buys(30)
    assert shop.types(shop.buys(20)) == ["Checkout Done", "Checkout Done"]
    assert shop.put({"Checkout Done": ROW}) == 1
    copy = shop.doors.copy
    asyncio.run(dies_between(settings_for(copy.database, copy.kafka), shop.source.name))
    until(lambda: shop.types().count("order.completed") == 2, "the replacements have come", APPLIED_S)
    assert shop.types().count("Checkout Done") == 2, "and nothing is lost meanwhile"
    healed = shop.ask(execute=True)["result"]
    assert (healed["differing"], healed["unfinished"], healed["published"]) == (0, 2, 2)
    until(lambda: shop.types().count("Checkout Done") == 0, "the old ones are taken back", APPLIED_S)
    assert (shop.types().count("order.completed"), shop.revenue()) == (2, ("50.00", 2))
    again = shop.ask(execute=True)["result"]
    assert (again["unfinished"], again["published"], again["taken_back_before"]) == (0, 0, 2)

    empty = Databases(copy.database)
    url = asyncio.run(empty.empty())
    found = asyncio.run(given_back(settings_for(url, copy.kafka, silent=True), shop.source.name))
    asyncio.run(empty.drop(url))
    assert (found["number"], found["document"]) == (1, {"events": {"Checkout Done": ROW}})
