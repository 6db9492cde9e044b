"""The parts of an order and what refunds leave of them.

Owns how an order's net and margin lie on its lines, and how a refund or cancellation takes them back. Amounts
are whole numbers of 10⁻⁴ of the order's currency; fractions are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from services.value.domain.entries import REFUNDED, Entry, Line
from services.value.domain.money import divided, shares
from services.value.domain.reading import OTHER_AREA

NONE_OF_IT = Fraction(0)
REFUND_EXCESS = "refund_excess"
"""More was refunded than there was; no more than all of it counts."""
REFUND_CURRENCY = "refund_currency"
"""A refund in another currency than its order's; it has no effect."""


class Part(msgspec.Struct):
    """A line of the order, or the whole of one that has no lines.

    `margin` None: the cost is not known. `left` is what of `net` was not refunded, `back` how many of its
    pieces (10⁻⁴) came back.
    """

    area: str
    net: int
    margin: int | None
    line: Line | None = None
    left: int = 0
    back: int = 0

    @property
    def unknown(self) -> int:
        """What is left of a part whose cost is not known."""
        return self.left if self.margin is None else 0

    def margin_left(self, share: Fraction) -> int:
        """What refunds leave of the known margin; a part without net goes with the `share` that went."""
        if not self.margin:
            return 0
        return round(self.margin * (Fraction(self.left, self.net) if self.net else 1 - share))


def parts_of(owner: Entry) -> list[Part]:
    """The order's parts. The net is shared by what its lines come to before discounts; those that go the other
    way (returns in an order that is bought) share nothing.
    """
    if not owner.lines:
        margin = None if owner.cost is None else owner.net - owner.cost
        return [Part(OTHER_AREA, owner.net, margin, None, owner.net)]
    sign = -1 if owner.net < 0 else 1
    weights = [max(sign * line.amount, 0) for line in owner.lines]
    if not any(weights):
        weights = [abs(line.amount) for line in owner.lines]
    nets = shares(owner.net, weights)
    costs = [line.cost for line in owner.lines]
    margins = [line.margin for line in owner.lines]
    if owner.cost is not None and not any(c is not None for c in (*costs, *margins)):
        costs = [*shares(owner.cost, weights)]
    return [
        Part(line.area, net, net - cost if margin is None and cost is not None else margin, line, net)
        for line, net, cost, margin in zip(owner.lines, nets, costs, margins, strict=True)
    ]


class Remains(msgspec.Struct):
    """What is left of an order while its refunds and cancellations are taken in the order of their time.

    `share` is the part of the order that went back so far, 1 when nothing is left.
    """

    owner: Entry
    parts: list[Part]
    share: Fraction = NONE_OF_IT
    flags: set[str] = set()

    @property
    def is_gone(self) -> bool:
        """Nothing is left."""
        return self.share == 1

    def take(self, entry: Entry) -> bool:
        """Take back what the entry says. False when it counts for nothing."""
        by_amount = entry.kind == REFUNDED and entry.paid is not None
        if (by_amount or entry.lines) and entry.currency not in (None, self.owner.currency):
            self.flags.add(REFUND_CURRENCY)
            return False
        if self.is_gone and entry.kind == REFUNDED:
            self.flags.add(REFUND_EXCESS)
        paid = self.owner.paid or 0
        is_all = entry.paid is not None and entry.paid >= paid
        if by_amount and paid > 0:
            self._take_share(self.share + Fraction(entry.paid or 0, paid))
        elif entry.lines and not is_all:
            for line in entry.lines:
                self._take_line(line)
        else:
            self._take_share(Fraction(1))
        if not any(part.left for part in self.parts) and (self.owner.net or self._is_back()):
            self.share = Fraction(1)
        return True

    def _is_back(self) -> bool:
        """Every piece that was bought came back: tells it of an order that cost nothing."""
        return all(part.line is not None and part.back >= part.line.quantity for part in self.parts)

    def _take_share(self, share: Fraction) -> None:
        """Take from all parts until this share of the whole is gone."""
        if share > 1:
            self.flags.add(REFUND_EXCESS)
        self.share = min(share, Fraction(1))
        gone = self.owner.net - sum(part.left for part in self.parts)
        self._spread(round(self.owner.net * self.share) - gone)

    def _spread(self, amount: int) -> int:
        """Take the amount from all parts, by what is left of them; what was taken."""
        amount = _within(amount, sum(part.left for part in self.parts))
        weights = [abs(part.left) for part in self.parts]
        for part, taken in zip(self.parts, shares(amount, weights), strict=True):
            part.left -= taken
        return amount

    def _take_line(self, returned: Line) -> None:
        """Take the same product's parts piece by piece; a product that was not bought, by its price."""
        bought = [(part, part.line) for part in self.parts if part.line is not None and _is_same(part.line, returned)]
        pieces, wanted, taken = abs(returned.quantity), 0, 0
        for part, line in bought:
            some = min(pieces, line.quantity - part.back)
            amount = _portion(part.net, part.back + some, line) - _portion(part.net, part.back, line)
            can = _within(amount, part.left)
            pieces, wanted, taken = pieces - some, wanted + amount, taken + can
            part.back += some
            part.left -= can
        if not bought:
            pieces, wanted = 0, abs(returned.amount)
            taken = self._spread(wanted)
        if pieces > 0 or wanted != taken:
            self.flags.add(REFUND_EXCESS)
        if self.owner.net:
            self.share = min(self.share + Fraction(taken, self.owner.net), Fraction(1))


def in_time(entries: Sequence[Entry]) -> list[Entry]:
    """Refunds and cancellations in the order in which they are taken, each refund once.

    Of several with one refund id the one of the strongest record counts, then the earliest.
    """
    once: dict[tuple[str, str], Entry] = {}
    for entry in sorted(entries, key=lambda e: (e.rank, e.time_us, e.event_id, e.record_id)):
        once.setdefault((entry.kind, entry.refund_id or entry.event_id), entry)
    return sorted(once.values(), key=lambda e: (e.time_us, e.event_id, e.record_id))


def _is_same(bought: Line, returned: Line) -> bool:
    """The same product, by sku when both have one. What was itself a return is not bought."""
    if bought.quantity <= 0:
        return False
    if bought.sku is not None and returned.sku is not None:
        return bought.sku == returned.sku
    return bought.product_id is not None and bought.product_id == returned.product_id


def _portion(net: int, pieces: int, line: Line) -> int:
    return divided(net * pieces, line.quantity)


def _within(amount: int, left: int) -> int:
    """The amount, no more than is left and of its sign."""
    return max(0, min(amount, left)) if left >= 0 else min(0, max(amount, left))
