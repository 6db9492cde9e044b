"""A value that several people share is nobody's alone, and one that everybody has is no evidence."""

from __future__ import annotations

import pytest

from tests.support.doors import Doors, Named, Source, a_phone

GENERIC_PEOPLE = {"phone": 9, "device_id": 13}
"""With one more distinct user id than the shipped policy takes for one household."""


@pytest.mark.feature("I1")
@pytest.mark.parametrize("shared", ["phone", "device_id"])
def test_a_shared_value_is_ambiguous_and_names_its_candidates(
    doors: Doors, web: Source, own: Named, shared: str
) -> None:
    value = a_phone() if shared == "phone" else own("tablet")
    position = doors.send(
        web,
        *(
            {
                "type": "contact.identified",
                "time": f"2026-03-0{day}T10:00:00Z",
                "identifiers": {"user_id": own(name), shared: value},
                "traits": {"firstName": name.title()},
            }
            for day, name in enumerate(("ann", "bob"), 1)
        ),
    )
    ann, bob, both = doors.look_up(
        ("user_id", own("ann")), ("user_id", own("bob")), (shared, value), position=position
    )
    assert ann["customer_id"] != bob["customer_id"]
    assert (both["customer_id"], both["ambiguous"], both["generic"]) == (None, True, False)
    candidates = {c["customer_id"]: c for c in both["candidates"]}
    assert set(candidates) == {ann["customer_id"], bob["customer_id"]}
    assert candidates[ann["customer_id"]]["name"] == "Ann"
    assert candidates[bob["customer_id"]]["name"] == "Bob"
    assert candidates[bob["customer_id"]]["last_seen"] == "2026-03-02T10:00:00Z"
    assert all(c["weight"] > 0 for c in both["candidates"])


@pytest.mark.feature("I1")
@pytest.mark.parametrize("shared", ["phone", "device_id"])
def test_a_value_seen_with_many_people_is_generic(doors: Doors, web: Source, own: Named, shared: str) -> None:
    value = a_phone() if shared == "phone" else own("kiosk")
    people = [own(f"u{n}") for n in range(GENERIC_PEOPLE[shared])]
    position = doors.send(
        web,
        *(
            {"type": "note.added", "identifiers": {"user_id": u, shared: value}, "properties": {"text": "x"}}
            for u in people
        ),
    )
    *theirs, everybodys = doors.look_up(*(("user_id", u) for u in people), (shared, value), position=position)
    assert len({one["customer_id"] for one in theirs}) == len(people)
    assert (everybodys["customer_id"], everybodys["generic"]) == (None, True)


@pytest.mark.feature("I2")
def test_people_joined_by_a_value_part_when_it_turns_out_generic(doors: Doors, web: Source, own: Named) -> None:
    phone = a_phone()

    def visit(card: int) -> dict[str, object]:
        ids = {"email": own(f"e{card}") + "@mail.example", "phone": phone}
        return {"type": "note.added", "identifiers": ids, "properties": {"text": "x"}}

    position = doors.send(web, visit(0), visit(1))
    mails = [("email", own(f"e{n}") + "@mail.example") for n in range(GENERIC_PEOPLE["phone"])]
    first, second = doors.look_up(*mails[:2], position=position)
    assert first["customer_id"] == second["customer_id"]
    position = doors.send(web, *(visit(n) for n in range(2, GENERIC_PEOPLE["phone"])))
    found = doors.look_up(*mails, position=position)
    assert len({one["customer_id"] for one in found}) == len(mails)
