"""What is counted for each indicator: rates that fade, and how many it was met on."""

from collections.abc import Sequence
from functools import lru_cache
from math import log
from math import pow as power
from typing import Final

from detectors.heat.distinct import Distinct, Few
from detectors.heat.records import Entry
from detectors.heat.stored import StoredRates, StoredTally

HALF_LIVES: Final[tuple[float, ...]] = (10.0, 360.0, 4_320.0, 20_160.0)
"""Minutes: of a burst, of an afternoon, of a slow attack, and of what is usual."""

ENTRIES: Final = 32
"""Entries that an indicator remembers, the latest."""
BLOCK: Final = 8
"""Entries that are stored apart once there are so many: they never change again, and the indicators
that customers share are met in every step."""
BLOCKS: Final = ENTRIES // BLOCK
"""Blocks that are kept, the latest."""

_PAUSE: Final = 720
"""Minutes without a failure after which another is another attack's."""
MOST_STAYS: Final = 2_880.0
"""Minutes after its last failure for which an attack is taken to be on, at most."""

FAST: Final = 0
HOURS: Final = 1
DAYS: Final = 2
USUAL: Final = 3

_Row = tuple[object, ...]


class Rates:
    """Tries, failures, and failures on accounts that do not exist, in four fading windows.

    All are faded to minute `at`. Twelve numbers rather than a list: compiled, they are counted in
    where they lie.
    """

    __slots__ = (
        "at",
        "days_failed",
        "days_tried",
        "days_unknown",
        "fast_failed",
        "fast_tried",
        "fast_unknown",
        "hours_failed",
        "hours_tried",
        "hours_unknown",
        "usual_failed",
        "usual_tried",
        "usual_unknown",
    )

    def __init__(self, at: int, sums: Sequence[float]) -> None:
        """Take the sums as `sums` has them."""
        self.at = at
        (
            self.fast_tried, self.fast_failed, self.fast_unknown,
            self.hours_tried, self.hours_failed, self.hours_unknown,
            self.days_tried, self.days_failed, self.days_unknown,
            self.usual_tried, self.usual_failed, self.usual_unknown,
        ) = sums  # fmt: skip

    @property
    def sums(self) -> list[float]:
        """The three sums of each window in turn."""
        return [
            self.fast_tried, self.fast_failed, self.fast_unknown,
            self.hours_tried, self.hours_failed, self.hours_unknown,
            self.days_tried, self.days_failed, self.days_unknown,
            self.usual_tried, self.usual_failed, self.usual_unknown,
        ]  # fmt: skip

    def count(
        self, minute: int, tried: float, failed: float, unknown: float, *, usual: bool
    ) -> None:
        """Fade to a minute and count; into what is `usual` only where that is what it was.

        What comes late has faded by as much as if it had come in time: partitions of a backlog
        are read one after the other, days apart, and are told in any order.
        """
        age = minute - self.at
        if age < 0:
            self._count_late(-age, tried, failed, unknown, usual=usual)
            return
        if age > 0:
            self._fade(age)
            self.at = minute
        self.fast_tried += tried
        self.fast_failed += failed
        self.fast_unknown += unknown
        self.hours_tried += tried
        self.hours_failed += failed
        self.hours_unknown += unknown
        self.days_tried += tried
        self.days_failed += failed
        self.days_unknown += unknown
        if usual:
            self.usual_tried += tried
            self.usual_failed += failed
            self.usual_unknown += unknown
        if failed < 0:
            # What is made good was counted, but may have faded since.
            self.fast_failed = max(self.fast_failed, 0.0)
            self.hours_failed = max(self.hours_failed, 0.0)
            self.days_failed = max(self.days_failed, 0.0)
            self.usual_failed = max(self.usual_failed, 0.0)

    def count_burst_unknown(self, minute: int, unknown: float) -> None:
        """Count failures on no account in the fastest window alone, of a minute counted before."""
        self.fast_unknown += unknown * _fading(self.at - minute)[FAST]

    def _fade(self, age: int) -> None:
        fast, hours, days, usual = _fading(age)
        self.fast_tried *= fast
        self.fast_failed *= fast
        self.fast_unknown *= fast
        self.hours_tried *= hours
        self.hours_failed *= hours
        self.hours_unknown *= hours
        self.days_tried *= days
        self.days_failed *= days
        self.days_unknown *= days
        self.usual_tried *= usual
        self.usual_failed *= usual
        self.usual_unknown *= usual

    def _count_late(
        self, age: int, tried: float, failed: float, unknown: float, *, usual: bool
    ) -> None:
        fast, hours, days, long = _fading(age)
        if failed >= 0.0 and unknown >= 0.0:
            # As nearly always, and nothing becomes less.
            self.fast_tried += tried * fast
            self.fast_failed += failed * fast
            self.fast_unknown += unknown * fast
            self.hours_tried += tried * hours
            self.hours_failed += failed * hours
            self.hours_unknown += unknown * hours
            self.days_tried += tried * days
            self.days_failed += failed * days
            self.days_unknown += unknown * days
            if usual:
                self.usual_tried += tried * long
                self.usual_failed += failed * long
                self.usual_unknown += unknown * long
            return
        self.fast_tried = max(self.fast_tried + tried * fast, 0.0)
        self.fast_failed = max(self.fast_failed + failed * fast, 0.0)
        self.fast_unknown = max(self.fast_unknown + unknown * fast, 0.0)
        self.hours_tried = max(self.hours_tried + tried * hours, 0.0)
        self.hours_failed = max(self.hours_failed + failed * hours, 0.0)
        self.hours_unknown = max(self.hours_unknown + unknown * hours, 0.0)
        self.days_tried = max(self.days_tried + tried * days, 0.0)
        self.days_failed = max(self.days_failed + failed * days, 0.0)
        self.days_unknown = max(self.days_unknown + unknown * days, 0.0)
        if usual:
            self.usual_tried = max(self.usual_tried + tried * long, 0.0)
            self.usual_failed = max(self.usual_failed + failed * long, 0.0)
            self.usual_unknown = max(self.usual_unknown + unknown * long, 0.0)

    def spread(self, minute: int, tried: float) -> None:
        """Fade to a minute and count what was tried in peace since, as if it had come evenly.

        Of what comes evenly, a window of half-life h holds after t the share
        `(1 - 2^(-t/h)) h / (t ln 2)`: the mean of `2^(-s/h)` over the ages s from 0 to t.
        """
        age = minute - self.at
        self.count(max(minute, self.at), 0.0 if age > 0 else tried, 0.0, 0.0, usual=True)
        if age > 0:
            shares = []
            for half_life in HALF_LIVES:
                lives = age / half_life
                shares.append(tried * (1.0 - power(2.0, -lives)) / (lives * log(2.0)))
            self.fast_tried += shares[FAST]
            self.hours_tried += shares[HOURS]
            self.days_tried += shares[DAYS]
            self.usual_tried += shares[USUAL]

    def keep_custom(self, entered: float) -> None:
        """Count those who got in during an attack as usual, as if the usual share had failed.

        What customers share by the hundreds would else seem to have lost them.
        """
        share = min(self.usual_failed / (self.usual_tried + 1.0), 0.8)
        self.usual_tried += entered / (1.0 - share)
        self.usual_failed += entered * share / (1.0 - share)

    def take_back(self, minute: int, *, usual: bool) -> None:
        """Count one failure less, as far as one of that minute has not faded."""
        fast, hours, days, long = _fading(self.at - minute)
        self.fast_tried, self.fast_failed, self.fast_unknown = _less(
            self.fast_tried, self.fast_failed, self.fast_unknown, fast
        )
        self.hours_tried, self.hours_failed, self.hours_unknown = _less(
            self.hours_tried, self.hours_failed, self.hours_unknown, hours
        )
        self.days_tried, self.days_failed, self.days_unknown = _less(
            self.days_tried, self.days_failed, self.days_unknown, days
        )
        if usual:
            self.usual_tried, self.usual_failed, self.usual_unknown = _less(
                self.usual_tried, self.usual_failed, self.usual_unknown, long
            )

    def forget(self) -> None:
        """Count nothing but what is usual."""
        self.fast_tried = self.fast_failed = self.fast_unknown = 0.0
        self.hours_tried = self.hours_failed = self.hours_unknown = 0.0
        self.days_tried = self.days_failed = self.days_unknown = 0.0

    def believe(self, minute: int, latest: int) -> None:
        """Go back to a minute from one that is later than is believed: a clock was wrong."""
        if self.at > latest:
            self.at = minute

    def window(self, number: int) -> tuple[float, float, float]:
        """Return a window's tries, failures and failures on no account."""
        if number == FAST:
            return self.fast_tried, self.fast_failed, self.fast_unknown
        if number == HOURS:
            return self.hours_tried, self.hours_failed, self.hours_unknown
        if number == DAYS:
            return self.days_tried, self.days_failed, self.days_unknown
        return self.usual_tried, self.usual_failed, self.usual_unknown

    def entered(self, number: int) -> float:
        """Return how many tries of a window got in."""
        tried, failed, _ = self.window(number)
        return max(tried - failed, 0.0)

    def row(self) -> _Row:
        """Return what is stored (`StoredRates`)."""
        return self.at, self.sums


def rates_of(stored: StoredRates) -> Rates:
    """Return the rates that were stored."""
    return Rates(stored.at, stored.sums)


def _less(tried: float, failed: float, unknown: float, left: float) -> tuple[float, float, float]:
    """Return a window's sums with what is left of one failure taken from them."""
    less = min(left, failed)
    if less <= 0.0:
        return tried, failed, unknown
    return tried - less, failed - less, unknown * (1.0 - less / failed)


@lru_cache(4096)
def _fading(age: int) -> tuple[float, float, float, float]:
    """Return what is left in each window after so many minutes: the same few ages come again."""
    fast, hours, days, long = HALF_LIVES
    return (
        power(2.0, -age / fast), power(2.0, -age / hours),
        power(2.0, -age / days), power(2.0, -age / long),
    )  # fmt: skip


class Failures:
    """What is known of an indicator that failures came by, from the first on.

    `accounts` are those that were tried through it since minute `tried_since`, and in the three
    days before. `networks` are those from where, of what many share those that have counted a
    failure which stands: `networks_before` in the three days before. Tries have been failing since
    minute `failing`, the last one in `failed`. `window` is the one that it was found hot by;
    `entered` are digests of the accounts that let the present attack in, which is on since second
    `since`, 0 where none was. It was told as an attack's front in minute `told`.
    """

    __slots__ = (
        "accounts",
        "accounts_before",
        "entered",
        "failed",
        "failing",
        "nats",
        "networks",
        "networks_before",
        "rates",
        "revision",
        "since",
        "technique",
        "told",
        "tried_since",
        "until",
        "window",
    )

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        self.accounts: bytearray | None = None
        self.accounts_before: bytearray | None = None
        self.networks: bytearray | None = None
        self.networks_before: bytearray | None = None
        self.entered: tuple[int, ...] = ()
        self.nats = self.since = self.until = 0.0
        self.technique = ""
        self.revision = self.tried_since = self.failing = self.failed = self.told = 0
        self.window: int = HOURS

    def believe(self, minute: int, latest: int) -> None:
        """Go back to a minute from one that is later than is believed: a clock was wrong."""
        self.tried_since = min(self.tried_since, minute)
        self.failing, self.failed = min(self.failing, minute), min(self.failed, minute)
        self.told = min(self.told, minute)
        self.since, self.until = min(self.since, 60.0 * minute), min(self.until, float(latest))
        self.rates.believe(minute, latest)

    def fail(self, minute: int) -> None:
        """Note that a try failed: by the same attack as the one before, or the first of one."""
        if minute - self.failed > _PAUSE:
            self.failing = minute
        if self.since and minute > self.until + _PAUSE:
            self.since, self.entered = 0.0, ()
            if minute - self.failed > MOST_STAYS:
                # What an attack that is over had tried is no evidence of another.
                self.rates.forget()
        self.failed = max(self.failed, minute)

    def was_hot(self, minute: int) -> bool:
        """Return whether it was hot in a minute, as far as is known: since the latest attack began.

        What counted then is not in what is usual.
        """
        return self.since > 0.0 and self.since < 60.0 * minute and minute < self.until

    @property
    def tried_accounts(self) -> int:
        """About how many accounts were tried through it of late."""
        return Distinct.count(self.accounts) + Distinct.count(self.accounts_before)


class Tally:
    """What is known of one indicator, last met in minute `last`. Minutes are since the epoch.

    `users` are the accounts it was new to without an alert (`Few`). `quiet` are tries that let in,
    in peace, since the last that failed: until one does there are no `failures`, and most
    indicators never see any. `held` are the latest of all entries that were `taken`, from the
    beginning of a block on; so many blocks are `stored` apart already. `bucket` is where the table
    has it (`tallies`).
    """

    __slots__ = (
        "alerted", "bucket", "failures", "held", "key", "kind", "last", "quiet", "shown", "stored",
        "taken", "users",
    )  # fmt: skip

    def __init__(self, kind: int, key: int, last: int, bucket: int = 0) -> None:
        self.kind = kind
        self.key = key
        self.last = last
        self.bucket = bucket
        self.quiet: int = 0
        self.users: bytes = b""
        self.held: tuple[Entry, ...] = ()
        self.taken: int = 0
        self.stored: int = 0
        self.failures: Failures | None = None
        self.alerted = False
        self.shown: str | None = None

    def take(self, entries: tuple[Entry, ...]) -> None:
        """Remember who was let in by it."""
        self.taken = taken = self.taken + len(entries)
        held = self.held + entries
        # A block is written whole, whenever that is.
        begins = taken // BLOCK - BLOCKS
        surplus = len(held) - taken + (BLOCK * begins if begins > 0 else 0)
        self.held = held[surplus:] if surplus > 0 else held

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The latest that it let in, `ENTRIES` at most."""
        return self.held[-ENTRIES:]

    @property
    def blocks(self) -> int:
        """How many blocks of entries have been full."""
        return self.taken // BLOCK

    def block(self, number: int) -> tuple[Entry, ...]:
        """Return the entries of a full block, one of the latest `BLOCKS`."""
        at = len(self.held) - self.taken + number * BLOCK
        return self.held[at : at + BLOCK]

    def fails(self, minute: int) -> Failures:
        """Return what failures tell, begun by the first, with what was quiet in their rates.

        When that came is not known: evenly since the last failure, or long before the first.
        """
        quiet, self.quiet = float(self.quiet), 0
        if self.failures is None:
            sums = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, quiet, 0.0, 0.0, quiet, 0.0, 0.0]
            self.failures = Failures(Rates(minute, sums))
        elif quiet:
            self.failures.rates.spread(minute, quiet)
        return self.failures

    def believe(self, minute: int, latest: int) -> None:
        """Go back to a minute from one that is later than is believed: a clock was wrong."""
        self.last = minute
        if self.failures is not None:
            self.failures.believe(minute, latest)

    @property
    def nats(self) -> float:
        """How hot it was found to be; 0 where it is not."""
        return self.failures.nats if self.failures is not None else 0.0

    @property
    def standing(self) -> float:
        """By how much it deserves its room: when it was last met, more so the more use it."""
        grace = 2_880.0 * min(Few.met(self.users), 30)
        return self.last + grace + (20_160.0 if self.nats or self.alerted else 0.0)

    def row(self) -> _Row:
        """Return what is stored (`StoredTally`): as much as says anything, full blocks left out."""
        kind, key, last, quiet = self.kind, self.key, self.last, self.quiet
        users, failures, taken = self.users or None, self.failures, self.taken
        if failures is None and not (taken or self.alerted or self.shown):
            return kind, key, last, quiet, None, users
        blocks, begun = taken // BLOCK, taken % BLOCK
        entries = self.held[-begun:] if begun else ()
        if failures is None:
            return (
                kind, key, last, quiet, None, users, None, None, None, 0, entries, (),
                0, 0, 0, "", 0, self.alerted, self.shown, 0, 0, HOURS, 0, None,
                blocks,
            )  # fmt: skip
        return (
            kind, key, last, quiet, failures.rates.row(), users,
            failures.accounts, failures.accounts_before, failures.networks, failures.tried_since,
            # A zero is a byte, and so they mostly are; a float is nine whatever it is.
            entries, failures.entered, failures.nats or 0, failures.since or 0, failures.until or 0,
            failures.technique, failures.revision, self.alerted, self.shown,
            failures.failing, failures.failed, failures.window, failures.told,
            None, blocks, failures.networks_before,
        )  # fmt: skip


def tally_of(stored: StoredTally, bucket: int, blocks: Sequence[Entry]) -> Tally:
    """Return the tally that was stored, with the entries of its latest blocks.

    An earlier version stored all of them with it.
    """
    tally = Tally(stored.kind, stored.key, stored.last, bucket)
    tally.quiet = stored.quiet
    tally.users = stored.users or b""
    tally.held = (*blocks, *stored.entries)
    tally.stored = stored.blocks
    tally.taken = stored.blocks * BLOCK + len(stored.entries)
    tally.alerted = stored.alerted
    tally.shown = stored.shown
    if stored.rates is not None:
        failures = tally.failures = Failures(rates_of(stored.rates))
        failures.accounts = stored.accounts
        failures.accounts_before = stored.accounts_before
        failures.networks = stored.networks
        failures.tried_since = stored.tried_since
        failures.entered = stored.entered
        failures.nats, failures.since, failures.until = stored.nats, stored.since, stored.until
        failures.technique = stored.technique
        failures.revision = stored.revision
        failures.failing, failures.failed = stored.failing, stored.failed
        failures.window, failures.told = stored.window, stored.told
        failures.networks_before = stored.networks_before
        if stored.excused and stored.networks:
            # An earlier version kept what was taken back beside what had counted.
            taken_back = int.from_bytes(stored.excused, "little")
            standing = int.from_bytes(stored.networks, "little") & ~taken_back
            failures.networks = bytearray(standing.to_bytes(len(stored.networks), "little"))
    return tally
