"""How often customers fail, at the moment and on ordinary days, whatever attackers do.

Failures on devices or networks that the account knows are the customers' own: when those rise (an
outage, a forced reset), strangers' failures are expected to rise alike, and each counts for so much
less. How often strangers fail on an ordinary day is taken from the quiet quarter of the last
fortnight's half-days, so that an attack of some days does not pass for custom.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from detectors.errors import IncompatibleState, decoded
from detectors.heat.judging import Customers
from detectors.heat.records import Totals
from detectors.heat.stored import StoredCustomers, StoredRates
from detectors.heat.tally import DAYS, FAST, HOURS, USUAL, Rates, rates_of

VERSION: Final = 1
_KEY: Final = b"h:customers"
_BLOCK: Final = 720
"""Minutes of a block of strangers' tries."""
_BLOCKS: Final = 28
_ENOUGH: Final = 30
"""Tries without which a block tells nothing."""
_FIRM: Final = 2.0
"""Failures on what customers know that are expected beside those that are: what makes it firm."""
_FAILING: Final = 0.20
_UNKNOWN: Final = 0.03
"""Shares of strangers' tries that fail, and that fail on no account, before any block tells."""


_decoder = msgspec.msgpack.Decoder(StoredCustomers)


class Everybody:
    """Counts totals; `read` gives the state handed over so far."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        stored = read(_KEY)
        nothing = StoredRates(0, [0.0] * 12)
        self._state = StoredCustomers(VERSION, nothing, nothing)
        if stored is not None:
            self._state = decoded(_decoder.decode, stored, "stored customers")
            if self._state.version != VERSION:
                raise IncompatibleState(f"stored customers have version {self._state.version}")
        # What is counted in: the state has them as they were handed over last.
        self._familiar = rates_of(self._state.familiar)
        self._strangers = rates_of(self._state.strangers)
        self._dirty = False
        self._rise = _rise(self._familiar)
        self._set_quiet()

    @property
    def accounts(self) -> int:
        """About how many accounts there are: of which a first sign-in was seen."""
        return self._state.accounts

    def watched(self, minute: int) -> int:
        """Return for how many minutes anything had been told of the shop by a minute."""
        return max(minute - self._state.begun, 0)

    @property
    def strangers(self) -> Rates:
        """How strangers fare, whatever they come with."""
        return self._strangers

    @property
    def rise(self) -> float:
        """By how much more than usual customers fail at the moment (`Customers`)."""
        return self._rise

    def add(self, totals: Totals, latest: int) -> None:
        """Count what happened in a minute. `latest` is the latest that is believed."""
        state, minute = self._state, totals.minute
        tried, failed, unknown = totals.tried, totals.failed, totals.unknown
        familiar, strangers = self._familiar, self._strangers
        familiar.believe(minute, latest)
        strangers.believe(minute, latest)
        if state.block > latest // _BLOCK:
            self._go_back(minute // _BLOCK, latest // _BLOCK)
        familiar.count(minute, totals.familiar_tried, totals.familiar_failed, 0.0, usual=True)
        self._rise = rise = _rise(familiar)
        strangers.count(minute, tried, failed / rise, unknown / rise, usual=True)
        begun = state.begun
        if minute < begun or not (begun or state.accounts):
            state.begun = minute
        if totals.newcomers:
            state.accounts += totals.newcomers
        block = minute // _BLOCK
        if block > state.block:
            self._begin(block)
        counts = self._counts(block)
        counts[0] += tried
        counts[1] += failed
        counts[2] += unknown
        self._dirty = True

    def _counts(self, block: int) -> list[int]:
        """Return a block's counts: the present one's, or a past one's that something is late of.

        Partitions of a backlog are read days apart. What is older than all that is kept is let go.
        """
        state = self._state
        if block == state.block:
            return state.counts
        self._is_quiet_known = False
        counts = state.past.get(block)
        if counts is None:
            counts = [0, 0, 0]
            if block > state.block - _BLOCKS:
                state.past[block] = counts
        return counts

    def _begin(self, block: int) -> None:
        state = self._state
        state.past[state.block] = state.counts
        state.block, state.counts = block, [0, 0, 0]
        telling = [number for number, counts in state.past.items() if counts[0] >= _ENOUGH]
        kept = set(sorted(telling)[-_BLOCKS:])
        state.past = {
            number: counts
            for number, counts in state.past.items()
            if number in kept or number > block - _BLOCKS
        }
        self._is_quiet_known = False

    def _go_back(self, block: int, latest: int) -> None:
        """Go on in a block from one that is later than is believed: a clock was wrong."""
        state = self._state
        state.past = {number: counts for number, counts in state.past.items() if number <= latest}
        state.block = max([block, *state.past])
        known = state.past.pop(state.block, [0, 0, 0])
        state.counts = [one + other for one, other in zip(state.counts, known, strict=True)]
        self._is_quiet_known = False

    def _set_quiet(self) -> None:
        state = self._state
        telling = [counts for _, counts in sorted(state.past.items()) if counts[0] >= _ENOUGH]
        failing = [*state.failing, *[max(counts[1], 0) / counts[0] for counts in telling]]
        unknown = [*state.unknown, *[counts[2] / counts[0] for counts in telling]]
        self._failing = _quiet(failing[-_BLOCKS:], _FAILING)
        self._unknown = _quiet(unknown[-_BLOCKS:], _UNKNOWN)
        self._is_quiet_known = True

    def now(self) -> Customers:
        """Return how strangers who are customers fail on ordinary days, and how it is now."""
        if not self._is_quiet_known:
            self._set_quiet()
        strangers = self._strangers
        entered = (
            strangers.entered(FAST), strangers.entered(HOURS),
            strangers.entered(DAYS), strangers.entered(USUAL),
        )  # fmt: skip
        return Customers(self._failing, self._unknown, self._rise, entered)

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the counts where they changed."""
        if self._dirty:
            self._dirty = False
            state, familiar, strangers = self._state, self._familiar, self._strangers
            state.familiar = StoredRates(familiar.at, familiar.sums)
            state.strangers = StoredRates(strangers.at, strangers.sums)
            yield _KEY, msgspec.msgpack.encode(state)


def _rise(familiar: Rates) -> float:
    """By how much more than usual customers fail on what they know, at least 1.

    The mean of a gamma distribution, of failures seen over those expected: where one customer in a
    hundred fails, two who mistype within minutes are no outage, and must not hide an attack.
    """
    usual = (familiar.usual_failed + 2.0) / (familiar.usual_tried + 20.0)
    expected = familiar.fast_tried * usual
    return max(1.0, (familiar.fast_failed + _FIRM) / (expected + _FIRM))


def _quiet(shares: list[float], before: float) -> float:
    """Return the quiet quarter's share, held between a third of and twice what is expected."""
    if len(shares) < 4:
        return before
    quartile = sorted(shares)[len(shares) // 4]
    return min(max(quartile, before / 3.0), 0.6)
