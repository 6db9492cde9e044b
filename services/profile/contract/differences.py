"""What a change of an OpenAPI document takes away from whoever was written against the one before.

Owns the rules, each told as a sentence. Pure. Calls, parameters that may be left out, fields of answers and values a
request may have can be added; what was there stays as it was. An answer's list of values may grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
LESS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
NAME = "x-name"
"""A schema's name in its document, while it is compared."""
MORE = ("minimum", "exclusiveMinimum", "minLength", "minItems")


def taken_away(before: Schema, after: Schema) -> list[str]:
    """One sentence for each thing that somebody may have relied on."""
    return list(dict.fromkeys(_calls(before, after)))


def _calls(before: Schema, after: Schema) -> Iterator[str]:
    for path, calls in before["paths"].items():
        for method in (m for m in METHODS if m in calls):
            label, now = f"{method.upper()} {path}", after["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{label} is no longer there"
                continue
            yield from _parameters(label, calls[method], now, before, after)
            yield from _bodies(label, calls[method], now, before, after)
            yield from _answers(label, calls[method], now, before, after)


def _parameters(label: str, was: Schema, now: Schema, before: Schema, after: Schema) -> Iterator[str]:
    old, new = ({(p["in"], p["name"]): p for p in call.get("parameters", ())} for call in (was, now))
    for key, parameter in old.items():
        place = f"{label}: {key[1]}"
        if key not in new:
            yield f"{place} is no longer taken in the {key[0]}"
            continue
        if new[key].get("required") and not parameter.get("required"):
            yield f"{place} must now be sent"
        yield from Sent(before, after).compare(place, parameter["schema"], new[key]["schema"])
    for key in new.keys() - old.keys():
        if new[key].get("required"):
            yield f"{label}: {key[1]} must now be sent"


def _bodies(label: str, was: Schema, now: Schema, before: Schema, after: Schema) -> Iterator[str]:
    old, new = (call.get("requestBody", {}).get("content", {}) for call in (was, now))
    if new and not old and now["requestBody"].get("required"):
        yield f"{label}: a body must now be sent"
    for media in old:
        if media not in new:
            yield f"{label}: a body of {media} is no longer taken"
        else:
            yield from Sent(before, after).compare(f"{label}: body", old[media]["schema"], new[media]["schema"])


def _answers(label: str, was: Schema, now: Schema, before: Schema, after: Schema) -> Iterator[str]:
    for status, answer in was["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in now["responses"]:
            yield f"{label} no longer answers {status}"
            continue
        new = now["responses"][status].get("content", {})
        for media, told in answer.get("content", {}).items():
            if media not in new:
                yield f"{label} no longer answers {status} as {media}"
            else:
                place = f"{label}: {status}"
                yield from Told(before, after).compare(place, told["schema"], new[media]["schema"])


@dataclass
class _Compared:
    """Two documents' schemas at one place. `seen`: pairs under way, as schemas may contain themselves."""

    before: Schema
    after: Schema
    seen: set[tuple[str, str]] = field(default_factory=set)

    def compare(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """What is taken away at this place and below."""
        old, new = list(_choices(self.before, was)), list(_choices(self.after, now))
        yield from self.kinds(place, old, new)
        for one in old:
            other = _like(one, new)
            if other is not None and self._is_new(one, other):
                yield from self.limits(place, one, other)
                yield from self.fields(place, one, other)
                yield from self.below(place, one, other)

    def _is_new(self, one: Schema, other: Schema) -> bool:
        """Whether these two named schemas were not met here before."""
        pair = str(one.get(NAME, "")), str(other.get(NAME, ""))
        is_new = not all(pair) or pair not in self.seen
        self.seen.add(pair)
        return is_new

    def kinds(self, place: str, old: list[Schema], new: list[Schema]) -> Iterator[str]:
        """What it may be."""
        raise NotImplementedError

    def limits(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """How long, how large, which values."""
        raise NotImplementedError

    def fields(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """Which fields there are, and must be."""
        raise NotImplementedError

    def below(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """Fields of both, items, values of maps."""
        ours, theirs = was.get("properties", {}), now.get("properties", {})
        for name in ours.keys() & theirs.keys():
            yield from self.compare(f"{place}.{name}", ours[name], theirs[name])
        for part, sign in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(was.get(part), dict) and isinstance(now.get(part), dict):
                yield from self.compare(place + sign, was[part], now[part])


class Sent(_Compared):
    """What clients send: nothing that was taken may be refused."""

    def kinds(self, place: str, old: list[Schema], new: list[Schema]) -> Iterator[str]:
        """Every kind that was taken is taken."""
        for kind in sorted(_kinds(old) - _kinds(new)):
            if "anything" not in _kinds(new) and not (kind == "integer" and "number" in _kinds(new)):
                yield f"{place} may no longer be {kind}"

    def limits(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """No limit is narrower."""
        for name, is_narrower in [(n, _less) for n in LESS] + [(n, _more) for n in MORE]:
            if name in now and is_narrower(now[name], was.get(name)):
                yield f"{place}: {name} is now {now[name]}"
        if "pattern" in now and now["pattern"] != was.get("pattern"):
            yield f"{place} must now look like {now['pattern']}"
        for value in _values(was) if _values(now) else ():
            if value not in _values(now):
                yield f"{place} may no longer be {value!r}"
        if _values(now) and not _values(was):
            yield f"{place} must now be one of {', '.join(map(repr, _values(now)))}"

    def fields(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """Every field is still taken, and no more must be sent."""
        if now.get("additionalProperties") is False:
            for name in sorted(was.get("properties", {}).keys() - now.get("properties", {}).keys()):
                yield f"{place}.{name} is no longer taken"
            if "properties" in was and was.get("additionalProperties", True) is not False:
                yield f"{place} no longer takes fields that are not named"
        for name in sorted(set(now.get("required", ())) - set(was.get("required", ()))):
            yield f"{place}.{name} must now be sent"


class Told(_Compared):
    """What clients read: everything is still told, as it was."""

    def kinds(self, place: str, old: list[Schema], new: list[Schema]) -> Iterator[str]:
        """Nothing is of a kind it was not."""
        for kind in sorted(_kinds(new) - _kinds(old)):
            if "anything" not in _kinds(old) and not (kind == "integer" and "number" in _kinds(old)):
                yield f"{place} may now be {kind}"

    def limits(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """Readers rely on none."""
        yield from ()

    def fields(self, place: str, was: Schema, now: Schema) -> Iterator[str]:
        """Every field is told, and those always told are."""
        ours, theirs = was.get("properties", {}), now.get("properties", {})
        for name in sorted(ours.keys() - theirs.keys()):
            yield f"{place}.{name} is no longer told"
        for name in sorted((set(was.get("required", ())) - set(now.get("required", ()))) & theirs.keys()):
            yield f"{place}.{name} is no longer always told"


def _choices(document: Schema, schema: Schema) -> Iterator[Schema]:
    """What a place may hold, each without references and unions."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        for one in _choices(document, document["components"]["schemas"][name]):
            yield {NAME: name, **one}
    elif "anyOf" in schema or "oneOf" in schema:
        for one in schema.get("anyOf", schema.get("oneOf", ())):
            yield from _choices(document, one)
    elif "allOf" in schema and len(schema["allOf"]) == 1:
        yield from _choices(document, schema["allOf"][0])
    elif isinstance(schema.get("type"), list):
        for kind in schema["type"]:
            yield {**schema, "type": kind}
    else:
        yield schema


def _kind(schema: Schema) -> str:
    if "type" in schema:
        return str(schema["type"])
    values = _values(schema)
    return "string" if values and all(isinstance(value, str) for value in values) else "anything"


def _kinds(schemas: list[Schema]) -> set[str]:
    return {_kind(one) for one in schemas}


def _like(one: Schema, others: list[Schema]) -> Schema | None:
    """Of the others the one meant: of the same name, else the same kind."""
    same = [other for other in others if _kind(other) == _kind(one)]
    named = [other for other in same if other.get(NAME) == one.get(NAME)]
    return next(iter(named or same), None)


def _values(schema: Schema) -> list[Any]:
    return list(schema["enum"]) if "enum" in schema else [schema["const"]] if "const" in schema else []


def _less(now: float, was: float | None) -> bool:
    return was is None or now < was


def _more(now: float, was: float | None) -> bool:
    return (was is None and now > 0) or (was is not None and now > was)
