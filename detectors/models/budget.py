"""The alert threshold: the score that only the budgeted share of account-days reaches.

An account-day is an account and a UTC day with events, by its highest score. A histogram of them,
halved now and then, is an online quantile that is exact to a bin and the same after a restore.
"""

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Final

from detectors.population import Pages

LOWEST: Final = -15.0
HIGHEST: Final = 25.0
BINS: Final = 320
_PER_NAT: Final = BINS / (HIGHEST - LOWEST)
_HORIZON: Final = 100_000
_ENOUGH: Final = 1_000
UNKNOWN: Final = float("-inf")
"""A threshold of which nothing can be told yet."""
_NOTABLE: Final = 0.07


def bin_of(score: float) -> int:
    """Return the bin of a score in nats; an eighth of a nat each."""
    at = int((score - LOWEST) * _PER_NAT)
    if at < 0:
        return 0
    return at if at < BINS else BINS - 1


def _score_of(found: int) -> float:
    """Return the lowest score of a bin, nats; -inf for 0, which is none."""
    return LOWEST + (found - 1) / _PER_NAT if found else UNKNOWN


class AlertBudget:
    """Counts account-days by highest score; the threshold lets a share `budget` of them alert.

    `threshold` is the score, nats, at or above which an event alerts; `notable` the one that about
    one account-day in fifteen reaches.
    Before a thousand account-days were seen there is no telling: the threshold is -inf then.
    """

    def __init__(self, budget: float, read: Callable[[bytes], bytes | None]) -> None:
        self._budget = budget
        # A bin each, the number of account-days, then the bins plus one of both thresholds.
        self._pages = Pages("account-days", "I", BINS + 3, read)
        self.changes = self._pages.changes
        self.stored = self._pages.stored
        self._set_thresholds()

    def take(self, before: int, now: int) -> None:
        """Count an account-day whose best bin was `before` (-1: a new day) and is `now`."""
        pages = self._pages
        cells = pages.cells
        if before < 0:
            pages.add(BINS)
        elif cells[before]:
            pages.add(before, -1)
        pages.add(now)
        if cells[BINS] >= _HORIZON:
            found = cells[BINS + 1], cells[BINS + 2]
            pages.halve()
            cells[BINS + 1], cells[BINS + 2] = found
        if before < 0 and cells[BINS] >= _ENOUGH and cells[BINS] % 50 == 0:
            cells[BINS + 1] = self._find(self._budget)
            cells[BINS + 2] = self._find(_NOTABLE)
            self._set_thresholds()

    def _set_thresholds(self) -> None:
        alerting, notable = self._pages.cells[BINS + 1 : BINS + 3]
        self.threshold = _score_of(alerting)
        self.notable = _score_of(notable)

    def _find(self, share: float) -> int:
        cells = self._pages.cells
        # How many account-days reach each bin, the highest first.
        reach = list(accumulate(reversed(cells[:BINS])))
        return BINS - bisect_right(reach, share * cells[BINS]) + 1
