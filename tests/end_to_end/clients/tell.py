"""One chapter of a customer's story, told with somebody's own Python client: `tell.py CLIENT ADDRESS WRITE_KEY NAME`.

Owns nothing of ours: it is a program as an upstream team would write it, and runs where only the clients are
installed. It ends once its client says that all is delivered; whatever the client gives up fails it.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

DELIVERED_MAX_S = 60.0
RETRIES = 8


def gave_up(error: object, _items: object = None) -> None:
    """What a client calls when it drops events."""
    sys.exit(f"the client gave up: {error}")


def segment(address: str, key: str, name: str) -> None:
    """A visitor looks round and logs in."""
    from segment.analytics import Client  # type: ignore[import-not-found]

    client = Client(key, host=address, on_error=gave_up, upload_size=1, upload_interval=0.1, max_retries=RETRIES)
    visitor, user = f"{name}-visitor", f"{name}-user"
    client.page(anonymous_id=visitor, name="Home", properties={"path": "/"})
    client.track(anonymous_id=visitor, event="Product Viewed", properties={"product_id": "P-1"})
    client.identify(user_id=user, anonymous_id=visitor, traits={"firstName": "Ann", "email": f"{name}@example.com"})
    client.track(user_id=user, event="Product Added", properties={"product_id": "P-1", "quantity": 1})
    client.screen(user_id=user, name="Basket")
    client.track(user_id=user, event="Signed Contract", properties={"pages": 3})
    client.group(user_id=user, group_id=f"{name}-account", traits={"name": "Acme"})
    client.alias(previous_id=f"{name}-older", user_id=user)
    client.flush()
    client.join()


def rudderstack(address: str, key: str, name: str) -> None:
    """The shop's server tells an order."""
    from rudderstack.analytics.client import Client  # type: ignore[import-not-found]

    client = Client(key, host=address, on_error=gave_up, upload_size=1, upload_interval=0.1, max_retries=RETRIES)
    user = f"{name}-user"
    order = {"order_id": f"{name}-order", "total": 25, "currency": "EUR", "products": [{"sku": "S", "price": 25}]}
    client.track(user_id=user, event="Checkout Started", properties=order)
    client.track(user_id=user, event="Order Completed", properties=order)
    client.track(user_id=user, event="Email Opened", properties={"email_id": f"{name}-mail"})
    client.identify(user_id=user, traits={"plan": "gold"})
    client.page(user_id=user, name="Thanks")
    client.track(user_id=user, event="Order Refunded", properties={**order, "total": 5, "products": []})
    client.flush()
    client.join()


def posthog(address: str, key: str, name: str, mode: str = "v0") -> None:
    """The product's own measuring."""
    from posthog import Posthog  # type: ignore[import-not-found]

    client = Posthog(
        key, host=address, on_error=gave_up, flush_at=1, flush_interval=0.1, max_retries=RETRIES, capture_mode=mode
    )
    user = f"{name}-user"
    assert client.get_all_flags(user) == {}
    client.capture("Feature Used", distinct_id=user, properties={"$set": {"seats": 3}})
    client.capture("Products Searched", distinct_id=user, properties={"query": "shoes"})
    client.capture("$pageview", distinct_id=user, properties={"$current_url": "https://shop.example/"})
    client.set(distinct_id=user, properties={"role": "buyer"})
    client.alias(previous_id=f"{name}-{mode}", distinct_id=user)
    client.group_identify("company", f"{name}-account", {"name": "Acme"}, distinct_id=user)
    client.flush()
    client.shutdown()


def posthog_v1(address: str, key: str, name: str) -> None:
    """The same by the newer address, which answers event by event."""
    posthog(address, key, name, "v1")


def snowplow(address: str, key: str, name: str, method: str = "post", base64: bool = True) -> None:
    """The web site's tracker."""
    from snowplow_tracker import (  # type: ignore[import-not-found]
        Emitter,
        PagePing,
        PageView,
        SelfDescribing,
        SelfDescribingJson,
        StructuredEvent,
        Subject,
        Tracker,
    )

    where = urlsplit(address)
    emitter = Emitter(where.hostname, protocol="http", port=where.port, method=method, batch_size=1)
    subject = Subject().set_user_id(f"{name}-user").set_domain_user_id(f"{name}-visitor").set_platform("web")
    tracker = Tracker("shop", emitter, subject=subject, app_id=key, encode_base64=base64)
    person = [SelfDescribingJson("iglu:com.acme/user/jsonschema/1-0-0", {"email": f"{name}@example.com"})]
    needed = SelfDescribingJson("iglu:com.acme/need_stated/jsonschema/1-0-0", {"need": "wide shoes"})
    url = "https://shop.example/shoes"
    for event in (
        PageView(url, "Shoes", context=person),
        PagePing(url, "Shoes", max_y=5),
        StructuredEvent("shop", "liked", label="shoes", value=2.5),
        SelfDescribing(needed, context=person),
        PageView(url, "Shoes again"),
    ):
        tracker.track(event)
        tracker.flush()
        delivered(lambda: is_idle(emitter))


def is_idle(emitter: Any) -> bool:
    """Nothing waits and nothing is under way: a try holds the lock, and what it sends is not in the store then."""
    with emitter.lock:
        return emitter.event_store.size() == 0 and not emitter.retry_timer.is_active()


def snowplow_get(address: str, key: str, name: str) -> None:
    """The same as pictures, with plain contexts."""
    snowplow(address, key, name, "get", base64=False)


def delivered(is_so: Callable[[], bool]) -> None:
    """Wait until it is."""
    until = time.monotonic() + DELIVERED_MAX_S
    while not is_so():
        if time.monotonic() > until:
            gave_up("not delivered in time")
        time.sleep(0.02)


def cloudevents(address: str, key: str, name: str) -> None:
    """The help desk's own service, in binary and structured mode."""
    import requests  # type: ignore[import-untyped,unused-ignore]
    from cloudevents.core.bindings.http import to_binary, to_structured
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    for number in range(6):
        attributes = {
            "id": str(uuid.uuid4()), "source": "desk", "type": "note.added", "specversion": "1.0",
            "time": datetime.now(UTC), "datacontenttype": "application/json",
        }  # fmt: skip
        data = {"identifiers": {"user_id": f"{name}-user"}, "properties": {"text": f"Note {number}"}}
        bind = to_binary if number % 2 else to_structured
        message = bind(CloudEvent(attributes=attributes, data=data), JSONFormat())
        for attempt in range(RETRIES):
            try:
                sent = requests.post(
                    f"{address}/events", data=message.body, headers=dict(message.headers), auth=(key, ""), timeout=15
                )
            except requests.RequestException:
                continue
            if sent.status_code == 200:
                break
            time.sleep(float(sent.headers.get("Retry-After", 0.1 * attempt)))
        else:
            gave_up("retries")


CLIENTS = {
    "segment": segment,
    "rudderstack": rudderstack,
    "posthog": posthog,
    "posthog-v1": posthog_v1,
    "snowplow": snowplow,
    "snowplow-get": snowplow_get,
    "cloudevents": cloudevents,
}

if __name__ == "__main__":
    CLIENTS[sys.argv[1]](*sys.argv[2:])
