"""What an account usually does: bounded, decayed, versioned, at most 2 KB.

Values are kept as 32-bit digests, times as whole minutes since the account was first seen and
weights as whole sixteenths: a profile read back from its bytes is the profile that was written,
to the last bit, which is what lets a hand-over fall anywhere.
"""

from math import pow as power
from typing import Final
from zlib import crc32

import msgspec

from detectors.errors import IncompatibleState, decoded
from detectors.stored_profiles import NOTHING, Came, Doubt, Session, StoredMemory, StoredProfile

VERSION: Final = 1
UNIT: Final = 16
"""A weight of one, as stored."""
APART: Final = 16
"""What is added to the doubt of a value that nothing has tied to what was there before it."""
_DOUBT: Final = APART - 1


def digest(value: str) -> int:
    """32 bits that stand for a value inside profiles and counts; never 0, which means absent."""
    return crc32(value.encode()) or 1


class Memory:
    """The values of one attribute that an account used, at most `limit` of them.

    `keys` are the values' digests; `rows` holds four numbers for each in turn: its decayed weight
    (sixteenths of a use), when it was first and last seen (minutes since the account was), and
    how suspicious the event was that brought it in (whole nats from 0 to 15, and `APART` added
    where nothing has ever tied it to what the account had before). Two flat lists, because
    a million profiles are read, written and swept for garbage.
    """

    __slots__ = ("keys", "rows")

    def __init__(self, stored: StoredMemory) -> None:
        if not stored[0]:
            # Half of a profile's memories hold nothing: as many lists fewer to make and to sweep.
            stored = NOTHING
        self.keys, self.rows = stored

    def find(self, key: int) -> int:
        """Return the position of a value, -1 where it is not remembered."""
        keys = self.keys
        return keys.index(key) if key in keys else -1

    def weight(self, at: int, minute: int, half_life: float) -> float:
        """Return the decayed weight of the value at a position, in uses."""
        held = self.rows[4 * at] / UNIT
        age = minute - self.rows[4 * at + 2]
        return held * power(2.0, -age / half_life) if age > 0 else held

    def first(self, at: int) -> int:
        """Return the minute in which the value at a position was first seen."""
        return self.rows[4 * at + 1]

    def doubt(self, at: int) -> int:
        """Return the doubt, nats, that the value at a position was brought in with."""
        return self.rows[4 * at + 3] & _DOUBT

    def is_apart(self, at: int) -> bool:
        """Return whether nothing has tied the value at a position to what was there before it."""
        return self.rows[4 * at + 3] >= APART

    def set_apart(self, at: int) -> None:
        """Have nothing tie the value at a position to what was there before it."""
        self.rows[4 * at + 3] |= APART

    def tie(self, at: int) -> None:
        """Have something tie the value at a position to what was there before it."""
        self.rows[4 * at + 3] &= _DOUBT

    def take_back(self, key: int, minute: int, half_life: float) -> None:
        """Undo a use; a value of which no use is left is forgotten."""
        at = self.find(key)
        if at >= 0:
            self.rows[4 * at] -= late(minute - self.rows[4 * at + 2], half_life)
            if self.rows[4 * at] <= 0:
                self.drop(at)

    def forget_between(self, begin: int, end: int) -> list[tuple[int, list[int]]]:
        """Forget every value first seen from a minute to another; return the values, with rows."""
        forgotten = []
        for at in range(len(self.keys) - 1, -1, -1):
            if begin <= self.first(at) <= end:
                forgotten.append((self.keys[at], self.rows[4 * at : 4 * at + 4]))
                self.drop(at)
        return forgotten

    def recall(self, key: int, row: list[int], limit: int) -> None:
        """Remember a forgotten value again, where there is room and it has not come anew."""
        if len(self.keys) < limit and key not in self.keys:
            self.make_own()
            self.keys.append(key)
            self.rows += row

    def make_own(self) -> None:
        """Have lists of its own before anything is put in: what holds nothing shares them."""
        if not self.keys:
            self.keys, self.rows = [], []

    def clear_doubt(self, minutes: set[int]) -> None:
        """Trust every value first seen in one of the minutes, and take it for the customer's."""
        for at in range(len(self.keys)):
            if self.first(at) in minutes:
                self.rows[4 * at + 3] = 0

    def add_doubt(self, minute: int, nats: int) -> None:
        """Doubt every value first seen in a minute by at least so much."""
        for at in range(len(self.keys)):
            if self.first(at) == minute and nats > self.doubt(at):
                self.rows[4 * at + 3] += nats - self.doubt(at)

    def drop(self, at: int) -> None:
        """Forget the value at a position."""
        del self.keys[at]
        del self.rows[4 * at : 4 * at + 4]


def late(age: int, half_life: float) -> int:
    """Return what a use of so many minutes ago (negative) still weighs, sixteenths."""
    return round(UNIT * power(2.0, age / half_life))


class Profile:
    """One account. `born` is the first event's time in whole minutes since the epoch.

    Every other time is in whole minutes since then, -1 for never. `recent` are the last events'
    digests, each followed by its time (below 0 once a verdict has taken it). `logins`, `orders`,
    `fresh` and `strange` are decayed: sign-ins, orders, sign-ins on a new device or operator.
    `added` is the address that was added last, 0 where none was told. `recovered` is when the last
    event came before the account was taken from a hijacker. `held` is not stored: how many values
    its memories hold at most, -1 where that is not known.
    """

    __slots__ = (
        "absent_devices",
        "added",
        "addresses",
        "agents",
        "amount_mean",
        "amount_square",
        "asns",
        "born",
        "bought",
        "categories",
        "challenged",
        "changed",
        "cities",
        "city",
        "client",
        "client_came",
        "clients",
        "countries",
        "day",
        "day_bin",
        "decayed",
        "deliveries",
        "depth",
        "devices",
        "doubts",
        "failed",
        "failed_prefix",
        "failures",
        "fresh",
        "held",
        "hours",
        "kinds",
        "logins",
        "memories",
        "methods",
        "network",
        "network_came",
        "ordered",
        "orders",
        "payments",
        "place",
        "postcodes",
        "prefixes",
        "recent",
        "recovered",
        "rewards",
        "seen",
        "sessions",
        "signed_in",
        "strange",
        "systems",
        "version",
    )

    def __init__(self, stored: StoredProfile) -> None:  # noqa: PLR0915 - one for each field
        self.version: int = stored.version
        self.born: int = stored.born
        self.seen: int = stored.seen
        self.signed_in: int = stored.signed_in
        self.depth: int = stored.depth
        self.bought: int = stored.bought
        self.logins: float = stored.logins
        self.fresh: float = stored.fresh
        self.strange: float = stored.strange
        self.orders: float = stored.orders
        self.decayed: int = stored.decayed
        self.devices = Memory(stored.devices)
        self.agents = Memory(stored.agents)
        self.clients = Memory(stored.clients)
        self.systems = Memory(stored.systems)
        self.prefixes = Memory(stored.prefixes)
        self.asns = Memory(stored.asns)
        self.countries = Memory(stored.countries)
        self.methods = Memory(stored.methods)
        self.addresses = Memory(stored.addresses)
        self.kinds = Memory(stored.kinds)
        self.cities = Memory(stored.cities)
        self.postcodes = Memory(stored.postcodes)
        self.payments = Memory(stored.payments)
        self.deliveries = Memory(stored.deliveries)
        self.categories = Memory(stored.categories)
        self.absent_devices: float = stored.absent_devices
        self.hours: list[int] = stored.hours
        self.sessions: list[Session] = stored.sessions
        self.place: tuple[float, float, int] | None = stored.place
        self.amount_mean: float = stored.amount_mean
        self.amount_square: float = stored.amount_square
        self.rewards: float = stored.rewards
        self.ordered: int = stored.ordered
        self.failures: float = stored.failures
        self.failed: int = stored.failed
        self.failed_prefix: int = stored.failed_prefix
        self.changed: list[int] = stored.changed
        self.doubts: list[Doubt] = stored.doubts
        self.challenged: float = stored.challenged
        self.client: str | None = stored.client
        self.network: str | None = stored.network
        self.city: str | None = stored.city
        self.recent: list[int] = stored.recent
        self.day: int = stored.day
        self.day_bin: int = stored.day_bin
        self.added: int = stored.added
        self.recovered: int = stored.recovered
        self.client_came: Came = stored.client_came
        self.network_came: Came = stored.network_came
        self.held = -1
        self.memories = (
            self.devices,
            self.agents,
            self.clients,
            self.systems,
            self.prefixes,
            self.asns,
            self.countries,
            self.methods,
            self.addresses,
            self.kinds,
            self.cities,
            self.postcodes,
            self.payments,
            self.deliveries,
            self.categories,
        )

    def minute(self, occurred_at: float) -> int:
        """Return an event's time in whole minutes since the account was first seen, at least 0."""
        return max(0, int(occurred_at // 60) - self.born)


MEMORIES: Final[tuple[str, ...]] = (
    "devices",
    "agents",
    "clients",
    "systems",
    "prefixes",
    "asns",
    "countries",
    "methods",
    "addresses",
    "kinds",
    "cities",
    "postcodes",
    "payments",
    "deliveries",
    "categories",
)
"""The names of a profile's memories, in the order of `Profile.memories`."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(StoredProfile)


def encode(profile: Profile) -> bytes:
    """Return a profile's stored form."""
    return _encoder.encode(_fields(profile))


def _fields(p: Profile) -> tuple[object, ...]:
    """Return what is stored of a profile, in the order of `StoredProfile`."""
    return (
        p.version,
        p.born,
        p.seen,
        p.signed_in,
        p.depth,
        p.bought,
        p.logins,
        p.fresh,
        p.strange,
        p.orders,
        p.decayed,
        (p.devices.keys, p.devices.rows),
        (p.agents.keys, p.agents.rows),
        (p.clients.keys, p.clients.rows),
        (p.systems.keys, p.systems.rows),
        (p.prefixes.keys, p.prefixes.rows),
        (p.asns.keys, p.asns.rows),
        (p.countries.keys, p.countries.rows),
        (p.methods.keys, p.methods.rows),
        (p.addresses.keys, p.addresses.rows),
        (p.kinds.keys, p.kinds.rows),
        (p.cities.keys, p.cities.rows),
        (p.postcodes.keys, p.postcodes.rows),
        (p.payments.keys, p.payments.rows),
        (p.deliveries.keys, p.deliveries.rows),
        (p.categories.keys, p.categories.rows),
        p.absent_devices,
        p.hours,
        p.sessions,
        p.place,
        p.amount_mean,
        p.amount_square,
        p.rewards,
        p.ordered,
        p.failures,
        p.failed,
        p.failed_prefix,
        p.changed,
        p.doubts,
        p.challenged,
        p.client,
        p.network,
        p.city,
        p.recent,
        p.day,
        p.day_bin,
        p.added,
        p.recovered,
        p.client_came,
        p.network_came,
    )


def decode(stored: bytes) -> Profile:
    """Return the profile that was stored. Raises IncompatibleState for anything else."""
    record = decoded(_decoder.decode, stored, "a stored profile")
    if record.version != VERSION:
        raise IncompatibleState(f"a stored profile has version {record.version}, not {VERSION}")
    return Profile(record)


def newborn(occurred_at: float) -> Profile:
    """Return the profile of an account first seen now."""
    return Profile(StoredProfile(VERSION, int(occurred_at // 60)))
