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
from detectors.heat.stored import StoredTally
from detectors.heat.tally import Tally, tally_of

VERSION: Final = 2
BUCKETS: Final = 8_192
WAYS: Final = 8

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, list[StoredTally]])


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
        self._dirty = bytearray(BUCKETS)

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
                self._dirty[number] = 1
                return self._add(Tally(kind, key, minute, number), latest)
        self._dirty[tally.bucket] = 1
        if tally.last > latest:
            tally.believe(minute, latest)
        tally.last = max(tally.last, minute)
        return tally

    def __len__(self) -> int:
        """How many tallies are in memory."""
        return sum(map(len, self.known))

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the buckets that changed."""
        number = self._dirty.find(1)
        while number >= 0:
            rows = [tally.row() for tally in self._buckets[number]]
            yield _key(number), _encoder.encode((VERSION, rows))
            self._dirty[number] = 0
            number = self._dirty.find(1, number)

    def _add(self, tally: Tally, latest: int) -> Tally:
        bucket = self._buckets[tally.bucket]
        if len(bucket) >= WAYS:
            for known in bucket:
                if known.last > latest:
                    known.believe(tally.last, latest)
            least = bucket.pop(_least(bucket))
            del self.known[least.kind][least.key]
        bucket.append(tally)
        self.known[tally.kind][tally.key] = tally
        return tally

    def _load(self, number: int) -> None:
        stored = self._read(_key(number))
        tallies: list[Tally] = []
        if stored is not None:
            version, rows = decoded(_decoder.decode, stored, "stored tallies")
            if version != VERSION:
                raise IncompatibleState(f"stored tallies have version {version}, not {VERSION}")
            tallies = [tally_of(row, number) for row in rows]
        self._buckets[number] = tallies
        for tally in tallies:
            self.known[tally.kind][tally.key] = tally


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


def _key(number: int) -> bytes:
    return f"h:tallies:{number:x}".encode()
