"""What is counted for each indicator: rates that fade, and how many it was met on."""

from collections.abc import Sequence
from functools import lru_cache
from math import log
from typing import Final

import msgspec

from detectors.heat.distinct import Distinct
from detectors.heat.records import Entry

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

        What comes late has faded by as much as if it had come in time: partitions of a backlog
        are read one after the other, days apart, and are told in any order.
        """
        age = minute - self.at
        if age < 0:
            self._count_late(_fading(-age), (tried, failed, unknown), usual=usual)
            return
        if age > 0:
            self.at = minute
            fast, hours, days, long = _fading(age)
        else:
            fast = hours = days = long = 1.0
        more = tried if usual else 0
        a, b, c, d, e, f, g, h, i, j, k, m = self.sums
        self.sums = [
            a * fast + tried, b * fast + failed, c * fast + unknown,
            d * hours + tried, e * hours + failed, f * hours + unknown,
            g * days + tried, h * days + failed, i * days + unknown,
            j * long + more, k * long + (failed if usual else 0),
            m * long + (unknown if usual else 0),
        ]  # fmt: skip
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
    entries: list[Entry] = []
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
