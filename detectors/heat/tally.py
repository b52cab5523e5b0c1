"""What is counted for each indicator, in a table whose size is fixed.

The table is set-associative, as a processor's cache is: a key belongs to one of `BUCKETS` buckets
of at most `WAYS` tallies, and the one that was least of late makes room. So memory and state have a
bound whatever is sent, a bucket is read when it is first asked for, and what is forgotten depends
on the bucket alone.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import log
from typing import Final

import msgspec

from detectors.errors import IncompatibleState, decoded
from detectors.heat.records import Entry

VERSION: Final = 2
BUCKETS: Final = 8_192
WAYS: Final = 8
_KIND_BITS: Final = 4
HALF_LIVES: Final = (10.0, 360.0, 4_320.0, 20_160.0)
"""Minutes: of a burst, of an afternoon, of a slow attack, and of what is usual."""

_PAUSE: Final = 720
"""Minutes without a failure after which another is another attack's."""

FAST, HOURS, DAYS, USUAL = range(4)


class Rates(msgspec.Struct, array_like=True, gc=False):
    """Tries, failures, and failures on accounts that do not exist, in four fading windows.

    `sums` holds these three for each window in turn, faded to minute `at`.
    """

    at: int
    sums: list[float] = msgspec.field(default_factory=lambda: [0.0] * 12)

    def count(
        self, minute: int, tried: float, failed: float, unknown: float, *, usual: bool
    ) -> None:
        """Fade to a minute and count; into what is `usual` only where that is what it was.

        Time does not run back: what comes late is counted as of now.
        """
        age = minute - self.at
        if age > 0:
            self.at = minute
            fast, hours, days, long = _fading(age)
        else:
            fast = hours = days = long = 1.0
        more = tried if usual else 0
        a, b, c, d, e, f, g, h, i, j, k, m = self.sums
        self.sums = [
            a * fast + tried, max(b * fast + failed, 0.0), c * fast + unknown,
            d * hours + tried, max(e * hours + failed, 0.0), f * hours + unknown,
            g * days + tried, max(h * days + failed, 0.0), i * days + unknown,
            j * long + more, max(k * long + (failed if usual else 0), 0.0),
            m * long + (unknown if usual else 0),
        ]  # fmt: skip

    def spread(self, minute: int, tried: float) -> None:
        """Fade to a minute and count what was tried in peace since, as if it had come evenly.

        Of what comes evenly, a window of half-life h holds after t the share
        `(1 - 2^(-t/h)) h / (t ln 2)`: the mean of `2^(-s/h)` over the ages s from 0 to t.
        """
        age = minute - self.at
        self.count(minute, 0.0 if age > 0 else tried, 0.0, 0.0, usual=True)
        if age > 0:
            for number, half_life in enumerate(HALF_LIVES):
                lives = age / half_life
                self.sums[3 * number] += tried * (1.0 - 2.0**-lives) / (lives * log(2.0))

    def keep_custom(self, entered: float) -> None:
        """Count those who got in during an attack as usual, as if the usual share had failed.

        What customers share by the hundreds would else seem to have lost them.
        """
        tried, failed, _ = self.window(USUAL)
        share = min(failed / (tried + 1.0), 0.8)
        self.sums[3 * USUAL] += entered / (1.0 - share)
        self.sums[3 * USUAL + 1] += entered * share / (1.0 - share)

    def believe(self, minute: int, latest: int) -> None:
        """Go back to a minute from one that is later than is believed: a clock was wrong."""
        if self.at > latest:
            self.at = minute

    def window(self, number: int) -> list[float]:
        """Return a window's tries, failures and failures on no account."""
        return self.sums[3 * number : 3 * number + 3]

    def entered(self, number: int) -> float:
        """Return how many tries of a window got in."""
        return max(self.sums[3 * number] - self.sums[3 * number + 1], 0.0)


@lru_cache(4096)
def _fading(age: int) -> tuple[float, float, float, float]:
    """Return what is left in each window after so many minutes: the same few ages come again."""
    fast, hours, days, long = HALF_LIVES
    return 2.0 ** (-age / fast), 2.0 ** (-age / hours), 2.0 ** (-age / days), 2.0 ** (-age / long)


class Distinct:
    """How many different digests: linear counting (Whang et al. 1990).

    256 bits tell up to some 500 within a tenth, 4096 up to some 10,000; beyond that "many". A
    sketch that counts millions would be larger than all else that is kept of an indicator.
    """

    SMALL: Final = 32
    LARGE: Final = 512
    MANY: Final = 1_000
    """From so many on 256 bits can no longer tell how many."""

    @staticmethod
    def add(bits: bytearray, digests: tuple[int, ...]) -> int:
        """Add digests to bits; return how many were set by it."""
        width, news = 8 * len(bits), 0
        for digest in digests:
            at = (digest * 0x9E3779B1 >> 16) % width
            held, bit = bits[at >> 3], 1 << (at & 7)
            if not held & bit:
                bits[at >> 3] = held | bit
                news += 1
        return news

    @staticmethod
    def count(bits: bytearray | None) -> int:
        """Return about how many different digests were added."""
        if bits is None:
            return 0
        width = 8 * len(bits)
        ones = int.from_bytes(bits, "little").bit_count()
        return round(-width * log(1 - min(ones, width - 1) / width)) if width else 0

    @staticmethod
    def ones(bits: bytearray | None) -> int:
        """Return how many bits are set."""
        return int.from_bytes(bits, "little").bit_count() if bits else 0


class Tally(msgspec.Struct, array_like=True, gc=False):
    """What is known of one indicator, last met in minute `last`. Minutes are since the epoch.

    `users` are the accounts it was new to without an alert, `accounts` and `networks` those that
    were tried through it, and from where, since minute `tried_since` and in the day before.
    `quiet` are tries that let in, in peace, since the last that failed: until one does there are no
    `rates`. Tries have been failing since minute `failing`, the last one in `failed`. `window` is
    the one that it was found hot by; `entered` are digests of the accounts that let the present
    attack in.
    """

    kind: int
    key: int
    last: int
    quiet: int = 0
    rates: Rates | None = None
    users: bytearray | None = None
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
    window: int = HOURS

    def fails(self, minute: int) -> Rates:
        """Return the rates, begun by a first failure, with what was quiet in them.

        When that came is not known: evenly since the last failure, or long before the first.
        """
        quiet, self.quiet = self.quiet, 0
        if self.rates is None:
            self.rates = Rates(minute, [0.0] * 6 + [quiet, 0.0, 0.0] * 2)
        elif quiet:
            self.rates.spread(minute, quiet)
        return self.rates

    def believe(self, minute: int, latest: int) -> None:
        """Go back to a minute from one that is later than is believed: a clock was wrong."""
        self.last, self.tried_since = minute, min(self.tried_since, minute)
        self.failing, self.failed = min(self.failing, minute), min(self.failed, minute)
        self.since, self.until = min(self.since, 60.0 * minute), min(self.until, latest)
        if self.rates is not None:
            self.rates.believe(minute, latest)

    def fail(self, minute: int) -> None:
        """Note that a try failed: by the same attack as the one before, or the first of one."""
        if minute - self.failed > _PAUSE:
            self.failing = minute
        self.failed = max(self.failed, minute)

    @property
    def tried_accounts(self) -> int:
        """About how many accounts were tried through it of late."""
        return Distinct.count(self.accounts) + Distinct.count(self.accounts_before)

    @property
    def standing(self) -> float:
        """By how much it deserves its room: when it was last met, more so the more use it."""
        grace = 2_880.0 * min(Distinct.ones(self.users), 30)
        return self.last + grace + (20_160.0 if self.nats or self.alerted else 0.0)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, list[Tally]])


class Tallies:
    """All tallies of a shard; `read` gives the state handed over so far.

    They are found in one table, whatever their bucket: each of a million indicators is somewhere
    else in memory, and to go there by way of its bucket took twice as long.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._read = read
        self._tallies: dict[int, Tally] = {}
        self._buckets: dict[int, list[Tally]] = {}
        self._dirty = bytearray(BUCKETS)

    def of(self, kind: int, key: int, minute: int, latest: int) -> Tally:
        """Return an indicator's tally to be changed, new where it is not known (any more).

        `latest` is the latest minute that is believed.
        """
        number = (key >> 20) % BUCKETS
        tally = self._tallies.get(key << _KIND_BITS | kind)
        if tally is None and number not in self._buckets:
            self._load(number)
            tally = self._tallies.get(key << _KIND_BITS | kind)
        self._dirty[number] = 1
        if tally is None:
            return self._add(number, Tally(kind, key, minute), latest)
        if tally.last > latest:
            tally.believe(minute, latest)
        tally.last = max(tally.last, minute)
        return tally

    def __len__(self) -> int:
        """How many tallies are in memory."""
        return len(self._tallies)

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the buckets that changed."""
        for number, dirty in enumerate(self._dirty):
            if dirty:
                tallies = self._buckets[number]
                yield _key(number), _encoder.encode((VERSION, [*map(_stored, tallies)]))
        self._dirty = bytearray(BUCKETS)

    def _add(self, number: int, tally: Tally, latest: int) -> Tally:
        bucket = self._buckets[number]
        if len(bucket) >= WAYS:
            for known in bucket:
                if known.last > latest:
                    known.believe(tally.last, latest)
            least = bucket.pop(_least(bucket))
            del self._tallies[_place(least)]
        bucket.append(tally)
        self._tallies[_place(tally)] = tally
        return tally

    def _load(self, number: int) -> None:
        stored = self._read(_key(number))
        version, tallies = VERSION, list[Tally]()
        if stored is not None:
            version, tallies = decoded(_decoder.decode, stored, "stored tallies")
        if version != VERSION:
            raise IncompatibleState(f"stored tallies have version {version}, not {VERSION}")
        self._buckets[number] = tallies
        for tally in tallies:
            self._tallies[_place(tally)] = tally


def _place(tally: Tally) -> int:
    """Return where a tally is found: one number is told from another sooner than a pair is."""
    return tally.key << _KIND_BITS | tally.kind


def _stored(tally: Tally) -> Tally | tuple[object, ...]:
    """Return a tally, or as much of it as says anything: most are met once, in peace."""
    said = tally.rates or tally.accounts or tally.entries or tally.alerted or tally.shown
    if said:
        return tally
    return tally.kind, tally.key, tally.last, tally.quiet, None, tally.users


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
