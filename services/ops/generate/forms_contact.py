"""Events of the mix that tell who is who: merges, sign-ups, imports, aliases.

Owns new evidence. Only a merge may join two records seen apart before; the others bring an identifier or a
trait that no event has shown yet, so that the share of merges is what mix.yaml says.
"""

from __future__ import annotations

from typing import Any

from services.ops.generate.forms_shopping import Formed
from services.ops.generate.population import CRM, EMAIL, FIRST_DEVICE, PHONE, USER
from services.ops.generate.traffic import Data, Identifiers, Traffic, lowest

ALIAS_SHARE = 0.15
"""Of merges: told as `alias.asserted` when the strongest identifier is an account."""

MOVES_MAX = 255


def merge(t: Traffic) -> Formed | None:
    """Joins two records of one customer that were seen apart; None while there are none."""
    n = t.with_loose()
    if n is None:
        return None
    loose = _one_bit(t, t.seen[n] & ~t.trunk[n])
    known = _partner(t, n, loose)
    if known == USER and loose >= FIRST_DEVICE and t.random() < ALIAS_SHARE:
        return _alias(t, n, known, loose)
    if CRM in (known, loose):
        return n, "contact.imported", _data(t.together(n, (known, loose)), "import", t.people.traits(n, 0))
    return n, "contact.identified", _data(t.together(n, (known, loose)), "web", {})


def contact_identified(t: Traffic, n: int) -> Formed:
    """A sign-up: an identifier not seen before beside a known one, else a change of address."""
    new = t.unseen(n, (USER, EMAIL, PHONE))
    if not t.trunk[n]:
        first = t.next_browser(n)
        slots = tuple(slot for slot in (first, new) if slot is not None)
    elif new is not None:
        slots = (lowest(t.trunk[n]), new)
    else:
        return _moved(t, n)
    return n, "contact.identified", _data(t.together(n, slots), "web", t.people.traits(n, t.moves[n]))


def contact_imported(t: Traffic, n: int) -> Formed:
    """A row of the CRM, with an address or number not seen before where there is one."""
    if not t.people.owned[n] >> CRM & 1:
        return contact_identified(t, n)
    crm_seen, crm_joined = t.seen[n] >> CRM & 1, t.trunk[n] >> CRM & 1
    if crm_seen and not crm_joined:
        return _moved(t, n)
    new = t.unseen(n, (EMAIL, PHONE))
    if new is None and crm_joined:
        return _moved(t, n)
    beside = (lowest(t.trunk[n]),) if t.trunk[n] and not crm_joined else ()
    slots = dict.fromkeys((CRM, *beside, *(() if new is None else (new,))))
    identifiers = t.together(n, tuple(slots))
    return n, "contact.imported", _data(identifiers, "import", t.people.traits(n, t.moves[n]))


def alias_asserted(t: Traffic, n: int) -> Formed:
    """An account names a browser not seen before as its own; a sign-up where there is no account yet."""
    new = t.next_browser(n)
    if new is None or not t.trunk[n] >> USER & 1:
        return contact_identified(t, n)
    return _alias(t, n, USER, new)


def _alias(t: Traffic, n: int, known: int, other: int) -> Formed:
    t.together(n, (known, other))
    people = t.people
    previous = {"type": people.types[other], "value": people.value(n, other)}
    identifiers = {people.types[known]: people.value(n, known)}
    data: Data = {"identifiers": identifiers, "channel": "web", "properties": {"previous": previous}}
    return n, "alias.asserted", data


def _moved(t: Traffic, n: int) -> Formed:
    """A new address, told under the strongest identifier of the trunk."""
    t.moves[n] = min(t.moves[n] + 1, MOVES_MAX)
    traits = t.people.traits(n, t.moves[n])
    return n, "contact.identified", _data(t.together(n, (lowest(t.trunk[n]),)), "web", traits)


def _partner(t: Traffic, n: int, loose: int) -> int:
    """The identifier of the trunk that the loose one is told with: of another type than its own."""
    own = t.people.types[loose]
    others = sum(1 << s for s in range(t.people.slots) if t.trunk[n] >> s & 1 and t.people.types[s] != own)
    if others:
        return lowest(others)
    return lowest(t.trunk[n])


def _one_bit(t: Traffic, mask: int) -> int:
    slots = [slot for slot in range(t.people.slots) if mask >> slot & 1]
    return t.one_of(slots)


def _data(identifiers: Identifiers, channel: str, traits: dict[str, Any]) -> Data:
    data: Data = {"identifiers": identifiers, "channel": channel, "properties": {}}
    if traits:
        data["traits"] = traits
    return data
