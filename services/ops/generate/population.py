"""The customers of the mix: which identifiers each one has, their values and traits, by number alone.

Owns people, not traffic: everything follows from (population name, customer number), so two seeds meet the
same people, and no value is shared by two customers unless `shared_phone_share` asks for it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from services.ops.generate.mix import CUSTOMERS_MAX, Mix
from services.ops.generate.names import GIVEN, MAIL_DOMAINS, STREETS, SURNAMES, TOWNS

USER, CRM, EMAIL, PHONE, FIRST_DEVICE = range(5)
"""Slots of a customer's identifiers; browsers and then apps follow from FIRST_DEVICE on."""

_MASK = (1 << 64) - 1
_PHONE_BLOCKS = 10**9 // CUSTOMERS_MAX
_PARTS = 1 << 16


def scatter(number: int) -> int:
    """64 well-mixed bits of a number (the finaliser of splitmix64): cheap, and the same everywhere."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


class Population:
    """Identifiers and traits of customers 0 to `mix.customers` - 1."""

    def __init__(self, mix: Mix) -> None:
        self._salt = int.from_bytes(hashlib.sha256(mix.population.encode()).digest()[:8], "big")
        self._name = mix.population
        self._phone_block = self._salt % _PHONE_BLOCKS * CUSTOMERS_MAX
        self._shared_below = int(mix.shared_phone_share * _PARTS)
        self.first_app = FIRST_DEVICE + mix.anonymous_ids_max
        self.slots = self.first_app + mix.device_ids_max
        browsers, apps = ("anonymous_id",) * mix.anonymous_ids_max, ("device_id",) * mix.device_ids_max
        self.types = ("user_id", "crm_id.crm", "email", "phone", *browsers, *apps)
        shares = (mix.user_id_share, mix.crm_id_share, mix.email_share, mix.phone_share)
        self._below = tuple(int(share * _PARTS) for share in shares)
        self.owned = [self._mask(n) for n in range(mix.customers)]
        """Bit mask of the slots USER to PHONE that a customer has; browsers and apps everybody has."""

    def _mask(self, n: int) -> int:
        bits = scatter(self._salt + n)
        return sum(
            1 << slot for slot, below in enumerate(self._below) if (bits >> (16 * slot)) % _PARTS < below
        )

    def value(self, n: int, slot: int) -> str:
        """The identifier's value as an upstream would send it."""
        if slot >= FIRST_DEVICE:
            return f"{scatter(self._salt ^ (n * 64 + slot)):016x}{n:08x}"
        if slot == USER:
            return f"{self._name}-u{n}"
        if slot == CRM:
            return f"{self._name}-{n:07d}"
        if slot == EMAIL:
            return f"{self.given(n)}.{self.surname(n)}.{n}@{self._name}.{MAIL_DOMAINS[n & 3]}".lower()
        if self._shared_below and scatter(self._salt ^ (n >> 1)) % _PARTS < self._shared_below:
            n &= ~1
        return f"+4915{self._phone_block + n:09d}"

    def given(self, n: int) -> str:
        """Given name; about one in 300 customers bears the same."""
        return GIVEN[scatter(n ^ self._salt) % len(GIVEN)]

    def surname(self, n: int) -> str:
        """Surname; about one in 2,000 customers bears the same."""
        return SURNAMES[(scatter(n ^ self._salt) >> 20) % len(SURNAMES)]

    def traits(self, n: int, moves: int) -> dict[str, Any]:
        """Traits of customer `n` after `moves` changes of address: names, birthday, address."""
        bits = scatter(self._salt + 3 * n)
        home = scatter(self._salt + 5 * n + (moves << 32))
        town, prefix = TOWNS[home % len(TOWNS)]
        return {
            "firstName": self.given(n),
            "lastName": self.surname(n),
            "birthday": f"{1935 + bits % 70}-{1 + (bits >> 8) % 12:02d}-{1 + (bits >> 16) % 28:02d}",
            "address": {
                "street": f"{1 + (home >> 8) % 240} {STREETS[(home >> 20) % len(STREETS)]}",
                "city": town,
                "postalCode": f"{prefix}{(home >> 32) % 1000:03d}",
                "country": "DE",
            },
        }
