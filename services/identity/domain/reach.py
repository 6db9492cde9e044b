"""Reach: whether an address takes what we send, by all that events said of it.

Owns what a word on an address is, and how the words on one address make one reach. Pure, and the same for the same
words in any order. Facts only: what is stale is judged against a day, when the profile answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from schemas.envelope import moment_at, rfc3339
from services.identity.domain.evidence import NEVER_US, Record

SOFT_IN_A_ROW = 3
"""So many soft bounces without a proof between them count as a hard one."""
LISTED_MAX = 100
"""Addresses of a kind whose facts are told: as many as a section lists."""
MOMENTS_REMEMBERED_MAX = 50_000
TYPES_REMEMBERED_MAX = 10_000
DAY_US = 86_400_000_000
Address = tuple[str, "Medium"]
"""(record id, medium)."""


class Medium(StrEnum):
    """What is reached at the address; its name is the type of identifiers that are such addresses."""

    EMAIL = "email"
    PHONE = "phone"
    POST = "post"


class Kind(StrEnum):
    """What a word says of an address. INVALID: checked, and wrong. RETURNED: a letter came back."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    ANSWERED = "answered"
    COMPLAINED = "complained"
    VERIFIED = "verified"
    SOFT_BOUNCED = "soft_bounced"
    BOUNCED = "bounced"
    INVALID = "invalid"
    RETURNED = "returned"


_OWN_MEDIA = {"email": Medium.EMAIL, "phone": Medium.PHONE}
PROOFS = frozenset(
    {
        Kind.DELIVERED, Kind.OPENED, Kind.CLICKED, Kind.REPLIED, Kind.ANSWERED, Kind.COMPLAINED, Kind.VERIFIED,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """What one event says of one address.

    `under` is the record the event belongs to: the word lives as long as what the event said there (its mention).
    `record_id` is the address's own record; of a postal address, which has none, again the event's.
    """

    event_id: str
    under: str
    record_id: str
    medium: Medium
    kind: Kind
    time_us: int

    @property
    def place(self) -> tuple[str, str]:
        """Of the mention it lives by: (record id, event id)."""
        return self.under, self.event_id

    @property
    def address(self) -> Address:
        """What it is about."""
        return self.record_id, self.medium

    @property
    def proves(self) -> bool:
        """Whether the address took something."""
        return self.kind in PROOFS

    @property
    def rank(self) -> tuple[int, bool, str, str, str]:
        """The greater was said later; at one time a failure counts as the later one, for it is told last."""
        return self.time_us, not self.proves, self.event_id, self.under, self.kind


@dataclass(frozen=True, slots=True)
class Reach:
    """An address by all living words on it. It failed if a bounce came after the last proof; `failed_us`: since when.

    `soft`: soft bounces since the last proof.
    """

    proved_us: int | None = None
    failed_us: int | None = None
    failed_by: Kind | None = None
    soft: int = 0
    complained_us: int | None = None


def fold(words: Iterable[Word]) -> Reach:
    """The reach of the address that all these words are about; one heard twice was said once.

    Words before the last proof add nothing, but for the last complaint: those need not be read.
    """
    line = sorted(set(words), key=lambda w: w.rank)
    proofs = [i for i, w in enumerate(line) if w.proves]
    proof = line[proofs[-1]] if proofs else None
    after = line[proofs[-1] + 1 :] if proofs else line
    soft = [w for w in after if w.kind is Kind.SOFT_BOUNCED]
    failures = [w for w in after if w.kind is not Kind.SOFT_BOUNCED] + soft[SOFT_IN_A_ROW - 1 : SOFT_IN_A_ROW]
    failure = min(failures, key=lambda w: w.rank, default=None)
    return Reach(
        proof.time_us if proof else None,
        failure.time_us if failure else None,
        failure.kind if failure else None,
        len(soft),
        max((w.time_us for w in line if w.kind is Kind.COMPLAINED), default=None),
    )


def adds_nothing(word: Word, proved_us: int) -> bool:
    """Whether an address that was last proved then, and has not failed in any way since, is told the same with it."""
    return word.proves and word.kind is not Kind.COMPLAINED and day_of(word.time_us) <= day_of(proved_us)


def day_of(time_us: int) -> int:
    """When its UTC day began."""
    return time_us - time_us % DAY_US


def own_medium(record: Record) -> Medium | None:
    """As what the record is itself an address."""
    return _medium_of(record.type)


@lru_cache(TYPES_REMEMBERED_MAX)
def _medium_of(identifier_type: str) -> Medium | None:
    return _OWN_MEDIA.get(identifier_type.partition(".")[0])


def facts(records: Iterable[Record], words: Iterable[Word]) -> dict[str, Any]:
    """What identity's section holds of a customer's addresses: of each e-mail and phone in the order of `records`.

    No address stands in it, so that it needs no masking: it is read beside the lists of addresses, by place.
    """
    about: dict[Address, list[Word]] = {}
    letters: list[Word] = []
    listed = list(records)
    mine = {r.record_id for r in listed}
    for word in words:
        if word.medium is Medium.POST and word.record_id in mine:
            letters.append(word)
        else:
            about.setdefault(word.address, []).append(word)
    return {
        f"{medium}s": [
            _known(r) | _told(about.get((r.record_id, medium), ())) for r in listed if own_medium(r) is medium
        ][:LISTED_MAX]
        for medium in (Medium.EMAIL, Medium.PHONE)
    } | {"address": _told(letters)}


def _known(record: Record) -> dict[str, Any]:
    since = moment(record.first_us)
    return {"known_at": since} if since else {}


def _told(words: Sequence[Word]) -> dict[str, Any]:
    """What there is of an address. Of a proof its day only: who opens ten letters a day is not told ten times."""
    if not words:
        return {}
    reach = fold(words)
    found = {
        "proved_at": moment(None if reach.proved_us is None else day_of(reach.proved_us)),
        "failed_at": moment(reach.failed_us),
        "failed_by": reach.failed_by,
        "soft_bounces": reach.soft,
        "complained_at": moment(reach.complained_us),
    }
    return {name: value for name, value in found.items() if value}


@lru_cache(MOMENTS_REMEMBERED_MAX)
def moment(time_us: int | None) -> str | None:
    """As sections write it; remembered, as a section is written again with every change of its customer."""
    return None if time_us is None or time_us >= NEVER_US else rfc3339(moment_at(time_us))
