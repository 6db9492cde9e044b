"""A customer as the profile API tells one, with every part filled, for the page's tests.

`word` stands wherever somebody may write what he likes.
"""

from __future__ import annotations

from typing import Any

from services.ops.page.whole import Seen

ANN, MAIL, CARD, OTHER = "r-ann", "r-mail", "r-card", "r-other"
AT = "2026-03-03T08:10:00Z"


def record(record_id: str, type_: str, value: str) -> dict[str, Any]:
    """A record as identity lists it."""
    return {"record_id": record_id, "type": type_, "value": value, "first_seen": AT, "last_seen": AT, "events": 2}


def link(a: dict[str, Any], b: dict[str, Any], state: str = "joins", **more: Any) -> dict[str, Any]:
    """A link between two records."""
    names = ({k: one[k] for k in ("record_id", "type", "value")} for one in (a, b))
    ends = dict(zip(("a", "b"), names, strict=True))
    found = {"kind": "seen_together", "weight": 7, "first_seen": AT, "source": "web", "event_id": "e"}
    return {**ends, **found, "state": state, "constraint": None, **more}


def document(word: str = "Ann Berg") -> dict[str, Any]:
    """The customer's document."""
    records = [record(ANN, "user_id", word), record(MAIL, "email", word), record(CARD, "loyalty_id", word)]
    identifiers = [{"type": r["type"], "value": r["value"], "generic": r["type"] == "email"} for r in records]
    contact = {
        "name": word,
        "emails": [{"value": word, "valid": True, "verified_at": None, "because": "proved"}],
        "phones": [word],
        "addresses": [{"street": word, "city": word}, word],
        "birthday": word,
        "completeness": 100,
        "traits": {word: word, "more": {word: [word]}},
        "provenance": {},
        "issues": [{"code": "name_conflict", "value": word, "since": AT, "ask_for": "name", "rivals": [word]}],
        "ask_next": [{"ask_for": "name", "because": "name_conflict"}],
        "reachable": {"mail": {"address": {"street": word}, "allowed": None, "valid": True, "why_not": []}},
    }
    last = {"by_channel": {word: 1, "web": 3}, "by_type": {"t": 4}, "last": [], "count": 4}
    return {
        "requested_id": word,
        "customer_id": ANN,
        "identity": {"status": word, "records": records, "identifiers": identifiers, "totals": {"records": 3}},
        "contact": contact,
        "interaction": {"first_at": AT, "last_at": "2026-05-01T00:00:00Z", **last, "promises": [{"text": word}]},
        "value": value(word),
        "needs": [{"need": word, "confidence": 0.5}],
        "preferences": {word: {"channel": word}},
        "consents": None,
        "groups": [],
        "segments": None,
        "treatment": None,
        "meta": {"version": 7, "updated_at": AT, "lag_ms": 12, "position": word, "missing": [word], "masked": [word],
                 "regrouping": [word]},
    }  # fmt: skip


def value(word: str = "tents") -> dict[str, Any]:
    """The value section."""
    sums = {"revenue": "1140.00", "margin": "200.00", "refunds": "20.00", "cost_to_serve": "1.00", "orders": 2}
    area = {"area": word, "revenue": "1140.00", "margin": "200.00", "orders": 2, "last_at": "2026-03-03"}
    return {
        "currency": word,
        "as_of": None,
        "actual": {
            **sums, "margin_estimated": True, "days": 2, "first_at": AT, "last_at": AT, "average_order": "570.00",
            "by_area": [area],
            "by_period": [{"month": "2026-03", **sums}],
        },
        "other_currencies": [{"currency": word, **sums}],
        "predicted": None,
        "strategic": None,
        "tier": {"grade": word, "actual": word, "strategic": word, "since": "2026-03-03", "purpose": word,
                 "next_drop_at": None, "policy_version": 1},
        "churn": None,
        "group": None,
        "next": None,
    }  # fmt: skip


def evidence(word: str = "Ann Berg") -> dict[str, Any]:
    """What holds the records together."""
    ann, mail, card = document(word)["identity"]["records"]
    other = record(OTHER, "user_id", word)
    refused = link(mail, other, "refused", constraint=f"exclusive:{word}", customer_id=word)
    said = {"a": ann, "b": other, "kind": "different", "reason": word, "actor": word, "time": AT, "event_id": "e"}
    links = [link(ann, mail, source=word), link(mail, card, kind=word), link(ann, card, "supports"), refused]
    because = {"kind": word, "event_id": "e", "source": word, "with": ANN}
    decisions = [
        {"decision": "left", "at": AT, "records": [{"record_id": OTHER, "to": OTHER, "constraint": word}]},
        {"decision": "joined", "at": AT, "records": [{"record_id": MAIL, "from": None, "because": because}]},
        {"decision": "refused", "at": AT, "refused": [], "lifted": []},
        {"decision": "founded", "at": AT, "records": [ANN, word]},
    ]
    return {"records": [ann, mail, card], "links": links, "assertions": [said], "refusals": [refused],
            "decisions": decisions, "totals": {"records": 3}}  # fmt: skip


def order(word: str = "A-1", **more: Any) -> dict[str, Any]:
    """An order of GET /v1/customers/{id}/value."""
    return {"kind": word, "namespace": word, "id": word, "ordered_at": AT, "status": "open", "currency": word,
            "net": "1160.00", "refunds": "20.00", "record_id": ANN, "areas": [word, "tents"], "told_otherwise": 1,
            "flags": [word], **more}  # fmt: skip


def item(word: str = "Called", **more: Any) -> dict[str, Any]:
    """An item of the timeline."""
    return {"event_id": "e", "time": AT, "channel": word, "direction": word, "type": word, "title": word,
            "summary": word, "source": word, "actor": {"name": word}, "record_id": ANN, **more}  # fmt: skip


def corrected(word: str = "wrong day", **more: Any) -> dict[str, Any]:
    """An item that was taken back, and another stands for it."""
    withdrawn = {"event_id": "w", "at": AT, "reason": word, "replaced_by": "r"}
    return item(word, withdrawn=withdrawn, **more)


def decided(word: str = "two sisters", **more: Any) -> dict[str, Any]:
    """A line of identity between the events."""
    decision = {"customer_id": OTHER, "because": word, "event_id": "e", "reason": word, "actor": word}
    return item(word, **{"channel": "internal", "direction": "internal", "decision": decision, **more})


def seen(word: str = "Ann Berg", **more: Any) -> Seen:
    """All of it."""
    answers: dict[str, Any] = {
        "document": document(word),
        "evidence": evidence(word),
        "worth": {"orders": [order(word)], "orders_total": 1},
        "items": [item(word), corrected(word), decided(word)],
        "made_at": AT,
        "silent": [word],
    }
    return Seen(**{**answers, **more})


def bare() -> dict[str, Any]:
    """The document of somebody of whom hardly anything is known."""
    parts = dict.fromkeys(("contact", "interaction", "value", "needs", "preferences", "consents", "groups",
                           "segments", "treatment"))  # fmt: skip
    meta: dict[str, Any] = {"version": 1, "updated_at": None, "lag_ms": 0, "position": None}
    meta |= {"missing": [], "masked": [], "regrouping": []}
    return {"requested_id": ANN, "customer_id": ANN, "identity": None, **parts, "meta": meta}
