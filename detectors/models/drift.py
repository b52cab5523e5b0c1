"""Whether inputs and scores are still what they were: river's Page-Hinkley test on a few series.

A drift changes nothing by itself (tables and thresholds follow the traffic anyway): it is
reported, because an app release, a broken pipeline and a wave of attacks all begin like this.
E. S. Page, Continuous Inspection Schemes, Biometrika 1954.
"""

from array import array
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, Final, NamedTuple

from river.drift import PageHinkley

from detectors.errors import IncompatibleState
from detectors.population import pack, unpack

SERIES: Final = ("score", "new_device", "new_network", "no_device", "no_place")
"""What is watched: sign-ins' log odds, scaled to 0 to 1, and shares of sign-ins."""

_DELTA = 0.02
_THRESHOLD = 40.0
_KEY = b"m:drift"
_HELD = 8


class Drift(NamedTuple):
    """How often a series drifted, and when it last did (UTC epoch seconds)."""

    series: str
    times: int
    last: float


class DriftWatch:
    """Watches every series of SERIES. Bytes: 64 a series."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._tests = [PageHinkley(delta=_DELTA, threshold=_THRESHOLD) for _ in SERIES]
        self._found = [(0, 0.0) for _ in SERIES]
        self._dirty = False
        stored = read(_KEY)
        if stored is not None:
            self._restore(stored)

    def see(self, values: tuple[float, ...], occurred_at: float) -> None:
        """Take in one value of each series, in order."""
        self._dirty = True
        for at, (test, value) in enumerate(zip(self._tests, values, strict=True)):
            test.update(value)  # type: ignore[no-untyped-call]  # river
            if test.drift_detected:
                times, _ = self._found[at]
                self._found[at] = (times + 1, occurred_at)
                # river starts anew on the next value; started anew here, nothing is left over.
                self._tests[at] = PageHinkley(delta=_DELTA, threshold=_THRESHOLD)

    def drifts(self) -> tuple[Drift, ...]:
        """Return the series that ever drifted."""
        return tuple(
            Drift(name, times, last)
            for name, (times, last) in zip(SERIES, self._found, strict=True)
            if times
        )

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the tests' sums where they changed."""
        if self._dirty:
            self._dirty = False
            held: array[float] = array("d")
            for test, found in zip(self._tests, self._found, strict=True):
                held.extend((*_sums(test), *found))
            yield _KEY, pack(held)

    def _restore(self, stored: bytes) -> None:
        held = array("d", repeat(0.0, _HELD * len(SERIES)))
        if len(stored) != 1 + 8 * len(held):
            raise IncompatibleState("drift was watched on other series")
        unpack(stored, held, 0, len(held))
        for at, test in enumerate(self._tests):
            sums = held[at * _HELD : (at + 1) * _HELD]
            _put(test, list(sums[:6]))
            self._found[at] = (int(sums[6]), sums[7])


# river keeps the test's sums to itself and offers no way to store them.
def _sums(test: Any) -> tuple[float, ...]:
    mean = test._x_mean  # noqa: SLF001
    return (
        mean.n,
        mean._mean,  # noqa: SLF001
        test._sum_increase,  # noqa: SLF001
        test._sum_decrease,  # noqa: SLF001
        test._min_increase,  # noqa: SLF001
        test._max_decrease,  # noqa: SLF001
    )


def _put(test: Any, sums: list[float]) -> None:
    mean = test._x_mean  # noqa: SLF001
    mean.n, mean._mean = int(sums[0]), sums[1]  # noqa: SLF001
    test._sum_increase, test._sum_decrease = sums[2], sums[3]  # noqa: SLF001
    test._min_increase, test._max_decrease = sums[4], sums[5]  # noqa: SLF001
