"""From score to risk that means what it says, learnt from verdicts: a bent line over log odds.

A score is log odds at the policy's base rate (`Policy.base_rate`, the prior share of events that
are a hijacker's), and until a first verdict the risk is just that: the line starts as the
identity. It is moved by at most an offset and two slopes, one on either side of a risk of about
five per cent, because features that overlap overstate mostly where many of them speak. Both slopes
are positive, so no two scores change places or become one.

**What it learns from.** Verdicts are incomplete in a lopsided way: most hijacks are reported some
day, hardly any customer's event ever is. So the share of takeovers among the verdicts says nothing;
the share of reported takeovers among all events of a score does, once it is put right for those
never reported and those not reported yet (learning from positive and unlabelled examples: Elkan
and Noto, KDD 2008). For each half nat of score are counted the events that can get a verdict, the
takeovers and the customers among their verdicts. An event without a verdict is a customer's only
as far as a takeover would have been reported by its age: reports are taken to come after an
exponential delay, whose mean is learnt, and `_REPORTED` of takeovers to be reported at all. Where
customers are reviewed too, a takeover is missed only if it is neither reported nor reviewed. As
long as nobody has ever reported a takeover, silence says nothing. Nor does what was scored in the
first fortnight: to a detector that has just arrived every customer is a stranger.

The line is the most probable one (Newton's method) under a binomial likelihood and a Gaussian
prior around the identity: `_PRIOR` are the deviations. They are very small on purpose for what
moves a risk of about five per cent, where the line bends: the offset weighs as much as a thousand
takeovers there, so that a large shop's line follows its verdicts over a year and a small one's
stays. The slope below adds to what a smaller risk may move: at a quarter of a per cent the prior
weighs as much as about five hundred. A line that follows a month's verdicts makes the risks of its
weeks incomparable, and that costs more hijacks at a small budget than it mends. How much the many
that speak together overstate (the slope above) shows within weeks, and costs none.
An event weighs by its own day, half as much after `_HALF_LIFE` days; so a verdict that takes back
another leaves no trace of it.
"""

from array import array
from collections.abc import Callable, Iterator
from itertools import repeat
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.errors import IncompatibleState
from detectors.events import Verdict
from detectors.population import pack, unpack

_KEY: Final = b"m:calibration"
_LOWEST: Final = -12.0
_WIDTH: Final = 0.5
_BINS: Final = 52
_BEND: Final = -3.0
_PRIOR = np.array([0.03, 0.01, 0.1])
_FLATTEST: Final = 0.1
_REPORTED: Final = 0.75
_HALF_LIFE: Final = 180.0
_SETTLING: Final = 14
"""Days, from the first that was seen, in which a shop is new to the detector: most who order have
not done so before its eyes, so the scores of these days overstate."""
_UNIT: Final = 64.0
"""Weight of an event of the first day; whole numbers, so that sums can be taken back exactly."""
_DELAY: Final = 20.0
_DELAYS: Final = 20.0
"""Days until a report before any came, and how many reports that counts for."""
_LONGEST: Final = 120.0
"""Days after which a report's delay is counted no longer: its clock may be wrong."""

Floats = NDArray[np.float64]
_SCORES: Final[Floats] = _LOWEST + (np.arange(_BINS, dtype=np.float64) + 0.5) * _WIDTH - _BEND
_BASIS: Final[Floats] = np.stack(
    [np.ones(_BINS), np.minimum(_SCORES, 0.0), np.maximum(_SCORES, 0.0)]
)


def bin_of(score: float) -> int:
    """Return the bin of a score in nats; half a nat each."""
    at = int((score - _LOWEST) / _WIDTH)
    return 0 if at < 0 else min(at, _BINS - 1)


class Calibration:
    """Turns a score (nats) into the log odds of a takeover, and back. State: about 1.7 kB.

    Days are whole days since the epoch, of the event. Costs half a microsecond a score and about
    a millisecond a verdict.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        # Seen, not yet ripe, takeovers, customers: a bin each. Then the first day, the latest,
        # the sum of the reports' delays in days and their number, and the line.
        self._state = array("d", repeat(0.0, 4 * _BINS)) + array("d", (-1, -1, 0, 0, 0, 1, 1))
        stored = read(_KEY)
        if stored is not None:
            if len(stored) != 1 + 8 * len(self._state):
                raise IncompatibleState("a stored calibration has another size")
            unpack(stored, self._state, 0, len(self._state))
        self._dirty = False
        self._offset, self._below, self._above = self._state[-3:]

    def log_odds(self, score: float) -> float:
        """Return the log odds, nats, that stand behind a score."""
        apart = score - _BEND
        slope = self._below if apart < 0.0 else self._above
        return _BEND + self._offset + slope * apart

    def score(self, log_odds: float) -> float:
        """Return the score, nats, behind which these log odds stand."""
        apart = log_odds - _BEND - self._offset
        return _BEND + apart / (self._below if apart < 0.0 else self._above)

    def see(self, at: int, day: int) -> None:
        """Count an event, by its score's bin, that may get a verdict."""
        state = self._state
        # A first event whose clock was ahead must not have all that follows come too early.
        if state[-7] < 0 or (day < state[-7] and not any(state[:_BINS])):
            state[-7] = state[-6] = day
            self._dirty = True
        if self._is_settling(day):
            return
        if day > state[-6]:
            fade = 0.5 ** ((day - state[-6]) / self._ripening())
            for ripening in range(_BINS, 2 * _BINS):
                state[ripening] *= fade
            state[-6] = day
        weight = self._weight(day)
        state[at] += weight
        state[_BINS + at] += weight
        self._dirty = True

    def judge(
        self, at: int, day: int, before: Verdict | None, now: Verdict | None, delay: int
    ) -> None:
        """Count a verdict on an event that was seen, in the place of the one before it.

        `delay` is how many days after the event it was first said to be a takeover.
        """
        if self._is_settling(day):
            return
        state, weight = self._state, self._weight(day)
        for verdict, sign in ((before, -1), (now, 1)):
            if verdict is not None:
                state[(2 if verdict == "takeover" else 3) * _BINS + at] += sign * weight
            if verdict == "takeover":
                state[-5] += sign * min(max(delay, 0), _LONGEST)
                state[-4] += sign
        self._fit()

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the counts and the line where they changed."""
        if self._dirty:
            self._dirty = False
            yield self.stored()

    def stored(self) -> tuple[bytes, bytes]:
        """Return the counts and the line as they would be handed over now."""
        return _KEY, pack(self._state)

    def _is_settling(self, day: int) -> bool:
        return day < self._state[-7] + _SETTLING

    def _weight(self, day: int) -> float:
        return float(round(_UNIT * 2.0 ** ((day - self._state[-7]) / _HALF_LIFE)))

    def _ripening(self) -> float:
        """Days in which half of the reports come."""
        total, reports = self._state[-5:-3]
        return log(2.0) * (total + _DELAY * _DELAYS) / (reports + _DELAYS)

    def _counts(self) -> tuple[Floats, Floats]:
        """Return events and takeovers by bin, as they would be had everybody been judged."""
        counts = np.frombuffer(self._state)[: 4 * _BINS].reshape(4, _BINS)
        seen, unripe, takeovers, customers = counts / self._weight(int(self._state[-6]))
        reviewed = np.minimum(customers / np.maximum(seen - takeovers, 1e-9), 1.0)
        hijacked = takeovers / (1.0 - (1.0 - _REPORTED) * (1.0 - reviewed))
        known = seen - unripe if takeovers.any() else customers
        return np.maximum(known, hijacked), hijacked

    def _fit(self) -> None:
        events, hijacked = self._counts()
        identity = np.array([0.0, 1.0, 1.0])
        line, precision = identity.copy(), 1.0 / _PRIOR**2
        for _ in range(50):
            share = 1.0 / (1.0 + np.exp(-_BEND - line @ _BASIS))
            slope = _BASIS @ (hijacked - events * share) - precision * (line - identity)
            curvature = (_BASIS * (events * share * (1.0 - share))) @ _BASIS.T + np.diag(precision)
            step = np.linalg.solve(curvature, slope)
            line += step / max(1.0, float(np.abs(step).max()))
            line[1:] = np.maximum(line[1:], _FLATTEST)
            if np.abs(step).max() < 1e-9:
                break
        self._offset, self._below, self._above = line.tolist()
        self._state[-3:] = array("d", line.tolist())
        self._dirty = True
