"""A profile's bytes: MessagePack arrays whose fields only ever grow at the end.

`detectors.profiles` works on what is read here. msgspec reads its classes at run time, so they stay
Python where the engine is compiled, and what every event touches is kept apart from them.
"""

import msgspec

StoredMemory = tuple[list[int], list[int]]
"""A `detectors.profiles.Memory`: its keys and its rows."""

Came = tuple[int, str | None, int]
"""When what alerts call usual came (-1 where that is not known), what was usual before, and when
that had come."""

NEVER: Came = (-1, None, -1)

NOTHING: StoredMemory = ([], [])
"""What every memory that holds nothing shares: whoever adds to it makes lists of its own."""


class Session(msgspec.Struct, array_like=True, gc=False):
    """A session: what it was opened with, its last sign-in, and what that told (nats x 8).

    `contact` is the indicator's key of the e-mail address or number set in it last, 0 for none;
    `proved` tells that its last sign-in rested on more than a password.
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
    proved: bool = False


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


class StoredProfile(msgspec.Struct, array_like=True, gc=False):
    """A `detectors.profiles.Profile`, field by field."""

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
    devices: StoredMemory = NOTHING
    agents: StoredMemory = NOTHING
    clients: StoredMemory = NOTHING
    systems: StoredMemory = NOTHING
    prefixes: StoredMemory = NOTHING
    asns: StoredMemory = NOTHING
    countries: StoredMemory = NOTHING
    methods: StoredMemory = NOTHING
    addresses: StoredMemory = NOTHING
    kinds: StoredMemory = NOTHING
    cities: StoredMemory = NOTHING
    postcodes: StoredMemory = NOTHING
    payments: StoredMemory = NOTHING
    deliveries: StoredMemory = NOTHING
    categories: StoredMemory = NOTHING
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
    added: int = 0
    recovered: int = -1
    client_came: Came = NEVER
    network_came: Came = NEVER
