"""What accounts can have in common: networks, clients, and where the goods and the mail go.

An indicator is a kind and 64 bits that stand for a value of that kind. The value itself goes no
further than the account's own partition, except where an operator has to act on it (networks and
clients, which `Kind.shown` tells).
"""

from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple


class Kind(IntEnum):
    """A kind of indicator. The numbers are stored and sent: append, never renumber."""

    PREFIX = 0
    OPERATOR = 1
    DEVICE = 2
    AGENT = 3
    SHAPE = 4
    DELIVERY = 5
    PAYMENT = 6
    CONTACT = 7
    POSTCODE = 8


class KindFacts(NamedTuple):
    """What a kind is called on the wire, and how it is treated.

    `group`: kinds of a group tell the same thing at different sizes, and only one of them counts.
    `shown`: whether the value may be told to other partitions and in published records.
    `coarse`: whether customers share a value by the hundreds, so that only rates tell anything.
    """

    name: str
    group: str
    shown: bool
    coarse: bool


KINDS: Final = (
    KindFacts("address_prefix", "network", shown=True, coarse=False),
    KindFacts("asn", "network", shown=True, coarse=True),
    KindFacts("device", "client", shown=False, coarse=False),
    KindFacts("user_agent", "client", shown=True, coarse=True),
    KindFacts("client_shape", "client", shown=True, coarse=True),
    KindFacts("delivery_address", "goods", shown=False, coarse=False),
    KindFacts("payment", "payment", shown=False, coarse=False),
    KindFacts("contact", "contact", shown=False, coarse=False),
    KindFacts("postcode", "goods", shown=False, coarse=False),
)
"""By kind.

An address is told by its range: 256 neighbours (IPv4) or one customer's line (IPv6), which cost
half of what both would and say the same of whoever rents a server.
"""

COARSE: Final[tuple[bool, ...]] = tuple([facts.coarse for facts in KINDS])
"""Which kinds are: every event asks several times."""


class Indicator(NamedTuple):
    """One value of a kind: `key` is 64 bits of a digest keyed by the kind."""

    kind: int
    key: int

    @property
    def id(self) -> str:
        """The indicator as topics' keys and published records name it."""
        return f"{KINDS[self.kind].name}:{self.key:016x}"

    def shard(self, shards: int) -> int:
        """Return which of so many heat partitions counts it."""
        return self.key % shards


class Met(NamedTuple):
    """A value as an event shows it, and the indicator that it is."""

    kind: int
    key: int
    value: str


# The same networks and clients come again and again.
@lru_cache(maxsize=16_384)
def met(kind: int, value: str) -> Met:
    """Return a value with its indicator."""
    hashed = _HASHES[kind].copy()
    hashed.update(value.encode())
    return Met(int(kind), int.from_bytes(hashed.digest(), "big"), value)


def key_of(kind: int, value: str) -> int:
    """Return the 64 bits that stand for a value of a kind, the same in every process."""
    return met(kind, value).key


_HASHES: Final = tuple(blake2b(digest_size=8, person=facts.name.encode()) for facts in KINDS)
