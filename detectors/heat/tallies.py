"""All tallies of a shard, in a table whose size is fixed.

The table is set-associative, as a processor's cache is: a key belongs to one of `BUCKETS` buckets
of at most `WAYS` tallies, and the one that was least of late makes room. So memory and state have a
bound whatever is sent, a bucket is read when it is first asked for, and what is forgotten depends
on the bucket alone.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from detectors.errors import IncompatibleState, decoded
from detectors.heat.indicators import KINDS
from detectors.heat.records import Entry
from detectors.heat.stored import StoredTally
from detectors.heat.tally import BLOCKS, Tally, tally_of

VERSION: Final = 3
_READABLE: Final = frozenset({2, VERSION})
"""Version 2 had all of a tally's entries with it."""
BUCKETS: Final = 8_192
WAYS: Final = 8
_KEYS: Final[tuple[bytes, ...]] = tuple(
    [f"h:tallies:{number:x}".encode() for number in range(BUCKETS)]
)
"""Where buckets are stored: most are written again and again."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, list[StoredTally]])
_block_decoder = msgspec.msgpack.Decoder(tuple[int, tuple[Entry, ...]])


class Tallies:
    """All tallies of a shard; `read` gives the state handed over so far.

    They are found in one table a kind, whatever their bucket: each of a million indicators is
    somewhere else in memory, and to go there by way of its bucket took twice as long.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._read = read
        self.known: list[dict[int, Tally]] = [{} for _ in KINDS]
        """What is in memory, by kind and key: to be looked at; who changes it asks `of`."""
        self._buckets: dict[int, list[Tally]] = {}
        self.dirty = bytearray(BUCKETS)
        """Which buckets were changed since they were handed over."""
        # Keys of blocks whose tallies have made room.
        self._gone: dict[bytes, None] = {}

    def of(self, kind: int, key: int, minute: int, latest: int) -> Tally:
        """Return an indicator's tally to be changed, new where it is not known (any more).

        `latest` is the latest minute that is believed.
        """
        tally = self.known[kind].get(key)
        if tally is None:
            number = (key >> 20) % BUCKETS
            if number not in self._buckets:
                self._load(number)
                tally = self.known[kind].get(key)
            if tally is None:
                self.dirty[number] = 1
                return self._add(Tally(kind, key, minute, number), latest)
        self.dirty[tally.bucket] = 1
        last = tally.last
        if last > latest:
            tally.believe(minute, latest)
        elif last < minute:
            tally.last = minute
        return tally

    def __len__(self) -> int:
        """How many tallies are in memory."""
        return sum(map(len, self.known))

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over the buckets that changed, and what is stored apart from them.

        A key may come twice: what is given up is told before what takes its place.
        """
        for key in self._gone:
            yield key, None
        self._gone = {}
        number = self.dirty.find(1)
        while number >= 0:
            rows = []
            for tally in self._buckets[number]:
                rows.append(tally.row())
                if tally.stored < tally.blocks:
                    yield from _blocks(tally)
            yield _KEYS[number], _encoder.encode((VERSION, rows))
            self.dirty[number] = 0
            number = self.dirty.find(1, number)

    def _add(self, tally: Tally, latest: int) -> Tally:
        bucket = self._buckets[tally.bucket]
        if len(bucket) >= WAYS:
            for known in bucket:
                if known.last > latest:
                    known.believe(tally.last, latest)
            least = bucket.pop(_least(bucket))
            del self.known[least.kind][least.key]
            for block in range(min(least.blocks, BLOCKS)):
                self._gone[_block_key(least.kind, least.key, block)] = None
        bucket.append(tally)
        self.known[tally.kind][tally.key] = tally
        return tally

    def _load(self, number: int) -> None:
        stored = self._read(_KEYS[number])
        tallies: list[Tally] = []
        if stored is not None:
            version, rows = decoded(_decoder.decode, stored, "stored tallies")
            if version not in _READABLE:
                raise IncompatibleState(f"stored tallies have version {version}, not {VERSION}")
            tallies = [tally_of(row, number, self._entries(row)) for row in rows]
        self._buckets[number] = tallies
        for tally in tallies:
            self.known[tally.kind][tally.key] = tally

    def _entries(self, row: StoredTally) -> list[Entry]:
        """Return the entries of a tally that are stored apart."""
        found: list[Entry] = []
        for number in range(max(row.blocks - BLOCKS, 0), row.blocks):
            stored = self._read(_block_key(row.kind, row.key, number))
            if stored is None:
                raise IncompatibleState("stored tallies lack entries")
            known, entries = decoded(_block_decoder.decode, stored, "entries of stored tallies")
            if known != number:
                raise IncompatibleState(f"block {known} of stored entries is not {number}")
            found += entries
        return found


def _blocks(tally: Tally) -> Iterator[tuple[bytes, bytes]]:
    """Hand over the blocks of a tally's entries that are full and not stored yet."""
    for number in range(max(tally.stored, tally.blocks - BLOCKS), tally.blocks):
        stored = _encoder.encode((number, tally.block(number)))
        yield _block_key(tally.kind, tally.key, number), stored
    tally.stored = tally.blocks


def _least(bucket: list[Tally]) -> int:
    """Return where the tally is that deserves its room least, with the lowest key of such."""
    least: tuple[float, int, int] | None = None
    found = 0
    for at, tally in enumerate(bucket):
        # It stands no lower than when it was last met.
        if least is None or tally.last <= least[0]:
            standing = tally.standing, tally.kind, tally.key
            if least is None or standing < least:
                least, found = standing, at
    return found


def _block_key(kind: int, key: int, block: int) -> bytes:
    """Return where a block is stored: it takes the place of the one that is no longer kept."""
    return f"h:entries:{kind:x}:{key:x}:{block % BLOCKS:x}".encode()
