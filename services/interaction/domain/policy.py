"""The interaction policy: limits of contact, the taxonomy of needs, surveys, and the words of tone and topic.

Owns reading a policy from its YAML form (already parsed); pure. Numbers are whole, never floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.envelope import CHANNELS
from services.interaction.domain.opinions import NEGATIVE, POSITIVE, Tone
from services.interaction.domain.scores import SCALES
from services.interaction.domain.taxonomy import WAYS, Need, Taxonomy, taxonomy_of
from services.interaction.domain.terms import Phrases, fold, name_of, phrases_of

DEFAULT = "default"
TOUCHES_MAX = 49
"""Of a limit: more touches than it are told of no channel (pressure.TIMES_MAX)."""
DAYS_MAX = 3_650
COUNT_MAX = 1_000_000
ITEMS_MAX = 2_000
"""Of a list or a table."""
TEXT_CHARS_MAX = 500
TONE_THOUSANDTHS = 500
"""What a word weighs where tones are counted in thousandths."""


@dataclass(frozen=True, slots=True)
class Limit:
    """More touches than these within so many days, without a response, tire."""

    touches: int
    days: int


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as it is in force. `questions`: (id, text) each; a score below `follow_up_below` is followed up."""

    survey_id: str
    name: str
    version: int
    scale: str
    questions: tuple[tuple[str, str], ...]
    follow_up_below: int | None


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy. `fatigue` is by channel or `default`; `surveys` by the folded name of their id.

    `tone_words`: single words of tone → ±TONE_THOUSANDTHS, as tones of conversations are counted.
    """

    version: int
    fatigue: Mapping[str, Limit]
    inferred_responses_min: int
    taxonomy: Taxonomy
    tone: Tone
    tone_words: Mapping[str, int]
    topics: Phrases
    surveys: Mapping[str, Survey]

    def fatigue_limit(self, channel: str) -> Limit:
        """The channel's own limit, else the one of all others."""
        return self.fatigue.get(channel, self.fatigue[DEFAULT])


def _tone_words(tone: Tone) -> dict[str, int]:
    weights = {POSITIVE: TONE_THOUSANDTHS, NEGATIVE: -TONE_THOUSANDTHS}
    every = (phrase for those in tone.words.by_first.values() for phrase in those)
    return {words[0]: weights[labels[0]] for words, labels in every if len(words) == 1}


def read_policy(document: Mapping[str, Any]) -> Policy:
    """A policy from its document. Raises ValueError naming the path of the first part that is missing or wrong."""
    root = _table(document, "")
    tone = _tone(root)
    return Policy(
        version=_whole(root, "version", "", 1, COUNT_MAX),
        fatigue=_fatigue(root),
        inferred_responses_min=_whole(_part(root, "inferred", ""), "responses_min", "inferred", 1, COUNT_MAX),
        taxonomy=_taxonomy(root),
        tone=tone,
        tone_words=_tone_words(tone),
        topics=_topics(root),
        surveys=_surveys(root),
    )


def _fatigue(root: Mapping[str, Any]) -> dict[str, Limit]:
    found = _part(root, "fatigue", "")
    if DEFAULT not in found:
        raise ValueError("the policy lacks fatigue.default: the limit of channels that are not listed")
    for channel in found:
        if channel not in (DEFAULT, *CHANNELS):
            raise _wrong(f"fatigue.{channel}", f"it is no channel: {', '.join(CHANNELS)}")
    return {channel: _limit(_part(found, channel, "fatigue"), f"fatigue.{channel}") for channel in found}


def _limit(found: Mapping[str, Any], path: str) -> Limit:
    return Limit(_whole(found, "touches", path, 1, TOUCHES_MAX), _whole(found, "days", path, 1, DAYS_MAX))


def _taxonomy(root: Mapping[str, Any]) -> Taxonomy:
    found, path = _part(root, "needs", ""), "needs"
    points = _part(found, "points", path)
    taxonomy = _part(found, "taxonomy", path)
    needs = [_need(code, _part(taxonomy, code, f"{path}.taxonomy"), f"{path}.taxonomy.{code}") for code in taxonomy]
    return taxonomy_of(
        needs,
        {way: _whole(points, way, f"{path}.points", 0, COUNT_MAX) for way in WAYS},
        _whole(found, "half_points", path, 1, COUNT_MAX),
        _whole(found, "stated_half_life_days", path, 1, DAYS_MAX),
        _whole(found, "observed_half_life_days", path, 1, DAYS_MAX),
    )


def _need(code: str, found: Mapping[str, Any], path: str) -> Need:
    """`recurring`: true, false, or on how many days it must have been bought or used."""
    recurring = found.get("recurring", False)
    from_days = None if type(recurring) is bool else _whole(found, "recurring", path, 2, DAYS_MAX)
    words, categories, services = (_words(found, name, path, ()) for name in ("words", "categories", "services"))
    label = _text(found, "label", path)
    if not fold(code):
        raise _wrong(path, "a code has letters or digits")
    return Need(code, label, recurring is True, from_days, words, categories, services)


def _tone(root: Mapping[str, Any]) -> Tone:
    found = _part(root, "tone", "")
    positive, negative, negations = (_words(found, name, "tone") for name in (POSITIVE, NEGATIVE, "negations"))
    both = {fold(word) for word in positive} & {fold(word) for word in negative}
    if both:
        raise _wrong("tone", f"{min(both)!r} is listed as positive and as negative")
    listed = [*((POSITIVE, word) for word in positive), *((NEGATIVE, word) for word in negative)]
    return Tone(phrases_of(listed), frozenset(fold(word) for word in negations))


def _topics(root: Mapping[str, Any]) -> Phrases:
    found = _part(root, "topics", "")
    return phrases_of((topic, word) for topic in found for word in _words(found, topic, "topics"))


def _surveys(root: Mapping[str, Any]) -> dict[str, Survey]:
    found = _part(root, "surveys", "")
    surveys = {name_of(name) or "": _survey(name, _part(found, name, "surveys"), f"surveys.{name}") for name in found}
    if len(surveys) < len(found):
        raise _wrong("surveys", "two ids differ by case or spaces only")
    return surveys


def _survey(survey_id: str, found: Mapping[str, Any], path: str) -> Survey:
    scale = _text(found, "scale", path)
    if scale not in SCALES:
        raise _wrong(f"{path}.scale", f"{scale!r} is none of {', '.join(SCALES)}")
    questions = _get(found, "questions", path)
    if not isinstance(questions, list) or not questions:
        raise _wrong(f"{path}.questions", "it is a list of questions")
    listed = [(_table(one, f"{path}.questions[{n}]"), f"{path}.questions[{n}]") for n, one in enumerate(questions)]
    below = None
    if "follow_up" in found:
        known = SCALES[scale]
        follow_up = _part(found, "follow_up", path)
        below = _whole(follow_up, "below", f"{path}.follow_up", known.lowest, known.highest + 1)
    return Survey(
        survey_id,
        _text(found, "name", path),
        _whole(found, "version", path, 1, COUNT_MAX),
        scale,
        tuple((_text(one, "question_id", where), _text(one, "text", where)) for one, where in listed),
        below,
    )


def _path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _wrong(path: str, why: str) -> ValueError:
    return ValueError(f"the policy's {path} cannot be read: {why}")


def _get(found: Mapping[str, Any], name: str, path: str) -> Any:
    if name not in found:
        raise ValueError(f"the policy lacks {_path(path, name)}")
    return found[name]


def _part(found: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    return _table(_get(found, name, path), _path(path, name))


def _table(found: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping) or len(found) > ITEMS_MAX:
        raise _wrong(path or "document", f"it is a table of {ITEMS_MAX} names at most")
    for name in found:
        if type(name) is not str or name_of(name) is None:
            raise _wrong(path or "document", f"{name!r} is no name: names are texts")
    return found


def _whole(found: Mapping[str, Any], name: str, path: str, lowest: int, highest: int) -> int:
    value = _get(found, name, path)
    if type(value) is not int or not lowest <= value <= highest:
        raise _wrong(_path(path, name), f"{value!r} is no whole number from {lowest} to {highest}")
    return value


def _text(found: Mapping[str, Any], name: str, path: str) -> str:
    value = _get(found, name, path)
    if type(value) is not str or not value.strip() or len(value) > TEXT_CHARS_MAX:
        raise _wrong(_path(path, name), f"it is a text of {TEXT_CHARS_MAX} characters at most")
    return value.strip()


def _words(found: Mapping[str, Any], name: str, path: str, usual: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """A list of words or phrases. YAML reads an unquoted no, yes, on or off as a flag: they are named."""
    value = found.get(name, usual) if usual is not None else _get(found, name, path)
    if not isinstance(value, list | tuple) or len(value) > ITEMS_MAX:
        raise _wrong(_path(path, name), f"it is a list of {ITEMS_MAX} words at most")
    for word in value:
        if type(word) is not str or not fold(word) or len(word) > TEXT_CHARS_MAX:
            raise _wrong(_path(path, name), f"{word!r} is no word: write words in quotes")
    return tuple(value)
