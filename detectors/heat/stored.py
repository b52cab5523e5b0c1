"""Bytes of what is counted: MessagePack arrays whose fields only ever grow at the end.

`detectors.heat.tally` and `customers` count in what is read here. msgspec reads its classes at run
time, so they stay Python where the rest is compiled.
"""

import msgspec

from detectors.heat.records import Entry


class StoredRates(msgspec.Struct, array_like=True, gc=False):
    """A `detectors.heat.tally.Rates`."""

    at: int
    sums: list[float]


class StoredTally(msgspec.Struct, array_like=True, gc=False):
    """A `detectors.heat.tally.Tally`; what only failures tell follows `rates`, and is mixed in.

    Of one that was met in peace alone, and nothing else is known of, the first six are stored.
    `entries` are those that came after the `blocks` that were full. An earlier version left what it
    `excused` in `networks`.
    """

    kind: int
    key: int
    last: int
    quiet: int = 0
    rates: StoredRates | None = None
    users: bytes | None = None
    accounts: bytearray | None = None
    accounts_before: bytearray | None = None
    networks: bytearray | None = None
    tried_since: int = 0
    entries: tuple[Entry, ...] = ()
    entered: tuple[int, ...] = ()
    nats: float = 0.0
    since: float = 0.0
    until: float = 0.0
    technique: str = ""
    revision: int = 0
    alerted: bool = False
    shown: str | None = None
    failing: int = 0
    failed: int = 0
    window: int = 1
    told: int = 0
    excused: bytearray | None = None
    blocks: int = 0
    networks_before: bytearray | None = None


class StoredCustomers(msgspec.Struct, array_like=True):
    """What `detectors.heat.customers.Everybody` counts.

    Fading rates of both. Of strangers: the block, its counts, and those of past blocks. `begun` is
    the first minute that anything was told of; state of an earlier version has 0. What it had of
    past blocks were shares, in `failing` and `unknown`, which make room for `past`.
    """

    version: int
    familiar: StoredRates
    strangers: StoredRates
    block: int = 0
    counts: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    failing: list[float] = []
    unknown: list[float] = []
    accounts: int = 0
    begun: int = 0
    past: dict[int, list[int]] = {}
