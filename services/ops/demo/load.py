"""The demo's events as requests: each source's events in time order, under that source's own write key.

Owns the demo's sources and its batches; sending is commands/sending.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from services.ops.commands.here import Here
from services.ops.commands.keys import kept_source
from services.ops.commands.sending import BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Post, post_of
from services.ops.demo.diary import CURRENCY, Sent
from services.ops.demo.story import SOURCES, encode

PROBE_SOURCE = "probe"
CHANNELS = {"crm": "import", PROBE_SOURCE: "web"}
"""Of sources that are not named after their channel."""
COUNTRY, TIMEZONE = "US", "UTC"


def write_keys(copy: Here) -> dict[str, str]:
    """The write key of each of the demo's sources, kept in the home so that a second run has the same."""
    common = {"currency": CURRENCY, "country": COUNTRY, "timezone": TIMEZONE}
    return {
        name: kept_source(copy, name, {"channel": CHANNELS.get(name, name), **common})
        for name in (*SOURCES, PROBE_SOURCE)
    }


def posts(sent: Iterable[Sent], keys: Mapping[str, str]) -> Iterator[Post]:
    """Requests within the usual bounds, each of one source."""
    held: dict[str, list[bytes]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)

    def flush(source: str) -> Post:
        sizes[source] = 0
        return post_of("cloudevent", held.pop(source), keys[source])

    for one in sent:
        source, body = one.event["source"], encode(one.event)
        full = len(held[source]) == BATCH_EVENTS_MAX or sizes[source] + len(body) > BATCH_BYTES_MAX
        if held[source] and full:
            yield flush(source)
        held[source].append(body)
        sizes[source] += len(body)
    for source in sorted(held):
        if held[source]:
            yield flush(source)


def revenue(sent: Iterable[Sent]) -> Decimal:
    """What all orders sent add up to."""
    orders = (one.event["data"]["properties"] for one in sent if one.event["type"] == "order.completed")
    return sum((order["total"] for order in orders), Decimal(0))
