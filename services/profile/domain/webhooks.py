"""Webhooks' rules: what may be asked for, how a delivery is signed, when it is tried again and when given up.

Owns the types an endpoint may choose, Standard Webhooks' signature (https://www.standardwebhooks.com, "Signature
scheme": HMAC-SHA256 over `id.timestamp.body`), and the times of trying again. Pure: moments and chance are given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.profile.domain import changing

TYPES: tuple[str, ...] = (
    changing.CREATED, changing.UPDATED, changing.MERGED, changing.SPLIT, changing.ID_CHANGED, changing.REMOVED,
    changing.ERASED, changing.ENTERED, changing.LEFT, changing.TIER_CHANGED, changing.PROMISE_DUE, changing.DETRACTOR,
    changing.DEFECTED,
)  # fmt: skip
"""What streams tell."""
URL_CHARS_MAX = 2_000
SECRET_PREFIX = "whsec_"

FIRST_PAUSE_S = 1.0
PAUSE_FACTOR = 3.0
DELIVERY_PAUSE_S_MAX = 6 * 3_600.0
"""Between two attempts of one delivery: 1 s, 3 s, 9 s, … up to this."""
ENDPOINT_PAUSE_S_MAX = 600.0
"""Between two attempts at an endpoint that takes nothing: 1 s, 3 s, 9 s, … up to this, one delivery at a time."""
JITTER = 0.2
"""Pauses differ by up to this part, so that many who failed together do not come together."""
FAILING_DAYS_MAX = 5
"""An endpoint that took nothing for so long, though it was tried, is disabled."""
HTTP_GONE = 410
GONE, FAILING = "gone", "failing"
"""Why an endpoint was disabled, beside what people say."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt. `status`: the HTTP status, None where there was no answer; then `reason` says why.

    `of_endpoint`: the endpoint as a whole does not work; else it refused this delivery.
    """

    status: int | None
    reason: str | None = None

    @property
    def is_taken(self) -> bool:
        """Any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def of_endpoint(self) -> bool:
        """No answer, too many requests, a server's own error, or a redirect, which is never followed."""
        return self.status is None or self.status in (408, 429) or self.status >= 500 or 300 <= self.status < 400

    @property
    def why(self) -> str:
        """The reason as it is kept and shown; nothing of the answer's text."""
        if self.reason is not None:
            return self.reason
        return "redirect" if self.status is not None and 300 <= self.status < 400 else f"status-{self.status}"


def signing_key(deployment_key: bytes, webhook_id: str, number: int) -> bytes:
    """The `number`-th secret of an endpoint, 32 bytes: made of the deployment's key, so that none is stored."""
    return hmac.digest(deployment_key, f"c360 webhook\0{webhook_id}\0{number}".encode(), "sha256")


def shown(key: bytes) -> str:
    """A secret as it is given to people: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signatures(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """The header webhook-signature: a `v1` signature with each of the keys that are valid, the newest first."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)


def message_id(event_id: str) -> str:
    """The header webhook-id: one per event, the same for every endpoint, attempt and replay; without a full stop."""
    return "msg_" + hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()


def pause_s(failures: int, longest_s: float, chance: float) -> float:
    """How long to wait after so many failures in a row (from 1). `chance`: from 0 to below 1, of a die."""
    grown = min(longest_s, FIRST_PAUSE_S * PAUSE_FACTOR ** min(failures - 1, 30))
    return grown * (1 + JITTER * (2 * chance - 1))


def is_given_up(
    answer: Answer, first_at_s: float, next_at_s: float, retry_for_s: float, taken_at_s: float | None
) -> bool:
    """Whether a delivery that was not taken becomes a dead letter.

    When its next attempt would be later than `retry_for_s` after its first; while the endpoint as a whole does not
    work, only if it took something since (`taken_at_s`): an outage costs no delivery.
    """
    if next_at_s - first_at_s <= retry_for_s:
        return False
    return not answer.of_endpoint or (taken_at_s is not None and taken_at_s >= first_at_s)


def faults(url: str, types: Collection[str], *, may_be_plain: bool) -> list[str]:
    """What is wrong with an endpoint as it is asked for, each with its path. `may_be_plain`: http is allowed too."""
    found = []
    schemes = ("https", "http") if may_be_plain else ("https",)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ["url: not a URL"]
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url:
        found.append(f"url: at most {URL_CHARS_MAX} printable ASCII characters, without blanks")
    if parts.scheme not in schemes or not host:
        found.append(f"url: {' or '.join(schemes)}, with a host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        found.append("url: without user, password and fragment")
    unknown = sorted(set(types) - set(TYPES))
    if unknown:
        found.append(f"types: some of {', '.join(TYPES)}")
    return found
