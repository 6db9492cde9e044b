"""The AsyncAPI document: every event that is taken and every event that is told, with where, and what it carries.

Owns putting together what the models say; the models are schemas/events/ and change_shapes.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas import export
from schemas.topics import CHANNEL_RAW
from services.profile.change_shapes import DATA, StreamEnded

Document = dict[str, Any]
SCHEMAS, MESSAGES = "#/components/schemas/", "#/components/messages/"
ENVELOPE, ENDED = "CloudEvent", "stream.ended"
ACTIONS = {"raw": "receive", "events": "receive", "changes": "send", "customer": "send", "webhooks": "send"}
"""What we do with the messages of a channel."""
POST_SUMMARY = "CloudEvents over HTTP: binary, structured or batch"
STREAM_SUMMARY = "Server-sent events: `event` is the type, `data` the event, `id` a cursor to go on from"


@cache
def asyncapi() -> Document:
    """The document, AsyncAPI 3.0: half a second of work, once."""
    sent = export.schemas()
    envelope = sent.pop(export.ENVELOPE)
    taken, told = _taken(sent), _told()
    schemas = {**taken["schemas"], **told["schemas"], ENVELOPE: _envelope(envelope)}
    channels = {
        "raw": _channel(CHANNEL_RAW.name, ["kafka"], CHANNEL_RAW.meaning, taken["messages"]),
        "events": _channel("/events", ["collector"], POST_SUMMARY, taken["messages"]),
        "changes": _channel("/v1/changes", ["profile"], STREAM_SUMMARY, told["messages"]),
        "customer": _channel("/v1/customers/{customer_id}/stream", ["profile"], STREAM_SUMMARY, told["messages"]),
        "webhooks": _channel(None, [], "POSTed to an endpoint as Standard Webhooks has it", told["messages"]),
    }
    channels["customer"]["parameters"] = {"customer_id": {"description": "A customer's id, of today or before"}}
    webhooks = channels["webhooks"]["messages"]
    channels["webhooks"]["messages"] = {name: ref for name, ref in webhooks.items() if name != ENDED}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "customer360 events", "version": "1"},
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {"host": "{bootstrap}", "protocol": "kafka", "variables": {"bootstrap": {}}},
            "collector": {"host": "{collector}", "protocol": "http", "variables": {"collector": {}}},
            "profile": {"host": "{profile}", "protocol": "http", "variables": {"profile": {}}},
        },
        "channels": channels,
        "operations": {
            name: {"action": action, "channel": {"$ref": f"#/channels/{name}"}} for name, action in ACTIONS.items()
        },
        "components": {"messages": {**taken["all"], **told["all"]}, "schemas": schemas},
    }


def _channel(address: str | None, servers: list[str], summary: str, messages: list[str]) -> Document:
    return {
        "address": address,
        "summary": summary,
        "servers": [{"$ref": f"#/servers/{one}"} for one in servers],
        "messages": {name: {"$ref": MESSAGES + name} for name in messages},
    }


def _taken(sent: Mapping[str, Document]) -> Document:
    """Messages and schemas of the types that upstreams send."""
    schemas: Document = {}
    messages: Document = {}
    for name, schema in sent.items():
        own = {key: part for key, part in schema.items() if key not in ("$defs", "$schema")}
        for inner, definition in schema.get("$defs", {}).items():
            schemas.setdefault(inner, _placed(definition, {}))
            if schemas[inner] != _placed(definition, {}):
                raise ValueError(f"two schemas are called {inner}")
        schemas[name] = _placed(own, {})
        messages[name] = _message(name, name, schema.get("description", ""))
    return {"schemas": schemas, "all": messages, "messages": list(messages)}


def _told() -> Document:
    """Messages and schemas of what streams and webhooks tell."""
    models: list[type[BaseModel]] = [StreamEnded, *dict.fromkeys(DATA.values())]
    _, whole = models_json_schema([(model, "serialization") for model in models])
    names = {model.__name__: f"told.{model.__name__}" for model in models}
    schemas = {names.get(n, n): _placed(s, names) for n, s in whole.get("$defs", {}).items()}
    messages = {
        kind: _message(kind, f"told.{model.__name__}", (model.__doc__ or "").strip()) for kind, model in DATA.items()
    }
    summary, payload = (StreamEnded.__doc__ or "").strip(), {"$ref": SCHEMAS + names[StreamEnded.__name__]}
    ended = {"name": ENDED, "summary": summary, "payload": payload}
    return {"schemas": schemas, "all": {**messages, ENDED: ended}, "messages": [*messages, ENDED]}


def _message(kind: str, data: str, summary: str) -> Document:
    own = {"properties": {"type": {"const": kind}, "data": {"$ref": SCHEMAS + data}}}
    return {
        "name": kind,
        "summary": summary,
        "contentType": "application/cloudevents+json",
        "payload": {"allOf": [{"$ref": SCHEMAS + ENVELOPE}, own]},
    }


def _envelope(whole: Document) -> Document:
    """Of every event, less the dialect and the data, which each type has for itself."""
    properties = {name: part for name, part in whole["properties"].items() if name != "data"}
    return {key: part for key, part in whole.items() if key != "$schema"} | {"properties": properties}


def _placed(part: Any, names: Mapping[str, str]) -> Any:
    """A schema with what it refers to among the document's schemas, under these names or its own."""
    if isinstance(part, list):
        return [_placed(one, names) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: _placed(one, names) for key, one in part.items()}
    if isinstance(reference := part.get("$ref"), str):
        name = reference.rpartition("/")[2]
        found["$ref"] = SCHEMAS + names.get(name, name)
    return found
