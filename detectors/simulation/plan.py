"""Who comes when: every visit of a run, drawn at once and sorted by time.

A visit takes about twenty bytes, so that what is held in memory is the plan and not the events. How
often people come follows the largest public data set of sign-ins (Wiefling et al. 2022): of the
accounts that come at all, about two in five come once, half at most twice, one in ten nine times
or more.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.simulation.calendar import DAY, HOURS, Calendar
from detectors.simulation.chance import seed_of
from detectors.simulation.shop import Shop

ORDINARY, SLEEPER, TRACKER = 0, 1, 2
_SPREAD = 1.55  # of the logarithm of how often an account's owner comes


class Visit(NamedTuple):
    """One planned visit. `kind` is ORDINARY, SLEEPER or TRACKER."""

    time: float
    number: int
    kind: int


class Plan:
    """All visits of a run, in time order, and each account's own."""

    def __init__(self, seed: int, shop: Shop, calendar: Calendar) -> None:
        rng = np.random.default_rng(seed_of(seed, "plan"))
        times, numbers, kinds = _all_visits(rng, shop, calendar)
        inside = (times >= calendar.start) & (times < calendar.end)
        order = np.argsort(times[inside], kind="stable")
        self.times = times[inside][order]
        self.numbers = numbers[inside][order]
        self.kinds = kinds[inside][order]
        self._by_account = np.argsort(self.numbers, kind="stable")
        self._edges = np.searchsorted(
            self.numbers[self._by_account], np.arange(shop.accounts + 1), side="left"
        )

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Visit]:
        for first in range(0, len(self.times), 4096):
            part = slice(first, first + 4096)
            yield from map(
                Visit,
                self.times[part].tolist(),
                self.numbers[part].tolist(),
                self.kinds[part].tolist(),
            )

    def begun(self, time: float) -> int:
        """How many visits began before a time."""
        return int(np.searchsorted(self.times, time))

    def of(self, number: int) -> NDArray[np.float64]:
        """Times of an account's visits, in order."""
        return self.times[self._by_account[self._edges[number] : self._edges[number + 1]]]


def _all_visits(
    rng: np.random.Generator, shop: Shop, calendar: Calendar
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int8]]:
    accounts = np.arange(shop.accounts, dtype=np.int32)
    often = 0.30 * shop.visits * np.exp(_SPREAD * rng.standard_normal(shop.accounts))
    counts = rng.poisson(np.minimum(often, 150.0) * calendar.days / 60.0)
    numbers = np.repeat(accounts, counts)
    favourite = rng.choice(24, size=shop.accounts, p=HOURS / HOURS.sum())
    times = _moments(rng, calendar, favourite[numbers])
    again = rng.random(len(numbers)) < 0.25
    soon = times[again] + 3600.0 * np.exp(rng.uniform(0.0, np.log(60.0), int(again.sum())))
    late = _sleepers(rng, calendar, accounts[counts == 0])
    timed = _trackers(rng, calendar, accounts)
    return (
        np.concatenate([times, soon, late[0], timed[0]]),
        np.concatenate([numbers, numbers[again], late[1], timed[1]]),
        np.concatenate(
            [
                np.full(len(times) + len(soon), ORDINARY, np.int8),
                np.full(len(late[0]), SLEEPER, np.int8),
                np.full(len(timed[0]), TRACKER, np.int8),
            ]
        ),
    )


def _moments(
    rng: np.random.Generator, calendar: Calendar, favourite: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Moments by the calendar's days and the hours people keep, half of them their own hour."""
    size = len(favourite)
    weights = calendar.weights / calendar.weights.sum()
    days = rng.choice(len(weights), size=size, p=weights)
    hours = rng.choice(24, size=size, p=HOURS / HOURS.sum()) + rng.random(size)
    own = favourite + 0.5 + 1.4 * rng.standard_normal(size)
    hours = np.where(rng.random(size) < 0.5, own, hours)
    # On the great sale days people shop around the clock.
    sale = np.isin(days, calendar.sales) & (rng.random(size) < 0.25)
    hours = np.where(sale, 24.0 * rng.random(size), hours)
    midnight = calendar.start - calendar.start % DAY
    return midnight + DAY * days + 3600.0 * (hours % 24.0)


def _sleepers(
    rng: np.random.Generator, calendar: Calendar, silent: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    days = np.asarray(calendar.sale_days(), dtype=np.int64)
    woken = silent[rng.random(len(silent)) < 0.08] if len(days) else silent[:0]
    on = rng.choice(days, size=len(woken)) if len(woken) else np.zeros(0, np.int64)
    return calendar.start + DAY * (on + rng.random(len(woken))), woken


def _trackers(
    rng: np.random.Generator, calendar: Calendar, accounts: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """One customer in 1,200 has a script that signs in some times a day for some weeks."""
    chosen = rng.choice(accounts, size=max(1, len(accounts) // 1200), replace=False)
    times, numbers = [np.zeros(0)], [np.zeros(0, np.int32)]
    for number in chosen:
        every = 3600.0 * rng.uniform(6.0, 24.0)
        first = calendar.start + DAY * calendar.days * 0.5 * rng.random()
        last = min(calendar.end, first + DAY * rng.uniform(5.0, 40.0))
        ticks = np.arange(first, last, every)
        times.append(ticks + rng.normal(0.0, 20.0, len(ticks)))
        numbers.append(np.full(len(ticks), number, np.int32))
    return np.concatenate(times), np.concatenate(numbers)
