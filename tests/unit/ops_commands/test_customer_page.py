"""A customer's page holds what is told, runs nothing, fetches nothing, and has no empty frames."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ops.commands import asking, customer_page
from services.ops.commands.failures import CommandError, UsageMistake
from services.ops.page.chart import MONTHS_MAX, Bar, bars_of, chart
from services.ops.page.markup import tag, text
from services.ops.page.whole import page
from services.ops.page.words import between, money
from tests.unit.ops_commands.seen import ANN, bare, document, evidence, item, link, order, record, seen, value

HOSTILE = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">&amp;"
DRAWN = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer", "div", "span", "p", "h1",
    "h2", "h3", "ul", "ol", "li", "dl", "dt", "dd", "code", "b", "i", "small", "time", "blockquote", "table", "thead",
    "tbody", "tr", "th", "td", "svg", "symbol", "path", "use", "g", "rect", "s", "line", "text",
}  # fmt: skip
"""All that a page may consist of."""


class Read(HTMLParser):
    """The page as a browser takes it apart."""

    def __init__(self, drawn: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(drawn)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += f"{data}\n"


def shown(**more: Any) -> str:
    """The page's text, of somebody of whom only this is known."""
    given = {"evidence": None, "worth": None, "items": [], "silent": [], **more}
    return Read(page(seen(**{"document": bare(), **given}))).text


def test_a_script_in_a_name_is_read_and_not_run() -> None:
    read = Read(page(seen(HOSTILE)))
    assert set(read.tags) <= DRAWN
    assert "script" not in read.tags
    assert HOSTILE in read.text
    assert not [name for name, _ in read.attributes if name.startswith("on")]


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=20))
def test_whatever_people_write_changes_only_the_text(word: str) -> None:
    """The same tags, whatever stands in every field at once."""
    plain, odd = Read(page(seen("word"))), Read(page(seen(f"a{word}")))
    assert odd.tags == plain.tags
    assert [name for name, _ in odd.attributes] == [name for name, _ in plain.attributes]


def test_the_page_needs_nothing_but_itself() -> None:
    drawn = page(seen("https://evil.example/x.js"))
    read = Read(drawn)
    assert not {"src", "srcset", "action", "data"} & {name for name, _ in read.attributes}
    assert all(value.startswith("#") for name, value in read.attributes if name == "href")
    assert "url(" not in drawn
    assert "@import" not in drawn
    [policy] = [value for name, value in read.attributes if value.startswith("default-src")]
    assert "'none'" in policy
    assert "script" not in policy


def test_what_turns_a_line_around_is_not_in_the_page() -> None:
    assert "\u202e" not in page(seen("Ann\u202egreB"))
    assert "Ann\u00a0Berg" in page(seen("Ann\u00a0Berg")), "a space that does not break is one"


def test_everything_told_is_on_the_page() -> None:
    read = Read(page(seen(document=document(), evidence=evidence(), items=[item("Called", channel="call")])))
    for words in (
        "Ann Berg", ANN, "Value over time", "Areas", "Orders", "Why this is one person", "What happened", "Promises",
        "Needs", "1,140.00", "estimated", "told 2 times, counts once", "partly returned", "Tuesday, 3 March 2026",
        "Version 7, updated 3 Mar 2026, 08:10, late by 12 ms.", "widely shared: no evidence",
    ):  # fmt: skip
        assert words in read.text, words


def test_what_is_not_told_leaves_no_frame() -> None:
    read = Read(page(seen(document=bare(), evidence=None, worth=None, items=[], silent=[])))
    assert "section" not in read.tags
    assert "h2" not in read.tags
    assert "No name known" in read.text


def test_parts_that_only_later_builds_tell_are_shown_under_their_own_names() -> None:
    interaction = {**document()["interaction"], "open_conversations": [{"topic": "poles", "open_points": []}]}
    told = {**bare(), "interaction": interaction, "segments": [{"name": "Campers", "since": None}], "groups": []}
    found = shown(document=told)
    for words in ("Open conversations", "Topic", "poles", "Segments", "Campers"):
        assert words in found
    for words in ("Open points", "Since", "Groups"):
        assert words not in found


def test_what_did_not_answer_is_missing_or_masked_is_named_at_the_foot() -> None:
    meta = {**bare()["meta"], "missing": ["needs"], "masked": ["contact.name"], "position": "W1tiY"}
    found = shown(document={**bare(), "meta": meta}, silent=["value"])
    for line in ("Not told yet: needs.", "Masked: contact.name.", "Did not answer: value.", "W1tiY"):
        assert line in found
    assert "regrouped" not in found


def test_every_record_is_shown_once_under_the_one_it_was_joined_to() -> None:
    names = [record(f"r{n}", "user_id" if n == 0 else "device_id", f"name{n}") for n in range(400)]
    chain = [link(a, b) for a, b in pairwise(names)]
    alone = record("r-alone", "email", "alone")
    told = {**evidence(), "records": [*names, alone], "links": chain, "assertions": [], "refusals": []}
    found = shown(evidence=told)
    where = [found.index(f"{one['value']}\n") for one in [*names, alone]]
    assert where == sorted(where)
    assert all(found.count(f"{one['value']}\n") == 1 for one in [*names, alone])
    assert found.count("seen together by web on 3 Mar 2026, weight 7") == 399


def test_without_identitys_answer_the_documents_records_are_shown() -> None:
    found = shown(document={**bare(), "identity": document()["identity"]})
    assert "user_id" in found
    assert "3 records" in found


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("different", "Not joined: an operator said that they are different people."),
        ("exclusive:user_id", "Not joined: both have a user_id of their own."),
    ],
)
def test_a_refused_link_says_why_and_who_the_other_is(constraint: str, words: str) -> None:
    told = evidence()
    told["refusals"][0] |= {"constraint": constraint, "customer_id": "c-other"}
    found = shown(evidence=told)
    assert words in found
    assert "c-other" in found


def test_what_was_decided_names_the_records_and_the_reason() -> None:
    told = evidence("x")
    told["decisions"][1]["records"][0]["because"] |= {"kind": "seen_together", "source": "crm"}
    told["decisions"][0]["records"][0]["constraint"] = "different"
    found = " ".join(shown(evidence=told).split())
    assert "joined 3 Mar 2026, 08:10 email:x , seen together with user_id:x by crm" in found
    assert "left 3 Mar 2026, 08:10 user_id:x : an operator said that they are different people" in found
    assert "founded 3 Mar 2026, 08:10 user_id:x" in found
    assert "What was decided" not in shown(evidence={**told, "decisions": []})


def test_an_order_that_never_was_and_one_that_came_back_say_so() -> None:
    orders = [order(f"A-{status}", status=status, refunds="0.00") for status in ("never", "returned", "open")]
    found = shown(worth={"orders": orders, "orders_total": 250})
    assert "cancelled the same day" in found
    assert "the newest 3 of 250" in found
    assert "partly returned" not in found


def test_days_stand_newest_first_with_their_items() -> None:
    items = [item(f"Title {at}", time=at) for at in ("2026-03-04T10:00:00Z", "2026-03-03T11:00:00Z")]
    found = shown(items=items)
    order_ = ["Wednesday, 4 March 2026", "10:00", "Tuesday, 3 March 2026", "11:00"]
    assert [found.index(words) for words in order_] == sorted(found.index(words) for words in order_)


def test_months_without_a_booking_are_bars_of_nothing() -> None:
    periods = [
        {"month": "2026-01", "revenue": "-5.00", "refunds": "5.00"},
        {"month": "2025-11", "revenue": "10.00", "refunds": "0"},
    ]
    assert bars_of(periods, "2026-02-09T00:00:00Z") == [
        Bar("2025-11", Decimal(10), Decimal(0)),
        Bar("2025-12", Decimal(0), Decimal(0)),
        Bar("2026-01", Decimal(0), Decimal(5)),
        Bar("2026-02", Decimal(0), Decimal(0)),
    ]
    assert bars_of([], None) == []
    assert len(bars_of([periods[0], {**periods[1], "month": "1999-01"}], None)) == MONTHS_MAX
    assert len(bars_of(periods, "2031-02-09T00:00:00Z")) == 15, "a year of quiet is enough"


@pytest.mark.parametrize(
    "amounts", [("0", "0"), ("0.01", "0"), ("5", "7"), ("123456789012.34", "1"), ("-20", "0"), ("0", "3")]
)
def test_a_chart_of_any_amounts_stays_on_its_ground(amounts: tuple[str, str]) -> None:
    bought, returned = map(Decimal, amounts)
    drawn = chart([Bar("2026-01", bought, returned), Bar("2026-02", Decimal(0), Decimal(0))], "USD")
    heights = [float(y) for y in re.findall(r' (?:y|y1|y2)="([^"]+)"', drawn)]
    assert all(0 <= y <= 270 for y in heights)
    assert money(str(bought), "USD") in drawn


@pytest.mark.parametrize(
    ("amount", "said"),
    [("1140.00", "1,140.00"), ("-480.00", "\N{MINUS SIGN}480.00"), ("0", "0"), ("1000000", "1,000,000")],
)
def test_amounts_are_written_exactly(amount: str, said: str) -> None:
    assert money(amount) == said


def test_one_day_is_not_a_span() -> None:
    assert between("2026-03-03T08:10:00Z", "2026-03-03T09:10:00Z") == "3 Mar 2026"
    assert between(None, "2026-03-03") == "3 Mar 2026"


def test_markup_is_escaped_once() -> None:
    assert tag("p", "a < b", title='"') == '<p title="&quot;">a &lt; b</p>'
    assert tag("div", tag("p", "&")) == "<div><p>&amp;</p></div>"
    assert text(None) == ""


class Silent:
    """A profile API of which one page does not answer."""

    def __init__(self, page: str) -> None:
        self.page = page

    def __call__(self, _copy: Any, _wanted: str, page: str = "", **_query: Any) -> Any:
        if page == self.page:
            raise CommandError("value does not answer (503)")
        return {"/identity": evidence(), "/value": {"orders": [], "orders_total": 0}, "/timeline": {"items": []}}[
            page
        ]


@pytest.mark.parametrize("name", ["identity", "value", "timeline"])
def test_a_part_that_does_not_answer_is_left_out_and_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "profile", Silent(f"/{name}"))
    found = customer_page.seen(None, document())  # type: ignore[arg-type]
    assert found.silent == [name]
    assert f"Did not answer: {name}." in page(found)


def test_a_page_is_its_readers_own_and_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "profile", Silent(""))
    file = tmp_path / "ann.html"
    customer_page.write(None, document(), file)  # type: ignore[arg-type]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>\n<html")
    with pytest.raises(UsageMistake, match="cannot be written"):
        customer_page.write(None, document(), tmp_path / "none" / "ann.html")  # type: ignore[arg-type]


def test_a_currency_is_only_written() -> None:
    told = {**bare(), "value": {**value(), "currency": HOSTILE}}
    assert HOSTILE in shown(document=told)
