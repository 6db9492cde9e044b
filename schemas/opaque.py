"""JSON values as short texts that need no care in a header or a URL: cursors and tokens, which nobody else reads.

Owns their form. What stands in one is its writer's.
"""

from __future__ import annotations

import base64
from typing import Any

import orjson


def write_opaque(value: Any) -> str:
    """The text of a value: the same for the same value."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def read_opaque(text: str) -> Any:
    """The value in a text. Raises ValueError."""
    return orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
