"""What a change of the AsyncAPI document takes away from whoever sends or reads events, told in sentences.

Owns comparing channels and messages; what a schema may become is differences.py. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.profile.asyncapi import ENVELOPE, SCHEMAS
from services.profile.contract.differences import Sent, Told


def taken_away(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that whoever sends or reads events may have relied on."""
    return list(dict.fromkeys(_lost(before, after)))


def _lost(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    envelope = {"$ref": SCHEMAS + ENVELOPE}
    yield from Sent(before, after).compare("every event", envelope, envelope)
    for name, channel in before["channels"].items():
        now = after["channels"].get(name)
        if now is None or now["address"] != channel["address"]:
            yield f"{channel['address'] or name} is no longer there"
            continue
        is_taken = before["operations"][name]["action"] == "receive"
        for kind in channel["messages"]:
            label = f"{channel['address'] or name}: {kind}"
            if kind not in now["messages"]:
                yield f"{label} is no longer {'taken' if is_taken else 'told'}"
                continue
            compared = (Sent if is_taken else Told)(before, after)
            yield from compared.compare(label, _data(before, kind), _data(after, kind))


def _data(document: Mapping[str, Any], kind: str) -> Any:
    """The schema of what a message carries."""
    payload = document["components"]["messages"][kind]["payload"]
    return payload["allOf"][1]["properties"]["data"] if "allOf" in payload else payload
