"""What every event's `data` may carry beside its properties, and the parts several types share.

Owns the common fields and order lines; must not know single event types.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict

from schemas.envelope import CHANNELS
from schemas.events.fields import Currency, Id, Money, Number, PersonalText, Text
from schemas.personal import PERSONAL

Channel = Literal[
    "web", "app", "email", "sms", "push", "call", "store", "chat", "mail", "social", "partner", "import",
    "other",
]  # fmt: skip
assert Channel.__args__ == CHANNELS  # type: ignore[attr-defined]


class Shape(BaseModel):
    """Something sent to us: what we do not know is kept, numbers may stand for ids."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)


class Properties(Shape):
    """Base of every type's `properties`: all fields may be missing; what is required is the type's to say."""


class Actor(Shape):
    """Who acted, when it was not simply the customer."""

    kind: Literal["customer", "staff", "bot", "system"] | None = None
    id: Annotated[Id, PERSONAL] = None
    name: PersonalText = None


class Campaign(Shape):
    """The campaign an event came from."""

    id: Id = None
    name: Text = None
    source: Text = None
    medium: Text = None
    term: Text = None
    content: Text = None


class Original(Shape):
    """What stood in the sender's event before it was mapped or corrected.

    `renamed`: our place (`properties.order_id`) to the name it was sent under, among the properties. `added`: places
    that the mapping filled.
    """

    event: Text = None
    time: Text = None
    channel: Text = None
    renamed: dict[str, str] | None = None
    added: list[str] | None = None


class Address(Shape):
    """A postal address as Segment's reserved traits name it."""

    street: PersonalText = None
    city: PersonalText = None
    postalCode: PersonalText = None
    state: PersonalText = None
    country: PersonalText = None


class Line(Shape):
    """A line of an order, basket or invoice; `price` is per piece, in the event's currency."""

    product_id: Id = None
    sku: Id = None
    quantity: Number = None
    price: Money = None
    name: Text = None
    category: Text = None
    brand: Text = None
    variant: Text = None
    coupon: Text = None
    discount: Money = None
    cost: Money = None
    margin: Money = None


class LineProperties(Properties):
    """A line's fields standing directly in the properties (product.viewed and the like)."""

    product_id: Id = None
    sku: Id = None
    quantity: Number = None
    price: Money = None
    currency: Currency = None
    name: Text = None
    category: Text = None
    brand: Text = None
    variant: Text = None
    coupon: Text = None
    discount: Money = None
    cost: Money = None


class TypedValue(Shape):
    """An identifier that an event talks about: type and value."""

    type: Text = None
    value: Annotated[Id, PERSONAL] = None
    reason: Text = None


class EventData(Shape):
    """`data` of every event after intake.

    `identifiers` and `traits` are personal as a whole, and so is `context` (addresses, devices, places).
    `incomplete` lists required fields that were missing or unreadable; `unread` keeps common fields that
    had another shape than theirs; `business_namespace`, `country` and `timezone` come from the source
    unless the event has its own.
    """

    identifiers: Annotated[dict[str, list[str]], PERSONAL] = {}
    traits: Annotated[dict[str, Any] | None, PERSONAL] = None
    channel: Channel = "other"
    direction: Literal["inbound", "outbound"] = "inbound"
    properties: Properties = Properties()
    actor: Actor | None = None
    campaign: Campaign | None = None
    conversation_id: Id = None
    reply_to: Id = None
    group_id: Id = None
    locale: Text = None
    timezone: Text = None
    country: Text = None
    context: Annotated[dict[str, Any] | None, PERSONAL] = None
    original: Original | None = None
    business_namespace: Text = None
    incomplete: list[str] | None = None
    unread: Annotated[dict[str, Any] | None, PERSONAL] = None
