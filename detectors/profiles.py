"""What an account usually does: bounded, decayed, versioned, at most 2 KB.

Values are kept as 32-bit digests, times as whole minutes since the account was first seen and
weights as whole sixteenths: a profile read back from its bytes is the profile that was written,
to the last bit, which is what lets a hand-over fall anywhere.
"""

from typing import Final
from zlib import crc32

import msgspec

from detectors.errors import IncompatibleState, decoded

VERSION = 1
UNIT = 16
"""A weight of one, as stored."""


def digest(value: str) -> int:
    """32 bits that stand for a value inside profiles and counts; never 0, which means absent."""
    return crc32(value.encode()) or 1


class Memory(msgspec.Struct, array_like=True, gc=False):
    """The values of one attribute that an account used, at most `limit` of them.

    `keys` are the values' digests; `rows` holds four numbers for each in turn: its decayed weight
    (sixteenths of a use), when it was first and last seen (minutes since the account was), and
    how suspicious the event was that brought it in (whole nats from 0). Two flat lists, because
    a million profiles are read, written and swept for garbage.
    """

    keys: list[int] = []
    rows: list[int] = []

    def find(self, key: int) -> int:
        """Return the position of a value, -1 where it is not remembered."""
        keys = self.keys
        return keys.index(key) if key in keys else -1

    def weight(self, at: int, minute: int, half_life: float) -> float:
        """Return the decayed weight of the value at a position, in uses."""
        held = self.rows[4 * at] / UNIT
        age = minute - self.rows[4 * at + 2]
        return float(held * 2.0 ** (-age / half_life)) if age > 0 else held

    def first(self, at: int) -> int:
        """Return the minute in which the value at a position was first seen."""
        return self.rows[4 * at + 1]

    def doubt(self, at: int) -> int:
        """Return the doubt, nats, that the value at a position was brought in with."""
        return self.rows[4 * at + 3]

    def take_back(self, key: int, minute: int, half_life: float) -> None:
        """Undo a use; a value of which no use is left is forgotten."""
        at = self.find(key)
        if at >= 0:
            self.rows[4 * at] -= late(minute - self.rows[4 * at + 2], half_life)
            if self.rows[4 * at] <= 0:
                self.drop(at)

    def forget_since(self, minute: int) -> list[tuple[int, list[int]]]:
        """Forget every value first seen at a minute or after it; return the values, with rows."""
        forgotten = []
        for at in range(len(self.keys) - 1, -1, -1):
            if self.first(at) >= minute:
                forgotten.append((self.keys[at], self.rows[4 * at : 4 * at + 4]))
                self.drop(at)
        return forgotten

    def recall(self, key: int, row: list[int], limit: int) -> None:
        """Remember a forgotten value again, where there is room and it has not come anew."""
        if len(self.keys) < limit and key not in self.keys:
            self.keys.append(key)
            self.rows += row

    def clear_doubt(self, minutes: set[int]) -> None:
        """Trust every value first seen in one of the minutes."""
        for at in range(len(self.keys)):
            if self.first(at) in minutes:
                self.rows[4 * at + 3] = 0

    def add_doubt(self, minute: int, nats: int) -> None:
        """Doubt every value first seen in a minute by at least so much."""
        for at in range(len(self.keys)):
            if self.first(at) == minute:
                self.rows[4 * at + 3] = max(self.rows[4 * at + 3], nats)

    def drop(self, at: int) -> None:
        """Forget the value at a position."""
        del self.keys[at]
        del self.rows[4 * at : 4 * at + 4]


def late(age: int, half_life: float) -> int:
    """Return what a use of so many minutes ago (negative) still weighs, sixteenths."""
    return round(UNIT * float(2.0 ** (age / half_life)))


class Session(msgspec.Struct, array_like=True, gc=False):
    """A session: what it was opened with, its last sign-in, and what that told (nats x 8).

    `contact` is the indicator's key of the e-mail address or number set in it last, 0 for none.
    """

    key: int
    device: int
    agent: int
    client: int
    prefix: int
    asn: int
    country: int
    device_class: int
    network: int
    opened: int
    used: int
    access: list[int]
    signed_in: bool
    contact: int = 0


class Doubt(msgspec.Struct, array_like=True, gc=False):
    """A session's events at their most suspicious (nats), and when; `own`: by an own device."""

    session: int
    minute: int
    nats: float
    own: bool = False


def _hours() -> list[int]:
    return [0] * 8


def _changed() -> list[int]:
    return [-1] * 6


class Profile(msgspec.Struct, array_like=True, gc=False):
    """One account. `born` is the first event's time in whole minutes since the epoch.

    Every other time is in whole minutes since then, -1 for never. `recent` are the last events'
    digests, each followed by its time (below 0 once a verdict has taken it). `logins`, `orders`,
    `fresh` and `strange` are decayed: sign-ins, orders, sign-ins on a new device or operator.
    """

    version: int
    born: int
    seen: int = 0
    signed_in: int = -1
    depth: int = 0
    bought: int = 0
    logins: float = 0.0
    fresh: float = 0.0
    strange: float = 0.0
    orders: float = 0.0
    decayed: int = 0
    devices: Memory = msgspec.field(default_factory=Memory)
    agents: Memory = msgspec.field(default_factory=Memory)
    clients: Memory = msgspec.field(default_factory=Memory)
    systems: Memory = msgspec.field(default_factory=Memory)
    prefixes: Memory = msgspec.field(default_factory=Memory)
    asns: Memory = msgspec.field(default_factory=Memory)
    countries: Memory = msgspec.field(default_factory=Memory)
    methods: Memory = msgspec.field(default_factory=Memory)
    addresses: Memory = msgspec.field(default_factory=Memory)
    kinds: Memory = msgspec.field(default_factory=Memory)
    cities: Memory = msgspec.field(default_factory=Memory)
    postcodes: Memory = msgspec.field(default_factory=Memory)
    payments: Memory = msgspec.field(default_factory=Memory)
    deliveries: Memory = msgspec.field(default_factory=Memory)
    categories: Memory = msgspec.field(default_factory=Memory)
    absent_devices: float = 0.0
    hours: list[int] = msgspec.field(default_factory=_hours)
    sessions: list[Session] = msgspec.field(default_factory=list)
    place: tuple[float, float, int] | None = None
    amount_mean: float = 0.0
    amount_square: float = 0.0
    rewards: float = 0.0
    ordered: int = -1
    failures: float = 0.0
    failed: int = -1
    failed_prefix: int = 0
    changed: list[int] = msgspec.field(default_factory=_changed)
    doubts: list[Doubt] = msgspec.field(default_factory=list)
    challenged: float = 0.0
    client: str | None = None
    network: str | None = None
    city: str | None = None
    recent: list[int] = msgspec.field(default_factory=list)
    day: int = -1
    day_bin: int = -1

    def minute(self, occurred_at: float) -> int:
        """Return an event's time in whole minutes since the account was first seen, at least 0."""
        return max(0, int(occurred_at // 60) - self.born)


MEMORIES: Final = tuple(
    field.name for field in msgspec.structs.fields(Profile) if field.type is Memory
)
"""The names of a profile's memories."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Profile)


def encode(profile: Profile) -> bytes:
    """Return a profile's stored form."""
    return _encoder.encode(profile)


def decode(stored: bytes) -> Profile:
    """Return the profile that was stored. Raises IncompatibleState for anything else."""
    profile = decoded(_decoder.decode, stored, "a stored profile")
    if profile.version != VERSION:
        raise IncompatibleState(f"a stored profile has version {profile.version}, not {VERSION}")
    return profile


def newborn(occurred_at: float) -> Profile:
    """Return the profile of an account first seen now."""
    return Profile(VERSION, int(occurred_at // 60))
