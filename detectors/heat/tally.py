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

    `sums` holds these three for each window in turn, faded to minute `at`.
    """

    __slots__ = ("at", "sums")

    def __init__(self, at: int, sums: list[float]) -> None:
        self.at = at
        self.sums = sums

    def count(
        self, minute: int, tried: float, failed: float, unknown: float, *, usual: bool
    ) -> None:
        """Fade to a minute and count; into what is `usual` only where that is what it was.

        What comes late has faded by as much as if it had come in time: partitions of a backlog
        are read one after the other, days apart, and are told in any order.
        """
        age = minute - self.at
        if age < 0:
            self._count_late(_fading(-age), (tried, failed, unknown), usual=usual)
            return
        a, b, c, d, e, f, g, h, i, j, k, m = self.sums
        if age > 0:
            self.at = minute
            fast, hours, days, long = _fading(age)
            if usual:
                self.sums = [
                    a * fast + tried, b * fast + failed, c * fast + unknown,
                    d * hours + tried, e * hours + failed, f * hours + unknown,
                    g * days + tried, h * days + failed, i * days + unknown,
                    j * long + tried, k * long + failed, m * long + unknown,
                ]  # fmt: skip
            else:
                self.sums = [
                    a * fast + tried, b * fast + failed, c * fast + unknown,
                    d * hours + tried, e * hours + failed, f * hours + unknown,
                    g * days + tried, h * days + failed, i * days + unknown,
                    j * long, k * long, m * long,
                ]  # fmt: skip
        else:
            self.sums = [
                a + tried, b + failed, c + unknown, d + tried, e + failed, f + unknown,
                g + tried, h + failed, i + unknown, j, k, m,
            ]  # fmt: skip
            if usual:
                self.sums[9:] = [j + tried, k + failed, m + unknown]
        if failed < 0:
            # What is made good was counted, but may have faded since.
            self.sums[1::3] = [max(left, 0.0) for left in self.sums[1::3]]

    def _count_late(
        self, faded: Sequence[float], counts: tuple[float, float, float], *, usual: bool
    ) -> None:
        for window, left in enumerate(faded):
            if window == USUAL and not usual:
                continue
            for at, count in enumerate(counts, 3 * window):
                self.sums[at] = max(self.sums[at] + count * left, 0.0)

    def spread(self, minute: int, tried: float) -> None:
        """Fade to a minute and count what was tried in peace since, as if it had come evenly.

        Of what comes evenly, a window of half-life h holds after t the share
        `(1 - 2^(-t/h)) h / (t ln 2)`: the mean of `2^(-s/h)` over the ages s from 0 to t.
        """
        age = minute - self.at
        self.count(max(minute, self.at), 0.0 if age > 0 else tried, 0.0, 0.0, usual=True)
        if age > 0:
            for number, half_life in enumerate(HALF_LIVES):
                lives = age / half_life
                self.sums[3 * number] += tried * (1.0 - power(2.0, -lives)) / (lives * log(2.0))

    def keep_custom(self, entered: float) -> None:
        """Count those who got in during an attack as usual, as if the usual share had failed.

        What customers share by the hundreds would else seem to have lost them.
        """
        tried, failed, _ = self.window(USUAL)
        share = min(failed / (tried + 1.0), 0.8)
        self.sums[3 * USUAL] += entered / (1.0 - share)
        self.sums[3 * USUAL + 1] += entered * share / (1.0 - share)

    def take_back(self, minute: int, *, usual: bool) -> None:
        """Count one failure less, as far as one of that minute has not faded."""
        for window, left in enumerate(_fading(self.at - minute)):
            if window == USUAL and not usual:
                continue
            tried, failed, unknown = self.window(window)
            less = min(left, failed)
            if less > 0.0:
                self.sums[3 * window : 3 * window + 3] = [
                    tried - less, failed - less, unknown * (1.0 - less / failed)
                ]  # fmt: skip

    def forget(self) -> None:
        """Count nothing but what is usual."""
        self.sums[: 3 * USUAL] = [0.0] * (3 * USUAL)

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

    def row(self) -> _Row:
        """Return what is stored (`StoredRates`)."""
        return self.at, self.sums


def rates_of(stored: StoredRates) -> Rates:
    """Return the rates that were stored."""
    return Rates(stored.at, stored.sums)


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

    `accounts` and `networks` are those that were tried through it, and from where, since minute
    `tried_since` and in the day before. Tries have been failing since minute `failing`, the last
    one in `failed`. `window` is the one that it was found hot by; `entered` are digests of the
    accounts that let the present attack in, which is on since second `since`, 0 where none was. It
    was told as an attack's front in minute `told`. `excused` are those of the networks whose
    failures were put down to them.
    """

    __slots__ = (
        "accounts",
        "accounts_before",
        "entered",
        "excused",
        "failed",
        "failing",
        "nats",
        "networks",
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
        self.excused: bytearray | None = None
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

    @property
    def tried_accounts(self) -> int:
        """About how many accounts were tried through it of late."""
        return Distinct.count(self.accounts) + Distinct.count(self.accounts_before)


class Tally:
    """What is known of one indicator, last met in minute `last`. Minutes are since the epoch.

    `users` are the accounts it was new to without an alert (`Few`). `quiet` are tries that let in,
    in peace, since the last that failed: until one does there are no `failures`, and most
    indicators never see any. `bucket` is where the table has it (`tallies`).
    """

    __slots__ = (
        "alerted", "bucket", "entries", "failures", "key", "kind", "last", "quiet", "shown", "users"
    )  # fmt: skip

    def __init__(self, kind: int, key: int, last: int, bucket: int = 0) -> None:
        self.kind = kind
        self.key = key
        self.last = last
        self.bucket = bucket
        self.quiet: int = 0
        self.users: int = 0
        self.entries: tuple[Entry, ...] = ()
        self.failures: Failures | None = None
        self.alerted = False
        self.shown: str | None = None

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
        grace = 2_880.0 * min(self.users.bit_count(), 30)
        return self.last + grace + (20_160.0 if self.nats or self.alerted else 0.0)

    def row(self) -> _Row:
        """Return what is stored (`StoredTally`): as much as says anything."""
        kind, key, last, quiet = self.kind, self.key, self.last, self.quiet
        users, entries = Few.stored(self.users), self.entries
        failures = self.failures
        if failures is None:
            if entries or self.alerted or self.shown:
                return (
                    kind, key, last, quiet, None, users, None, None, None, 0, entries, (),
                    0.0, 0.0, 0.0, "", 0, self.alerted, self.shown, 0, 0, HOURS, 0, None,
                )  # fmt: skip
            return kind, key, last, quiet, None, users
        return (
            kind, key, last, quiet, failures.rates.row(), users,
            failures.accounts, failures.accounts_before, failures.networks, failures.tried_since,
            entries, failures.entered, failures.nats, failures.since, failures.until,
            failures.technique, failures.revision, self.alerted, self.shown,
            failures.failing, failures.failed, failures.window, failures.told,
            failures.excused,
        )  # fmt: skip


def tally_of(stored: StoredTally, bucket: int) -> Tally:
    """Return the tally that was stored."""
    tally = Tally(stored.kind, stored.key, stored.last, bucket)
    tally.quiet = stored.quiet
    tally.users = Few.read(stored.users)
    tally.entries = stored.entries
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
        failures.excused = stored.excused
    return tally
