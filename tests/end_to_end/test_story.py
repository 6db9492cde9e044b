"""One person's life through the public doors: what deploy/demo/story.yaml says must be true, is, after every step.

Each test tells it of people of its own: the numbers in it are replaced.
"""

from __future__ import annotations

import json
import uuid
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.ops.commands.story import read_story
from tests.support.deployment import CHECKOUT
from tests.support.doors import Doors

FILE = CHECKOUT / "deploy" / "demo" / "story.yaml"
TITLE, NUMBER, SURNAME, BIRTHDAY = "Ann and the tent", "4711", "Berg", "1988-05-17"
SPLIT = 10
"""The step of the operator's word."""


class Life:
    """The story with numbers and people of its own, in files of its own: else all lives would be one Ann's."""

    def __init__(self, doors: Doors, folder: Path) -> None:
        self.doors, self.folder = doors, folder
        self.number = f"{uuid.uuid4().int % 10**10:010d}"
        text = FILE.read_text(encoding="utf-8")
        text = text.replace(NUMBER, self.number).replace(f"title: {TITLE}", f"title: {TITLE} {self.number}")
        self.surname = "".join(chr(ord("a") + int(digit)) for digit in self.number).title()
        born = f"19{self.number[:2]}-0{1 + int(self.number[2]) % 9}-1{self.number[3]}"
        self.text = text.replace(SURNAME, self.surname).replace(BIRTHDAY, born)

    @property
    def parsed(self) -> dict[str, Any]:
        """The story as YAML has it, to be changed."""
        parsed: dict[str, Any] = yaml.safe_load(self.text)
        return parsed

    def tell(self, story: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """The exit code of `c360 story` of the story, or of a changed one, and what it told."""
        file = self.folder / "story.yaml"
        file.write_text(yaml.safe_dump(story, sort_keys=False) if story else self.text, encoding="utf-8")
        done = self.doors.copy.run("story", str(file), "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def owner(self, type_: str, name: str) -> str:
        """Whose an identifier of the story is; `#` stands for the number."""
        return self.doors.customer_of(type_, name.replace("#", self.number))


@pytest.fixture
def life(doors: Doors, tmp_path: Path) -> Life:
    """A life of its own, not told yet."""
    return Life(doors, tmp_path)


@pytest.fixture(scope="module")
def told(doors: Doors, tmp_path_factory: pytest.TempPathFactory) -> tuple[Life, dict[str, Any]]:
    """A life that was told to its end."""
    life = Life(doors, tmp_path_factory.mktemp("life"))
    code, story = life.tell()
    assert code == 0, broken(story)
    return life, story


def broken(story: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for step in story["steps"] for check in step["checks"] if not check["holds"]]


@pytest.mark.feature("I1", "I2", "I3", "D1", "D3", "T1", "T2")
@pytest.mark.parametrize("number", range(1, 14))
def test_after_every_step_everything_is_as_the_story_says(told: tuple[Life, dict[str, Any]], number: int) -> None:
    _, story = told
    step = story["steps"][number - 1]
    expected = read_story(FILE).steps[number - 1].expect
    assert len(story["steps"]) == 13
    assert [check["say"] for check in step["checks"]] == [one.say for one in expected], "all were asked"
    assert all(check["holds"] for check in step["checks"]), step["checks"]
    assert not step["told_before"]
    assert step["number"] == number
    assert step["position"]
    assert step["changes"] or number in (5,), "the fifth is the same order again"


@pytest.mark.feature("I2", "I3", "D3", "T1")
def test_in_the_end_there_is_one_ann_and_one_karl_and_the_money_is_whose_it_is(
    told: tuple[Life, dict[str, Any]],
) -> None:
    life, _ = told
    doors, ann, karl = life.doors, life.owner("user_id", "u-#"), life.owner("loyalty_id", "karl-#")
    assert ann != karl
    for type_, name in (
        ("anonymous_id", "browser-#"), ("email", "ann.#@mail.example"), ("crm_id.trail", "C-#"),
        ("loyalty_id", "ann-#"),
    ):  # fmt: skip
        assert life.owner(type_, name) == ann
    worth = {who: doors.ask(f"/v1/customers/{who}/value").json() for who in (ann, karl)}
    assert (worth[ann]["actual"]["revenue"], worth[ann]["actual"]["refunds"]) == ("480.00", "480.00")
    assert (worth[karl]["actual"]["revenue"], worth[karl]["actual"]["refunds"]) == ("180.00", "0.00")
    [order] = worth[ann]["orders"]
    assert (order["net"], order["refunds"], order["told_otherwise"]) == ("960.00", "480.00", 1)
    assert [item["type"] for item in reversed(doors.timeline(karl))] == [
        "contact.identified", "order.completed", "contact.identified",
    ]  # fmt: skip
    assert [item["type"] for item in reversed(doors.timeline(ann, to="2026-05-01T00:00:00Z"))] == [
        "product.viewed", "call.held", "contact.identified", "order.completed", "order.completed",
        "contact.imported", "order.refunded", "conversation.message", "promise.kept",
    ]  # fmt: skip


@pytest.mark.feature("O2")
def test_told_again_it_changes_nothing_and_its_end_is_still_true(told: tuple[Life, dict[str, Any]]) -> None:
    life, _ = told
    ann = life.owner("user_id", "u-#")
    before = (life.doors.timeline(ann), life.doors.profile(ann)["value"])
    code, again = life.tell()
    assert code == 0, broken(again)
    assert all(step["told_before"] for step in again["steps"])
    assert [len(step["checks"]) for step in again["steps"]] == [0] * 12 + [3], "only the end can still be asked"
    assert (life.doors.timeline(ann), life.doors.profile(ann)["value"]) == before


def test_a_life_that_was_broken_off_is_told_to_its_end(life: Life) -> None:
    begun = {**life.parsed, "steps": life.parsed["steps"][:7]}
    assert life.tell(begun)[0] == 0
    code, whole = life.tell()
    assert code == 0, broken(whole)
    assert [bool(step["checks"]) for step in whole["steps"]] == [False] * 6 + [True] * 7


@pytest.mark.feature("O2")
def test_told_backwards_it_comes_to_the_same_end(life: Life) -> None:
    story = life.parsed
    steps = story["steps"]
    after = [one for step in steps[SPLIT - 1 :] for one in step["expect"]]
    passing = {"interaction.count", "interaction.promises.0.promise_id"}
    end = [one for one in after if passing.isdisjoint(one.get("is", {}))]
    word = steps.pop(SPLIT - 1)
    story["steps"] = [*({k: v for k, v in step.items() if k != "expect"} for step in reversed(steps)),
                      {**word, "expect": end}]  # fmt: skip
    code, told = life.tell(story)
    assert len(told["steps"][-1]["checks"]) == len(end) >= 10
    assert code == 0, broken(told)


def test_what_is_not_true_is_told_with_what_is_and_ends_with_1(life: Life) -> None:
    story = life.parsed
    story["steps"] = story["steps"][:2]
    story["steps"][0]["expect"][0]["is"] = {"interaction.count": 7, "contact.nmae": None}
    story["steps"][1]["expect"] = [{"say": "Nobody.", "customer": "user_id:nobody-at-all", "is": {"value": None}}]
    code, told = life.tell(story)
    assert code == 1
    one, other = broken(told)
    assert one["why_not"] == ["interaction.count is 1, not 7", "contact.nmae: there is no nmae"]
    assert other["why_not"] == ["user_id:nobody-at-all is nobody's, or several people's"]
    done = life.doors.copy.run("story", str(life.folder / "story.yaml"))
    assert done.returncode == 1
    assert "NOT SO   Nobody." in done.stdout


@pytest.mark.feature("I1")
def test_an_earlier_id_of_hers_answers_with_her(told: tuple[Life, dict[str, Any]]) -> None:
    life, story = told
    caller = story["steps"][1]["customer_id"]
    ann = life.owner("user_id", "u-#")
    assert caller != ann
    assert life.doors.profile(caller)["customer_id"] == ann


class Text(HTMLParser):
    """What is read on a page, and of which tags it is made."""

    def __init__(self, drawn: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(drawn)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\N{NO-BREAK SPACE}", " ") + "\n"


@pytest.mark.feature("D1", "T5")
def test_her_page_tells_it_all_and_his_tells_nothing_of_her(
    told: tuple[Life, dict[str, Any]], tmp_path: Path
) -> None:
    life, _ = told
    pages = []
    for wanted in (f"user_id:u-{life.number}", f"loyalty_id:karl-{life.number}"):
        life.doors.copy.command("customer", wanted, "--html", str(tmp_path / "page.html"))
        pages.append(Text((tmp_path / "page.html").read_text(encoding="utf-8")))
    hers, his = pages
    for words in (
        f"Ann {life.surname}", "Tier C since 2 Apr 2026", "480.00 USD",
        "partly returned", "told 2 times, counts once",
        "seen together by trail-crm on 5 Mar 2026, weight 7", "Father and daughter with one number",
        "Not joined: an operator said that they are different people.", "Call, 4 min, answered", "sleeping bags",
    ):  # fmt: skip
        assert words in hers.text, words
    assert f"Karl {life.surname}" in his.text
    assert f"Ann {life.surname}" not in his.text
    assert "sleeping" not in his.text
    assert "script" not in hers.tags | his.tags
    text = life.doors.copy.command("customer", f"user_id:u-{life.number}")
    assert "480.00 USD of 1 order, 480.00 returned" in text
    assert "C, since 2026-04-02; make it worth more" in text
