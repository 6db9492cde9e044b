"""Why an event, or a whole body, could not be taken: stable codes, each explained in one line.

Owns the list; the parked list and error answers show it. A code never changes its meaning.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The codes. Details beside a code say where, never what a person wrote."""

    NO_VALUE = "no_value"
    NOT_JSON = "not_json"
    DUPLICATE_KEY = "duplicate_key"
    NOT_AN_EVENT = "not_an_event"
    NO_BATCH = "no_batch"
    NOT_AN_OBJECT = "not_an_object"
    DATA_NOT_AN_OBJECT = "data_not_an_object"
    BAD_SPECVERSION = "bad_specversion"
    BAD_ATTRIBUTE = "bad_attribute"
    BAD_TYPE = "bad_type"
    BAD_SOURCE = "bad_source"
    BAD_CALL = "bad_call"
    NOT_PERMITTED = "not_permitted"
    PLAN_VIOLATED = "plan_violated"
    UNKNOWN_APP = "unknown_app"
    NO_ID = "no_id"
    ID_TOO_LONG = "id_too_long"
    NO_IDENTIFIER = "no_identifier"
    TOO_MANY_IDENTIFIERS = "too_many_identifiers"
    EVENT_TOO_LARGE = "event_too_large"
    TOO_DEEP = "too_deep"
    KEY_TOO_LONG = "key_too_long"
    NUL_IN_TEXT = "nul_in_text"
    LONE_SURROGATE = "lone_surrogate"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    NOT_A_JSON_VALUE = "not_a_json_value"


EXPLANATIONS: dict[str, str] = {
    Reason.NO_VALUE: "The record or body is empty.",
    Reason.NOT_JSON: "It is not JSON in UTF-8, or it holds NaN, infinity or an endless number.",
    Reason.DUPLICATE_KEY: "An object names a key twice; which of the two was meant cannot be known.",
    Reason.NOT_AN_EVENT: "It is JSON, but no event in any of the languages spoken here.",
    Reason.NO_BATCH: "The body holds no list of events where its client's batches have one.",
    Reason.NOT_AN_OBJECT: "The event is not a JSON object.",
    Reason.DATA_NOT_AN_OBJECT: "The event's data is not a JSON object.",
    Reason.BAD_SPECVERSION: "The CloudEvents version is not 1.0.",
    Reason.BAD_ATTRIBUTE: "A CloudEvents attribute has a bad name, is too long, or no text, integer or flag.",
    Reason.BAD_TYPE: "The type or event name is missing, longer than 256 characters, or not printable.",
    Reason.BAD_SOURCE: "The source is longer than 256 characters or not printable.",
    Reason.BAD_CALL: "The Segment call is none of track, identify, page, screen, group, alias.",
    Reason.NOT_PERMITTED: "The source has no leave to say this: operators' words, or taking back what others sent.",
    Reason.PLAN_VIOLATED: "The event breaks the source's tracking plan, which says that such events are parked.",
    Reason.UNKNOWN_APP: "The event came with others of a known app, but its own app id is no source's.",
    Reason.NO_ID: "The event has no id, so that a repetition could not be told from a second event.",
    Reason.ID_TOO_LONG: "The id is longer than 256 characters.",
    Reason.NO_IDENTIFIER: "Nothing in the event says whose it is: no identifier, or only placeholders.",
    Reason.TOO_MANY_IDENTIFIERS: "The event has more than 50 identifier values.",
    Reason.EVENT_TOO_LARGE: "The event is larger than 32 KB.",
    Reason.TOO_DEEP: "The event is nested deeper than 32 levels.",
    Reason.KEY_TOO_LONG: "A key in the event is longer than 256 characters.",
    Reason.NUL_IN_TEXT: "A text in the event holds the NUL character.",
    Reason.LONE_SURROGATE: "A text in the event holds half of a surrogate pair, so it is no Unicode text.",
    Reason.NUMBER_OUT_OF_RANGE: "A number in the event is too large for a double.",
    Reason.NOT_A_JSON_VALUE: "The event holds something that JSON cannot say.",
}
