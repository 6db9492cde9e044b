"""Questions: what events say of having asked, and of having answered.

Owns the bodies of `question` (asked, perhaps answered at once) and `answer` facts and their keys: `id:<question id>`,
else `text:<folded text>`. What is known of it all is memory.py. Never raises for what was sent. Pure.

A body holds only what was said: `question_id`, `question` (its text), `survey`, `answer`, `declined`, `expires_us`,
`threads`, and `by` where the customer asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from schemas.envelope import Event
from schemas.events.fields import text_of
from services.interaction.domain.facts import ID_CHARS_MAX
from services.interaction.domain.sent import Reader, Said, moment_us
from services.interaction.domain.threads import names
from services.interaction.domain.wording import first_said, folded, items, kept, plain, properties_of, said, worded

CUSTOMER = "customer"
QUESTIONS_MAX = 50
"""Questions read of one event."""
KEY_CHARS_MAX = 200
"""Longer texts are keyed by their hash."""

_ABOUT = frozenset({"question_id", "survey_id", "question", "questions"})
"""What names the question; without any of them nothing was asked or answered."""


_NO_ANSWER = {"answer": None, "declined": None, "by": None}


def remembered(event: Event) -> list[Said]:
    """What the event says of questions; [] for types that say nothing of them. Talks: asked_in_talk."""
    read, properties = TYPES.get(event.type), properties_of(event)
    if read is None or _ABOUT.isdisjoint(properties):
        return []
    return read(event, properties)


def asked_in_talk(event: Event) -> list[Said]:
    """The `questions` of a call or meeting: asked by us unless `by` or `asked_by` says that the customer asked."""
    found = [_asked(sent) for sent in items(properties_of(event).get("questions"), QUESTIONS_MAX)]
    return [part for body in found if (part := _part("question", body)) is not None]


def question_id_of(value: Any) -> str | None:
    """A sent question id; None where there is none or it is too long to name anything."""
    found = text_of(value)
    return found if found is not None and len(found) <= ID_CHARS_MAX else None


def _asked(sent: Any) -> dict[str, Any]:
    one = worded(sent)
    answer = plain(one.get("answer"))
    declined = one.get("declined") is True
    answered = answer is not None or declined
    return {
        "question_id": question_id_of(one.get("question_id")),
        "question": first_said(one, "text", "question"),
        "answer": answer,
        "declined": declined or None,
        "expires_us": _expiry(one) if answered else None,
        "by": CUSTOMER if CUSTOMER in (text_of(one.get("by")), text_of(one.get("asked_by"))) else None,
    }


def _survey(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    """One fact for each question; a survey that names none is a question of its own."""
    if event.data.get("incomplete"):
        return []
    survey = question_id_of(properties.get("survey_id"))
    one = question_id_of(properties.get("question_id"))
    listed = [_asked(sent) for sent in items(properties.get("questions"), QUESTIONS_MAX)]
    listed = [body for body in listed if body["question_id"] or body["question"]]
    if one is not None and len(listed) == 1 and listed[0]["question_id"] is None:
        listed[0]["question_id"] = one
    elif one is not None and all(body["question_id"] != one for body in listed):
        listed.append({"question_id": one, "question": first_said(properties, "question", "text")})
    if not listed:
        listed = [{"question_id": survey}]
    common = {"survey": survey, "threads": names(event), "expires_us": _expiry(properties)}
    found = [_part("question", {**body, **common, **_NO_ANSWER}) for body in listed]
    return [part for part in found if part is not None]


def _feedback(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    declined = properties.get("declined") is True
    sent = next((a for name in ("answer", "score", "text") if (a := plain(properties.get(name))) is not None), None)
    return _answer(event, properties, None if declined else sent, declined=declined)


def _need(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    return _stated(event, properties, ("need",))


def _preference(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    return _stated(event, properties, ("value", "channel", "frequency", "format", "language", "quiet_hours"))


def _stated(event: Event, properties: Mapping[str, Any], fields: tuple[str, ...]) -> list[Said]:
    return [] if event.data.get("incomplete") else _answer(event, properties, _answer_of(properties, fields))


def _intention(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    fields = ("intention", "amount", "currency", "area", "probability", "by_when", "product_id")
    return _answer(event, properties, _answer_of(properties, fields))


def _wallet(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    fields = ("amount_elsewhere", "share", "currency", "area", "period", "provider")
    return _answer(event, properties, _answer_of(properties, fields))


def _contact(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    traits = event.data.get("traits")
    return _answer(event, properties, _answer_of(properties, (), traits if isinstance(traits, Mapping) else {}))


def _answer_of(
    properties: Mapping[str, Any], fields: tuple[str, ...], others: Mapping[str, Any] | None = None
) -> Any:
    """The `answer`, else what was stated: the value of the one field that was, or the values by name."""
    answer = plain(properties.get("answer"))
    if answer is not None:
        return answer
    stated = kept(others if others is not None else {name: plain(properties.get(name)) for name in fields})
    return plain(next(iter(stated.values())) if len(stated) == 1 else stated)


def _answer(event: Event, properties: Mapping[str, Any], answer: Any, *, declined: bool = False) -> list[Said]:
    declined = declined or properties.get("declined") is True
    body = {
        "question_id": question_id_of(properties.get("question_id")),
        "question": said(properties.get("question")),
        "survey": question_id_of(properties.get("survey_id")),
        "answer": None if declined else answer,
        "declined": declined or None,
        "expires_us": _expiry(properties),
        "threads": names(event),
    }
    part = _part("answer", body) if declined or answer is not None else None
    return [part] if part is not None else []


def _expiry(properties: Mapping[str, Any]) -> int | None:
    sent = (moment_us(properties.get(name)) for name in ("expires_at", "until"))
    return next((moment for moment in sent if moment is not None), None)


def _part(kind: str, body: dict[str, Any]) -> Said | None:
    key = _key(body)
    return None if key is None else (kind, key, kept(body))


def _key(body: Mapping[str, Any]) -> str | None:
    if body.get("question_id"):
        return f"id:{body['question_id']}"
    if body.get("question"):
        text = folded(body["question"])
        return f"text:{text if len(text) <= KEY_CHARS_MAX else hashlib.sha256(text.encode()).hexdigest()}"
    return f"survey:{body['survey']}" if body.get("survey") else None


TYPES: dict[str, Reader] = {
    "survey.asked": _survey,
    "feedback.given": _feedback,
    "need.stated": _need,
    "preference.stated": _preference,
    "intention.stated": _intention,
    "wallet.stated": _wallet,
    "contact.identified": _contact,
    "contact.imported": _contact,
    "contact.updated": _contact,
}
"""Event type → how it is read."""
