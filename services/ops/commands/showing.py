"""A customer and a timeline as people read them.

Owns the layout on the screen; gets the public API's answers and leaves out what they do not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.ops.commands.comparing import worth
from services.ops.commands.output import count, readable, span
from services.ops.page.corrected import INTERNAL, remarks
from services.ops.page.words import VERDICTS, spoken

LISTED_MAX = 12
TITLE_CHARS_MAX = 90


def customer(document: dict[str, Any]) -> RenderableType:
    """The whole profile, part by part."""
    document = readable(document)
    blocks: list[RenderableType] = [_head(document)]
    for part, draw in _PARTS.items():
        if document.get(part):
            blocks += [Text(), Text(part.upper(), style="bold"), draw(document[part])]
    meta = document["meta"]
    notes = [f"version {meta['version']}, updated {meta['updated_at']}, late by {span(meta['lag_ms'])}"]
    notes += [f"{name}: {', '.join(meta[name])}" for name in ("missing", "masked", "regrouping") if meta.get(name)]
    return Group(*blocks, Text(), *(Text(note, style="dim") for note in notes))


def _head(document: dict[str, Any]) -> Text:
    name = (document.get("contact") or {}).get("name") or "no name known"
    status = (document.get("identity") or {}).get("status", "")
    head = Text(f"{name}  ", style="bold").append(f"{document['customer_id']}  {status}", style="default")
    if document["requested_id"] != document["customer_id"]:
        head.append(f"\nasked for {document['requested_id']}, an earlier id", style="dim")
    return head


def _identity(identity: dict[str, Any]) -> RenderableType:
    table = _table("record", "first seen", "last seen", "events")
    records = identity["records"]
    for one in records[:LISTED_MAX]:
        name = f"{one['type']}:{one['value']}"
        table.add_row(name, _time(one["first_seen"]), _time(one["last_seen"]), count(one["events"]))
    led = {(one["type"], one["value"]) for one in records}
    others = [
        f"{one['type']}:{one['value']}" + (" (widely shared)" if one.get("generic") else "")
        for one in identity["identifiers"]
        if (one["type"], one["value"]) not in led
    ]
    lines = [_more(len(records), "records")] if len(records) > LISTED_MAX else []
    lines += ["also found by " + ", ".join(others[:LISTED_MAX])] if others else []
    return Group(table, *(Text(f"  {line}") for line in lines))


def _contact(contact: dict[str, Any]) -> RenderableType:
    rows = {
        "e-mail": [_email(one) for one in contact.get("emails", ())],
        "phone": contact.get("phones", ()),
        "address": [_address(one) for one in contact.get("addresses", ())],
        "birthday": [contact["birthday"]] if contact.get("birthday") else [],
    }
    found = [(name, "; ".join(map(str, values))) for name, values in rows.items() if values]
    issues = [f"{issue['code']} since {_time(issue['since'])}" for issue in contact.get("issues", ())]
    found += [("to mend", "; ".join(issues))] if issues else []
    asked = [spoken(one["ask_for"]).lower() for one in contact.get("ask_next", ())]
    found += [("ask for", ", ".join(asked))] if asked else []
    return _pairs([*found, ("completeness", f"{contact.get('completeness', 0)} %")])


def _email(one: dict[str, Any]) -> str:
    return str(one["value"]) + VERDICTS.get(one.get("because", ""), "")


def _address(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    names = ("street", "postalCode", "city", "state", "country")
    return " ".join(str(one[name]) for name in names if one.get(name))


def _interaction(interaction: dict[str, Any]) -> RenderableType:
    seen = f"{count(interaction['count'])} events from {_time(interaction['first_at'])}"
    pairs = [
        ("seen", f"{seen} to {_time(interaction['last_at'])}"),
        ("channels", _counted(interaction["by_channel"])),
        ("types", _counted(interaction["by_type"])),
    ]
    for one in interaction.get("open_conversations", ())[:LISTED_MAX]:
        last = one["last_said"] or {"by": "nobody", "text": None}
        pairs.append((spoken(one["state"]).lower(), f"{one['topic'] or '-'}; {last['by']}: {last['text'] or '-'}"))
    for one in interaction.get("promises", ())[:LISTED_MAX]:
        due = f", due {_time(one['due_at'])}{' (overdue)' if one['overdue'] else ''}" if one["due_at"] else ""
        pairs.append(("promised", f"{one['text'] or '-'} by {one['by']}{due}"))
    tired = [channel for channel, one in interaction.get("pressure", {}).items() if one["fatigued"]]
    pairs += [("tires by", ", ".join(tired))] if tired else []
    return Group(_pairs(pairs), timeline(interaction.get("last", ())))


VALUE_DRAWN = ("currency", "as_of", "actual", "other_currencies", "tier")


def _value(value: dict[str, Any]) -> RenderableType:
    actual, tier = value["actual"], value.get("tier") or {}
    areas = [f"{one['area']} {one['revenue']}" for one in actual["by_area"][:LISTED_MAX]]
    if len(actual["by_area"]) > LISTED_MAX:
        areas.append(_more(len(actual["by_area"]), "areas"))
    pairs = [
        ("worth", worth(value)),
        ("tier", f"{tier['grade']}, since {tier['since'] or '-'}; {tier['purpose']}" if tier else ""),
        ("margin", actual["margin"] + (" (estimated)" if actual["margin_estimated"] else "")),
        ("orders", f"{_time(actual['first_at'])} to {_time(actual['last_at'])}" if actual["first_at"] else ""),
        ("areas", ", ".join(areas)),
        *(("beside", worth({"currency": one["currency"], "actual": one})) for one in value["other_currencies"]),
    ]
    rest = {name: part for name, part in value.items() if name not in VALUE_DRAWN and part}
    return _pairs([*((name, text) for name, text in pairs if text), *((n, _flat(part)) for n, part in rest.items())])


def _needs(needs: Sequence[dict[str, Any]]) -> RenderableType:
    return _pairs([(f"{one['confidence']:.2f}", f"{one['label']} ({one['kind']})") for one in needs[:LISTED_MAX]])


def _preferences(preferences: dict[str, Any]) -> RenderableType:
    fields = ("channel", "frequency", "format", "language", "quiet_hours", "value", "hour")
    return _pairs(
        [
            (topic, ", ".join(f"{name} {_flat(one[name])}" for name in fields if one.get(name) is not None)
             + ("" if one["stated"] else " (as his responses show)"))
            for topic, one in preferences.items()
        ]
    )  # fmt: skip


def _consents(consents: dict[str, Any]) -> RenderableType:
    return _pairs(
        [
            (purpose, f"{one['state']}, {', '.join(one['channels'] or ['everywhere'])}, since {_time(one['since'])}")
            for purpose, one in consents.items()
        ]
    )


def _treatment(treatment: dict[str, Any]) -> RenderableType:
    rows = []
    for one in treatment["last"]:
        how = one["outcome"] or ("shown" if one["shown_at"] else "decided")
        rows.append((_time(one["decided_at"] or one["shown_at"]), f"{one['action_id']} on {one['channel']}: {how}"))
    return _pairs(rows or [("nothing yet", "")])


def _other(part: Any) -> RenderableType:
    """Any part, by its own names."""
    if isinstance(part, dict):
        return _pairs([(name, _flat(value)) for name, value in part.items() if value not in (None, [], {})])
    return Group(*(Text(f"  {_flat(one)}") for one in part[:LISTED_MAX]))


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_flat(one)}" for name, one in value.items() if one not in (None, [], {}))
    return "; ".join(map(_flat, value[:LISTED_MAX])) if isinstance(value, list) else str(value)


def timeline(items: Sequence[dict[str, Any]]) -> Table:
    """One line an event, newest first; what was taken back, and who became one, says so."""
    table = _table("time", "channel", "", "what", "source")
    for one in readable(list(items)):
        arrow = {"inbound": "in", "outbound": "out", INTERNAL: ""}.get(one["direction"], one["direction"])
        title = str(one["title"] if one.get("decision") else one.get("summary") or one["title"])
        title = title if len(title) <= TITLE_CHARS_MAX else title[: TITLE_CHARS_MAX - 1] + "…"
        what = f"{title} ({'; '.join(said)})" if (said := remarks(one)) else title
        table.add_row(_time(one["time"]), one["channel"], arrow, what, one["source"])
    return table


def candidates(result: dict[str, Any]) -> Table:
    """Who a shared identifier may mean."""
    table = _table("customer", "name", "last seen", "weight")
    for one in readable(result["candidates"]):
        table.add_row(one["customer_id"], one["name"] or "-", _time(one["last_seen"]), str(one["weight"]))
    return table


def _counted(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{name} {count(number)}" for name, number in ordered[:LISTED_MAX])
    return shown + (f" {_more(len(ordered), 'kinds')}" if len(ordered) > LISTED_MAX else "")


def _more(total: int, noun: str) -> str:
    return f"and {count(total - LISTED_MAX)} more {noun}"


def _pairs(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(f"  {name}", style="dim"), value)
    return table


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, padding=(0, 2), header_style="dim")


def _time(text: str | None) -> str:
    """`2017-03-04T05:06:07Z` as `2017-03-04 05:06`."""
    return text[:16].replace("T", " ") if text else "-"


_PARTS: dict[str, Callable[[Any], RenderableType]] = {
    "identity": _identity,
    "contact": _contact,
    "interaction": _interaction,
    "value": _value,
    "needs": _needs,
    "preferences": _preferences,
    "consents": _consents,
    "groups": _other,
    "segments": _other,
    "treatment": _treatment,
}
